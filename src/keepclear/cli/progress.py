"""What a person sees while a command works: a bar on a terminal, one line on the first run, nothing in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

__all__ = ["reading_bar", "say", "say_first_run"]


def say(text: str) -> None:
    """A line for the person, beside the result: on stderr, so that a pipe stays clean."""
    click.echo(text, err=True)


def say_first_run() -> None:
    """The kernels are compiled once after the installation; that takes a while and should not look like a hang."""
    package = Path(__file__).resolve().parents[1]
    if not any(package.glob("*/kernels/__pycache__/*.nbi")):
        say("keepclear: first run: compiling the detection kernels, about half a minute, once …")


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
