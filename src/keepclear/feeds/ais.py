"""AIS from NMEA sentences (AIVDM, BSVDM … and AIVDO), with NMEA 4 tag blocks, to reports.

Positions come from messages 1–3, 18, 19 and 27 (ships) and 9 (search and rescue aircraft); names from 5, 19 and
24. Base stations (4) give the time; they and aids to navigation (21) are fixed equipment, no traffic, and are
counted in :attr:`AisDecoder.skipped`. Field meanings and «not available» values: ITU-R M.1371-5, annex 8.

The position accuracy flag says «10 m or better» (DGNSS) or nothing: then the accuracy is not known. The altitude of
a search and rescue aircraft has no stated datum and is left out.
"""

from __future__ import annotations

import functools
import math
import operator
import re
from typing import Any

from keepclear.feeds.decoder import Faults
from keepclear.feeds.formats import DecoderOptions
from keepclear.feeds.lines import LineCutter
from keepclear.feeds.report_rows import ReportRows, clean_label
from keepclear.feeds.reports import ReportBatch, TargetDomain
from keepclear.quantities import KNOT_MPS

__all__ = ["AisDecoder", "looks_like_ais"]

LINE_BYTES_MAX = 2048
"""A sentence has at most 82 characters, a tag block 80, and some stations exceed both; more is garbage."""
PENDING_MAX = 1024
"""Unfinished messages kept; the oldest gives way. Busy feeds have some dozens open."""
NAMES_MAX = 500_000
"""Ships whose name is remembered, some 50 MB; the oldest gives way. The world has some 400,000."""
CLOCK_LEAD_S = 5.0
"""How far a position may seem to lie after its receipt because of the station's clock."""
LONG_RANGE_ERROR_M = 131.0
"""Half the diagonal of message 27's position step of 1/10 minute."""

_SENTENCE = re.compile(
    rb"(?:\\([^\\]{1,512})\\)?!([A-Z]{2}VD[MO]),(\d),(\d),(\d?),([^,]{0,2}),([^,]{0,1500}),(\d)\*([0-9A-Fa-f]{2})"
)
_TAG_TIME = re.compile(rb"(?:^|,)c:(\d{9,16})(?:,|\*|$)")
_BITS_MIN = {1: 168, 2: 168, 3: 168, 4: 168, 5: 420, 9: 168, 11: 168, 18: 168, 19: 306, 21: 272, 24: 156, 27: 95}
"""Bits without which a message of that type is cut (some transmitters leave off the spare bits)."""
_NAN = math.nan


def looks_like_ais(head: bytes) -> bool:
    """One of the first lines is a VDM or VDO sentence."""
    return _SENTENCE.search(head) is not None


def _checksum(sentence: bytes) -> int:
    return functools.reduce(operator.xor, sentence, 0)


class AisDecoder:
    """Lines in, positions out. The time of a report is that of its tag block, brought to the UTC second that the
    message itself names; without tag block the time of receipt, or ``options.start_s`` moved on by those seconds
    and by the base stations' clock."""

    def __init__(self, options: DecoderOptions) -> None:
        self.faults = Faults()
        self.skipped: dict[str, int] = {}
        """messages that carry no target's position, by type"""
        self._rows = ReportRows(self.faults, options.source)
        self._lines = LineCutter(self.faults, LINE_BYTES_MAX)
        self._clock_s = options.start_s if options.start_s is not None else _NAN
        self._recorded = options.start_s is not None
        self._received_s = _NAN
        self._pending: dict[tuple[bytes, ...], tuple[float, list[bytes]]] = {}
        self._names: dict[str, str] = {}

    def decode(self, data: bytes, received_s: float) -> ReportBatch:
        self._received_s = received_s
        first = self._lines.lines_seen + 1
        for number, line in enumerate(self._lines.feed(data), first):
            self._line(line, number)
        return self._rows.take()

    def finish(self) -> ReportBatch:
        for line in self._lines.finish():
            self._line(line, self._lines.lines_seen)
        for _ in self._pending:
            self.faults.add("message lacks a later sentence", "end")
        self._pending.clear()
        return self._rows.take()

    def _line(self, line: bytes, number: int) -> None:
        if not line.strip():
            return
        where = f"line {number}"
        found = _SENTENCE.search(line)
        if found is None:
            if line.startswith(b"$"):
                self._skip("other NMEA sentence")
            else:
                self.faults.add("not an AIS sentence", where)
            return
        tags, talker, total, part, sequence, channel, payload, fill, said = found.groups()
        if _checksum(line[line.index(b"!", found.end(1) if tags else found.start()) + 1 : found.end() - 3]) != int(
            said, 16
        ):
            self.faults.add("AIS sentence: checksum does not match", where)
            return
        time_s = self._time_of(tags, where)
        count, index = int(total), int(part)
        if not 1 <= index <= count:
            self.faults.add("AIS sentence: part number is impossible", where)
            return
        if count == 1:
            self._message(time_s, payload, int(fill), where)
            return
        key = (talker, total, sequence, channel)
        if index == 1:
            if self._pending.pop(key, None):
                self.faults.add("message lacks a later sentence", where)
            while len(self._pending) >= PENDING_MAX:
                del self._pending[next(iter(self._pending))]
                self.faults.add("message lacks a later sentence", where)
            self._pending[key] = (time_s, [payload])
            return
        begun = self._pending.get(key)
        if begun is None or len(begun[1]) != index - 1:
            self._pending.pop(key, None)
            self.faults.add("message lacks an earlier sentence", where)
            return
        begun[1].append(payload)
        if index == count:
            del self._pending[key]
            self._message(begun[0], b"".join(begun[1]), int(fill), where)

    def _time_of(self, tags: bytes | None, where: str) -> float:
        """The tag block's time in POSIX seconds, ``nan`` where it has none."""
        if not tags:
            return _NAN
        body, star, said = tags.rpartition(b"*")
        try:
            # Some stations put the group in front («g:1-2-99,c:…») without computing the checksum anew.
            right = not star or int(said, 16) in (_checksum(body), _checksum(body[max(body.find(b",c:") + 1, 0) :]))
        except ValueError:
            right = False
        if not right:
            self.faults.add("tag block: checksum does not match", where)
            return _NAN
        found = _TAG_TIME.search(body if star else tags)
        if not found:
            return _NAN
        value = int(found.group(1))
        return value / 1000.0 if value > 100_000_000_000 else float(value)  # some stations write milliseconds

    def _message(self, tag_s: float, payload: bytes, fill: int, where: str) -> None:
        from pyais import decode
        from pyais.exceptions import AISBaseException

        bits = 6 * len(payload) - fill
        kind = payload[0] - 48 - 8 * (payload[0] > 87) if payload else 0
        if bits < _BITS_MIN.get(kind, 0) or not 1 <= kind <= 27 or fill > 5:
            self.faults.add("AIS message is cut", where)
            return
        if kind not in _BITS_MIN:
            self._skip(f"message {kind}")
            return
        # Rebuilt as one sentence: the parts' own framing has been checked already.
        sentence = b"!AIVDM,1,1,,A,%b,%d*" % (payload, fill)
        try:
            message: Any = decode(sentence + b"%02X" % _checksum(sentence[1:-1]))
        except (AISBaseException, ValueError, IndexError, OverflowError, TypeError):
            self.faults.add("AIS message does not decode", where)
            return
        if kind in (4, 11):
            self._skip(f"message {kind}")
            self._set_clock(message)
        elif kind == 21:
            self._skip("message 21")
        elif kind in (5, 24):
            self._skip(f"message {kind}")
            self._name(message)
        else:
            if kind == 19:
                self._name(message)
            self._position(message, tag_s, where)

    def _skip(self, what: str) -> None:
        self.skipped[what] = self.skipped.get(what, 0) + 1

    def _set_clock(self, message: Any) -> None:
        """A base station's UTC time moves a recording's clock, never backwards."""
        from datetime import UTC, datetime

        if not self._recorded:
            return
        try:
            instant = datetime(
                message.year, message.month, message.day, message.hour, message.minute, message.second, tzinfo=UTC
            )
        except ValueError:
            return  # «not available» values
        self._clock_s = max(self._clock_s, instant.timestamp())

    def _name(self, message: Any) -> None:
        name = clean_label(str(getattr(message, "shipname", "") or "")) or clean_label(
            str(getattr(message, "callsign", "") or "")
        )
        if not name:
            return
        target = f"{int(message.mmsi):09d}"
        if target not in self._names and len(self._names) >= NAMES_MAX:
            del self._names[next(iter(self._names))]
        if getattr(message, "shipname", "") or target not in self._names:
            self._names[target] = name

    def _instant(self, tag_s: float, second: int) -> float:
        """The instant nearest before the time of receipt whose UTC second is ``second`` (60 and more: not known)."""
        if tag_s == tag_s or not self._recorded:
            receipt_s = tag_s if tag_s == tag_s else self._received_s
            if not 0 <= second < 60 or not math.isfinite(receipt_s):
                return receipt_s
            latest_s = receipt_s + CLOCK_LEAD_S
            return latest_s - (latest_s - second) % 60.0
        if not 0 <= second < 60:
            return self._clock_s
        ahead_s = (second - self._clock_s + 30.0) % 60.0 - 30.0
        instant_s = self._clock_s + ahead_s
        self._clock_s = max(self._clock_s, instant_s)
        return instant_s

    def _position(self, message: Any, tag_s: float, where: str) -> None:
        kind = int(message.msg_type)
        if abs(message.lat) > 90.0 or abs(message.lon) > 180.0:
            self._skip("position not available")
            return
        target = f"{int(message.mmsi):09d}"
        speed, course = float(message.speed), float(message.course)
        # Speeds are in 0.1 knot with 102.3 for «not available», except in messages 9 (1023) and 27 (63).
        unknown_speed, unknown_course = {9: (1023.0, 360.0), 27: (63.0, 360.0)}.get(kind, (102.3, 360.0))
        accurate_m = 10.0 + (LONG_RANGE_ERROR_M if kind == 27 else 0.0)
        time_s = self._instant(tag_s, getattr(message, "second", 60))
        self._rows.add(
            where,
            time_s=time_s,
            received_s=tag_s if tag_s == tag_s else self._received_s,
            lat_deg=message.lat,
            lon_deg=message.lon,
            target=target,
            ground_speed_mps=speed * KNOT_MPS if speed < unknown_speed - 0.05 else _NAN,
            track_deg=course if course < unknown_course else _NAN,
            accuracy_m=accurate_m if message.accuracy else _NAN,
            domain=TargetDomain.AIR if kind == 9 else TargetDomain.SEA,
            callsign=self._names.get(target, ""),
        )
