"""One verification run for a person: a bar where they watch, several processes where there is much to do."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

from keepclear.channel.record.layout import ExportFiles
from keepclear.channel.record.verification import LogReport, Verification
from keepclear.channel.record.verify import Expected, claimed_entries, verify_export
from keepclear.channel.record.verify_log import LogTask
from keepclear.cli.main import ENDING
from keepclear.cli.progress import say

__all__ = ["run_verification"]

WORTH_PROCESSES = 20_000
"""Entries: below, starting a process takes longer than it saves (some 4 s of signatures)."""
WORTH_A_BAR = 2_000


def run_verification(files: ExportFiles, expected: Expected, jobs: int | None) -> Verification:
    """``jobs`` processes, each with whole logs; if not given, one a core where the record is large."""
    entries = claimed_entries(files)
    total = sum(entries.values())
    if jobs is None:
        jobs = min(os.cpu_count() or 1, len(entries)) if total > WORTH_PROCESSES else 1
    if jobs > 1:
        if sys.stderr.isatty():
            say(f"verifying {total:,} entries in {jobs} processes …")
        return verify_export(files, expected, run=lambda verify, tasks: _spread(verify, tasks, jobs))
    with _bar(total) as progress:
        return verify_export(files, expected, progress=progress)


def _spread(verify: Callable[[LogTask], LogReport], tasks: Sequence[LogTask], jobs: int) -> Iterable[LogReport]:
    """Reports in the order of the tasks; the largest log is begun first."""
    with ProcessPoolExecutor(jobs, initializer=_end_silently) as pool:
        try:
            waiting = {task.party: pool.submit(verify, task) for task in sorted(tasks, key=lambda t: -t.sizes[t.party])}
            return [waiting[task.party].result() for task in tasks]
        except KeyboardInterrupt:
            for process in multiprocessing.active_children():  # a large log takes minutes
                process.terminate()
            raise


def _end_silently() -> None:
    """Whoever began says that it was interrupted; once is enough."""
    for number in ENDING:
        signal.signal(number, signal.SIG_DFL)


@contextmanager
def _bar(total: int) -> Iterator[Callable[[int], None] | None]:
    if total < WORTH_A_BAR or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("verifying"), BarColumn(), MofNCompleteColumn(), TextColumn("entries"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("verifying", total=total)
        yield lambda entries: progress.advance(task, entries)
