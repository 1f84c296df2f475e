"""Mode S from the wire: Beast binary, AVR text, and hex frames with time stamps in CSV or JSON lines.

Beast and AVR framing: https://wiki.jetvision.de/wiki/Mode-S_Beast:Data_Output_Formats.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from keepclear.errors import InputError
from keepclear.feeds.decoder import Faults
from keepclear.feeds.formats import DecoderOptions
from keepclear.feeds.lines import LineCutter
from keepclear.feeds.mode_s_aircraft import ModeSAircraft
from keepclear.feeds.receiver_clock import ReceiverClock
from keepclear.feeds.reports import ReportBatch
from keepclear.quantities import parse_instant

__all__ = [
    "AvrDecoder",
    "BeastDecoder",
    "HexLinesDecoder",
    "looks_like_avr",
    "looks_like_beast",
    "looks_like_hex_lines",
]


def looks_like_beast(head: bytes) -> bool:
    """Three frames that follow one another without a gap (or one, if there is nothing else)."""
    frames = list(_BEAST.finditer(head))
    whole = [m for m in frames if m.group(1)]
    joined = sum(a.end() == b.start() for a, b in pairwise(frames))
    return bool(whole) and joined >= min(2, len(frames) - 1) and frames[0].start() < 200


def looks_like_avr(head: bytes) -> bool:
    lines = [line.strip() for line in head.replace(b";", b";\n").split(b"\n") if line.strip()]
    return bool(lines) and _AVR.fullmatch(lines[0].rstrip(b";")) is not None


def looks_like_hex_lines(head: bytes) -> bool:
    """One of the first whole lines has a hex frame and a time stamp beside it."""
    for line in head.split(b"\n")[:3]:
        try:
            if _stamped_fields(line.strip(b"\r")) is not None:
                return True
        except ValueError:
            continue
    return False


class _Receiver:
    """What the three decoders share: the aircraft table and the way from payloads to reports."""

    def __init__(self, options: DecoderOptions) -> None:
        self.faults = Faults()
        lat, lon = options.receiver_lat_deg, options.receiver_lon_deg
        receiver = (lat, lon) if lat is not None and lon is not None else None
        self._aircraft = ModeSAircraft(self.faults, options.source, receiver)

    def _fold(
        self, time_s: npt.ArrayLike, payloads: list[bytes], received_s: float, where: Callable[[int], str]
    ) -> ReportBatch:
        if not payloads:
            return ReportBatch.empty()
        # Writable, as Beast's are: of memory that is not, the kernels would be compiled once more.
        joined = bytearray(b"".join([p.ljust(14, b"\0") for p in payloads]))
        frames = np.frombuffer(joined, dtype=np.uint8).reshape(-1, 14)
        is_long = np.array([len(p) == 14 for p in payloads])
        return self._aircraft.fold(np.asarray(time_s, dtype=np.float64), float(received_s), frames, is_long, where)


# A frame is 0x1a, its type, then 6 bytes of time, 1 of signal and the message; 0x1a inside is doubled. The second
# alternative is a frame that the chunk cuts off: being leftmost, it keeps a later, false start from being taken.
_UNIT = rb"(?:[^\x1a]|\x1a\x1a)"
_BEAST = re.compile(
    rb"\x1a(?:(1%b{9}|2%b{14}|[34]%b{21}|\xe3%b{8})|(?:1%b{0,8}\x1a?|2%b{0,13}\x1a?|[34]%b{0,20}\x1a?|\xe3%b{0,7}\x1a?)?\Z)"
    % ((_UNIT,) * 8),
    re.DOTALL,
)
_MODE_S_BYTES_MIN, _FRAME_BYTES_MIN = 16, 10


class BeastDecoder(_Receiver):
    """Beast binary: types 2 (short) and 3 (long Mode S); Mode A/C (1) and status (4) frames are passed over."""

    def __init__(self, options: DecoderOptions) -> None:
        super().__init__(options)
        self._clock = ReceiverClock(options.start_s)
        self._kept = b""
        self._kept_at = 0
        self._frames_seen = 0
        self._lost = False

    def decode(self, data: bytes, received_s: float) -> ReportBatch:
        from keepclear.feeds.kernels.beast import cut_frames  # compiled code is loaded on first use only

        stream = self._kept + data if self._kept else bytes(data)
        room = len(stream) // _MODE_S_BYTES_MIN + 2
        ticks, is_long = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.bool_)
        frames = np.empty((room, 14), dtype=np.uint8)
        lost_at = np.empty(len(stream) // _FRAME_BYTES_MIN + 2, dtype=np.int64)
        tally = np.array([0, 0, self._lost], dtype=np.int64)
        count = cut_frames(np.frombuffer(stream, dtype=np.uint8), ticks, is_long, frames, lost_at, tally)
        keep_from, lost, self._lost = int(tally[0]), int(tally[1]), bool(tally[2])
        if lost:
            at = self._kept_at
            self.faults.add_all(
                "bytes that belong to no Beast frame", lost_at[:lost].tolist(), lambda place: f"byte {at + place}"
            )
        self._kept = stream[keep_from:]
        self._kept_at += keep_from
        if not count:
            return ReportBatch.empty()
        first = self._frames_seen + 1
        self._frames_seen += count
        time_s = self._clock.instants(ticks[:count], received_s)
        return self._aircraft.fold(
            time_s, float(received_s), frames[:count], is_long[:count], lambda row: f"frame {first + row}"
        )

    def finish(self) -> ReportBatch:
        if self._kept:
            self.faults.add("Beast frame cut off at the end", f"byte {self._kept_at}")
        self._kept = b""
        return ReportBatch.empty()


_AVR = re.compile(rb"(?:\*|([@%])([0-9A-Fa-f]{12})|(<)([0-9A-Fa-f]{12})[0-9A-Fa-f]{2})?((?:[0-9A-Fa-f]{14}){1,2})")


class AvrDecoder(_Receiver):
    """``*frame;``, ``@ticks frame;`` and ``<ticks signal frame;`` lines, or the bare hex frame.

    Frames without ticks are as old as their receipt.
    """

    def __init__(self, options: DecoderOptions) -> None:
        super().__init__(options)
        self._clock = ReceiverClock(options.start_s)
        self._lines = LineCutter(self.faults, 4096)

    def decode(self, data: bytes, received_s: float) -> ReportBatch:
        return self._read(self._lines.feed(data.replace(b";", b"\n")), received_s)

    def finish(self) -> ReportBatch:
        return self._read(self._lines.finish(), math.nan)

    def _read(self, lines: list[bytes], received_s: float) -> ReportBatch:
        counters: list[int] = []
        payloads: list[bytes] = []
        first = self._lines.lines_seen - len(lines) + 1
        numbers: list[int] = []
        for number, line in enumerate(lines, first):
            text = line.strip()
            if not text:
                continue
            match = _AVR.fullmatch(text)
            if match is None:
                if len(text) not in (5, 17) or text[:1] not in b"*@":  # Mode A/C replies are well-formed but no use
                    self.faults.add("not an AVR frame", f"frame {number}")
                continue
            ticks = match.group(2) or match.group(4)
            counters.append(int(ticks, 16) if ticks else 0)
            payloads.append(bytes.fromhex(match.group(5).decode("ascii")))
            numbers.append(number)
        time_s = self._clock.instants(np.array(counters, dtype=np.int64), received_s)
        return self._fold(time_s, payloads, received_s, lambda row: f"frame {numbers[row]}")


_HEX = re.compile(rb"[0-9A-Fa-f]{28}|[0-9A-Fa-f]{14}")
_NUMBER = re.compile(rb"\d{8,19}(?:\.\d{1,12})?")
_ISO = re.compile(rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d[0-9:.,]*(?:Z|[+-]\d\d:?\d\d)?")


class HexLinesDecoder(_Receiver):
    """Lines with a time stamp and a hex frame: CSV of any column order, with a header or not, or JSON lines.

    The time is Unix time in s, ms, µs or ns (told apart by its size) or ISO 8601 with a zone.
    """

    def __init__(self, options: DecoderOptions) -> None:
        super().__init__(options)
        self._lines = LineCutter(self.faults)
        self._columns: tuple[int, int, bytes] | None = None

    def decode(self, data: bytes, received_s: float) -> ReportBatch:
        lines = self._lines.feed(data)
        return self._read(lines, self._lines.lines_seen - len(lines) + 1, received_s)

    def finish(self) -> ReportBatch:
        return self._read(self._lines.finish(), self._lines.lines_seen, math.nan)

    def _read(self, lines: list[bytes], first: int, received_s: float) -> ReportBatch:
        time_s: list[float] = []
        payloads: list[bytes] = []
        numbers: list[int] = []
        fromhex = bytes.fromhex
        for number, line in enumerate(lines, first):
            try:
                stamp, frame = self._split(line)
                if not stamp:
                    if line.strip() and number > 1:
                        self.faults.add("no time stamp and hex frame in the line", f"line {number}")
                    continue
                instant_s = _instant_s(stamp)
                payloads.append(fromhex(frame.decode("ascii")))
            except InputError as error:
                self.faults.add("time stamp is unreadable or has no zone", f"line {number}: {error.message}"[:200])
                continue
            except ValueError:
                self.faults.add("line is unreadable", f"line {number}")
                continue
            time_s.append(instant_s)
            numbers.append(number)
        return self._fold(time_s, payloads, received_s, lambda row: f"line {numbers[row]}")

    def _split(self, line: bytes) -> tuple[bytes, bytes]:
        """Time and frame of a line, both empty where it has none; the columns found last are tried first."""
        if self._columns is not None:
            stamp_at, frame_at, separator = self._columns
            parts = line.split(separator)
            if len(parts) > stamp_at and len(parts) > frame_at:
                stamp, frame = parts[stamp_at], parts[frame_at]
                if len(frame) in (14, 28) and stamp.isdigit():
                    return stamp, frame
        found = _stamped_fields(line)
        if found is None:
            return b"", b""
        stamp, frame, columns = found
        self._columns = columns or self._columns
        return stamp, frame


def _stamped_fields(line: bytes) -> tuple[bytes, bytes, tuple[int, int, bytes] | None] | None:
    """The time stamp and the frame of a line and, in CSV, their columns and the separator. Raises ``ValueError``."""
    text = line.strip()
    if text.startswith(b"{"):
        try:
            document = json.loads(text, parse_constant=_refuse, object_pairs_hook=_once)
        except RecursionError:
            raise ValueError("brackets nested without end") from None
        values = [str(v).encode() for v in document.values() if isinstance(v, (str, int, float))]
        stamp_at, frame_at = _find(values)
        return None if stamp_at is None or frame_at is None else (values[stamp_at], values[frame_at], None)
    for separator in (b",", b";", b"\t", b" "):
        values = [value.strip(b' "') for value in text.split(separator)]
        if len(values) < 2:
            continue
        stamp_at, frame_at = _find(values)
        if stamp_at is not None and frame_at is not None:
            return values[stamp_at], values[frame_at], (stamp_at, frame_at, separator)
    return None


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _once(members: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(members)
    if len(document) != len(members):
        raise ValueError("a key stands twice in the line")
    return document


def _find(values: list[bytes]) -> tuple[int | None, int | None]:
    frame_at = next((i for i, v in enumerate(values) if _HEX.fullmatch(v) and not _is_stamp(v)), None)
    stamp_at = next((i for i, v in enumerate(values) if i != frame_at and _is_stamp(v)), None)
    return stamp_at, frame_at


def _is_stamp(value: bytes) -> bool:
    if _NUMBER.fullmatch(value):
        return _unix_s(float(value)) is not None
    return _ISO.fullmatch(value) is not None


_YEAR_1990_S, _YEAR_2100_S = 631_152_000.0, 4_102_444_800.0


def _unix_s(number: float) -> float | None:
    """Seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by which of them is 1990 to 2100."""
    for scale in (1.0, 1e3, 1e6, 1e9):
        if _YEAR_1990_S <= number / scale < _YEAR_2100_S:
            return number / scale
    return None


def _instant_s(stamp: bytes) -> float:
    if stamp[:4].isdigit() and b"-" not in stamp:
        instant_s = _unix_s(float(stamp))
        if instant_s is None:
            raise InputError("time is not between 1990 and 2100 in s, ms, µs or ns")
        return instant_s
    return parse_instant(stamp.decode("ascii"))
