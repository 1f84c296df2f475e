"""What a person sees while a command works: a bar on a terminal, one line on the first run, nothing in a pipe."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

__all__ = ["counted", "reading_bar", "say", "say_first_run", "warm_up_watch"]

MODE_S_FORMATS = (None, "beast", "avr", "mode-s")
"""Formats with kernels of their own; an unknown one may turn out to be such."""
AIRCRAFT_JSON_FORMATS = (None, "readsb")


def say(text: str) -> None:
    """A line for the person, beside the result: on stderr, so that a pipe stays clean. Where nobody can read it (a log
    on a full disk) the work goes on."""
    with contextlib.suppress(OSError):
        click.echo(text, err=True)


def counted(number: int, noun: str) -> str:
    """«1 target», «2,000 targets»."""
    return f"{number:,} {noun if number == 1 else noun + 's'}"


def say_first_run(*kernels: str) -> bool:
    """The kernels are compiled once after the installation; that takes a while and should not look like a hang.
    Returns whether it was said.

    ``kernels`` names the modules that the command needs («space/visits»).
    """
    from keepclear.kernel_cache import is_compiled

    package = Path(__file__).resolve().parents[1]
    for kernel in kernels:
        folder, _, module = kernel.partition("/")
        if not is_compiled(package / folder / "kernels" / f"{module}.py"):
            say("keepclear: first run: compiling the detection kernels, once; it takes a minute or two …")
            return True
    return False


def warm_up_watch(formats: Iterable[str | None] = ()) -> None:
    """Have every kernel that a watch needs compiled before anything is listened to: alerts must not wait for it, nor
    a feed overrun. ``formats`` are those of the feeds, ``None`` where one is yet to be recognised."""
    from keepclear.node import Watch

    formats = list(formats)

    def compiling(step: str) -> None:
        say(f"keepclear: compiling: {step}")

    first = say_first_run("space/ahead", "tracks/follow", "detection/pairs")
    progress = compiling if first else lambda _: None
    Watch.warm_up(progress)
    if any(name in MODE_S_FORMATS for name in formats):
        from keepclear.feeds.warmup import warm_up_mode_s

        progress("Mode S")
        warm_up_mode_s()
    if any(name in AIRCRAFT_JSON_FORMATS for name in formats):
        from keepclear.feeds.warmup import warm_up_aircraft_json

        progress("aircraft.json")
        warm_up_aircraft_json()


@contextmanager
def reading_bar(total_bytes: int) -> Iterator[Callable[[int], None] | None]:
    """A progress bar over the bytes read; only on a terminal."""
    if not sys.stderr.isatty() or total_bytes < 1 << 22:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("reading"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("reading", total=total_bytes)
        yield lambda done: progress.update(task, completed=done)
