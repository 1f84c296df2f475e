"""An entry of a log: the payload's exact bytes are the tree's leaf; signature, salt and body stand beside it.

The leaf covers the payload and not the signature, so a second signature on the same payload is no second history. The
payload holds a salted hash of the body: the body can be erased later, and the log verifies as before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Annotated, Literal

import msgspec

from keepclear.channel.canonical import Count, Hash, Milliseconds, PartyId, decode, encode
from keepclear.channel.charter import CHARTER_BYTES_MAX, PARTIES_MAX
from keepclear.channel.merkle import HASH_BYTES, leaf_hash
from keepclear.channel.signature import SigningKey, in_context, verifies
from keepclear.errors import InputError, LimitExceeded

__all__ = ["BODY_BYTES_MAX", "CHARTER_KIND", "ERASURE_KIND", "NO_LEAF", "PAYLOAD_BYTES_MAX", "REVOCATION_KIND",
           "SALT_BYTES", "Draft", "Entry", "Head", "Record", "Reference", "body_bytes_max", "body_hash",
           "seal"]  # fmt: skip

PAYLOAD_BYTES_MAX = 65_535
"""The limit of c2sp.org/tlog-tiles."""
BODY_BYTES_MAX = 65_535
"""Of every kind but a charter, which is as large as its parties are many (:func:`body_bytes_max`)."""
SALT_BYTES = 32
NO_LEAF = bytes(HASH_BYTES)
"""Stands for the entry before the first."""
CHARTER_KIND, REVOCATION_KIND, ERASURE_KIND = "charter", "key-revocation", "erasure"

Kind = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9\-]{0,39}\Z")]


class Reference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry named for good: log, index and leaf hash."""

    party: PartyId
    seq: Count
    leaf: Hash


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far another log had been verified."""

    size: Count
    root: Hash


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The payload."""

    channel: Hash
    party: PartyId
    seq: Count
    """the leaf's index"""
    prev: Hash
    """leaf hash of the entry before in this log"""
    kind: Kind
    body: Hash
    at_ms: Milliseconds
    """by the writer's clock; proves nothing alone"""
    to: Annotated[tuple[PartyId, ...], msgspec.Meta(max_length=PARTIES_MAX)] = ()
    """who gets the body; empty: all"""
    re: Annotated[tuple[Reference, ...], msgspec.Meta(max_length=16)] = ()
    """what it answers"""
    seen: dict[PartyId, Head] = {}
    """of other logs the newest verified heads, as far as no entry before in this log names them"""
    from_ms: Milliseconds | None = None
    until_ms: Milliseconds | None = None
    """no longer valid after this instant: a late one is shown as late"""
    v: Literal[1] = 1

    @classmethod
    def parse(cls, payload: bytes) -> Entry:
        if len(payload) > PAYLOAD_BYTES_MAX:
            raise LimitExceeded(f"the entry has {len(payload):,} bytes, more than {PAYLOAD_BYTES_MAX:,}")
        entry = decode(payload, cls, what="the entry")
        if list(entry.to) != sorted(set(entry.to)):
            raise InputError("the entry's recipients are not sorted, or one occurs twice")
        if entry.from_ms is not None and entry.until_ms is not None and entry.from_ms > entry.until_ms:
            raise InputError("the entry is valid until before it is valid from")
        return entry

    def is_to(self, party_id: str) -> bool:
        return not self.to or party_id in self.to


@dataclass(frozen=True, slots=True)
class Draft:
    """What its writer decides; the log adds place, time and signature."""

    kind: str
    body: bytes
    to: tuple[str, ...] = ()
    re: tuple[Reference, ...] = ()
    from_ms: int | None = None
    until_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """An entry as it is kept and carried. ``body`` and ``salt`` are absent where they were erased or not for us."""

    payload: bytes
    signature: bytes
    salt: bytes | None = None
    body: bytes | None = None

    @property
    def leaf(self) -> bytes:
        return leaf_hash(self.payload)

    def without_body(self) -> Record:
        return replace(self, salt=None, body=None)

    def signed_by(self, key: bytes) -> bool:
        return verifies(key, in_context("entry", self.payload), self.signature)

    def check_body(self, entry: Entry) -> None:
        """Raises :class:`InputError` if a body is here and is not the one that was signed."""
        if self.body is None and self.salt is None:
            return
        if (
            self.body is None
            or self.salt is None
            or len(self.salt) != SALT_BYTES
            or len(self.body) > body_bytes_max(entry.kind)
        ):
            raise InputError(f"entry {entry.seq} of {entry.party} came with a damaged body")
        if body_hash(self.salt, self.body) != entry.body:
            raise InputError(f"the body of entry {entry.seq} of {entry.party} is not the one that was signed")


def body_bytes_max(kind: str) -> int:
    return CHARTER_BYTES_MAX if kind == CHARTER_KIND else BODY_BYTES_MAX


def body_hash(salt: bytes, body: bytes) -> str:
    return sha256(in_context("body", salt + body)).hexdigest()


def seal(
    draft: Draft, *, channel: str, party: str, seq: int, prev: bytes, seen: Mapping[str, Head], at_ms: int,
    salt: bytes, key: SigningKey,
) -> Record:  # fmt: skip
    """The draft as the entry number ``seq`` of the party's log; :class:`InputError` if it cannot be one."""
    if len(draft.body) > body_bytes_max(draft.kind):
        raise LimitExceeded(f"the body has {len(draft.body):,} bytes, more than {body_bytes_max(draft.kind):,}")
    payload = encode(
        Entry(
            channel=channel, party=party, seq=seq, prev=prev.hex(), kind=draft.kind,
            body=body_hash(salt, draft.body), at_ms=at_ms, to=tuple(sorted(set(draft.to))), re=draft.re,
            seen=dict(seen), from_ms=draft.from_ms, until_ms=draft.until_ms,
        )
    )  # fmt: skip
    Entry.parse(payload)  # what we would refuse from others is not written
    return Record(payload, key.sign(in_context("entry", payload)), salt, draft.body)
