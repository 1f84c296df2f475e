"""``keepclear encounters``: which recorded pairs came too close."""

from __future__ import annotations

from typing import Any

import click

from keepclear.cli.options import decoder_options, feed_options, output_options, require_above_zero
from keepclear.cli.progress import counted, say, say_first_run
from keepclear.cli.track_reading import read_with_progress, require_positions, say_faults
from keepclear.errors import UsageError

__all__ = ["command", "thresholds_of"]

FOOT_M, NAUTICAL_MILE_M = 0.3048, 1852.0


@click.command(name="encounters")
@click.argument("tracks", nargs=-1, required=True, metavar="TRACKS…")
@feed_options
@click.option("--horizontal", metavar="NM", type=float, help="Horizontal separation in nautical miles.  [default: 5]")
@click.option("--vertical", metavar="FT", type=float, help="Vertical separation in feet.  [default: 1000]")
@click.option("--well-clear", is_flag=True, help="Use the well-clear volume of DO-365: 4,000 ft, 450 ft, 35 s.")
@click.option(
    "--gap",
    "gap_s",
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="Longer without a report than this, and a track's way between is not known.",
)
@output_options
@click.pass_context
def command(ctx: click.Context, /, tracks: tuple[str, ...], **given: Any) -> None:
    """Say which pairs of recorded tracks came too close, at their closest approach in space and time.

    The approach is computed on the segments between reports. Barometric and geometric altitudes are never compared
    with each other: a pair without a common datum is INDETERMINATE.

    \b
    Example:
      keepclear encounters flights.parquet --horizontal 5 --vertical 1000
    """
    from keepclear.cli.output import format_of, write_rows
    from keepclear.cli.readable_rows import readable_encounters
    from keepclear.node import encounters

    require_above_zero("--gap", given["gap_s"])
    thresholds = thresholds_of(given["horizontal"], given["vertical"], given["well_clear"])
    chosen = format_of(given["format"], given["out"])
    options = decoder_options(given["start"], given["receiver"], given["columns"], given["source"])
    say_first_run("detection/recorded")
    reading = read_with_progress(tracks, options, given["gap_s"])
    say_faults(reading)
    require_positions(reading, tracks)
    result = encounters(reading, thresholds=thresholds)
    if len(result) or given["out"] or given["format"]:
        table = chosen == "table" and len(result) > 0
        write_rows(readable_encounters(result.rows) if table else result.rows, chosen, given["out"])
    hours = result.observed_s / 3600.0
    over = (
        f"{counted(result.targets, 'target')} in {counted(result.tracks, 'track')}, "
        f"{counted(result.reports, 'position')}, {hours:,.1f} track hours"
    )
    closer = "not well clear" if given["well_clear"] else f"within {thresholds.name}"
    say(f"{counted(len(result), 'encounter')} {closer}; over {over} observed.")
    if len(result):
        ctx.exit(1)


def thresholds_of(horizontal_nm: float | None, vertical_ft: float | None, well_clear: bool) -> Any:
    from keepclear.detection.thresholds import RADAR_SEPARATION, WELL_CLEAR, Thresholds

    if well_clear:
        if horizontal_nm is not None or vertical_ft is not None:
            raise UsageError("--well-clear has its own distances; leave out --horizontal and --vertical")
        return WELL_CLEAR
    if horizontal_nm is None and vertical_ft is None:
        return RADAR_SEPARATION
    horizontal = require_above_zero("--horizontal", 5.0 if horizontal_nm is None else horizontal_nm)
    vertical = require_above_zero("--vertical", 1000.0 if vertical_ft is None else vertical_ft)
    return Thresholds(horizontal * NAUTICAL_MILE_M, vertical * FOOT_M, name=f"{horizontal:g} NM and {vertical:,g} ft")
