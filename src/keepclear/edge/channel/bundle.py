"""The channel carried by hand: one file for one party, with what a node would have sent it over the network.

The file holds the same messages as HTTPS would: a check with our heads and cosignatures, then entries. It needs no
trust in the carrier, since every entry and head carries its owner's signature; whoever reads it along the way reads the
bodies too, so carry it sealed where that matters. The answers travel back in the other party's own bundle.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgspec

from keepclear.channel.canonical import Hash, Milliseconds, PartyId, encode
from keepclear.channel.protocol.checking import log_ids, make_check
from keepclear.channel.protocol.exchange import Clock, compose_push, respond
from keepclear.channel.protocol.gate import Gate
from keepclear.channel.protocol.own_log import Node
from keepclear.channel.protocol.wire import MESSAGE_BYTES_MAX, PATHS, PROOFS_MAX, Ask, ForkProofs, PushAnswer, parse
from keepclear.channel.store import READ_COUNT_MAX
from keepclear.edge.whole_file import write_whole
from keepclear.errors import InputError, LimitExceeded

__all__ = ["BundleReading", "read_bundle", "write_bundle"]

MAGIC = b"keepclear/bundle/v1\n"
BUNDLE_BYTES_MAX = 1 << 30
"""What fits a stick; what is left over goes into the next one."""
FRAMES_MAX = 100_000
HEADER_LINE_MAX = 200
_FRAME = re.compile(rb"([a-z/-]{1,20}) ([0-9]{1,8})\n\Z")


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"sender": "from"}):
    channel: Hash
    sender: PartyId
    to: PartyId
    written_ms: Milliseconds
    nonce: Hash


@dataclass(frozen=True, slots=True)
class BundleReading:
    sender: str
    written_ms: int
    entries: int
    """that were news"""
    problems: tuple[str, ...]
    """what was refused; the good rest was kept"""


def write_bundle(path: Path, node: Node, peer: str, clock: Clock, nonce: bytes) -> int:
    """Everything that the peer is not known to hold; the number of entries. ``path`` is whole or absent."""
    node.store.state(peer)  # refuses who is no party
    header = _Header(node.store.channel, node.party, peer, clock(), nonce.hex())
    count = 0

    def write(file: IO[bytes]) -> None:
        nonlocal count
        file.write(MAGIC)
        _frame(file, "header", encode(header))
        _frame(file, "check", encode(make_check(node, peer, nonce)))
        proofs = tuple(p.encode() for p in node.store.forks())[:PROOFS_MAX]
        if proofs:
            _frame(file, "fork-proofs/add", encode(ForkProofs(proofs)))
        for log in log_ids(node.store):
            if log != peer:
                count += _entries(file, node, peer, log)
        _frame(file, "end", b"")

    write_whole(path, write, mode=0o600)
    return count


def _entries(file: IO[bytes], node: Node, peer: str, log: str) -> int:
    size = node.store.state(log).size
    held = (h.size for h in node.store.newest_held(log) if h.cosigner == f"{peer}/mirror")
    start = cursor = max(held, default=0)
    while cursor < size and file.tell() < BUNDLE_BYTES_MAX:
        push = compose_push(node, peer, log, cursor, READ_COUNT_MAX)
        _frame(file, "push", encode(push))
        cursor += len(push.records)
    return cursor - start


def _frame(file: IO[bytes], path: str, data: bytes) -> None:
    file.write(f"{path} {len(data)}\n".encode() + data + b"\n")


def read_bundle(path: Path, node: Node, clock: Clock) -> BundleReading:
    """Takes what is in the file, as if its sender had sent it now. A cut file is used as far as it goes, and said so.

    Raises :class:`InputError` for a file that is no bundle, or one for somebody else.
    """
    try:
        with path.open("rb") as file:
            return _read(file, node, clock)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", source=str(path)) from None
    except InputError as error:
        error.source = error.source or str(path)
        raise


def _read(file: IO[bytes], node: Node, clock: Clock) -> BundleReading:
    if file.read(len(MAGIC)) != MAGIC:
        raise InputError("not a bundle of a channel")
    first = _next_frame(file)
    if first is None or first.path != "header":
        raise InputError("the bundle has no header")
    header = parse(first.body, _Header, what="the bundle's header")
    if header.channel != node.store.channel:
        raise InputError("the bundle is of another channel")
    if header.to != node.party:
        raise InputError(f"the bundle is for {header.to}, this node is {node.party}'s")
    if header.sender == node.party:
        raise InputError("the bundle is our own")
    node.store.state(header.sender)
    return _take(file, node, header, clock)


def _take(file: IO[bytes], node: Node, header: _Header, clock: Clock) -> BundleReading:
    # Read once, by a person: a file is bounded by its own size, not by a rate.
    patient = Node(node.store, node.lock, node.keys, _Ungated())
    before = _total(node)
    problems: list[str] = []
    for _ in range(FRAMES_MAX):
        try:
            ask = _next_frame(file)
        except InputError as error:
            problems.append(error.message)
            break
        if ask is None:
            problems.append("the bundle has no end: it was cut; carry it again")
            break
        if ask.path == "end":
            break
        try:
            answer = respond(patient, header.sender, ask, clock(), clock)
            refused = parse(answer, PushAnswer, what="our answer").refused if ask.path == "push" else None
            problems += [refused] if refused else []
        except InputError as error:
            problems.append(error.message)
    else:
        problems.append(f"the bundle has more than {FRAMES_MAX:,} parts")
    return BundleReading(header.sender, header.written_ms, _total(node) - before, tuple(problems))


class _Ungated(Gate):
    def take(self, peer: str, count: int, per_minute: int, now_ms: int) -> int | None:
        return None


def _total(node: Node) -> int:
    return sum(node.store.state(log).size for log in log_ids(node.store))


def _next_frame(file: IO[bytes]) -> Ask | None:
    """Nothing at the end of the file."""
    line = file.readline(HEADER_LINE_MAX)
    if not line:
        return None
    found = _FRAME.match(line)
    if not found or found[1].decode() not in (*PATHS, "header", "end"):
        raise InputError("the bundle is damaged: a part does not begin as one", where=f"byte {file.tell() - len(line)}")
    length = int(found[2])
    if length > MESSAGE_BYTES_MAX:
        raise LimitExceeded(f"a part of the bundle has {length:,} bytes, more than {MESSAGE_BYTES_MAX:,}")
    data = file.read(length + 1)
    if len(data) != length + 1 or data[-1:] != b"\n":
        raise InputError("the bundle is cut in the middle of a part; carry it again")
    return Ask(found[1].decode(), data[:-1])
