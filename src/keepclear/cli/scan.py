"""``keepclear scan``: which recorded tracks were where they must not be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from keepclear.cli.options import (
    altitude_assumptions,
    altitude_options,
    decoder_options,
    feed_options,
    output_options,
    parties_of,
    read_zone_options,
    require_above_zero,
    zone_options,
)
from keepclear.cli.progress import say, say_first_run
from keepclear.cli.scan_finding import readable, say_clauses, say_gaps, summary
from keepclear.cli.track_reading import read_with_progress, require_positions, say_faults
from keepclear.cli.zone_decisions import ZoneDecisions, decisions_option

__all__ = ["command"]


@click.command(name="scan")
@click.argument("tracks", nargs=-1, required=True, metavar="TRACKS…")
@zone_options
@decisions_option
@altitude_options
@feed_options
@click.option(
    "--gap",
    "gap_s",
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="Longer without a report than this, and a track's way between is not known.",
)
@click.option(
    "--merge-gap",
    "merge_gap_s",
    default=300.0,
    show_default=True,
    metavar="SECONDS",
    help="Outside or unseen for less than this is the same violation.",
)
@click.option("--unrestricted", is_flag=True, help="Also say who was inside zones that forbid nothing (a FIR, a CTR).")
@click.option("--report", type=click.Path(path_type=Path), help="Also write a self-contained HTML report.")
@click.option("--picture", type=click.Path(path_type=Path), help="Also draw a map (.png or .svg).")
@output_options
@click.pass_context
def command(ctx: click.Context, /, tracks: tuple[str, ...], **given: Any) -> None:
    """Say which recorded tracks were where they must not be, from when to when, how deep and how surely.

    TRACKS are files or folders of any feed format, gzip included, or stdin; FILE#FORMAT names the format where it is
    not recognised. One row is one violation: a dip out and in again is not two.

    \b
    Example:
      keepclear scan flights.parquet --zones closure.txt --firs firs.geojson.gz --assume-active
    """
    from keepclear.cli.output import format_of, write_rows
    from keepclear.detection.activity import forbids
    from keepclear.detection.infringement import ScanSettings
    from keepclear.node import scan

    require_above_zero("--gap", given["gap_s"])
    require_above_zero("--merge-gap", given["merge_gap_s"])
    chosen = format_of(given["format"], given["out"])
    zones = read_zone_options(given["zone_files"], given["firs"])
    say_first_run("space/visits")
    reading = read_with_progress(
        tracks, decoder_options(given["start"], given["receiver"], given["columns"], given["source"]), given["gap_s"]
    )
    say_faults(reading)
    require_positions(reading, tracks)
    if given["decisions"] is not None:  # as they stood when the tracks were flown
        times = reading.reports.time_s
        zones = ZoneDecisions(given["decisions"]).flag(zones, float(times.min()), float(times.max()))
    quiet = sum(not forbids(zone) for zone in zones)
    if quiet and not given["unrestricted"]:
        say(f"keepclear: {quiet:,} of {len(zones):,} zones forbid nothing: left out without --unrestricted")
    settings = ScanSettings(
        assume_active=given["assume_active"],
        unrestricted=given["unrestricted"],
        merge_gap_s=given["merge_gap_s"],
        assumptions=altitude_assumptions(given["qnh"], given["ground_elevation"]),
        parties=parties_of(given["parties"]),
    )
    result = scan(reading, zones, settings=settings)
    if given["report"] or given["picture"]:
        from keepclear.cli.report import draw_picture, write_report

        if given["report"]:
            write_report(given["report"], ctx, result, reading, zones, settings)
        if given["picture"]:
            draw_picture(given["picture"], result, reading, zones)
    if chosen == "table":
        if len(result):
            write_rows(readable(result.rows), chosen, given["out"])
            say_clauses(zones, result.rows)
    else:
        write_rows(result.rows, chosen, given["out"])
    say_gaps(result.gaps)
    say(summary(result))
    if result.violations or result.indeterminate:
        ctx.exit(1)
