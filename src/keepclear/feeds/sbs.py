"""SBS-1 BaseStation text: comma-separated ``MSG`` lines, each carrying a part of what is known of an aircraft.

Fields as in http://woodair.net/sbs/article/barebones42_socket_data.htm: 22 of them, the transmission type in the
second (1 identification, 2 surface position, 3 airborne position, 4 velocity, 5–8 surveillance and all-call).
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from keepclear.feeds.addresses import clean_callsign
from keepclear.feeds.decoder import Faults
from keepclear.feeds.formats import DecoderOptions
from keepclear.feeds.lines import LineCutter
from keepclear.feeds.reports import Labels, ReportBatch, TargetDomain
from keepclear.feeds.screening import (
    ALTITUDE_MAX_M,
    SPEED_MAX_MPS,
    directions,
    screen_positions,
    within,
    wrapped_lon_deg,
)  # fmt: skip
from keepclear.feeds.zone_shift import zone_shift_s
from keepclear.quantities import FOOT_M, FT_PER_MIN_MPS, KNOT_MPS

__all__ = ["ADDRESSES_MAX", "CALLSIGN_AGE_MAX_S", "VELOCITY_AGE_MAX_S", "SbsDecoder", "looks_like_sbs"]

VELOCITY_AGE_MAX_S = 10.0
"""Speed and track older than this are not put beside a position: an aircraft turns 30° in that time."""
CALLSIGN_AGE_MAX_S = 600.0
"""Callsign and squawk hold for a flight; after ten minutes' silence it may be another one."""
ADDRESSES_MAX = 20_000
"""More addresses than any receiver hears; the one unheard longest is forgotten first."""
_NAN = math.nan
_POSITIONS = (b"2", b"3")


@dataclass(slots=True)
class _Aircraft:
    callsign: str | None = None
    callsign_s: float = -math.inf
    squawk: int = -1
    squawk_s: float = -math.inf
    speed_mps: float = _NAN
    track_deg: float = _NAN
    climb_mps: float = _NAN
    velocity_s: float = -math.inf
    on_ground: int = -1
    ground_s: float = -math.inf


def looks_like_sbs(head: bytes) -> bool:
    """The first whole line is a BaseStation message."""
    line = head.lstrip(b"\r\n\x00").split(b"\n", 1)[0]
    kind = line.split(b",", 1)[0]
    return kind in (b"MSG", b"SEL", b"ID", b"AIR", b"STA", b"CLK") and line.count(b",") >= 9


class SbsDecoder:
    """One report a position line (MSG,2 and MSG,3), with the callsign, squawk and velocity heard last.

    SBS writes times without a zone. They are taken as UTC; a receiver that writes local time is told by the
    option ``columns={"time_zone": "+02:00"}`` (``--column time_zone=+02:00``).
    """

    def __init__(self, options: DecoderOptions) -> None:
        self.faults = Faults()
        self._source = options.source
        self._lines = LineCutter(self.faults)
        self._aircraft: OrderedDict[bytes, _Aircraft] = OrderedDict()
        self._shift_s = zone_shift_s(options.columns.get("time_zone", "Z"))
        self._minutes: dict[bytes, float] = {}

    def decode(self, data: bytes, received_s: float) -> ReportBatch:
        lines = self._lines.feed(data)
        return self._reports(lines, self._lines.lines_seen - len(lines) + 1, received_s)

    def finish(self) -> ReportBatch:
        lines = self._lines.finish()
        return self._reports(lines, self._lines.lines_seen, _NAN)

    def _reports(self, lines: list[bytes], first: int, received_s: float) -> ReportBatch:
        rows: list[tuple[float, float, float, float, float, float, float, int, int, str, str | None]] = []
        numbers: list[int] = []
        for number, line in enumerate(lines, first):
            row = None
            try:
                row = self._line(line)
            except ValueError as error:
                self.faults.add(_reason(error), f"line {number}")
            if row is not None:
                rows.append(row)
                numbers.append(number)
        if not rows:
            return ReportBatch.empty()
        time_s, lat, lon, altitude, speed, track, climb, ground, squawk, target, callsign = zip(*rows)
        lat_deg, lon_deg = np.array(lat), np.array(lon)
        batch = ReportBatch.build(
            time_s=time_s,
            received_s=received_s if math.isfinite(received_s) else None,
            lat_deg=lat_deg,
            lon_deg=wrapped_lon_deg(lon_deg),
            altitude_baro_m=within(np.array(altitude), -ALTITUDE_MAX_M, ALTITUDE_MAX_M),
            ground_speed_mps=within(np.array(speed), 0.0, SPEED_MAX_MPS),
            track_deg=directions(np.array(track)),
            vertical_rate_mps=within(np.array(climb), -SPEED_MAX_MPS, SPEED_MAX_MPS),
            on_ground=ground,
            domain=TargetDomain.AIR,
            squawk=squawk,
            target=Labels.of(target),
            callsign=Labels.of(callsign),
            source=self._source,
        )
        keep = screen_positions(batch.time_s, lat_deg, lon_deg, self.faults, lambda row: f"line {numbers[row]}")
        return batch if keep is None else batch.take(keep)

    def _line(
        self, line: bytes
    ) -> tuple[float, float, float, float, float, float, float, int, int, str, str | None] | None:
        fields = line.split(b",")
        if fields[0] != b"MSG":
            if fields[0] in (b"SEL", b"ID", b"AIR", b"STA", b"CLK") or not line.strip():
                return None
            raise ValueError("not a BaseStation line")
        if len(fields) < 22:
            raise ValueError("fewer than 22 fields")
        kind, address = fields[1], fields[4].lower()
        if len(address) != 6 or not address.isalnum():
            raise ValueError("address is not six hex digits")
        int(address, 16)
        time_s = self._instant(fields[6], fields[7])
        known = self._aircraft.get(address)
        if known is None:
            known = self._aircraft[address] = _Aircraft()
            if len(self._aircraft) > ADDRESSES_MAX:
                self._aircraft.popitem(last=False)
        else:
            self._aircraft.move_to_end(address)
        if fields[10].strip():
            known.callsign, known.callsign_s = clean_callsign(fields[10].decode("ascii", "replace")), time_s
        squawk = fields[17].strip()
        if len(squawk) == 4 and squawk.isdigit():
            known.squawk, known.squawk_s = int(squawk), time_s
        if fields[12] or fields[13] or fields[16]:
            speed, track, climb = _number(fields[12]), _number(fields[13]), _number(fields[16])
            if kind == b"4" or not math.isnan(speed):
                known.speed_mps, known.track_deg, known.velocity_s = speed * KNOT_MPS, track, time_s
                known.climb_mps = climb * FT_PER_MIN_MPS
        ground = fields[21].strip()
        if ground in (b"0", b"1", b"-1"):
            known.on_ground, known.ground_s = int(ground != b"0"), time_s
        if kind not in _POSITIONS or not fields[14] or not fields[15]:
            return None
        fresh = abs(time_s - known.velocity_s) <= VELOCITY_AGE_MAX_S
        return (
            time_s,
            float(fields[14]),
            float(fields[15]),
            _number(fields[11]) * FOOT_M,
            known.speed_mps if fresh else _NAN,
            known.track_deg if fresh else _NAN,
            known.climb_mps if fresh else _NAN,
            1 if kind == b"2" else known.on_ground if time_s - known.ground_s <= CALLSIGN_AGE_MAX_S else -1,
            known.squawk if abs(time_s - known.squawk_s) <= CALLSIGN_AGE_MAX_S else -1,
            address.decode("ascii"),
            known.callsign if abs(time_s - known.callsign_s) <= CALLSIGN_AGE_MAX_S else None,
        )

    def _instant(self, date: bytes, clock: bytes) -> float:
        """``2021/08/24``, ``08:54:39.193`` as POSIX seconds; the minute is looked up, since lines come in order."""
        minute = date + clock[:5]
        minute_s = self._minutes.get(minute)
        if minute_s is None:
            text = f"{date.decode('ascii').replace('/', '-')}T{clock[:5].decode('ascii')}:00"
            try:
                minute_s = datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() - self._shift_s
            except (ValueError, OverflowError):
                raise ValueError("date or time is unreadable") from None
            if len(self._minutes) > 100:
                self._minutes.clear()
            self._minutes[minute] = minute_s
        if clock[5:6] != b":" or not clock[6:8].isdigit():
            raise ValueError("date or time is unreadable")
        second_s = float(clock[6:])
        if not 0.0 <= second_s < 61.0:
            raise ValueError("date or time is unreadable")
        return minute_s + second_s


def _number(text: bytes) -> float:
    return float(text) if text.strip() else _NAN


def _reason(error: ValueError) -> str:
    text = str(error)
    return text if text in _REASONS else "a field is not a number"


_REASONS = frozenset(
    ("not a BaseStation line", "fewer than 22 fields", "address is not six hex digits", "date or time is unreadable")
)
