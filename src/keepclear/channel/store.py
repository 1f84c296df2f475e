"""What a node keeps: its own log and the mirrors of all others, who has seen them, what went wrong.

Every method that writes is durable when it returns: nothing is sent, signed or said to be held before. Heads and
cosignatures alone may wait for the next such write: what a power cut takes of them is said again at the next check.
Reads are bounded by a count and by bytes, and whatever is read is checked (a damaged row raises, it is never served).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from keepclear.channel.charter import Charter
from keepclear.channel.checkpoint import Checkpoint
from keepclear.channel.entry import Head, Record
from keepclear.channel.fork_proof import ForkProof
from keepclear.channel.log import LogState
from keepclear.channel.merkle import ProvingTree
from keepclear.channel.signed_note import Note, NoteSignature
from keepclear.errors import KeepclearError

__all__ = ["EVENT_TEXT_MAX", "FORKS_PER_PARTY_MAX", "READ_BYTES_MAX", "READ_COUNT_MAX", "Batch", "Event", "EventKind",
           "Held", "Kept", "Lock", "Locked", "Store", "StoreConflict"]  # fmt: skip

READ_COUNT_MAX = 1_000
READ_BYTES_MAX = 1 << 20
"""Of payloads and bodies together. One entry may have twice 64 KiB; the first is given whatever its size."""
FORKS_PER_PARTY_MAX = 8
"""One proof is enough to accuse; a few more tell where the histories parted."""
EVENT_TEXT_MAX = 400


class StoreConflict(KeepclearError):
    """The log is no longer where the writer took it to be: somebody else has appended. Read it again."""


class EventKind(StrEnum):
    """What is noted beside the logs. Only FORK is proved; the rest says what was seen here, not what was meant."""

    FORK = "FORK"
    """a party told two histories; the proof is kept"""
    HEAD_DIFFERS = "HEAD_DIFFERS"
    """a head, or what another party says it has seen, disagrees with the entries held here, without a proof"""
    REFUSED = "REFUSED"
    """entries that are no continuation: changed, unsigned, malformed"""
    FLOODED = "FLOODED"
    """more than the charter's limit; told to come later"""
    MISDATED = "MISDATED"
    """an entry from the future, or dated before what it has seen; kept"""
    WITHHELD = "WITHHELD"
    """a head was shown whose entries do not come, or a body is missing that is ours to have"""
    RESTORED = "RESTORED"
    """our own store was behind what others hold of our log"""
    OWN_LOG_DIFFERS = "OWN_LOG_DIFFERS"
    """entries signed with our own key that we have not written: a second instance, or a stolen key"""
    CORRUPT = "CORRUPT"
    """our own store was found damaged"""


@dataclass(frozen=True, slots=True)
class Event:
    """Events of one kind about the same peer and log are one, counted: a flood cannot wash out the record."""

    kind: EventKind
    peer: str
    """who brought it ("" = nobody, we noticed ourselves)"""
    log: str
    """whose log"""
    text: str
    first_ms: int
    last_ms: int
    count: int = 1


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry as it is kept."""

    seq: int
    record: Record
    received_ms: int
    """by our clock; of our own entries, when they were written"""
    erased: bool = False
    """its body was taken back: it is absent for good"""


@dataclass(frozen=True, slots=True)
class Held:
    """A cosignature as it is kept: a mirror holds, or a witness saw, the first ``size`` entries of a log."""

    cosigner: str
    """the name in the note: ``bravo/mirror``, or the witness's"""
    size: int
    time_s: int
    """by the cosigner's clock"""
    received_ms: int
    """by ours"""
    signature: NoteSignature


@dataclass(frozen=True, slots=True)
class Batch:
    """What is appended in one go, all of it or nothing. At most one charter's entry, and then as the last."""

    before: Head
    """where the log must stand"""
    after: LogState
    records: tuple[Record, ...]
    received_ms: int
    checkpoint: Note | None = None
    """the log's signed head at the new size, where there is one"""
    cosignature: Held | None = None
    """our mirror's of that head: said once both are on the disk"""
    wanted: tuple[int, ...] = ()
    """entries among these whose body is ours to have and has not come"""
    erased: tuple[int, ...] = ()
    """entries of this log, older or among these, whose bodies its owner takes back with this batch"""


class Store(Protocol):
    """Logs are named by their party. A party of no charter raises :class:`~keepclear.errors.InputError`."""

    @property
    def channel(self) -> str:
        """The channel's id."""

    def charters(self) -> tuple[Charter, ...]:
        """All versions that any log has brought, the first first."""

    def state(self, log: str) -> LogState:
        """Where the log stands here; an empty log under the first charter if nothing came yet."""

    def tree(self, log: str) -> ProvingTree:
        """For roots and proofs of any size up to the state's."""

    def records(
        self, log: str, start: int, *, count_max: int = READ_COUNT_MAX, bytes_max: int = READ_BYTES_MAX
    ) -> list[Kept]:
        """Consecutive entries from ``start``; none at the end. At least one, however large, if there is one."""

    def append(self, batch: Batch, claimed: Callable[[], None] = lambda: None) -> None:
        """Durable when it returns. :class:`StoreConflict` if the log is not at ``batch.before``: nothing was done.

        ``claimed`` is called once the log is known to be there, and while nobody else can append to it; what it
        raises is raised, and then nothing was done either."""

    def checkpoint(self, log: str, *, above: int = -1, up_to: int | None = None) -> Note | None:
        """The newest signed head with ``above < size <= up_to``, with every cosignature kept of that head."""

    def keep_checkpoint(self, log: str, note: Note) -> None:
        """A head whose log's signature and root were verified. What is kept of that size stays."""

    def keep_cosignature(self, log: str, head: Checkpoint, held: Held) -> bool:
        """Verified, of a head that is kept. The first of a cosigner for a head stays; whether this was it."""

    def held(self, log: str, seq: int) -> list[Held]:
        """For every cosigner, its first statement that covers the entry: the proof, with its date."""

    def newest_held(self, log: str) -> list[Held]:
        """For every cosigner, its largest."""

    def wanted(self, log: str, *, count_max: int = READ_COUNT_MAX) -> list[int]:
        """Entries whose body is ours to have and has not come, the oldest first."""

    def keep_body(self, log: str, seq: int, salt: bytes, body: bytes) -> bool:
        """A body that came later and was verified. False where one is here or it was erased."""

    def erase_body(self, log: str, seq: int) -> None:
        """Deletes salt and body for good. A charter's stays, or the log would no longer verify
        (:class:`~keepclear.errors.UsageError`)."""

    def forks(self, log: str | None = None) -> tuple[ForkProof, ...]:
        """The proofs kept, of one log or all."""

    def keep_fork(self, proof: ForkProof) -> bool:
        """A verified proof. False where it is known, or the FORKS_PER_PARTY_MAX that are kept tell more
        (:func:`~keepclear.channel.parting.telling`); the one that tells least makes room."""

    def note(self, event: Event) -> None:
        """Counted together with those of its kind, peer and log. Durable with the next write, or when they are read."""

    def events(self) -> list[Event]:
        """The newest first."""

    def sync(self) -> None:
        """Makes noted events durable."""


@dataclass(frozen=True, slots=True)
class Locked:
    """What the lock file holds: our newest signed head, and the entries that lead to it from the one before."""

    before: Head
    note: Note
    records: tuple[Record, ...]
    """written to the store next; where that did not happen, they are replayed from here"""
    at_ms: int

    @property
    def head(self) -> Head:
        checkpoint = Checkpoint.parse(self.note.text)
        return Head(checkpoint.size, checkpoint.root.hex())


class Lock(Protocol):
    """The lock file: a place outside the store (and outside its backups) that knows how far our own log went."""

    def read(self) -> Locked | None:
        """Nothing where the lock was lost or never made."""

    def swap(self, before: Locked | None, after: Locked) -> None:
        """Durable when it returns. :class:`StoreConflict` if the lock does not hold ``before``."""
