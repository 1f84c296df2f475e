"""``keepclear scan``: which recorded tracks were where they must not be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from keepclear.cli.progress import counted, reading_bar, say, say_first_run
from keepclear.cli.zone_decisions import ZoneDecisions, decisions_option, flag_of
from keepclear.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

    from keepclear.edge.recordings import Recording
    from keepclear.node import ScanResult, TrackReading
    from keepclear.zones.zone_set import ZoneSet

__all__ = ["command", "read_with_progress", "require_positions", "say_faults"]


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
        tracks, decoder_options(given["start"], given["receiver"], given["columns"]), given["gap_s"]
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
            write_rows(_readable(result.rows), chosen, given["out"])
            _say_clauses(zones, result.rows)
    else:
        write_rows(result.rows, chosen, given["out"])
    for warning in result.gaps[:20]:
        say(f"keepclear: gap: {warning.text} (near {warning.lat_deg:.2f}, {warning.lon_deg:.2f})")
    say(summary(result))
    if result.violations or result.indeterminate:
        ctx.exit(1)


def read_with_progress(tracks: tuple[str, ...], options: Any, gap_s: float) -> TrackReading:
    from keepclear.edge.feed_address import parse_feed
    from keepclear.edge.recordings import read_recordings
    from keepclear.node import read_tracks

    total = read_recordings([parse_feed(t) for t in tracks]).bytes_total
    with reading_bar(total) as progress:
        return read_tracks(*tracks, options=options, gap_s=gap_s, on_progress=progress)


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


def summary(result: ScanResult) -> str:
    """The finding in one sentence, with its denominators."""
    hours = result.observed_s / 3600.0
    over = (
        f"over {counted(result.targets, 'target')} in {counted(result.tracks, 'track')}, "
        f"{counted(result.reports, 'position')}, {hours:,.1f} track hours observed"
    )
    if not result.zones_judged:
        return (
            f"Nothing was judged: no zone of {result.zones:,} forbids anything and was in force then (--assume-active "
            f"asks «what if»); {over}."
        )
    if result.targets_unbound and result.targets_unbound == result.targets:
        return (
            f"Nothing was judged: no zone in force ({result.zones_judged:,}) binds targets of this kind "
            f"(AIR, GROUND or SEA, as its subject says); {over}."
        )
    if result.targets_unbound:
        over += f"; {counted(result.targets_unbound, 'target')} of a kind that no zone in force binds"
    if not result.violations and not result.indeterminate:
        return f"Clear {over}; what was not observed is not covered."
    extra = f", {result.indeterminate} indeterminate" if result.indeterminate else ""
    exempt = f", {result.exempt} exempt" if result.exempt else ""
    return (
        f"{counted(result.violations, 'violation')} by {counted(result.targets_inside, 'target')} in "
        f"{counted(result.tracks_inside, 'track')}"
        f"{extra}{exempt}; {over}."
    )


def _readable(rows: pa.Table) -> pa.Table:
    """The columns that a person reads first; ``--format`` gives all."""
    import pyarrow as pa
    import pyarrow.compute as pc

    def heights(low: float | None, high: float | None, datum: str | None) -> str:
        if low is None or high is None:
            return "not known"
        feet = [f"{round(value / 0.3048):,}" for value in (low, high)]
        return f"{feet[0]}–{feet[1]} ft {datum}" if feet[0] != feet[1] else f"{feet[0]} ft {datum}"

    def when(column: str, seen: str, mark: str) -> pa.Array:
        whole = pc.cast(pc.floor_temporal(rows[column], unit="second"), pa.timestamp("s", tz="UTC"))
        text = pc.strftime(whole, "%Y-%m-%d %H:%M:%SZ")
        return pc.binary_join_element_wise(pc.if_else(rows[seen], "", mark), text, "")

    low, high, datum = (rows[c].to_pylist() for c in ("lowest_altitude_m", "highest_altitude_m", "altitude_datum"))
    doubt = [
        f"{v} ({d})" if d else v for v, d in zip(rows["verdict"].to_pylist(), rows["doubt"].to_pylist(), strict=True)
    ]
    return pa.table({
        "track": rows["track_id"], "callsign": rows["callsign"], "zone": _zone_names(rows),
        "version": rows["zone_version"], "verdict": pa.array(doubt, type=pa.string()),
        "entry": when("entry_time", "entry_seen", "before "), "exit": when("exit_time", "exit_seen", "after "),
        "height": pa.array([heights(*h) for h in zip(low, high, datum, strict=True)], type=pa.string()),
        "depth_km": pc.divide(rows["depth_m"], 1000.0), "coverage": rows["coverage"],
        "exemption": pa.array([_short(text) for text in rows["exemption"].to_pylist()], type=pa.string()),
    })  # fmt: skip


def _zone_names(rows: pa.Table) -> pa.Array:
    """The id, and a flag where the zone's decision is not in force."""
    import pyarrow as pa

    pairs = zip(rows["zone_id"].to_pylist(), rows["zone_name"].to_pylist(), strict=True)
    return pa.array([f"{zone_id}{flag_of(name)}" for zone_id, name in pairs], type=pa.string())


def _short(exemption: str) -> str:
    """«possible (address registered in X): CLAUSE» without the clause, which is said once below the table."""
    return exemption.partition(":")[0] if exemption.startswith("possible") else exemption


def _say_clauses(zones: ZoneSet, rows: pa.Table) -> None:
    inside = set(rows["zone_id"].to_pylist())
    for zone in zones:
        for exemption in zone.exemptions if zone.id in inside else ():
            if exemption.clause:
                say(f"Exemption of {zone.id}, for a person to judge: {' '.join(exemption.clause.split())}")
