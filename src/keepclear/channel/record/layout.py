"""The exported record as files: where each stands, and the bundles that are our own (docs/reference/channel-record.md).

Tiles and checkpoints stand where c2sp.org/tlog-tiles puts them; beside every bundle of entries stand one of their
signatures and one of their bodies, cut at the same places.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Protocol

from keepclear.channel.charter import CHARTER_BYTES_MAX
from keepclear.channel.entry import BODY_BYTES_MAX, SALT_BYTES
from keepclear.channel.signature import SIGNATURE_BYTES
from keepclear.channel.tiles import ENTRY_BYTES_MAX, TILE_WIDTH, Tile
from keepclear.errors import InputError, LimitExceeded

__all__ = [
    "BODIES_BYTES_MAX", "CHARTERS_MAX", "ENTRIES_BYTES_MAX", "ExportFiles", "Place", "bodies_path", "charter_path",
    "checkpoint_path", "decode_bodies", "decode_signatures", "encode_bodies", "fork_path", "head_path",
    "is_for_people", "log_folder", "parse_place", "proof_path", "signatures_path",
]  # fmt: skip

ENTRIES_BYTES_MAX = TILE_WIDTH * (2 + ENTRY_BYTES_MAX)
BODIES_BYTES_MAX = TILE_WIDTH * (1 + SALT_BYTES + 4 + CHARTER_BYTES_MAX)
"""What a bundle of nothing but the largest charters would take; each body is held to its own kind's limit."""
CHARTERS_MAX = 10_000
"""One change a day for 27 years."""
_LENGTH_BYTES = {1: 2, 2: 4}
"""Of a body's length, by the byte before it: the long form only where the short one does not do."""
_PARTY = r"[a-z0-9](?:[a-z0-9.\-]{0,61}[a-z0-9])?"
_NUMBER = r"(?:0|[1-9][0-9]{0,15})"
_CHARTER = re.compile(rf"charter-({_NUMBER})\.json\Z")
_LOG = re.compile(rf"logs/({_PARTY})/(.+)\Z")
_HEAD = re.compile(rf"checkpoints/({_NUMBER})\Z")
_PROOF = re.compile(rf"proofs/({_PARTY})-({_NUMBER})\.tlog-proof\Z")
_FORK = re.compile(rf"forks/({_PARTY})-({_NUMBER})\.json\Z")
_FOR_PEOPLE = re.compile(r"(?:transcript[a-z0-9.\-]{0,20}\.(?:txt|html)|README\.txt)\Z")


class ExportFiles(Protocol):
    """A folder, a zip, or a mapping in memory."""

    def names(self) -> Iterator[str]:
        """Every file's path below the folder, with «/»."""
        ...

    def read(self, name: str, limit: int) -> bytes | None:
        """The content, or nothing where there is no such file; :class:`LimitExceeded` beyond ``limit`` bytes."""
        ...


Place = tuple[str, str, int | Tile]
"""What a path says: («charter», «», serial) · («checkpoint» or «head», party, size) · («tile», «signatures» or
«bodies», party, tile) · («proof» or «fork», party, number)."""


def charter_path(serial: int) -> str:
    return f"charter-{serial}.json"


def log_folder(party: str) -> str:
    return f"logs/{party}"


def checkpoint_path(party: str) -> str:
    return f"logs/{party}/checkpoint"


def head_path(party: str, size: int) -> str:
    """A smaller head than the log's, kept for the cosignatures on it."""
    return f"logs/{party}/checkpoints/{size}"


def signatures_path(party: str, tile: Tile) -> str:
    return f"logs/{party}/{_beside('signatures', tile)}"


def bodies_path(party: str, tile: Tile) -> str:
    return f"logs/{party}/{_beside('bodies', tile)}"


def proof_path(party: str, seq: int) -> str:
    return f"proofs/{party}-{seq}.tlog-proof"


def fork_path(party: str, number: int) -> str:
    return f"forks/{party}-{number}.json"


def is_for_people(name: str) -> bool:
    """Transcripts and the like: no verifier reads them."""
    return _FOR_PEOPLE.match(name) is not None


def parse_place(name: str) -> Place | None:
    """What stands there, or nothing for a path that no export has."""
    if found := _CHARTER.match(name):
        return "charter", "", int(found[1])
    if found := _PROOF.match(name):
        return "proof", found[1], int(found[2])
    if found := _FORK.match(name):
        return "fork", found[1], int(found[2])
    found = _LOG.match(name)
    if not found:
        return None
    party, rest = found[1], found[2]
    if rest == "checkpoint":
        return "checkpoint", party, 0
    if head := _HEAD.match(rest):
        return "head", party, int(head[1])
    kind, _, place = rest.partition("/")
    try:
        if kind == "tile":
            return "tile", party, Tile.parse(rest)
        if kind in ("signatures", "bodies"):
            return kind, party, Tile.parse(f"tile/entries/{place}")
    except InputError:
        pass
    return None


def _beside(kind: str, tile: Tile) -> str:
    return kind + tile.path.removeprefix("tile/entries")


def decode_signatures(data: bytes, count: int) -> list[bytes]:
    if len(data) != count * SIGNATURE_BYTES:
        raise InputError(f"{len(data)} bytes are not {count} signatures of {SIGNATURE_BYTES}")
    return [data[k : k + SIGNATURE_BYTES] for k in range(0, len(data), SIGNATURE_BYTES)]


def encode_bodies(bodies: Sequence[tuple[bytes, bytes] | None]) -> bytes:
    """Salt and body of each entry of a bundle, or nothing where they were erased or never came here."""
    parts = []
    for pair in bodies:
        if pair is None:
            parts.append(b"\x00")
            continue
        salt, body = pair
        if len(body) > CHARTER_BYTES_MAX or len(salt) != SALT_BYTES:
            raise LimitExceeded(f"a body has {len(body):,} bytes, more than {CHARTER_BYTES_MAX:,}, or its salt is none")
        flag = 1 if len(body) <= BODY_BYTES_MAX else 2
        parts.append(bytes([flag]) + salt + len(body).to_bytes(_LENGTH_BYTES[flag], "big") + body)
    return b"".join(parts)


def decode_bodies(data: bytes, count: int) -> list[tuple[bytes, bytes] | None]:
    """Exactly ``count`` of them; raises :class:`InputError` otherwise."""
    bodies: list[tuple[bytes, bytes] | None] = []
    at = 0
    while at < len(data) and len(bodies) < count:
        flag = data[at]
        if flag == 0:
            bodies.append(None)
            at += 1
            continue
        width = _LENGTH_BYTES.get(flag, 0)
        begins = at + 1 + SALT_BYTES + width
        length = int.from_bytes(data[begins - width : begins], "big")
        end = begins + length
        if not width or begins > len(data) or end > len(data) or (flag == 2 and length <= BODY_BYTES_MAX):
            raise InputError("the bundle of bodies is damaged or cut", where=f"byte {at}")
        bodies.append((data[at + 1 : at + 1 + SALT_BYTES], data[begins:end]))
        at = end
    if at != len(data) or len(bodies) != count:
        raise InputError(f"the bundle has not exactly {count} bodies", where=f"byte {at}")
    return bodies
