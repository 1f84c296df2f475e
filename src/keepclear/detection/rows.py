"""Results as rows that people and programs read: Arrow tables with named, documented columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from keepclear.detection.situation import SituationKind, Verdict
from keepclear.feeds.reports import Floats, Labels

if TYPE_CHECKING:
    from keepclear.detection.conflict import VolumeArrays
    from keepclear.detection.infringement_table import InfringementTable
    from keepclear.detection.recorded import EncounterTable
    from keepclear.tracks.table import TrackTable
    from keepclear.zones.zone_set import ZoneSet

__all__ = ["conflict_rows", "encounter_rows", "infringement_rows", "instants"]

_DATUM = np.array(["", "STD", "WGS84"], dtype=object)
_KIND = ["", *(kind.name for kind in SituationKind)]
AXIS_RATIO2 = 1.0 / (1.0 - 0.0066943799901413165)
"""(a/b)² of WGS84: the vertical of a surface point (x, y, z) is along (x, y, z·AXIS_RATIO2)"""
INSTANT = pa.timestamp("us", tz="UTC")


def instants(time_s: Floats) -> pa.Array:
    """POSIX seconds as Arrow instants in UTC, rounded to the microsecond; infinities and nan become null."""
    known = np.isfinite(time_s)
    micros = np.round(np.where(known, time_s, 0.0) * 1e6).astype(np.int64)
    return pa.array(micros, mask=~known).cast(INSTANT)


def _numbers(values: Floats, decimals: int) -> pa.Array:
    return pa.array(np.round(values.astype(np.float64), decimals), from_pandas=True)


def _names(names: object, codes: object) -> pa.Array:
    return pa.array(np.array(names, dtype=object)[np.asarray(codes)], type=pa.string())


def _labels(labels: Labels) -> pa.Array:
    return pa.array(labels.strings(), type=pa.string())


def infringement_rows(found: InfringementTable, table: TrackTable, zones: ZoneSet) -> pa.Table:
    """One row a violation; instants in UTC, metres, degrees. An unknown value is null, never a sentinel."""
    reports = table.reports
    first = table.start[:-1][found.track]
    last = table.start[1:][found.track] - 1
    ids = [z.id for z in zones] or [""]
    callsign = _last_callsign(table, found)
    return pa.table({
        "track_id": _names(table.track_id or ("",), found.track),
        "target": _labels(reports.target.take(first)),
        "callsign": pa.array(callsign, type=pa.string()),
        "source": _labels(reports.source.take(last)),
        "zone_id": _names(ids, found.zone),
        "zone_version": _names([z.version for z in zones] or [""], found.zone),
        "zone_name": _names([z.name for z in zones] or [""], found.zone),
        "kind": _names(_KIND, found.kind),
        "verdict": _names([v.name for v in Verdict], found.verdict),
        "confidence": _numbers(found.confidence.astype(np.float64), 4),
        "doubt": pa.array(found.doubt, type=pa.string()),
        "entry_time": instants(found.entry_s),
        "exit_time": instants(found.exit_s),
        "entry_seen": pa.array(found.entry_seen),
        "exit_seen": pa.array(found.exit_seen),
        "entry_lon_deg": _numbers(found.entry_lon_deg, 6),
        "entry_lat_deg": _numbers(found.entry_lat_deg, 6),
        "exit_lon_deg": _numbers(found.exit_lon_deg, 6),
        "exit_lat_deg": _numbers(found.exit_lat_deg, 6),
        "lowest_altitude_m": _numbers(found.lowest_m, 1),
        "highest_altitude_m": _numbers(found.highest_m, 1),
        "altitude_datum": pa.array(_DATUM[found.altitude_datum], type=pa.string()),
        "depth_m": _numbers(found.depth_m, 0),
        "depth_lon_deg": _numbers(found.depth_lon_deg, 6),
        "depth_lat_deg": _numbers(found.depth_lat_deg, 6),
        "depth_time": instants(found.depth_s),
        "coverage": _numbers(found.coverage, 4),
        "exempt": pa.array(found.exempt),
        "exemption": pa.array(found.exemption, type=pa.string()),
        "rests_on": pa.array(found.rests_on, type=pa.string()),
    })  # fmt: skip


def _last_callsign(table: TrackTable, found: InfringementTable) -> list[str]:
    """The last callsign that the track wore up to the row's exit."""
    labels, time = table.reports.callsign, table.reports.time_s
    if not labels.names:
        return [""] * len(found)
    worn = np.where(labels.codes >= 0, np.arange(len(labels)), -1)
    latest = np.maximum.accumulate(worn)
    names = []
    for track, exit_s in zip(found.track.tolist(), found.exit_s.tolist(), strict=True):
        first, last = int(table.start[track]), int(table.start[track + 1])
        row = int(np.searchsorted(time[first:last], exit_s, side="right")) + first - 1
        at = int(latest[max(row, first)])
        if at < first:  # none before the exit: the first one after it, if any
            later = worn[first:last]
            at = int(later[later >= 0][0]) if (later >= 0).any() else -1
        names.append(labels.names[labels.codes[at]] if at >= 0 else "")
    return names


def encounter_rows(found: EncounterTable, table: TrackTable) -> pa.Table:
    """One row an encounter: who (track ids, targets, callsigns) before the figures."""
    reports = table.reports
    rows = found.to_arrow()
    names: dict[str, pa.Array] = {}
    for side, track in (("a", found.track_a), ("b", found.track_b)):
        names[f"track_id_{side}"] = _names(table.track_id or ("",), track)
        names[f"target_{side}"] = _labels(reports.target.take(table.start[:-1][track]))
        names[f"callsign_{side}"] = pa.array(_callsigns_of(table, track), type=pa.string())
    kept = [name for name in rows.column_names if name not in ("track_a", "track_b")]
    return pa.table({**names, **{name: rows[name] for name in kept}})


def _callsigns_of(table: TrackTable, tracks: npt.NDArray[np.int64]) -> list[str]:
    """Each track's last callsign, wherever in the track it was heard."""
    codes = table.reports.callsign.codes
    names = []
    for track in tracks.tolist():
        worn = codes[table.start[track] : table.start[track + 1]]
        heard = worn[worn >= 0]
        names.append(table.reports.callsign.names[heard[-1]] if len(heard) else "")
    return names


_LIMIT_DATUM = np.array(["", "AGL", "AMSL", "STD", "WGS84"], dtype=object)
"""in the order of the codes in ``VolumeArrays.meta``; the first: no limit"""


def conflict_rows(
    i: npt.NDArray[np.int64],
    j: npt.NDArray[np.int64],
    indeterminate: npt.NDArray[np.bool_],
    arrays: VolumeArrays,
    ids: Sequence[str],
    part: npt.NDArray[np.int64],
    source: Sequence[str],
) -> pa.Table:
    """One row a pair of volumes: which, what they have in common of time and altitude, where their centres are."""
    body, meta = arrays.body, arrays.meta
    names, sources = np.array([*ids, ""], dtype=object)[:-1], np.array([*source, ""], dtype=object)[:-1]
    columns: dict[str, pa.Array] = {}
    for side, row in (("a", i), ("b", j)):
        columns[f"id_{side}"] = pa.array(names[row], type=pa.string())
        columns[f"volume_{side}"] = pa.array(part[row])
    columns["verdict"] = pa.array(
        np.where(indeterminate, Verdict.INDETERMINATE.name, Verdict.PREDICTED.name).astype(object), type=pa.string()
    )
    columns["from_time"] = instants(np.maximum(body[i, 6], body[j, 6]))
    columns["to_time"] = instants(np.minimum(body[i, 7], body[j, 7]))
    datums = np.stack([meta[i, 2], meta[j, 2], meta[i, 3], meta[j, 3]])
    datum = datums.max(axis=0, initial=0)
    # limits of two datums have no band in common that anybody could name
    alike = np.all((datums == datum) | (datums == 0), axis=0)
    lower, upper = np.maximum(body[i, 4], body[j, 4]), np.minimum(body[i, 5], body[j, 5])
    columns["lower_m"] = _numbers(np.where(alike & np.isfinite(lower), lower, np.nan), 2)
    columns["upper_m"] = _numbers(np.where(alike & np.isfinite(upper), upper, np.nan), 2)
    columns["altitude_datum"] = pa.array(
        [name or None for name in _LIMIT_DATUM[np.where(alike, datum, 0)]], type=pa.string()
    )
    for side, row in (("a", i), ("b", j)):
        x, y, z = body[row, 0], body[row, 1], body[row, 2]
        columns[f"{side}_lon_deg"] = _numbers(np.degrees(np.arctan2(y, x)), 6)
        columns[f"{side}_lat_deg"] = _numbers(np.degrees(np.arctan2(z * AXIS_RATIO2, np.hypot(x, y))), 6)
    for side, row in (("a", i), ("b", j)):
        columns[f"source_{side}"] = pa.array(sources[row], type=pa.string())
    return pa.table(columns)
