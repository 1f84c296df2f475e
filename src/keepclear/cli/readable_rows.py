"""Encounters and alerts in the columns that a person reads; ``--format`` gives all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from keepclear.quantities import FOOT_M, NAUTICAL_MILE_M

if TYPE_CHECKING:
    from datetime import datetime

    import pyarrow as pa

__all__ = ["readable_alerts", "readable_encounters"]


ALERT_COLUMNS = (
    "id", "type", "status", "worst", "track", "zone or other", "version", "raised", "entry", "end", "end reason",
    "acknowledged by", "review",
)  # fmt: skip


def readable_encounters(rows: pa.Table) -> pa.Table:
    """One row a pair, separation in nautical miles and feet."""
    import pyarrow as pa

    shown = [
        {
            "track": _who(row["track_id_a"], row["callsign_a"]),
            "other": _who(row["track_id_b"], row["callsign_b"]),
            "verdict": row["verdict"],
            "from": ("" if row["entry_observed"] else "before ") + _when(row["entry_time"]),
            "to": ("" if row["exit_observed"] else "after ") + _when(row["exit_time"]),
            "closest": _when(row["cpa_time"]),
            "NM": row["cpa_horizontal_m"] / NAUTICAL_MILE_M,
            "vertical": _vertical(row["cpa_vertical_m"], row["datum"]),
            "coverage": row["coverage"],
        }
        for row in rows.to_pylist()
    ]
    return pa.Table.from_pylist(shown)


def readable_alerts(rows: pa.Table) -> pa.Table:
    """One row an alert: what it is, about whom, since when, and what people said of it."""
    import pyarrow as pa

    marks = ("stale", "exempt", "disputed")
    shown = [
        {
            "id": row["id"],
            "type": row["type"],
            "status": ", ".join([row["status"], *(mark for mark in marks if row[mark])]),
            "worst": row["worst_verdict"],
            "track": _who(row["track_id"], row["callsign"]),
            "zone or other": row["zone_id"] or row["other_track_id"],
            "version": row["zone_version"],
            "raised": _when(row["raised_time"]),
            "entry": _when(row["entry_time"]) or None,
            "end": _when(row["end_time"]) or None,
            "end reason": row["end_reason"],
            "acknowledged by": row["acknowledged_by"],
            "review": row["review"],
        }
        for row in rows.to_pylist()
    ]
    return pa.Table.from_pylist(shown, pa.schema([(name, pa.string()) for name in ALERT_COLUMNS]))


def _who(track_id: str, callsign: str | None) -> str:
    return f"{callsign} ({track_id})" if callsign else track_id


def _when(time: datetime | None) -> str:
    return "" if time is None else f"{time:%Y-%m-%d %H:%M:%SZ}"


def _vertical(metres: Any, datum: str | None) -> str:
    return "not known" if metres is None else f"{metres / FOOT_M:,.0f} ft {datum}"
