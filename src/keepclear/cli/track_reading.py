"""Tracks read for a command: progress while it lasts, and what was refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from keepclear.cli.progress import reading_bar, say
from keepclear.errors import InputError

if TYPE_CHECKING:
    from keepclear.edge.recordings import Recording
    from keepclear.node import TrackReading

__all__ = ["read_with_progress", "require_positions", "say_faults"]


def read_with_progress(tracks: tuple[str, ...], options: Any, gap_s: float) -> TrackReading:
    from keepclear.edge.feed_address import parse_feed
    from keepclear.edge.recordings import read_recordings
    from keepclear.node import read_tracks

    total = read_recordings([parse_feed(t) for t in tracks]).bytes_total
    with reading_bar(total) as progress:
        reading = read_tracks(*tracks, options=options, gap_s=gap_s, on_progress=progress)
    if not options.source and _shared_targets(reading):
        say(
            "keepclear: files are taken as sources of their own, and some targets are in several: where one receiver "
            "wrote them (an hour each, say), give --source NAME, so that tracks go on from one to the next"
        )
    return reading


def _shared_targets(reading: TrackReading) -> bool:
    import numpy as np

    reports, first = reading.reports, reading.table.start[:-1]
    named = reports.target.codes[first] >= 0
    pairs = np.stack([reports.target.codes[first], reports.source.codes[first]], axis=1)[named]
    return len(np.unique(pairs, axis=0)) > len(np.unique(pairs[:, 0]))


def require_positions(reading: TrackReading, tracks: tuple[str, ...]) -> None:
    """«Clear» over no position at all would be no finding (practice R2.8). Raises :class:`InputError`."""
    if not len(reading.reports):
        raise InputError(f"no position could be read from {', '.join(tracks)}: nothing can be said")


def say_faults(reading: TrackReading | Recording) -> None:
    """What was refused, a line a reason, with the first place where it happened."""
    for file in reading.faults:
        if file.dated_by_file_s is not None:
            from keepclear.quantities import format_instant

            dated = format_instant(file.dated_by_file_s)
            say(
                f"keepclear: {file.source}: DATED BY THE FILE'S OWN TIME, {dated}, because this format holds no date: "
                "give --start INSTANT, or every time below may be wrong"
            )
        first = {fault.reason: fault.where for fault in reversed(file.faults.examples)}
        for reason, count in sorted(file.faults.counts.items(), key=lambda item: -item[1])[:8]:
            place = f" (first at {first[reason]})" if first.get(reason) else ""
            say(f"keepclear: {file.source}: {count:,} × {reason}{place}")
