"""From Mode S fields to reports: what each aircraft said last, and CPR pairs resolved against time and motion.

State is carried from frame to frame in the order of the stream, never from chunk to chunk, so that the reports are
the same however the bytes were cut.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Sequence
from math import cos, radians
from typing import Any

import numpy as np

from keepclear.feeds.adsb_quality import accuracy_of_codes, category_of_emitter, domain_of_emitter
from keepclear.feeds.cpr import airborne_pair, local_position
from keepclear.feeds.decoder import Faults
from keepclear.feeds.mode_s_fields import Bytes, Content, callsign_of, emitter_of, read_fields
from keepclear.feeds.reports import Floats, Labels, ReportBatch, TargetCategory, TargetDomain
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
_METRES_A_DEGREE = 111_320.0
_NAN = math.nan
_NEVER = -math.inf


class _Aircraft:
    """What one address said last, each with its instant."""

    __slots__ = (
        "accuracy_s", "callsign", "callsign_s", "category", "clean_s", "climb_mps", "domain", "even",
        "geo_minus_baro_ft", "lat_deg", "lon_deg", "nac_p", "odd", "position_s", "refusals", "speed_mps",
        "squawk", "squawk_s", "target", "track_deg", "velocity_s",
    )  # fmt: skip

    def __init__(self, address: int) -> None:
        self.target = f"{address:06x}" if address < 1 << 24 else f"~{address & 0xFFFFFF:06x}"
        self.clean_s = _NEVER
        self.callsign, self.callsign_s = "", _NEVER
        self.category, self.domain = int(TargetCategory.UNKNOWN), int(TargetDomain.AIR)
        self.squawk, self.squawk_s = -1, _NEVER
        self.speed_mps = self.track_deg = self.climb_mps = self.geo_minus_baro_ft = _NAN
        self.velocity_s = _NEVER
        self.nac_p, self.accuracy_s = -1, _NEVER
        self.even = self.odd = (_NEVER, 0.0, 0.0)
        self.lat_deg = self.lon_deg = _NAN
        self.position_s = _NEVER
        self.refusals = 0


class ModeSAircraft:
    """The table of aircraft heard. ``receiver`` (lat, lon in degrees) resolves surface positions."""

    def __init__(self, faults: Faults, source: str, receiver: tuple[float, float] | None) -> None:
        self._faults = faults
        self._source = source
        self._receiver = receiver
        self._table: OrderedDict[int, _Aircraft] = OrderedDict()

    def __len__(self) -> int:
        return len(self._table)

    def fold(
        self, time_s: Floats, received_s: Floats | float, frames: Bytes, is_long: Any, where: Callable[[int], str]
    ) -> ReportBatch:
        """Reports of the positions in ``frames`` (n, 14). ``where(row)`` names a frame in a fault."""
        fields = read_fields(frames, is_long)
        for row in np.flatnonzero(fields.parity_failed).tolist():
            self._faults.add("Mode S parity failed", where(row))
        rows = np.flatnonzero(fields.content)
        if not len(rows):
            return ReportBatch.empty()
        content = fields.content[rows].tolist()
        address = fields.address[rows].tolist()
        instant = time_s[rows].tolist()
        me = fields.me[rows].tolist()
        odd = fields.odd[rows].tolist()
        cpr_lat, cpr_lon = fields.cpr_lat[rows].tolist(), fields.cpr_lon[rows].tolist()
        altitude_ft = fields.altitude_ft[rows].tolist()
        nic, nac_p, squawk = fields.nic[rows].tolist(), fields.nac_p[rows].tolist(), fields.squawk[rows].tolist()
        speed, track = fields.speed_mps[rows].tolist(), fields.track_deg[rows].tolist()
        climb, above = fields.climb_mps[rows].tolist(), fields.geo_minus_baro_ft[rows].tolist()
        table = self._table
        out: list[tuple[Any, ...]] = []
        for i, kind in enumerate(content):
            t = instant[i]
            known = table.get(address[i])
            if kind == Content.REPLY_SQUAWK:
                if known is not None and abs(t - known.clean_s) <= REPLY_AGE_MAX_S:
                    known.squawk, known.squawk_s = squawk[i], t
                continue
            if known is None:
                known = table[address[i]] = _Aircraft(address[i])
                if len(table) > ADDRESSES_MAX:
                    table.popitem(last=False)
            else:
                table.move_to_end(address[i])
            known.clean_s = t
            if kind <= Content.GNSS_POSITION and kind != Content.IDENTIFICATION:
                surface = kind == Content.SURFACE_POSITION
                if surface:
                    known.speed_mps, known.track_deg, known.climb_mps = speed[i], track[i], _NAN
                    known.geo_minus_baro_ft, known.velocity_s = _NAN, t
                if self._locate(known, t, odd[i], cpr_lat[i], cpr_lon[i], surface):
                    out.append((rows[i], *_report(known, t, kind, altitude_ft[i], nic[i])))
            elif kind == Content.VELOCITY:
                known.speed_mps, known.track_deg, known.climb_mps = speed[i], track[i], climb[i]
                known.geo_minus_baro_ft, known.velocity_s = above[i], t
            elif kind == Content.IDENTIFICATION:
                callsign, emitter = callsign_of(me[i]), emitter_of(me[i])
                if callsign:
                    known.callsign, known.callsign_s = callsign, t
                if emitter:
                    known.category, known.domain = int(category_of_emitter(emitter)), int(domain_of_emitter(emitter))
            elif kind == Content.ACCURACY:
                known.nac_p, known.accuracy_s = nac_p[i], t
            else:
                known.squawk, known.squawk_s = squawk[i], t
        return self._batch(out, time_s, received_s)

    def _locate(self, known: _Aircraft, t: float, odd: int, lat: float, lon: float, surface: bool) -> bool:
        """Puts the frame's position into ``known``; False where it cannot be told or is not believed."""
        place = self._on_surface(known, t, odd, lat, lon) if surface else _in_the_air(known, t, odd, lat, lon)
        if place is None:
            return False
        lat_deg, lon_deg = place
        elapsed_s = abs(t - known.position_s)
        if elapsed_s <= SURFACE_ANCHOR_AGE_MAX_S and known.refusals < REFUSALS_MAX:
            north_m = (lat_deg - known.lat_deg) * _METRES_A_DEGREE
            turn_deg = (lon_deg - known.lon_deg + 180.0) % 360.0 - 180.0
            east_m = turn_deg * _METRES_A_DEGREE * cos(radians(lat_deg))
            reach_m = SPEED_MAX_MPS * elapsed_s + MARGIN_M
            if north_m * north_m + east_m * east_m > reach_m * reach_m:
                known.refusals += 1
                self._faults.add("position no aircraft can have reached", known.target)
                return False
        known.refusals = 0
        known.lat_deg, known.lon_deg, known.position_s = lat_deg, lon_deg, t
        return True

    def _on_surface(self, known: _Aircraft, t: float, odd: int, lat: float, lon: float) -> tuple[float, float] | None:
        known.even = known.odd = (_NEVER, 0.0, 0.0)  # surface and airborne codes must not be paired
        if abs(t - known.position_s) <= SURFACE_ANCHOR_AGE_MAX_S and known.refusals < REFUSALS_MAX:
            return local_position(lat, lon, bool(odd), known.lat_deg, known.lon_deg, True)
        if self._receiver is not None:
            return local_position(lat, lon, bool(odd), *self._receiver, True)
        return None

    def _batch(self, out: Sequence[tuple[Any, ...]], time_s: Floats, received_s: Floats | float) -> ReportBatch:
        if not out:
            return ReportBatch.empty()
        row, lat, lon, baro, geo, speed, track, climb, accuracy, ground, domain, category, squawk, target, callsign = (
            zip(*out)
        )
        rows = np.array(row)
        if isinstance(received_s, float):
            received: Any = received_s if math.isfinite(received_s) else None
        else:
            received = received_s[rows]
        return ReportBatch.build(
            time_s=time_s[rows],
            received_s=received,
            lat_deg=lat,
            lon_deg=lon,
            altitude_baro_m=np.array(baro) * FOOT_M,
            altitude_geo_m=np.array(geo) * FOOT_M,
            ground_speed_mps=speed,
            track_deg=track,
            vertical_rate_mps=climb,
            accuracy_m=accuracy,
            on_ground=ground,
            domain=np.array(domain),
            category=np.array(category),
            squawk=squawk,
            target=Labels.of(target),
            callsign=Labels.of(callsign),
            source=self._source,
        )


def _in_the_air(known: _Aircraft, t: float, odd: int, lat: float, lon: float) -> tuple[float, float] | None:
    """From the freshest pair, else near the last position."""
    if odd:
        known.odd = (t, lat, lon)
        other_s = known.even[0]
    else:
        known.even = (t, lat, lon)
        other_s = known.odd[0]
    if abs(t - other_s) <= PAIR_AGE_MAX_S:
        place = airborne_pair(known.even[1], known.even[2], known.odd[1], known.odd[2], bool(odd))
        if place is not None:
            return place
    if abs(t - known.position_s) <= ANCHOR_AGE_MAX_S and known.refusals < REFUSALS_MAX:
        return local_position(lat, lon, bool(odd), known.lat_deg, known.lon_deg, False)
    return None


def _report(known: _Aircraft, t: float, kind: int, altitude_ft: float, nic: int) -> tuple[Any, ...]:
    moving = abs(t - known.velocity_s) <= VELOCITY_AGE_MAX_S
    surface = kind == Content.SURFACE_POSITION
    baro_ft = altitude_ft if kind == Content.BARO_POSITION else _NAN
    geo_ft = altitude_ft if kind == Content.GNSS_POSITION else _NAN
    if moving and kind == Content.BARO_POSITION:
        # Type 19 gives the GNSS height above the WGS84 ellipsoid minus this pressure altitude (Doc 9871 C.2.3.5.7).
        geo_ft = baro_ft + known.geo_minus_baro_ft
    return (
        known.lat_deg,
        known.lon_deg,
        baro_ft,
        geo_ft,
        known.speed_mps if moving else _NAN,
        known.track_deg if moving else _NAN,
        known.climb_mps if moving else _NAN,
        accuracy_of_codes(known.nac_p if abs(t - known.accuracy_s) <= ACCURACY_AGE_MAX_S else -1, nic),
        int(surface),
        known.domain,
        known.category,
        known.squawk if abs(t - known.squawk_s) <= IDENTITY_AGE_MAX_S else -1,
        known.target,
        known.callsign if abs(t - known.callsign_s) <= IDENTITY_AGE_MAX_S else None,
    )
