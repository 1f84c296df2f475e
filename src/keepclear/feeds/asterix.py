"""ASTERIX CAT021 (ADS-B), CAT048 (radar) and CAT062 (system tracks) to reports: raw blocks, datagrams or a pcap file.

Other categories (034 and 065 service messages among them) carry no target position: they are counted in
:attr:`AsterixDecoder.skipped` and passed over. What the items mean is in :mod:`keepclear.feeds.asterix_items`.
"""

from __future__ import annotations

import math
import re

from keepclear.errors import InputError
from keepclear.feeds.asterix_items import RecordReader
from keepclear.feeds.asterix_records import CATEGORIES, read_records
from keepclear.feeds.decoder import Faults
from keepclear.feeds.formats import DecoderOptions
from keepclear.feeds.pcap import PCAP_MAGICS, PCAPNG_MAGIC, CaptureReader
from keepclear.feeds.reports import ReportBatch

__all__ = ["AsterixDecoder", "looks_like_asterix"]

KNOWN_CATEGORIES = frozenset(
    [*range(1, 5), *range(7, 12), *range(15, 22), 23, 24, 25, *range(30, 35), 48, 62, 63, 65, 129, 150, 205, 247]
)
"""Categories in use; another first octet is not the head of a data block."""
_HEAD = re.compile(b"[" + b"".join(re.escape(bytes([category])) for category in sorted(KNOWN_CATEGORIES)) + b"]")
SEARCH_BLOCK_MAX = 4096
"""While searching for the next block after garbage only blocks up to this length are believed, so that a false
length does not swallow much. In step, a block may have the full 65,535 octets."""
DAY_S = 86_400.0
_NAN = math.nan


def looks_like_asterix(head: bytes) -> bool:
    """A capture file, or data blocks of known categories one after the other."""
    if head[:4] in PCAP_MAGICS or head[:4] == PCAPNG_MAGIC:
        return True
    at = blocks = 0
    while at + 4 <= len(head):
        length = int.from_bytes(head[at + 1 : at + 3])
        if head[at] not in KNOWN_CATEGORIES or length < 4:
            return False
        if head[at] in CATEGORIES and at + length <= len(head):
            if read_records(head[at], head, at + 3, at + length)[1] != at + length:
                return False
            blocks += 1
        elif at + length <= len(head):
            blocks += 1
        at += length
    return blocks > 0


def _next_head(data: bytearray, at: int) -> int:
    found = _HEAD.search(data, at)
    return found.start() if found else len(data)


class AsterixDecoder:
    """Data blocks from a stream, a file, datagrams, or a capture of them.

    The time of day in a record gets its date from the packet's time of capture, from ``options.start_s`` (the
    recording's beginning) or from the time of receipt, whichever is first available, to the nearest half day.
    """

    def __init__(self, options: DecoderOptions) -> None:
        self.faults = Faults()
        self._reader = RecordReader(options, self.faults, self._instant)
        self.skipped = self._reader.skipped
        """what was well formed and passed over: other categories by block, records without a position"""
        self._options = options
        self._buffer = bytearray()
        self._position = 0
        self._in_step = True
        self._capture: CaptureReader | None = None
        self._started = False
        self._reference_s = options.start_s if options.start_s is not None else _NAN

    def decode(self, data: bytes, received_s: float) -> ReportBatch:
        """Reports of the blocks that ``data`` completes. Raises :class:`InputError` for pcapng files."""
        self._reader.received_s = received_s
        self._buffer += data
        if not self._started:
            if len(self._buffer) < 4:
                return ReportBatch.empty()
            self._start()
        self._advance(final=False)
        return self._reader.rows.take()

    def finish(self) -> ReportBatch:
        self._started = True
        self._advance(final=True)
        if self._capture:
            self._capture.finish()
        self._buffer.clear()
        return self._reader.rows.take()

    def _start(self) -> None:
        self._started = True
        head = bytes(self._buffer[:4])
        if head == PCAPNG_MAGIC:
            raise InputError("this is a pcapng file; convert it: editcap -F pcap IN OUT", where="byte 0")
        if head in PCAP_MAGICS:
            self._capture = CaptureReader(self.faults)

    def _advance(self, final: bool) -> None:
        if self._capture is None:
            done = self._read_blocks(self._buffer, self._position, final)
            del self._buffer[:done]
            self._position += done
            return
        data = bytes(self._buffer)
        self._buffer.clear()
        for datagram in self._capture.feed(data):
            self._reference_s = self._reader.received_s = datagram.time_s
            self._in_step = True
            self._read_blocks(bytearray(datagram.payload), datagram.offset, final=True)

    def _read_blocks(self, data: bytearray, offset: int, final: bool) -> int:
        """Reads what is whole; how many bytes are done with. ``final``: no more will follow these."""
        at = 0
        while (left := len(data) - at) >= (1 if final else 3):
            category, length = data[at], int.from_bytes(data[at + 1 : at + 3])
            believable = category in KNOWN_CATEGORIES and 4 <= length <= (65_535 if self._in_step else SEARCH_BLOCK_MAX)
            if not believable or (final and length > left):
                if self._in_step:  # one fault for one run of garbage
                    reason = "cut in the middle of a data block" if believable else "not a data block"
                    self.faults.add(reason, f"byte {offset + at}")
                    self._in_step = False
                at = _next_head(data, at + 1)
                continue
            # After garbage a block counts only if another follows it, or the end.
            if left < length + (0 if self._in_step or final else 3):
                break
            if not self._in_step and not self._heads_block(data, at + length):
                at = _next_head(data, at + 1)
                continue
            if category not in CATEGORIES:
                self._reader.skip(f"CAT{category:03}")
                self._in_step = True
                at += length
                continue
            block = bytes(data[at : at + length])
            records, end = read_records(category, block, 3, length)
            if end < length and left < length + 3 and not final:
                break  # whether to trust the length shows in what follows
            for number, record in enumerate(records):
                self._reader.read(category, record, f"byte {offset + at}, record {number + 1}")
            if end < length:
                self.faults.add(f"CAT{category:03} record is malformed", f"byte {offset + at + end}")
                self._in_step = self._heads_block(data, at + length)
                at += length if self._in_step else end
            else:
                self._in_step = True
                at += length
        return at

    def _heads_block(self, data: bytearray, at: int) -> bool:
        if at >= len(data):
            return True
        return len(data) - at >= 3 and data[at] in KNOWN_CATEGORIES and int.from_bytes(data[at + 1 : at + 3]) >= 4

    def _instant(self, octets: bytes | None) -> float:
        """POSIX seconds of a time of day (1/128 s since midnight UTC); ``nan`` without it or a date."""
        if not octets:
            return _NAN
        time_of_day_s = int.from_bytes(octets) / 128.0
        reference_s = self._reference_s if self._reference_s == self._reference_s else self._reader.received_s
        if time_of_day_s >= DAY_S or not math.isfinite(reference_s):
            return _NAN
        days = round((reference_s - time_of_day_s) / DAY_S)
        instant_s = days * DAY_S + time_of_day_s
        if self._options.start_s is not None and self._capture is None:
            self._reference_s = instant_s  # a recording's date moves on with its records
        return instant_s
