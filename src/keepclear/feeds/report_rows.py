"""Reports gathered one by one and turned into columns once a call: for formats that arrive as single messages.

Every value is checked here, at the door: a position not on Earth, an instant outside 1970–2200 or a row without a
target is refused with a fault; a number that cannot be (a speed of 10¹² m/s, a NaN) becomes «not known».
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from keepclear.errors import UsageError
from keepclear.feeds.decoder import Faults
from keepclear.feeds.reports import Labels, ReportBatch, TargetCategory, TargetDomain
from keepclear.feeds.screening import ACCURACY_MAX_M, ALTITUDE_MAX_M, LATEST_S, SPEED_MAX_MPS, directions

__all__ = ["LABEL_MAX", "ReportRows", "clean_label"]

LABEL_MAX = 128
"""Longest target, callsign or source kept: longer ones are garbage, and would fill the memory."""

_NAN = math.nan


def clean_label(text: str) -> str:
    """Printable, single-spaced, at most :data:`LABEL_MAX` characters: safe to show in a table or a log line."""
    return " ".join("".join(c if c.isprintable() else " " for c in text[: 2 * LABEL_MAX]).split())[:LABEL_MAX]


def _within(value: float, low: float, high: float) -> float:
    return value if low <= value <= high else _NAN


class ReportRows:
    """The rows of the current call, faults counted where a row is refused."""

    def __init__(self, faults: Faults, source: str) -> None:
        self.faults = faults
        self.source = source
        self._rows: list[tuple[Any, ...]] = []
        self._geoid_missed = False

    def __len__(self) -> int:
        return len(self._rows)

    def add(
        self,
        where: str,
        *,
        time_s: float,
        lat_deg: float,
        lon_deg: float,
        target: str,
        received_s: float = _NAN,
        altitude_baro_m: float = _NAN,
        altitude_geo_m: float = _NAN,
        ground_speed_mps: float = _NAN,
        track_deg: float = _NAN,
        vertical_rate_mps: float = _NAN,
        accuracy_m: float = _NAN,
        on_ground: int = -1,
        domain: TargetDomain = TargetDomain.UNKNOWN,
        category: TargetCategory = TargetCategory.UNKNOWN,
        squawk: int = -1,
        callsign: str = "",
        simulated: bool = False,
        above_mean_sea_level: bool = False,
    ) -> bool:
        """Keep one report; ``False`` and a counted fault where it is refused.

        ``above_mean_sea_level``: ``altitude_geo_m`` is referred to the geoid and still to be brought to the ellipsoid.
        ``simulated`` (the format says that this is no physical target) is written into the source's name.
        """
        if not 0.0 <= time_s <= LATEST_S:
            self.faults.add("time is missing or outside the years 1970 to 2200", where)
            return False
        if not (-90.0 <= lat_deg <= 90.0 and -360.0 <= lon_deg <= 360.0):
            self.faults.add("position is missing or not on Earth", where)
            return False
        if not target:
            self.faults.add("report names no target", where)
            return False
        if not -180.0 <= lon_deg < 180.0:
            lon_deg = (lon_deg + 180.0) % 360.0 - 180.0
        track = track_deg % 360.0 if -360.0 <= track_deg <= 720.0 else _NAN
        self._rows.append(
            (
                time_s,
                received_s if 0.0 <= received_s <= LATEST_S else time_s,
                lat_deg,
                lon_deg,
                _within(altitude_baro_m, -ALTITUDE_MAX_M, ALTITUDE_MAX_M),
                _within(altitude_geo_m, -ALTITUDE_MAX_M, ALTITUDE_MAX_M),
                _within(ground_speed_mps, 0.0, SPEED_MAX_MPS),
                track,
                _within(vertical_rate_mps, -SPEED_MAX_MPS, SPEED_MAX_MPS),
                _within(accuracy_m, 0.0, ACCURACY_MAX_M),
                on_ground,
                int(domain),
                int(category),
                squawk if 0 <= squawk <= 7777 else -1,
                target,
                callsign,
                (f"{self.source} (simulated)" if self.source else "simulated") if simulated else self.source,
                above_mean_sea_level,
            )
        )
        return True

    def take(self) -> ReportBatch:
        """The rows since the last call as a batch; the gatherer is empty afterwards."""
        rows, self._rows = self._rows, []
        if not rows:
            return ReportBatch.empty()
        c = list(zip(*rows, strict=True))
        batch = ReportBatch.build(
            time_s=c[0],
            received_s=c[1],
            lat_deg=c[2],
            lon_deg=c[3],
            altitude_baro_m=c[4],
            altitude_geo_m=c[5],
            ground_speed_mps=c[6],
            track_deg=directions(np.array(c[7], dtype=np.float64)),
            vertical_rate_mps=c[8],
            accuracy_m=c[9],
            on_ground=c[10],
            domain=c[11],
            category=c[12],
            squawk=c[13],
            target=Labels.of(c[14]),
            callsign=Labels.of(c[15]),
            source=Labels.of(c[16]),
        )
        self._to_ellipsoid(batch, np.array(c[17], dtype=np.bool_))
        return batch

    def _to_ellipsoid(self, batch: ReportBatch, rows: npt.NDArray[np.bool_]) -> None:
        """Heights above mean sea level to heights above the ellipsoid, in place; left out where no geoid is at hand."""
        rows &= np.isfinite(batch.altitude_geo_m)
        if not rows.any():
            return
        from keepclear.space.geoid import undulation_m

        try:
            batch.altitude_geo_m[rows] += undulation_m(batch.lat_deg[rows], batch.lon_deg[rows])
        except UsageError:  # a checkout without the grid
            batch.altitude_geo_m[rows] = np.nan
            if not self._geoid_missed:  # once a feed, however it is chunked
                self.faults.add("altitude above mean sea level left out: the geoid grid is not installed")
            self._geoid_missed = True
