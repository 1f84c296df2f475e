"""``scan --report`` and ``--picture``: the finding for people who would rather look than read."""

from __future__ import annotations

import hashlib
import shlex
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

import keepclear
from keepclear.cli.scan_finding import summary
from keepclear.edge.feed_address import FeedKind, parse_feed
from keepclear.edge.whole_file import write_whole
from keepclear.errors import UsageError
from keepclear.server.report import InputFile, ReportMeta, zone_assumptions

if TYPE_CHECKING:
    from keepclear.detection.infringement import ScanSettings
    from keepclear.node import ScanResult, TrackReading
    from keepclear.tracks.altitude import AltitudeAssumptions
    from keepclear.zones.zone_set import ZoneSet

__all__ = ["draw_picture", "write_report"]

INPUTS_MAX = 200
"""Files whose digest the report names; a folder of more is counted."""
REASONS_MAX = 20
_READ_BYTES = 1 << 20


def draw_picture(path: Path, result: ScanResult, reading: TrackReading, zones: ZoneSet) -> None:
    """A map to a .png or .svg file. Raises :class:`UsageError` for another suffix."""
    from keepclear.server.map_picture import draw_map

    suffix = path.suffix.lower()
    if suffix not in (".png", ".svg"):
        raise UsageError(f"{path}: a picture is .png or .svg")
    kind: Literal["png", "svg"] = "svg" if suffix == ".svg" else "png"
    picture = draw_map(zones.zones, reading.table, result.rows, format=kind)
    write_whole(path, lambda file: _put(file, picture))


def write_report(
    path: Path, ctx: click.Context, result: ScanResult, reading: TrackReading, zones: ZoneSet, settings: ScanSettings
) -> None:
    """The whole report of a scan to a file."""
    from keepclear.server.report import write_report as html_of

    files, more = _inputs(ctx.params)
    refused = [
        f"{file.source}: {count:,} × {reason}"
        for file in reading.faults
        for reason, count in sorted(file.faults.counts.items(), key=lambda item: -item[1])[:REASONS_MAX]
    ]
    if more:
        refused.append(f"{more:,} more input files were read than are listed below.")
    meta = ReportMeta(
        title="Who was where they must not be",
        summary=summary(result),
        counts=(
            ("violations", f"{result.violations:,}"),
            ("indeterminate", f"{result.indeterminate:,}"),
            ("exempt", f"{result.exempt:,}"),
            ("targets inside", f"{result.targets_inside:,} of {result.targets:,}"),
            ("tracks inside", f"{result.tracks_inside:,} of {result.tracks:,}"),
            ("track hours observed", f"{result.observed_s / 3600.0:,.1f}"),
        ),
        assumptions=(
            *zone_assumptions(zones, assume_active=settings.assume_active),
            *_altitude_assumptions(settings.assumptions),
            f"Longer than {reading.table.gap_s:g} s without a report, nothing is known of a track's way between; "
            "what was not observed is not covered.",
            f"Outside or unseen for less than {settings.merge_gap_s:g} s is the same violation.",
        ),
        warnings=refused,
        notes=[warning.text for warning in result.gaps],
        command=shlex.join(["keepclear", *sys.argv[1:]]),
        inputs=files,
        version=keepclear.__version__,
        made_s=time.time(),
    )
    html = html_of(result.rows, zones.zones, reading.table, meta)
    write_whole(path, lambda file: _put(file, html))


def _put(file: Any, data: bytes) -> None:
    file.write(data)


def _altitude_assumptions(given: AltitudeAssumptions) -> list[str]:
    qnh = (
        f"Pressure altitudes were converted with a QNH of {given.qnh_hpa:g} hPa."
        if given.qnh_hpa is not None
        else "No QNH was stated: where a pressure altitude meets a limit above mean sea level or ground, all pressures "
        "that occur were allowed for, and what they leave open is INDETERMINATE."
    )
    ground = given.ground_elevation_m
    elevation = (
        f"The ground was taken to lie between {ground[0]:g} and {ground[1]:g} m above mean sea level."
        if ground is not None
        else "No ground elevation was stated: limits above ground were allowed all elevations on Earth."
    )
    return [qnh, elevation, "Heights above mean sea level use the EGM96 geoid."]


def _inputs(params: dict[str, Any]) -> tuple[list[InputFile], int]:
    """The files read, with their digests, and how many more there were."""
    feeds = [parse_feed(text) for text in params.get("tracks", ())]
    places = [Path(feed.location) for feed in feeds if feed.kind is FeedKind.FILE]
    places += [Path(place) for name in ("zone_files", "firs") for place in params.get(name) or ()]
    paths = [path for place in places for path in _files(place)]
    return [_digest(path) for path in paths[:INPUTS_MAX]], max(0, len(paths) - INPUTS_MAX)


def _files(place: Path) -> Iterable[Path]:
    return sorted(path for path in place.rglob("*") if path.is_file()) if place.is_dir() else [place]


def _digest(path: Path) -> InputFile:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_READ_BYTES):
            digest.update(chunk)
            size += len(chunk)
    return InputFile(str(path), digest.hexdigest(), size)
