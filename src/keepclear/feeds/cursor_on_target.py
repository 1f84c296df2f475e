"""Cursor-on-Target events to reports: XML streams, and TAK protocol version 1 (protobuf, mesh and stream framing).

Attributes as in the public Event schema (MITRE, version 2.0): ``hae`` is the height above the WGS84 ellipsoid,
9999999 means unknown, ``ce`` is «circular 1-sigma or a circular area about the point» in metres: taken as the
standard deviation of one axis, so the 95 % radius is 2.4477 times as large (the wider of the readings).
The type's battle dimension gives the domain; its affiliation letter (friend, hostile …) is never used: identity is
not decided from a claim. Only atoms («a-…») are targets; other events are counted in ``skipped``.
"""

from __future__ import annotations

import math
import re
from typing import Any

from keepclear.errors import InputError, MissingExtra
from keepclear.feeds.decoder import Faults
from keepclear.feeds.formats import DecoderOptions
from keepclear.feeds.report_rows import ReportRows, clean_label
from keepclear.feeds.reports import ReportBatch, TargetCategory, TargetDomain
from keepclear.quantities import parse_instant

__all__ = ["ProtobufDecoder", "XmlDecoder", "looks_like_protobuf", "looks_like_xml"]

EVENT_BYTES_MAX = 262_144
"""One XML event. Position events have some 500 bytes, with routes and pictures' thumbnails up to 100 kB."""
MESSAGE_BYTES_MAX = 65_536
"""One protobuf message: it must fit a datagram on the mesh."""
SEARCH_MESSAGE_MAX = 4096
"""While searching for the next message after garbage, longer ones are not believed."""
BETWEEN_BYTES_MAX = 4096
"""White space and XML declarations between two events; more is garbage."""
UNKNOWN_M = 9_999_999.0
R95_OF_SIGMA = 2.4477
TAK_FIELDS_MAX = 8
"""Field numbers believed at the top of a TAK message: two are defined, some servers add times."""
MAGIC = 0xBF
_MESH = b"\xbf\x01\xbf"
_NAN = math.nan

_OPENS = re.compile(rb"<event[\s/>]")
_BETWEEN = re.compile(rb"<\?xml[^>]{0,256}\?>|</?events>|<auth>.{0,512}?</auth>|\s+", re.DOTALL)
_DOMAINS = {
    "A": TargetDomain.AIR,
    "G": TargetDomain.GROUND,
    "F": TargetDomain.GROUND,
    "S": TargetDomain.SEA,
    "U": TargetDomain.SEA,
}


def looks_like_xml(head: bytes) -> bool:
    """An ``event`` element near the beginning."""
    return _OPENS.search(head) is not None and head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<"


def looks_like_protobuf(head: bytes) -> bool:
    """A mesh or stream header and then a TAK message's first field."""
    if head[:3] == _MESH:
        return head[3:4] in (b"\x0a", b"\x12")
    length, body = _varint(head, 1)
    return head[:1] == b"\xbf" and 0 < length <= MESSAGE_BYTES_MAX and head[body : body + 1] in (b"\x0a", b"\x12")


def _varint(data: bytes | bytearray, at: int) -> tuple[int, int]:
    """Value and where it ends; (-1, at) where it is cut, (-2, at) where it is longer than ten octets."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            return -1, at
        value |= (data[at] & 0x7F) << shift
        at += 1
        if not data[at - 1] & 0x80:
            return value, at
    return -2, at


def _kind_of(event_type: str) -> tuple[TargetDomain, TargetCategory]:
    """From the type's parts: atom, affiliation, battle dimension, function («a-f-A-M-F-Q»)."""
    parts = event_type.split("-")
    domain = _DOMAINS.get(parts[2], TargetDomain.UNKNOWN) if len(parts) > 2 else TargetDomain.UNKNOWN
    function = parts[4:6]
    category = TargetCategory.UNKNOWN
    if domain is TargetDomain.AIR and function:
        if "Q" in function:
            category = TargetCategory.UAS
        elif function[0] == "F":
            category = TargetCategory.FIXED
        elif function[0] == "H":
            category = TargetCategory.ROTARY
        else:
            category = TargetCategory.OTHER
    return domain, category


class _Events:
    """What both framings share: one event's values into one row."""

    def __init__(self, options: DecoderOptions) -> None:
        self.faults = Faults()
        self.skipped: dict[str, int] = {}
        self._rows = ReportRows(self.faults, options.source)
        self._buffer = bytearray()
        self._position = 0
        self._received_s = _NAN

    def _add(
        self,
        where: str,
        event_type: str,
        uid: str,
        time_s: float,
        point: list[float],
        motion: list[float],
        callsign: str,
    ) -> None:
        """``point``: lat, lon, hae, ce; ``motion``: course, speed."""
        if not event_type.startswith("a-"):
            self.skipped["event is no atom"] = self.skipped.get("event is no atom", 0) + 1
            return
        lat, lon, hae, ce = point
        domain, category = _kind_of(event_type)
        self._rows.add(
            where,
            time_s=time_s,
            received_s=self._received_s,
            lat_deg=lat,
            lon_deg=lon,
            target=clean_label(uid),
            altitude_geo_m=hae if abs(hae) < UNKNOWN_M else _NAN,
            ground_speed_mps=motion[1],
            track_deg=motion[0],
            accuracy_m=ce * R95_OF_SIGMA if 0.0 < ce < UNKNOWN_M else _NAN,
            domain=domain,
            category=category,
            callsign=clean_label(callsign),
        )

    def _drop(self, count: int) -> None:
        del self._buffer[:count]
        self._position += count


def _number(text: str | None) -> float:
    try:
        return float(text) if text and "_" not in text else _NAN
    except ValueError:
        return _NAN


class XmlDecoder(_Events):
    """``event`` documents one after the other, with or without XML declarations between them.

    An event is cut out of the stream before any XML parser sees it, so document types and entities never apply.
    """

    def __init__(self, options: DecoderOptions) -> None:
        super().__init__(options)
        self._scanned = 0
        self._garbage = False

    def decode(self, data: bytes, received_s: float) -> ReportBatch:
        self._received_s = received_s
        self._buffer += data
        while self._next():
            pass
        return self._rows.take()

    def finish(self) -> ReportBatch:
        if _OPENS.match(self._buffer):
            self.faults.add("event is cut", f"byte {self._position}")
        else:
            self._judge_between(len(self._buffer))
        self._buffer.clear()
        return self._rows.take()

    def _next(self) -> bool:
        """Cuts one event off, or what stands before it; False when more bytes are needed."""
        opened = _OPENS.match(self._buffer)
        if not opened:
            found = _OPENS.search(self._buffer, max(self._scanned - 8, 0))
            if found:
                self._judge_between(found.start())
                return True
            self._scanned = len(self._buffer)
            if self._scanned > BETWEEN_BYTES_MAX + 8:
                self._garbage = True
                self._drop(self._scanned - 8)
                self._scanned = 8
            return False
        back = max(self._scanned - 8, opened.end())
        # The next beginning first: the end is looked for before it only, not in all that has come, for each event anew.
        again = _OPENS.search(self._buffer, back)
        end = self._buffer.find(b"</event>", back, again.start() if again else len(self._buffer))
        if end >= 0:
            again = None
        stop = again.start() if again else end + 8 if end >= 0 else len(self._buffer)
        if stop > EVENT_BYTES_MAX:
            self.faults.add(f"event larger than {EVENT_BYTES_MAX} bytes", f"byte {self._position}")
            self._drop(6)
        elif again:
            whole = bytes(self._buffer[: again.start()]).rstrip().endswith(b"/>")
            self.faults.add("event has no point" if whole else "event is cut", f"byte {self._position}")
            self._drop(again.start())
        elif end >= 0:
            self._event(bytes(self._buffer[: end + 8]), f"byte {self._position}")
            self._drop(end + 8)
        else:
            self._scanned = len(self._buffer)
            return False
        self._scanned = 0
        return True

    def _judge_between(self, stop: int) -> None:
        """One fault where what stands before an event is more than white space and XML declarations."""
        if (
            self._garbage
            or stop > BETWEEN_BYTES_MAX
            or _BETWEEN.sub(b"", bytes(self._buffer[:stop])).strip(b"\xef\xbb\xbf\0")
        ):
            self.faults.add("bytes between events", f"byte {self._position}")
        self._garbage = False
        self._drop(stop)
        self._scanned = 0

    def _event(self, text: bytes, where: str) -> None:
        from defusedxml import DefusedXmlException
        from defusedxml.ElementTree import ParseError, fromstring

        try:
            event = fromstring(text, forbid_dtd=True)
        except (ParseError, DefusedXmlException, ValueError, LookupError):
            self.faults.add("event is not well-formed XML", where)
            return
        point, track, contact = event.find("point"), event.find("detail/track"), event.find("detail/contact")
        said = event.get("time") or event.get("start")
        try:
            time_s = parse_instant(said) if said else _NAN
        except InputError:
            self.faults.add("event's time is not ISO 8601 with a zone", where)
            return
        self._add(
            where,
            event.get("type", ""),
            event.get("uid", ""),
            time_s,
            [_number(point.get(name)) if point is not None else _NAN for name in ("lat", "lon", "hae", "ce")],
            [_number(track.get(name)) if track is not None else _NAN for name in ("course", "speed")],
            (contact.get("callsign") or "") if contact is not None else "",
        )


class ProtobufDecoder(_Events):
    """TAK protocol 1: stream framing (0xBF, length, message) and mesh framing (0xBF 0x01 0xBF, message).

    A mesh message carries no length; it is read field by field, and its event is out as soon as that field is whole.
    """

    def __init__(self, options: DecoderOptions) -> None:
        super().__init__(options)
        try:
            from takproto.proto import TakMessage
        except ImportError:
            raise MissingExtra("Cursor-on-Target protobuf", "cot") from None
        self._parse: Any = TakMessage.FromString
        self._in_mesh = False
        self._in_step = True

    def decode(self, data: bytes, received_s: float) -> ReportBatch:
        self._received_s = received_s
        self._buffer += data
        self._advance(final=False)
        return self._rows.take()

    def finish(self) -> ReportBatch:
        self._advance(final=True)
        self._buffer.clear()
        return self._rows.take()

    def _advance(self, final: bool) -> None:
        at = 0
        while at < len(self._buffer):
            step = self._field(at) if self._in_mesh else self._head(at)
            if step == 0:  # more bytes are needed
                if not final:
                    break
                step = -1
            if step < 0:
                self._out_of_step(at)
                begins = self._buffer.find(MAGIC, at + 1)
                step = (begins if begins >= 0 else len(self._buffer)) - at
            at += step
        self._drop(at)

    def _head(self, at: int) -> int:
        """Bytes read of what begins with a message's head; 0: too few are here, -1: it is none."""
        data = self._buffer
        if data[at] != MAGIC:
            return -1
        limit = MESSAGE_BYTES_MAX if self._in_step else SEARCH_MESSAGE_MAX
        length, body = _varint(data, at + 1)
        if length == -1 or (length == 1 and body >= len(data)):
            return 0
        if length == 1 and data[body] == MAGIC:
            self._in_mesh = True
            return 3
        if not 0 < length <= limit:
            return -1
        if len(data) < body + length:
            return 0
        return body + length - at if self._message(bytes(data[body : body + length]), at) else -1

    def _field(self, at: int) -> int:
        """Bytes read of one field of a mesh message; 0: too few are here, -1: the message ends in garbage."""
        data = self._buffer
        if data[at] == MAGIC:
            self._in_mesh = False
            return self._head(at)
        wire, number = data[at] & 7, data[at] >> 3
        value, end = _varint(data, at + 1)
        if data[at] & 0x80 or not 1 <= number <= TAK_FIELDS_MAX or wire not in (0, 2) or value == -2:
            self._in_mesh = False
            return -1
        if value == -1:
            return 0
        if wire == 0:
            return end - at
        if value > (MESSAGE_BYTES_MAX if self._in_step else SEARCH_MESSAGE_MAX):
            self._in_mesh = False
            return -1
        if len(data) < end + value:
            return 0
        if number == 2 and not self._message(bytes(data[at : end + value]), at):
            self._in_mesh = False
            return -1
        return end + value - at

    def _message(self, octets: bytes, at: int) -> bool:
        """One TAK message; ``False`` where the octets are none."""
        from google.protobuf.message import DecodeError  # type: ignore[import-untyped, unused-ignore]

        where = f"byte {self._position + at}"
        try:
            message = self._parse(octets)
        except DecodeError:
            return False
        if not message.HasField("cotEvent"):
            if message.HasField("takControl"):
                self.skipped["message without an event"] = self.skipped.get("message without an event", 0) + 1
                self._in_step = True
                return True
            return False
        event = message.cotEvent
        if not (event.uid and event.type):
            return False
        self._in_step = True
        track = event.detail.track if event.detail.HasField("track") else None
        self._add(
            where,
            event.type,
            event.uid,
            (event.sendTime or event.startTime or _NAN) / 1000.0,
            [event.lat, event.lon, event.hae, event.ce],
            [track.course, track.speed] if track else [_NAN, _NAN],
            event.detail.contact.callsign,
        )
        return True

    def _out_of_step(self, at: int) -> None:
        """One fault for one run of garbage."""
        self._in_mesh = False
        if self._in_step:
            self.faults.add("not a TAK protocol message", f"byte {self._position + at}")
            self._in_step = False
