"""MAVLink 1 and 2 to reports: telemetry logs (8 bytes of time before each frame) and raw streams.

Positions come from GLOBAL_POSITION_INT (the vehicle itself), ADSB_VEHICLE (traffic it received) and
OPEN_DRONE_ID_LOCATION (remote ID it received, named by OPEN_DRONE_ID_BASIC_ID). Definitions: MAVLink common.xml.
GLOBAL_POSITION_INT altitudes are above mean sea level and are brought to the ellipsoid with the geoid;
ADSB_VEHICLE's pressure altitude «using QNH» has no standard datum and is left out, its geometric one is taken as
ADS-B defines it (above the ellipsoid). pymavlink (LGPL-3.0) is an optional extra and is imported here only.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from keepclear.errors import MissingExtra
from keepclear.feeds.decoder import Faults
from keepclear.feeds.formats import DecoderOptions
from keepclear.feeds.report_rows import ReportRows, clean_label
from keepclear.feeds.reports import ReportBatch, TargetCategory, TargetDomain

__all__ = ["MavlinkDecoder", "looks_like_mavlink"]

MAGIC_V1, MAGIC_V2 = 0xFE, 0xFD
_MAGIC = re.compile(rb"[\xfe\xfd]")
EARLIEST_US, LATEST_US = 946_684_800_000_000, 4_102_444_800_000_000
"""2000 to 2100: what a telemetry log's time stamp may be. Its first octets are then 0x00 to 0x0E, never a magic."""
NAMES_MAX = 10_000
"""Systems and remote ID transmitters remembered; the oldest gives way."""
_NAN = math.nan

# MAV_TYPE → domain and category; what is not here (ground stations, gimbals …) stays unknown.
_VEHICLES = {
    **dict.fromkeys(
        (1, 2, 3, 4, 7, 8, 9, 13, 14, 15, 16, 17, 19, 20, 21, 22, 23, 24, 25, 28, 29, 35), TargetDomain.AIR
    ),
    10: TargetDomain.GROUND,
    11: TargetDomain.SEA,
    12: TargetDomain.SEA,
}
# MAV_ODID_HOR_ACC → metres (95 %)
_ODID_ACCURACY_M = (_NAN, 18520.0, 7408.0, 3704.0, 1852.0, 926.0, 555.6, 185.2, 92.6, 30.0, 10.0, 3.0, 1.0)
# ADSB_EMITTER_TYPE → category
_EMITTERS = {
    **dict.fromkeys((1, 2, 3, 4, 5, 6, 9), TargetCategory.FIXED),
    7: TargetCategory.ROTARY,
    14: TargetCategory.UAS,
}


def looks_like_mavlink(head: bytes) -> bool:
    """Two frames one after the other, with or without a time stamp before each."""
    if not head or head[0] == 0:
        return _stamp_ok(head, 0) and _frame_length(head, 8) > 0 and _follows(head, 8 + _frame_length(head, 8), True)
    length = _frame_length(head, 0)
    return length > 0 and _follows(head, length, False)


def _follows(head: bytes, at: int, stamped: bool) -> bool:
    if at >= len(head):
        return True
    return (_stamp_ok(head, at) and _frame_length(head, at + 8) >= 0) if stamped else head[at] in (MAGIC_V1, MAGIC_V2)


def _stamp_ok(data: bytes | bytearray, at: int) -> bool:
    return len(data) >= at + 8 and EARLIEST_US <= int.from_bytes(data[at : at + 8]) <= LATEST_US


def _frame_length(data: bytes | bytearray, at: int) -> int:
    """Octets of the frame that begins at ``at``: 0 where too few are here to say, -1 where none begins."""
    if at >= len(data):
        return 0
    if data[at] == MAGIC_V1:
        return 8 + data[at + 1] if at + 1 < len(data) else 0
    if data[at] != MAGIC_V2:
        return -1
    if at + 2 >= len(data):
        return 0
    return 12 + data[at + 1] + (13 if data[at + 2] & 1 else 0)


class MavlinkDecoder:
    """Frames with a right checksum only. Whether the octets are a telemetry log shows in the first nine.

    A report's time is SYSTEM_TIME's clock at the vehicle's time since boot, else the log's time stamp, else the
    time of receipt.
    """

    def __init__(self, options: DecoderOptions) -> None:
        try:
            from pymavlink.dialects.v20 import common
        except ImportError:
            raise MissingExtra("MAVLink", "mavlink") from None
        self.faults = Faults()
        self.skipped: dict[str, int] = {}
        self._mav: Any = common.MAVLink(None)
        self._known: Any = common.mavlink_map
        self._error: type[Exception] = common.MAVError
        self._rows = ReportRows(self.faults, options.source)
        self._start_s = options.start_s
        self._buffer = bytearray()
        self._position = 0
        self._stamped: bool | None = None
        self._in_step = True
        self._now_s = _NAN
        self._boot_s: dict[int, float] = {}
        self._vehicles: dict[int, TargetDomain] = {}
        self._serials: dict[bytes, str] = {}
        self._handlers: dict[str, Callable[[Any, str], None]] = {
            "HEARTBEAT": self._heartbeat,
            "SYSTEM_TIME": self._system_time,
            "GLOBAL_POSITION_INT": self._own_position,
            "ADSB_VEHICLE": self._traffic,
            "OPEN_DRONE_ID_BASIC_ID": self._basic_id,
            "OPEN_DRONE_ID_LOCATION": self._remote_id,
        }

    def decode(self, data: bytes, received_s: float) -> ReportBatch:
        self._now_s = received_s if math.isfinite(received_s) or self._start_s is None else self._start_s
        self._buffer += data
        if self._stamped is None and len(self._buffer) < 9:
            return ReportBatch.empty()
        self._advance(final=False)
        return self._rows.take()

    def finish(self) -> ReportBatch:
        self._advance(final=True)
        self._buffer.clear()
        return self._rows.take()

    def _advance(self, final: bool) -> None:
        data = self._buffer
        if self._stamped is None:
            self._stamped = _stamp_ok(data, 0) and len(data) > 8 and data[8] in (MAGIC_V1, MAGIC_V2)
        lead = 8 if self._stamped else 0
        at = 0
        while at < len(data):
            length = _frame_length(data, at + lead)
            good = length >= 0 and (not lead or len(data) < at + lead or _stamp_ok(data, at))
            if good and (length == 0 or len(data) < at + lead + length):
                if not final:
                    break
                good = False
            if good and self._frame(bytes(data[at + lead : at + lead + length]), at):
                at += lead + length
                self._in_step = True
                continue
            if self._in_step:
                self.faults.add("not a MAVLink frame, or its checksum is wrong", f"byte {self._position + at}")
                self._in_step = False
            begins = _MAGIC.search(data, at + 1 + lead)
            at = begins.start() - lead if begins else len(data) if final else max(at + 1, len(data) - lead)
        del data[:at]
        self._position += at

    def _frame(self, frame: bytes, at: int) -> bool:
        """Reads one frame; ``False`` where its checksum is wrong or its message is not known (no checksum seed)."""
        number = frame[5] if frame[0] == MAGIC_V1 else int.from_bytes(frame[7:10], "little")
        if number not in self._known:
            return False
        if self._stamped:
            self._now_s = int.from_bytes(self._buffer[at : at + 8]) / 1e6
        try:
            message = self._mav.decode(bytearray(frame))
        except (self._error, ValueError, IndexError, TypeError, UnicodeError):
            return False
        kind = message.get_type()
        handler = self._handlers.get(kind)
        if handler is None:
            self._skip(str(kind))
        else:
            handler(message, f"byte {self._position + at}")
        return True

    def _skip(self, what: str) -> None:
        self.skipped[what] = self.skipped.get(what, 0) + 1

    def _heartbeat(self, message: Any, where: str) -> None:
        if message.type in _VEHICLES:
            self._vehicles[message.get_srcSystem()] = _VEHICLES[message.type]

    def _system_time(self, message: Any, where: str) -> None:
        if EARLIEST_US <= message.time_unix_usec <= LATEST_US:
            self._boot_s[message.get_srcSystem()] = message.time_unix_usec / 1e6 - message.time_boot_ms / 1e3

    def _own_position(self, message: Any, where: str) -> None:
        if message.lat == 0 and message.lon == 0:
            self._skip("position unknown")
            return
        system = message.get_srcSystem()
        domain = self._vehicles.get(system, TargetDomain.UNKNOWN)
        vx, vy = message.vx / 100.0, message.vy / 100.0
        self._rows.add(
            where,
            time_s=self._boot_s[system] + message.time_boot_ms / 1e3 if system in self._boot_s else self._now_s,
            received_s=self._now_s,
            lat_deg=message.lat / 1e7,
            lon_deg=message.lon / 1e7,
            target=f"mavlink:{system}",
            altitude_geo_m=message.alt / 1e3,
            above_mean_sea_level=True,
            ground_speed_mps=math.hypot(vx, vy),
            track_deg=math.degrees(math.atan2(vy, vx)) if vx or vy else _NAN,
            vertical_rate_mps=-message.vz / 100.0,
            domain=domain,
            category=TargetCategory.UAS if domain is TargetDomain.AIR else TargetCategory.UNKNOWN,
        )

    def _traffic(self, message: Any, where: str) -> None:
        flags = message.flags
        if not flags & 1:
            self._skip("position unknown")
            return
        geometric = flags & 2 and message.altitude_type == 1
        self._rows.add(
            where,
            time_s=self._now_s - message.tslc,
            received_s=self._now_s,
            lat_deg=message.lat / 1e7,
            lon_deg=message.lon / 1e7,
            target=f"{message.ICAO_address & 0xFFFFFF:06x}",
            altitude_geo_m=message.altitude / 1e3 if geometric else _NAN,
            ground_speed_mps=message.hor_velocity / 100.0 if flags & 8 else _NAN,
            track_deg=message.heading / 100.0 if flags & 4 else _NAN,
            vertical_rate_mps=message.ver_velocity / 100.0 if flags & 128 else _NAN,
            domain=TargetDomain.GROUND if message.emitter_type in (17, 18, 19) else TargetDomain.AIR,
            category=_EMITTERS.get(message.emitter_type, TargetCategory.UNKNOWN),
            squawk=message.squawk if flags & 32 else -1,
            callsign=clean_label(str(message.callsign)) if flags & 16 else "",
            simulated=bool(flags & 64),
        )

    def _transmitter(self, message: Any) -> bytes:
        return bytes([message.get_srcSystem(), *message.id_or_mac])

    def _basic_id(self, message: Any, where: str) -> None:
        serial = clean_label(bytes(message.uas_id).rstrip(b"\0").decode("ascii", "replace"))
        if not serial:
            return
        if len(self._serials) >= NAMES_MAX:
            del self._serials[next(iter(self._serials))]
        self._serials[self._transmitter(message)] = serial

    def _remote_id(self, message: Any, where: str) -> None:
        if message.latitude == 0 and message.longitude == 0:
            self._skip("position unknown")
            return
        key = self._transmitter(message)
        past_hour_s = message.timestamp
        time_s = self._now_s
        if 0.0 <= past_hour_s <= 3600.0 and math.isfinite(time_s):
            time_s = round((time_s - past_hour_s) / 3600.0) * 3600.0 + past_hour_s
        accuracy = message.horizontal_accuracy
        self._rows.add(
            where,
            time_s=time_s,
            received_s=self._now_s,
            lat_deg=message.latitude / 1e7,
            lon_deg=message.longitude / 1e7,
            target=self._serials.get(key, f"mavlink:{key.rstrip(bytes(1)).hex()}"),
            altitude_baro_m=message.altitude_barometric if message.altitude_barometric > -1000.0 else _NAN,
            altitude_geo_m=message.altitude_geodetic if message.altitude_geodetic > -1000.0 else _NAN,
            ground_speed_mps=message.speed_horizontal / 100.0 if message.speed_horizontal < 25500 else _NAN,
            track_deg=message.direction / 100.0 if message.direction <= 36000 else _NAN,
            vertical_rate_mps=message.speed_vertical / 100.0 if abs(message.speed_vertical) < 6300 else _NAN,
            accuracy_m=_ODID_ACCURACY_M[accuracy] if accuracy < len(_ODID_ACCURACY_M) else _NAN,
            on_ground={1: 1, 2: 0}.get(message.status, -1),
            domain=TargetDomain.AIR,
            category=TargetCategory.UAS,
        )
