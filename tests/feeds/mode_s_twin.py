"""The slow, obvious twin of the Mode S kernels: one object an aircraft, one regular expression for Beast."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import OrderedDict
from math import cos, floor, radians
from typing import Any

import numpy as np

from keepclear.feeds.adsb_quality import accuracy_of_codes, category_of_emitter, domain_of_emitter
from keepclear.feeds.kernels.cpr import _TRANSITIONS_DEG
from keepclear.feeds.mode_s import _BEAST
from keepclear.feeds.mode_s_aircraft import (
    ACCURACY_AGE_MAX_S,
    ANCHOR_AGE_MAX_S,
    IDENTITY_AGE_MAX_S,
    MARGIN_M,
    PAIR_AGE_MAX_S,
    REFUSALS_MAX,
    REPLY_AGE_MAX_S,
    SPEED_MAX_MPS,
    SURFACE_ANCHOR_AGE_MAX_S,
    VELOCITY_AGE_MAX_S,
)
from keepclear.feeds.mode_s_fields import Bytes, Content, callsign_of, emitter_of, read_fields
from keepclear.feeds.reports import Floats, TargetCategory, TargetDomain

_METRES_A_DEGREE = 111_320.0
_NAN = math.nan
_NEVER = -math.inf


def longitude_zones(lat_deg: float) -> int:
    return 59 - bisect_right(_TRANSITIONS_DEG.tolist(), abs(lat_deg))


def airborne_pair(
    even_lat: float, even_lon: float, odd_lat: float, odd_lon: float, newest_is_odd: bool
) -> tuple[float, float] | None:
    """The newest frame's position (degrees) from an even and an odd frame's fractions; ``None`` if they don't fit.

    The two must be no more than 10 s apart (the caller's business): then the aircraft stayed within the same zone
    or NL differs and the pair is refused.
    """
    j = floor(59.0 * even_lat - 60.0 * odd_lat + 0.5)
    even_deg = (360.0 / 60.0) * (j % 60 + even_lat)
    odd_deg = (360.0 / 59.0) * (j % 59 + odd_lat)
    if even_deg >= 270.0:
        even_deg -= 360.0
    if odd_deg >= 270.0:
        odd_deg -= 360.0
    if abs(even_deg) > 90.0 or abs(odd_deg) > 90.0:
        return None
    zones = longitude_zones(even_deg)
    if zones != longitude_zones(odd_deg):
        return None
    m = floor(even_lon * (zones - 1) - odd_lon * zones + 0.5)
    if newest_is_odd:
        width = max(zones - 1, 1)
        lat_deg, lon_deg = odd_deg, 360.0 / width * (m % width + odd_lon)
    else:
        width = zones
        lat_deg, lon_deg = even_deg, 360.0 / width * (m % width + even_lon)
    return lat_deg, lon_deg - 360.0 if lon_deg >= 180.0 else lon_deg


def local_position(
    lat: float, lon: float, odd: bool, near_lat_deg: float, near_lon_deg: float, surface: bool
) -> tuple[float, float] | None:
    """One frame's position (degrees), the one nearest to a known point.

    Right only within half a zone of it: 180 NM for airborne frames, 45 NM for surface ones.
    """
    circle_deg = 90.0 if surface else 360.0
    height_deg = circle_deg / (59.0 if odd else 60.0)
    near = near_lat_deg / height_deg
    j = floor(near) + floor(0.5 + (near - floor(near)) - lat)
    lat_deg = height_deg * (j + lat)
    if abs(lat_deg) > 90.0:
        return None
    width_deg = circle_deg / max(longitude_zones(lat_deg) - odd, 1)
    # Not near_lon_deg % width_deg: at a zone's edge that may be rounded to the other side than the quotient.
    near = near_lon_deg / width_deg
    m = floor(near) + floor(0.5 + (near - floor(near)) - lon)
    lon_deg = width_deg * (m + lon)
    return lat_deg, (lon_deg + 180.0) % 360.0 - 180.0


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


class AircraftTwin:
    """The table of aircraft heard. ``receiver`` (lat, lon in degrees) resolves surface positions."""

    def __init__(self, receiver: tuple[float, float] | None, addresses_max: int) -> None:
        self.faults: list[str] = []
        self._receiver = receiver
        self._addresses_max = addresses_max
        self._table: OrderedDict[int, _Aircraft] = OrderedDict()

    def fold(self, time_s: Floats, frames: Bytes, is_long: Any) -> list[tuple[Any, ...]]:
        """(frame, lat, lon, baro ft, geo ft, speed, track, climb, accuracy, on ground, domain, category, squawk,
        target, callsign) a report."""
        fields = read_fields(frames, is_long)
        rows = np.flatnonzero(fields.content)
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
                if len(table) > self._addresses_max:
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
                    out.append((int(rows[i]), *_report(known, t, kind, altitude_ft[i], nic[i])))
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
        return out

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
                self.faults.append(known.target)
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


class ClockTwin:
    def __init__(self, start_s: float | None) -> None:
        self._start_s = start_s
        self._anchor: tuple[int, float, float] | None = None
        """ticks, instant, and the time of receipt then"""
        self._is_gps = False
        self._last_ticks = 0
        self._last_s = math.nan

    def instant(self, ticks: int, received_s: float) -> float:
        if ticks in (0, 0xFF004D4C4154):
            return received_s if self._start_s is None or self._anchor is None else self._last_s
        if self._anchor is None:
            first_s = received_s if self._start_s is None else self._start_s
            self._anchor = (ticks, first_s, received_s)
            self._is_gps = math.isfinite(first_s) and _is_gps_near(ticks, first_s)
            self._last_s = first_s
        elif not self._is_gps:
            self._mend(ticks, received_s)
        self._last_ticks = ticks
        base_ticks, base_s, _ = self._anchor
        if self._is_gps:
            self._last_s = _gps_instant(ticks, self._last_s)
        else:
            self._last_s = base_s + (ticks - base_ticks) / 12e6
        return self._last_s

    def _mend(self, ticks: int, received_s: float) -> None:
        assert self._anchor is not None
        base_ticks, base_s, base_received_s = self._anchor
        step_s = (ticks - self._last_ticks) / 12e6
        if not -1.0 <= step_s <= 3600.0:
            resumed_s = received_s if self._start_s is None and received_s > self._last_s else self._last_s
            self._anchor = (ticks, resumed_s, received_s)
        elif self._start_s is None and received_s != base_received_s:
            counted_s = base_s + (ticks - base_ticks) / 12e6
            if abs(counted_s - received_s) > 2.0:
                self._anchor = (ticks, received_s, received_s)


def _is_gps_near(ticks: int, near_s: float) -> bool:
    second, nanosecond = ticks >> 30, ticks & 0x3FFFFFFF
    apart_s = abs((second - near_s % 86400.0 + 43200.0) % 86400.0 - 43200.0)
    return second < 86400 and nanosecond < 1_000_000_000 and apart_s <= 5.0


def _gps_instant(ticks: int, near_s: float) -> float:
    of_day_s = (ticks >> 30) + (ticks & 0x3FFFFFFF) * 1e-9
    return near_s + (of_day_s - near_s % 86400.0 + 43200.0) % 86400.0 - 43200.0


class BeastTwin:
    """Frames and the places of faults of a Beast stream, chunk by chunk."""

    def __init__(self) -> None:
        self.lost_at: list[int] = []
        self._kept = b""
        self._kept_at = 0
        self._lost = False

    def cut(self, data: bytes) -> tuple[list[int], list[bytes]]:
        stream = self._kept + data
        ticks: list[int] = []
        payloads: list[bytes] = []
        end = 0
        keep_from = len(stream)
        for match in _BEAST.finditer(stream):
            self._note_lost(match.start() > end, end)
            frame = match.group(1)
            if frame is None:
                keep_from = end = match.start()
                break
            end = match.end()
            self._lost = False
            if frame[0] in b"23":
                frame = frame.replace(b"\x1a\x1a", b"\x1a")
                ticks.append(int.from_bytes(frame[1:7], "big"))
                payloads.append(frame[8:])
        else:
            self._note_lost(end < len(stream), end)
        self._kept = stream[keep_from:]
        self._kept_at += keep_from
        return ticks, payloads

    def _note_lost(self, lost: bool, at: int) -> None:
        if lost and not self._lost:
            self.lost_at.append(self._kept_at + at)
        self._lost |= lost
