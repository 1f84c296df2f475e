"""From Mode S fields to reports: what each aircraft said last, and CPR pairs resolved against time and motion.

State is carried from frame to frame in the order of the stream, never from chunk to chunk, so that the reports are
the same however the bytes were cut.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from keepclear.feeds.addresses import CleanLabels
from keepclear.feeds.adsb_quality import EPU_BY_NACP_M, RC_BY_NIC_M, category_of_emitter, domain_of_emitter
from keepclear.feeds.decoder import Faults
from keepclear.feeds.mode_s_fields import CALLSIGN_LETTERS, Bytes, callsign_of, emitter_of, read_fields
from keepclear.feeds.reports import Floats, ReportBatch
from keepclear.quantities import FOOT_M

__all__ = ["ModeSAircraft"]

PAIR_AGE_MAX_S = 10.0
"""Even and odd frame no further apart: Doc 9871 C.2.6.7."""
ANCHOR_AGE_MAX_S = 180.0
"""One frame is resolved near the last position for so long; at ``SPEED_MAX_MPS`` that is 97 of the 180 NM allowed."""
SURFACE_ANCHOR_AGE_MAX_S = 600.0
"""The same on the ground, where 45 NM are allowed and aircraft taxi."""
SPEED_MAX_MPS = 1000.0
MARGIN_M = 2000.0
"""A position further from the last one than this speed and margin allow is refused …"""
REFUSALS_MAX = 3
"""… until so many in a row were: then the last one was wrong, or the aircraft lies; tracking judges that."""
VELOCITY_AGE_MAX_S = 10.0
"""Velocity and height difference older than this are not put beside a position (sent twice a second)."""
ACCURACY_AGE_MAX_S = 60.0
"""NACp comes with the operational status, every 2.5 s."""
IDENTITY_AGE_MAX_S = 600.0
"""Callsign and squawk hold for a flight; after ten minutes' silence it may be another one."""
REPLY_AGE_MAX_S = 60.0
"""An address laid over a parity is believed so long after it came clean."""
ADDRESSES_MAX = 20_000
"""More aircraft than a receiver hears; the one unheard longest is forgotten first."""
_LIMITS = np.array([
    PAIR_AGE_MAX_S, ANCHOR_AGE_MAX_S, SURFACE_ANCHOR_AGE_MAX_S, SPEED_MAX_MPS, MARGIN_M, REFUSALS_MAX,
    VELOCITY_AGE_MAX_S, ACCURACY_AGE_MAX_S, IDENTITY_AGE_MAX_S, REPLY_AGE_MAX_S,
])  # fmt: skip
_BUCKETS = 1 << 15
_EMITTERS = [[emitter_of(type_code << 51 | number << 48) for number in range(8)] for type_code in range(5)]
_CATEGORY = np.array([[category_of_emitter(code) for code in row] for row in _EMITTERS], dtype=np.int64)
_DOMAIN = np.array([[domain_of_emitter(code) for code in row] for row in _EMITTERS], dtype=np.int64)


class ModeSAircraft:
    """The table of aircraft heard. ``receiver`` (lat, lon in degrees) resolves surface positions."""

    def __init__(self, faults: Faults, source: str, receiver: tuple[float, float] | None) -> None:
        from keepclear.feeds.kernels.mode_s import REALS, WHOLES  # compiled code is loaded on first use only

        self._faults = faults
        self._source = source
        self._receiver = receiver or (math.nan, math.nan)
        self._targets, self._callsigns = CleanLabels(_target), CleanLabels(_callsign)
        self._real = np.empty((ADDRESSES_MAX, REALS))
        self._whole = np.empty((ADDRESSES_MAX, WHOLES), dtype=np.int64)
        self._bucket = np.full(_BUCKETS, -1, dtype=np.int32)
        self._ends = np.array([0, -1, -1], dtype=np.int64)
        """rows used, the row heard longest ago, the row heard last"""

    def __len__(self) -> int:
        return int(self._ends[0])

    def fold(
        self, time_s: Floats, received_s: float, frames: Bytes, is_long: Any, where: Callable[[int], str]
    ) -> ReportBatch:
        """Reports of the positions in ``frames`` (n, 14). ``where(row)`` names a frame in a fault."""
        from keepclear.feeds.kernels.mode_s import fold

        f = read_fields(frames, is_long)
        if len(f.parity_failed):
            self._faults.add_all("Mode S parity failed", f.parity_failed.tolist(), where)
        n = len(frames)
        row = np.empty(n, dtype=np.int64)
        numbers, codes = np.empty((n, 8)), np.empty((n, 6), dtype=np.int64)
        refused, tally = np.empty(n, dtype=np.int64), np.zeros(1, dtype=np.int64)
        reports = fold(
            time_s, f.content, f.address, f.me, f.odd, f.cpr_lat, f.cpr_lon, f.altitude_ft, f.nic, f.nac_p, f.squawk,
            f.speed_mps, f.track_deg, f.climb_mps, f.geo_minus_baro_ft, _LIMITS, *self._receiver, CALLSIGN_LETTERS,
            _CATEGORY, _DOMAIN, EPU_BY_NACP_M, RC_BY_NIC_M, self._real, self._whole, self._bucket, self._ends,
            row, numbers, codes, refused, tally,
        )  # fmt: skip
        if tally[0]:
            addresses = refused[: tally[0]].tolist()
            self._faults.add_all("position no aircraft can have reached", addresses, _target)
        if not reports:
            return ReportBatch.empty()
        return self._batch(time_s[row[:reports]], received_s, numbers[:reports], codes[:reports])

    def _batch(
        self, time_s: Floats, received_s: float, numbers: Floats, codes: npt.NDArray[np.int64]
    ) -> ReportBatch:  # fmt: skip
        lat, lon, baro, geo, speed, track, climb, accuracy = numbers.T
        ground, domain, category, squawk, address, callsign = codes.T
        return ReportBatch.build(
            time_s=time_s,
            received_s=received_s if math.isfinite(received_s) else None,
            lat_deg=lat.copy(),
            lon_deg=lon.copy(),
            altitude_baro_m=baro * FOOT_M,
            altitude_geo_m=geo * FOOT_M,
            ground_speed_mps=speed,
            track_deg=track,
            vertical_rate_mps=climb,
            accuracy_m=accuracy,
            on_ground=ground,
            domain=domain,
            category=category,
            squawk=squawk,
            target=self._targets.labels(address.tolist()),
            callsign=self._callsigns.labels(callsign.tolist()),
            source=self._source,
        )


def _target(address: int) -> str:
    return f"{address:06x}" if address < 1 << 24 else f"~{address & 0xFFFFFF:06x}"


def _callsign(number: int) -> str:
    return callsign_of(number) if number >= 0 else ""
