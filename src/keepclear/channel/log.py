"""One party's log: what makes a sequence of entries one, whether we write it or follow it.

:func:`follow` is the only judge of entries: mirrors, restarts, exports and verifiers all go through it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from keepclear.channel.canonical import decode, encode
from keepclear.channel.charter import Charter, SignedCharter, charter_hash, origin_of, verify_charter
from keepclear.channel.checkpoint import Checkpoint
from keepclear.channel.entry import CHARTER_KIND, NO_LEAF, REVOCATION_KIND, Draft, Entry, Head, Record, seal
from keepclear.channel.merkle import Frontier, leaf_hash
from keepclear.channel.signature import SigningKey
from keepclear.errors import InputError

__all__ = ["BrokenLog", "LogState", "follow", "write"]


CHARTERS_KEPT = 4
"""Every party's log brings the same one: its signatures are verified once, not with each log. 8 MiB at most."""


class BrokenLog(InputError):
    """Entries that are no continuation of the log: nothing of them may be kept."""


@dataclass(frozen=True, slots=True)
class LogState:
    """Where a log stands after its last verified entry."""

    channel: str
    party: str
    charter: Charter
    """in force at this log's end"""
    frontier: Frontier = field(default_factory=Frontier)
    last_leaf: bytes = NO_LEAF
    revoked: bool = False
    """its entry key was revoked: only a new charter can follow"""

    @classmethod
    def begin(cls, charter: Charter, party: str) -> LogState:
        """An empty log under the channel's first charter."""
        charter.party(party)
        return cls(charter_hash(charter).hex(), party, charter)

    @property
    def size(self) -> int:
        return self.frontier.size

    @property
    def root(self) -> bytes:
        return self.frontier.root

    @property
    def origin(self) -> str:
        return origin_of(self.party, self.channel)

    @property
    def checkpoint(self) -> Checkpoint:
        return Checkpoint(self.origin, self.size, self.root)

    @property
    def head(self) -> Head:
        return Head(self.size, self.root.hex())

    @property
    def log_key(self) -> bytes:
        """the public key whose signature a checkpoint of this size needs"""
        return bytes.fromhex(self.charter.party(self.party).log_key)


def follow(state: LogState, records: Iterable[Record]) -> tuple[LogState, list[Entry]]:
    """The state after the records, and their payloads read; :class:`BrokenLog` at the first that does not fit."""
    entries: list[Entry] = []
    leaves: list[bytes] = []
    charter, last, revoked, seq = state.charter, state.last_leaf, state.revoked, state.size
    key: bytes | None = None
    try:
        for record in records:
            entry = Entry.parse(record.payload)
            record.check_body(entry)
            if entry.channel != state.channel or entry.party != state.party:
                raise InputError(f"this entry belongs to {entry.party} on the channel {entry.channel[:8]}…")
            if entry.seq != seq or entry.prev != last.hex():
                raise InputError(f"entry {entry.seq} does not follow the one before it")
            if entry.kind == CHARTER_KIND:
                charter, revoked, key = _next_charter(charter, record), False, None
            elif revoked:
                raise InputError("the entry key was revoked; only a new charter may follow")
            elif entry.kind == REVOCATION_KIND:
                revoked = True
            key = key or bytes.fromhex(charter.party(state.party).entry_key)
            if not record.signed_by(key):
                raise InputError("the signature does not verify")
            last = leaf_hash(record.payload)
            leaves.append(last)
            entries.append(entry)
            seq += 1
    except InputError as error:
        place = ", ".join(part for part in (f"entry {seq} of {state.party}", error.where) if part)
        raise BrokenLog(error.message, where=place) from None
    frontier = state.frontier.extended(leaves)
    return replace(state, charter=charter, frontier=frontier, last_leaf=last, revoked=revoked), entries


def _next_charter(charter: Charter, record: Record) -> Charter:
    """A charter's entry is the first under its own charter, so a party whose key was stolen can speak again."""
    if record.body is None:
        raise InputError("a charter's entry came without its charter")
    return _verified(record.body, encode(charter))


@lru_cache(CHARTERS_KEPT)
def _verified(signed: bytes, before: bytes) -> Charter:
    return verify_charter(SignedCharter.parse(signed), decode(before, Charter, what="the charter before"))


def write(
    state: LogState, drafts: Sequence[Draft], *, key: SigningKey, seen: Mapping[str, Head], at_ms: int,
    salts: Sequence[bytes],
) -> tuple[LogState, list[Record]]:  # fmt: skip
    """Our own log, longer by the drafts, one ``salt`` of 32 random bytes each; the first of them names the heads
    ``seen``. Raises :class:`InputError` for a draft that cannot be an entry, and then nothing is written."""
    records: list[Record] = []
    last, seq = state.last_leaf, state.size
    for draft, salt in zip(drafts, salts, strict=True):
        record = seal(
            draft, channel=state.channel, party=state.party, seq=seq, prev=last, seen={} if records else seen,
            at_ms=at_ms, salt=salt, key=key,
        )  # fmt: skip
        records.append(record)
        last, seq = record.leaf, seq + 1
    after, _ = follow(state, records) if _needs_judging(drafts, state) else (_appended(state, records, last), [])
    return after, records


def _needs_judging(drafts: Sequence[Draft], state: LogState) -> bool:
    return state.revoked or any(d.kind in (CHARTER_KIND, REVOCATION_KIND) for d in drafts)


def _appended(state: LogState, records: Sequence[Record], last: bytes) -> LogState:
    return replace(state, frontier=state.frontier.extended(r.leaf for r in records), last_leaf=last)
