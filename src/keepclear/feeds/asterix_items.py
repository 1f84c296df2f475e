"""What an ASTERIX record says, item by item: CAT021, CAT048 and CAT062 to rows of reports.

Item definitions: EUROCONTROL-SPEC-0149 Parts 12, 4 and 9. Flight levels (I021/145, I048/090, I062/136) are
barometric; I021/140 and I062/130 are both defined above the WGS84 ellipsoid. A flight level or code that is garbled
or not validated is left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from keepclear.feeds.adsb_quality import accuracy_of_codes
from keepclear.feeds.asterix_records import Record, split_compound
from keepclear.feeds.decoder import Faults
from keepclear.feeds.formats import DecoderOptions
from keepclear.feeds.report_rows import ReportRows, clean_label
from keepclear.feeds.reports import TargetCategory, TargetDomain
from keepclear.quantities import FOOT_M, FT_PER_MIN_MPS, NAUTICAL_MILE_M
from keepclear.space.geodesy import destination

__all__ = ["RecordReader", "position_of_plot"]

HIGHEST_TARGET_M = 15_000.0
"""The height assumed possible for a radar plot that says none: it bounds the error of its slant range."""
R95_OF_SIGMA = 2.4477
"""95 % radius of a circular normal error over the standard deviation of one axis."""
EARTH_RADIUS_M = 6_371_000.0

_NAN = math.nan
_FL_M = 100.0 * FOOT_M
_ICAO_CHARACTERS = " ABCDEFGHIJKLMNOPQRSTUVWXYZ                     0123456789      "
# I021/020 emitter category → (domain, category)
_EMITTERS = {
    **dict.fromkeys((1, 2, 3, 4, 5, 6, 11), (TargetDomain.AIR, TargetCategory.FIXED)),
    10: (TargetDomain.AIR, TargetCategory.ROTARY),
    13: (TargetDomain.AIR, TargetCategory.UAS),
    **dict.fromkeys((12, 14, 15, 16), (TargetDomain.AIR, TargetCategory.OTHER)),
    **dict.fromkeys((20, 21, 22, 23, 24), (TargetDomain.GROUND, TargetCategory.OTHER)),
}


def position_of_plot(
    radar_lat_deg: float, radar_lon_deg: float, slant_range_m: float, azimuth_deg: float, altitude_m: float
) -> tuple[float, float, float]:
    """Latitude, longitude (degrees) and the error (m) which an unknown altitude (``nan``) may cause.

    The slant range is brought to the ground on a sphere, with the radar at sea level. A target higher than its slant
    range is put above the radar.
    """
    height_m = 0.0 if math.isnan(altitude_m) else max(altitude_m, 0.0)
    chord2 = max(slant_range_m**2 - height_m**2, 0.0) / (1.0 + height_m / EARTH_RADIUS_M)
    ground_m = 2.0 * EARTH_RADIUS_M * math.asin(min(math.sqrt(chord2) / (2.0 * EARTH_RADIUS_M), 1.0))
    lon, lat = destination(radar_lon_deg, radar_lat_deg, azimuth_deg, ground_m)
    error_m = 0.0
    if math.isnan(altitude_m):
        error_m = slant_range_m - math.sqrt(max(slant_range_m**2 - HIGHEST_TARGET_M**2, 0.0))
    return lat, lon, error_m


def _unsigned(octets: bytes | bytearray) -> int:
    return int.from_bytes(octets)


def _signed(octets: bytes, bits: int = 0) -> int:
    """Two's complement of the lowest ``bits`` bits (all of them by default)."""
    bits = bits or 8 * len(octets)
    value = int.from_bytes(octets) & ((1 << bits) - 1)
    return value - (1 << bits) if value >> (bits - 1) else value


def _identification(octets: bytes) -> str:
    """Eight characters of six bits, ICAO Annex 10 Vol IV 3.1.2.9.1.2."""
    packed = int.from_bytes(octets[-6:])
    return "".join(_ICAO_CHARACTERS[(packed >> shift) & 63] for shift in range(42, -1, -6)).strip()


def _mode_3a(octets: bytes | None) -> int:
    """The code's four octal digits as a decimal number; -1 where absent, garbled or not validated."""
    if not octets or octets[0] & 0xC0:
        return -1
    return int(f"{_unsigned(octets) & 0xFFF:o}")


class RecordReader:
    """Records in, rows out; the decoder tells the time of receipt and how a time of day becomes an instant."""

    def __init__(self, options: DecoderOptions, faults: Faults, instant: Callable[[bytes | None], float]) -> None:
        self.faults = faults
        self.skipped: dict[str, int] = {}
        self.rows = ReportRows(faults, options.source)
        self.received_s = _NAN
        self._options = options
        self._instant = instant
        self._first_radar: str | None = None

    def read(self, category: int, record: Record, where: str) -> None:
        if category == 21:
            self._ads_b(record, where)
        elif category == 48:
            self._radar(record, where)
        else:
            self._system_track(record, where)

    def skip(self, what: str) -> None:
        self.skipped[what] = self.skipped.get(what, 0) + 1

    def _target(self, record: Record, address: bytes | None, track: bytes | None) -> str:
        """The 24-bit address, else «asterix:SACSIC/track number», else nothing."""
        if address and any(address):
            return address.hex()
        return f"asterix:{record['010'].hex()}/{_unsigned(track)}" if track and "010" in record else ""

    def _ads_b(self, record: Record, where: str) -> None:
        if "131" in record:
            lat, lon = (_signed(record["131"][i : i + 4]) * 180.0 / 2**30 for i in (0, 4))
        elif "130" in record:
            lat, lon = (_signed(record["130"][i : i + 3]) * 180.0 / 2**23 for i in (0, 3))
        else:
            self.skip("CAT021 record without a position")
            return
        descriptor, quality = record.get("040", b""), record.get("090", b"")
        if descriptor and descriptor[0] & 0x02:
            self.skip("CAT021 report of a field monitor")
            return
        second = descriptor[1] if len(descriptor) > 1 else 0
        target = self._target(record, record.get("080"), record.get("161"))
        if descriptor and descriptor[0] >> 5 == 3 and ":" not in target:
            target = "~" + target  # an address that the sender made up
        domain, kind = _EMITTERS.get(record.get("020", b"\0")[0], (TargetDomain.AIR, TargetCategory.UNKNOWN))
        if descriptor and descriptor[0] >> 5 == 2:
            domain = TargetDomain.GROUND
        height = _signed(record["140"]) if "140" in record else 0x7FFF  # 7FFF: beyond the scale
        vector = record.get("160", b"")
        moving = bool(vector) and not vector[0] & 0x80  # the first bit: beyond the scale
        rate = record.get("157") or record.get("155")
        nic = (quality[0] >> 1) & 15 if len(quality) > 1 else -1
        self.rows.add(
            where,
            time_s=self._instant(next((record[i] for i in ("071", "073", "072", "077") if i in record), None)),
            received_s=self.received_s,
            lat_deg=lat,
            lon_deg=lon,
            target=target,
            altitude_baro_m=_signed(record["145"]) / 4.0 * _FL_M if "145" in record else _NAN,
            altitude_geo_m=height * 6.25 * FOOT_M if height != 0x7FFF else _NAN,
            ground_speed_mps=(_unsigned(vector[:2]) & 0x7FFF) / 2**14 * NAUTICAL_MILE_M if moving else _NAN,
            track_deg=_unsigned(vector[2:]) * 360.0 / 2**16 if vector else _NAN,
            vertical_rate_mps=_signed(rate, 15) * 6.25 * FT_PER_MIN_MPS if rate and not rate[0] & 0x80 else _NAN,
            accuracy_m=accuracy_of_codes((quality[1] >> 1) & 15 if len(quality) > 1 else -1, nic),
            on_ground=(second >> 6) & 1 if len(descriptor) > 1 else -1,
            domain=domain,
            category=kind,
            squawk=_mode_3a(record.get("070")),
            callsign=clean_label(_identification(record["170"])) if "170" in record else "",
            simulated=bool(second & 0x30),
        )

    def _radar(self, record: Record, where: str) -> None:
        descriptor = record.get("020", b"")
        if descriptor and descriptor[0] & 0x02:
            self.skip("CAT048 report of a field monitor")
            return
        level = record.get("090", b"\xff\xff")
        altitude = _signed(level, 14) / 4.0 * _FL_M if not level[0] & 0xC0 else _NAN
        if "040" in record:
            slant_m = _unsigned(record["040"][:2]) / 256.0 * NAUTICAL_MILE_M
            azimuth = _unsigned(record["040"][2:]) * 360.0 / 2**16
        elif "042" in record:  # calculated in the radar's own plane: taken as a slant range as well
            x, y = (_signed(record["042"][i : i + 2]) / 128.0 * NAUTICAL_MILE_M for i in (0, 2))
            slant_m, azimuth = math.hypot(x, y), math.degrees(math.atan2(x, y)) % 360.0
        else:
            self.skip("CAT048 record without a position")
            return
        radar = self._radar_position(record, where)
        if radar is None:
            return
        lat, lon, error_m = position_of_plot(*radar, slant_m, azimuth, altitude)
        velocity = record.get("200", b"")
        status = (record["230"][0] >> 2) & 7 if "230" in record else -1
        self.rows.add(
            where,
            time_s=self._instant(record.get("140")),
            received_s=self.received_s,
            lat_deg=lat,
            lon_deg=lon,
            target=self._target(record, record.get("220"), record.get("161")),
            altitude_baro_m=altitude,
            ground_speed_mps=_unsigned(velocity[:2]) / 2**14 * NAUTICAL_MILE_M if velocity else _NAN,
            track_deg=_unsigned(velocity[2:]) * 360.0 / 2**16 if velocity else _NAN,
            accuracy_m=error_m or _NAN,
            on_ground={0: 0, 1: 1, 2: 0, 3: 1}.get(status, -1),
            domain=TargetDomain.AIR,
            squawk=_mode_3a(record.get("070")),
            callsign=clean_label(_identification(record["240"])) if "240" in record else "",
            simulated=bool(descriptor and descriptor[0] & 0x10) or bool(len(descriptor) > 1 and descriptor[1] & 0x80),
        )

    def _radar_position(self, record: Record, where: str) -> tuple[float, float] | None:
        """Where the plot's radar stands. The one receiver position of the options is the first radar's only."""
        name = record.get("010", b"").hex()
        if name in self._options.radars:
            return self._options.radars[name]
        lat, lon = self._options.receiver_lat_deg, self._options.receiver_lon_deg
        if lat is None or lon is None:
            self.faults.add("radar plot is polar: give the radar's position with --receiver LAT,LON", where)
            return None
        if self._first_radar is None:
            self._first_radar = name
        if name != self._first_radar:
            self.faults.add(
                "plot of a second radar: --receiver places only the first one in the feed", f"{where}, SAC/SIC {name}"
            )
            return None
        return lat, lon

    def _system_track(self, record: Record, where: str) -> None:
        if "105" not in record:
            self.skip("CAT062 record without a WGS84 position")
            return
        lat, lon = (_signed(record["105"][i : i + 4]) * 180.0 / 2**25 for i in (0, 4))
        aircraft = split_compound("062/380", record["380"]) if "380" in record else {}
        errors = split_compound("062/500", record["500"]) if "500" in record else {}
        status = record.get("080", b"")
        named = record["245"] if "245" in record else aircraft.get("ID", b"")
        barometric = record.get("136", b"")
        if not barometric and "135" in record and not record["135"][0] & 0x80:
            barometric = record["135"]  # calculated, and not corrected for QNH
        vx, vy = (_signed(record["185"][i : i + 2]) * 0.25 for i in (0, 2)) if "185" in record else (_NAN, _NAN)
        rate = record.get("220") or b""
        self.rows.add(
            where,
            time_s=self._instant(record.get("070")),
            received_s=self.received_s,
            lat_deg=lat,
            lon_deg=lon,
            target=self._target(record, aircraft.get("ADR"), record.get("040")),
            altitude_baro_m=_signed(barometric, 15 if barometric is record.get("135") else 16) / 4.0 * _FL_M
            if barometric
            else _NAN,
            altitude_geo_m=_signed(record["130"]) * 6.25 * FOOT_M if "130" in record else _NAN,
            ground_speed_mps=math.hypot(vx, vy),
            track_deg=math.degrees(math.atan2(vx, vy)) % 360.0 if vx or vy else _NAN,
            vertical_rate_mps=_signed(rate) * 6.25 * FT_PER_MIN_MPS if rate else _NAN,
            accuracy_m=_track_accuracy(errors, lat),
            domain=TargetDomain.GROUND if "300" in record else TargetDomain.AIR,
            squawk=_mode_3a(record.get("060")),
            callsign=clean_label(_identification(named)) if named else "",
            simulated=len(status) > 1 and bool(status[1] & 0x80),
        )


def _track_accuracy(errors: dict[str, bytes], lat_deg: float) -> float:
    """95 % radius from I062/500 estimated standard deviations: Cartesian (0.5 m) or WGS84 (180/2²⁵ degrees)."""
    if "APC" in errors:
        sigma_m = max(_unsigned(errors["APC"][:2]), _unsigned(errors["APC"][2:])) * 0.5
    elif "APW" in errors:
        degree_m = math.radians(1.0) * EARTH_RADIUS_M
        lat_m, lon_m = (_unsigned(errors["APW"][i : i + 2]) * 180.0 / 2**25 * degree_m for i in (0, 2))
        sigma_m = max(lat_m, lon_m * math.cos(math.radians(lat_deg)))
    else:
        return _NAN
    return sigma_m * R95_OF_SIGMA
