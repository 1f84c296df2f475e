"""What nodes say to each other: canonical JSON, the same bytes over HTTPS and in a bundle carried by hand.

Nothing here is trusted because of who brought it. Entries, heads, cosignatures, check replies and fork proofs carry
their own signatures; whatever does not is a hint and is treated as one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal, TypeVar

import msgspec

from keepclear.channel.canonical import Count, Hash, Milliseconds, PartyId, decode
from keepclear.channel.charter import CHARTER_BYTES_MAX, PARTIES_MAX
from keepclear.channel.entry import PAYLOAD_BYTES_MAX, SALT_BYTES, Head, Record
from keepclear.channel.fork_proof import FORK_PROOF_BYTES_MAX
from keepclear.channel.signature import SIGNATURE_BYTES, SigningKey
from keepclear.channel.store import READ_COUNT_MAX
from keepclear.errors import LimitExceeded

__all__ = ["MESSAGE_BYTES_MAX", "NONCE_BYTES", "PATHS", "Ask", "CheckReply", "CheckRequest", "CheckStatement", "Clock",
           "ForkProofs", "ForkRequest", "Keys", "Pull", "Push", "PushAnswer", "RootsReply", "RootsRequest",
           "WireRecord", "parse"]  # fmt: skip

NONCE_BYTES = 32
MESSAGE_BYTES_MAX = 4 << 20
"""A full batch (READ_BYTES_MAX of entries, or one of the largest) in base64 with its signatures, twice over."""
ROOTS_MAX = 64
PROOFS_MAX = 8

T = TypeVar("T")
Clock = Callable[[], int]
"""Wall clock, POSIX milliseconds UTC."""
Note = Annotated[str, msgspec.Meta(max_length=65_536)]
Payload = Annotated[bytes, msgspec.Meta(max_length=PAYLOAD_BYTES_MAX)]
Signature = Annotated[bytes, msgspec.Meta(min_length=SIGNATURE_BYTES, max_length=SIGNATURE_BYTES)]
Salt = Annotated[bytes, msgspec.Meta(min_length=SALT_BYTES, max_length=SALT_BYTES)]
Body = Annotated[bytes, msgspec.Meta(max_length=CHARTER_BYTES_MAX)]
"""The largest kind's limit; each kind's own is :meth:`Record.check_body`'s to keep."""
Heads = Annotated[dict[PartyId, Note], msgspec.Meta(max_length=PARTIES_MAX)]
Sizes = Annotated[dict[PartyId, Head], msgspec.Meta(max_length=PARTIES_MAX)]
ProofHashes = Annotated[dict[PartyId, tuple[Hash, ...]], msgspec.Meta(max_length=PARTIES_MAX)]


class CheckRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """«Are you there?» The heads let the asked learn as much as the asker."""

    party: PartyId
    nonce: Hash
    heads: Heads = {}
    """signed heads of every log that the asker holds"""
    held: Sizes = {}
    """how many entries it holds of each"""
    witnessed: Heads = {}
    """the newest heads that neutral witnesses have cosigned, with all cosignatures: they belong into every record"""
    forks: ProofHashes = {}


class CheckStatement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is signed with the entry key in the context ``check``."""

    channel: Hash
    party: PartyId
    to: PartyId
    nonce: Hash
    received_ms: Milliseconds
    answered_ms: Milliseconds
    heads: Heads = {}
    """that of the asker's log with all cosignatures it is known to have"""
    held: Sizes = {}
    witnessed: Heads = {}
    forks: ProofHashes = {}
    """SHA-256 of the fork proofs it keeps, by the party accused: to be asked for"""
    v: Literal[1] = 1


class CheckReply(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    statement: bytes
    """the exact bytes of a CheckStatement"""
    signature: Signature


class WireRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    payload: Payload
    signature: Signature
    salt: Salt | None = None
    body: Body | None = None

    @classmethod
    def of(cls, record: Record) -> WireRecord:
        return cls(record.payload, record.signature, record.salt, record.body)

    @property
    def record(self) -> Record:
        return Record(self.payload, self.signature, self.salt, self.body)


class Push(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Consecutive entries of a log; also the answer to a Pull. Whoever holds them may bring them."""

    log: PartyId
    start: Count
    records: Annotated[tuple[WireRecord, ...], msgspec.Meta(max_length=READ_COUNT_MAX)] = ()
    checkpoint: Note | None = None
    """a head signed by the log's owner, best one at the end of these entries"""


class PushAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    log: PartyId
    held: Head
    """what is on the disk here now; a push that begins beyond it was in vain"""
    cosigned: Note | None = None
    """the newest head with the answerer's own mirror cosignature: everything below is *held*"""
    wanted: Annotated[tuple[Count, ...], msgspec.Meta(max_length=READ_COUNT_MAX)] = ()
    """entries whose body is still to come; nothing above the first is cosigned before"""
    later_ms: Count | None = None
    """too much at once: come again then"""
    refused: Annotated[str, msgspec.Meta(max_length=400)] | None = None
    """why entries were not taken"""
    forks: Annotated[tuple[Hash, ...], msgspec.Meta(max_length=PROOFS_MAX)] = ()
    """proofs kept against this log's owner"""


class Pull(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    log: PartyId
    start: Count
    count_max: Annotated[int, msgspec.Meta(ge=1, le=READ_COUNT_MAX)] = READ_COUNT_MAX


class RootsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where do two branches part? The roots at some sizes tell where to look."""

    log: PartyId
    sizes: Annotated[tuple[Count, ...], msgspec.Meta(max_length=ROOTS_MAX)]


class RootsReply(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    log: PartyId
    roots: Annotated[tuple[Hash | None, ...], msgspec.Meta(max_length=ROOTS_MAX)]
    """none where fewer entries are held"""


class ForkRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    party: PartyId


class ForkProofs(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Also brought unasked."""

    proofs: Annotated[
        tuple[Annotated[bytes, msgspec.Meta(max_length=FORK_PROOF_BYTES_MAX)], ...], msgspec.Meta(max_length=PROOFS_MAX)
    ]


PATHS = ("check", "push", "pull", "roots", "fork-proofs", "fork-proofs/add")
"""Each is a POST of one message, answered by one."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A request to a peer."""

    path: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Keys:
    """A party's own private keys."""

    party: str
    entry: SigningKey
    log: SigningKey
    mirror: SigningKey


def parse(data: bytes, type: type[T], *, what: str) -> T:
    """One message; :class:`InputError` unless it is in its one form and within all limits."""
    if len(data) > MESSAGE_BYTES_MAX:
        raise LimitExceeded(f"{what} has {len(data):,} bytes, more than {MESSAGE_BYTES_MAX:,}")
    return decode(data, type, what=what)
