"""What a scan found, in words and in the columns that a person reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from keepclear.cli.progress import counted, say
from keepclear.cli.zone_decisions import flag_of

if TYPE_CHECKING:
    import pyarrow as pa

    from keepclear.detection.vertical_gap import GapWarning
    from keepclear.node import ScanResult
    from keepclear.zones.zone_set import ZoneSet

__all__ = ["readable", "say_clauses", "say_gaps", "summary"]

GAPS_SAID = 20
"""What fits on a screen; a report has them all."""


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


def readable(rows: pa.Table) -> pa.Table:
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


def say_gaps(gaps: Sequence[GapWarning]) -> None:
    """Where neighbouring zones' levels leave a step, a line a pair; the first that fit on a screen."""
    for warning in gaps[:GAPS_SAID]:
        say(f"keepclear: gap: {warning.text} (near {warning.lat_deg:.2f}, {warning.lon_deg:.2f})")
    if len(gaps) > GAPS_SAID:
        say(f"keepclear: and {len(gaps) - GAPS_SAID:,} more gaps between zones")


def say_clauses(zones: ZoneSet, rows: pa.Table) -> None:
    inside = set(rows["zone_id"].to_pylist())
    for zone in zones:
        for exemption in zone.exemptions if zone.id in inside else ():
            if exemption.clause:
                say(f"Exemption of {zone.id}, for a person to judge: {' '.join(exemption.clause.split())}")
