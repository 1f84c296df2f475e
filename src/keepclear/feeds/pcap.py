"""Classic pcap captures (Ethernet, IPv4, UDP) to datagrams, chunk by chunk.

The format is described in draft-ietf-opsawg-pcap. Only what carries surveillance data is read: link type
Ethernet with at most two VLAN tags, IPv4 unfragmented, UDP. Everything else is passed over and counted.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from keepclear.errors import InputError
from keepclear.feeds.decoder import Faults

__all__ = ["PCAPNG_MAGIC", "PCAP_MAGICS", "CaptureReader", "Datagram"]

PCAP_MAGICS = {
    b"\xd4\xc3\xb2\xa1": ("<", 1e-6),
    b"\xa1\xb2\xc3\xd4": (">", 1e-6),
    b"\x4d\x3c\xb2\xa1": ("<", 1e-9),
    b"\xa1\xb2\x3c\x4d": (">", 1e-9),
}
"""first four bytes → byte order and the unit of the time stamp's fraction"""
PCAPNG_MAGIC = b"\x0a\x0d\x0d\x0a"
PACKET_MAX = 262_144
"""The largest packet that libpcap writes; a length above it is a broken file."""
ETHERNET = 1
_VLAN_TYPES = (0x8100, 0x88A8)


class Datagram(NamedTuple):
    time_s: float
    """time of capture, POSIX seconds"""
    payload: bytes
    offset: int
    """of the packet in the file"""


class CaptureReader:
    """Bytes of a capture in, UDP payloads out. A broken packet length ends the reading with one fault."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.passed_over = 0
        """packets that are whole but not IPv4 UDP"""
        self._buffer = bytearray()
        self._position = 0
        self._order = ""
        self._fraction_s = 0.0
        self._broken = False

    def feed(self, data: bytes) -> Iterator[Datagram]:
        """The datagrams that ``data`` completes. Raises :class:`InputError` where the link type is not Ethernet."""
        if self._broken:
            return
        self._buffer += data
        if not self._order and not self._read_header():
            return
        at = 0
        while len(self._buffer) - at >= 16:
            seconds, fraction, kept, original = struct.unpack_from(f"{self._order}IIII", self._buffer, at)
            if kept > PACKET_MAX:
                self.faults.add(
                    "capture: packet length is impossible, the rest is not read", f"byte {self._position + at}"
                )
                self._broken = True
                self._buffer.clear()
                return
            if len(self._buffer) - at - 16 < kept:
                break
            packet = bytes(self._buffer[at + 16 : at + 16 + kept])
            where = self._position + at
            at += 16 + kept
            payload = self._udp_payload(packet, kept < original, where)
            if payload:
                yield Datagram(seconds + fraction * self._fraction_s, payload, where)
        del self._buffer[:at]
        self._position += at

    def finish(self) -> None:
        if self._buffer and not self._broken:
            self.faults.add("capture: cut in the middle of a packet", f"byte {self._position}")
        self._buffer.clear()

    def _read_header(self) -> bool:
        if len(self._buffer) < 24:
            return False
        self._order, self._fraction_s = PCAP_MAGICS[bytes(self._buffer[:4])]
        (link,) = struct.unpack_from(f"{self._order}I", self._buffer, 20)
        if link & 0xFFFF != ETHERNET:
            raise InputError(f"capture of link type {link & 0xFFFF}; only Ethernet (1) is read", where="byte 20")
        del self._buffer[:24]
        self._position = 24
        return True

    def _udp_payload(self, packet: bytes, cut: bool, where: int) -> bytes:
        """The payload, or nothing: counted as passed over (other protocols) or as a fault (damaged UDP)."""
        at = 12
        for _ in range(2):
            if len(packet) >= at + 2 and int.from_bytes(packet[at : at + 2]) in _VLAN_TYPES:
                at += 4
        ip = packet[at + 2 :]
        if packet[at : at + 2] != b"\x08\x00" or len(ip) < 20 or ip[0] >> 4 != 4 or ip[9] != 17:
            self.passed_over += 1
            return b""
        header, total = 4 * (ip[0] & 15), int.from_bytes(ip[2:4])
        if int.from_bytes(ip[6:8]) & 0x3FFF:
            self.faults.add("capture: fragmented datagram", f"byte {where}")
            return b""
        if cut or header < 20 or len(ip) < total or total < header + 8:
            self.faults.add("capture: datagram is cut", f"byte {where}")
            return b""
        length = int.from_bytes(ip[header + 4 : header + 6])
        if length < 8 or header + length > total:
            self.faults.add("capture: UDP length is impossible", f"byte {where}")
            return b""
        return ip[header + 8 : header + length]
