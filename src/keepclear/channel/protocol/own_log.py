"""Writing our own log so that it can never fork: after a crash, with two processes, from a restored backup.

A lock outside the store knows the newest head that was ever signed and the entries that lead to it. Both are written
as one writer: the store's turn is taken, then the lock written, then the store. What the lock has on the disk is ours
for good and may be sent while the store still writes: a crash in between is mended from the lock. A store that was
restored from a backup is behind its lock and stays unwritten until the missing entries have come back from those who
hold them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum

from keepclear.channel.checkpoint import Checkpoint, sign_checkpoint
from keepclear.channel.entry import CHARTER_KIND, ERASURE_KIND, Draft, Entry, Head, Record
from keepclear.channel.log import LogState, follow, write
from keepclear.channel.merkle import EMPTY_ROOT, ProvingTree
from keepclear.channel.protocol.gate import Gate
from keepclear.channel.protocol.wire import Keys
from keepclear.channel.signed_note import Note
from keepclear.channel.store import Batch, Event, EventKind, Kept, Lock, Locked, Store, StoreConflict
from keepclear.errors import KeepclearError, UsageError

__all__ = ["Node", "NotReady", "Standing", "Written", "append_own", "erased_by", "finish_own", "make_lock",
           "make_ready", "may_refetch", "newest_heads", "raise_lock", "standing", "write_own"]  # fmt: skip

ATTEMPTS_MAX = 128
"""Another process that appends at the same moment makes one attempt vain."""
LOOK_BACK = 64
"""Own entries that a process looks through when it begins: what they do not show is named once more."""


@dataclass(frozen=True, slots=True)
class Written:
    """Entries of our own log that have just come to the disk, and their signed head: what peers are sent next."""

    kept: tuple[Kept, ...]
    note: Note
    settled: Callable[[], object] = lambda: None
    """waits until the store has them, too, or could not take them"""


@dataclass(frozen=True, slots=True)
class Node:
    """What one party's node acts with."""

    store: Store
    lock: Lock
    keys: Keys
    gate: Gate
    named: Named = field(default_factory=lambda: Named())
    dates: dict[str, tuple[bytes, int]] = field(default_factory=dict)
    """of others' logs: the leaf of the newest entry and its date, so that the next need not read it again"""

    @property
    def party(self) -> str:
        return self.keys.party


class Named:
    """Which heads of others' logs the entries of our own have named already: one is enough for what the log proves.

    With 194 parties, naming all in every entry would take 20 kB of it.
    """

    __slots__ = ("_heads",)

    def __init__(self) -> None:
        self._heads: tuple[int, Mapping[str, Head]] = (-1, {})

    def in_log(self, store: Store, party: str, size: int) -> Mapping[str, Head]:
        """In the first ``size`` entries, as far as this or a look at the last of them shows."""
        known, heads = self._heads
        if known == size:
            return heads
        found: dict[str, Head] = {}
        for kept in store.records(party, max(0, size - LOOK_BACK), count_max=LOOK_BACK):
            if kept.seq < size:
                found.update(Entry.parse(kept.record.payload).seen)
        return found

    def add(self, size: int, heads: Mapping[str, Head]) -> None:
        """``heads`` are named in the first ``size`` entries, which are on the disk."""
        self._heads = (size, heads)


class Standing(StrEnum):
    """Whether our own log may be written."""

    READY = "READY"
    REPLAY = "REPLAY"
    """the lock holds the entries that the store lacks: written before a crash, to be written again"""
    BEHIND = "BEHIND"
    """a restored backup: our own entries are to be fetched from those who hold them"""
    UNLOCKED = "UNLOCKED"
    """no lock: every other party must have answered a check first, or the operator takes it upon himself"""
    DIVERGED = "DIVERGED"
    """the store and the lock hold two histories: a second instance has written, or the wrong store was restored"""


class NotReady(KeepclearError):
    """Our own log may not be written now; the message says why and what to do."""


_WHY = {
    Standing.BEHIND: "this node's store is older than its lock file (a restored backup?): nothing is written until its "
    "own entries have come back from the other parties",
    Standing.UNLOCKED: "the lock file is missing: nothing is written until every other party has answered a check",
    Standing.DIVERGED: "the store and the lock file hold two different histories of this party's log; does another "
    "instance run with the same keys? End it and restore the store that belongs to the lock",
}


def standing(head: Head, tree: ProvingTree, locked: Locked | None) -> Standing:
    """Of a store whose own log is at ``head``, against the lock."""
    if locked is None:
        return Standing.UNLOCKED
    lock = locked.head
    if lock.size <= head.size:
        same = tree.root(lock.size).hex() == lock.root
        return Standing.READY if same else Standing.DIVERGED
    if locked.before == head and locked.records:
        return Standing.REPLAY
    before = locked.before
    if locked.records and before.size <= head.size and tree.root(before.size).hex() != before.root:
        return Standing.DIVERGED
    return Standing.BEHIND


def may_refetch(node: Node) -> bool:
    """Whether entries of our own log are taken from others: where the store is known to lack some."""
    return _stands(node) in (Standing.BEHIND, Standing.UNLOCKED)


def finish_own(node: Node) -> None:
    """What the lock has and the store has not yet is written from the lock, whose bodies are whole: never fetched."""
    if _stands(node) is Standing.REPLAY:
        with suppress(NotReady, StoreConflict):
            make_ready(node)


def _stands(node: Node) -> Standing:
    return standing(node.store.state(node.party).head, node.store.tree(node.party), node.lock.read())


def append_own(node: Node, drafts: Sequence[Draft], *, clock: Callable[[], int], salts: Sequence[bytes]) -> list[Kept]:
    """As :func:`write_own`; what is kept of it."""
    return list(write_own(node, drafts, clock=clock, salts=salts).kept)


def write_own(
    node: Node, drafts: Sequence[Draft], *, clock: Callable[[], int], salts: Sequence[bytes],
    on_locked: Callable[[Written], None] = lambda written: None,
) -> Written:  # fmt: skip
    """The drafts as entries of our own log, on the disk, with a signed head; ``salts``: 32 random bytes for each.
    ``on_locked`` is called when they may be sent: in the lock, on the disk, but not yet in the store.

    Several processes may call it at once. Raises :class:`NotReady`, :class:`InputError` for a draft that cannot be
    an entry (nothing is written then), :class:`UsageError` for keys that the charter does not name.
    """
    for attempt in range(ATTEMPTS_MAX):
        locked, state = make_ready(node)
        try:
            return _append(node, locked, state, drafts, clock(), salts, on_locked)
        except StoreConflict:
            if attempt == ATTEMPTS_MAX - 1:
                raise
    raise AssertionError("unreachable")


def make_ready(node: Node) -> tuple[Locked, LogState]:
    """Lock and state of a log that may be written, after mending what a crash left. Raises :class:`NotReady`."""
    for _ in range(ATTEMPTS_MAX):
        locked, state = node.lock.read(), node.store.state(node.party)
        stands = standing(state.head, node.store.tree(node.party), locked)
        if stands is Standing.REPLAY and locked is not None:
            _replay(node, locked, state)
        elif stands is Standing.READY and locked is not None:
            return locked, state
        else:
            raise NotReady(_WHY[stands])
    raise StoreConflict("another process keeps writing this party's log")


def _replay(node: Node, locked: Locked, state: LogState) -> None:
    try:
        node.store.append(_batch(state, locked.records, locked.note, locked.at_ms))
    except StoreConflict:
        return  # whoever wrote the lock has written the store meanwhile


def _append(
    node: Node, locked: Locked, state: LogState, drafts: Sequence[Draft], now_ms: int, salts: Sequence[bytes],
    on_locked: Callable[[Written], None],
) -> Written:  # fmt: skip
    kinds = [d.kind for d in drafts]
    if CHARTER_KIND in kinds[:-1]:
        raise UsageError("a charter is the last of the entries that are written together")
    if any(d.kind == CHARTER_KIND and d.to for d in drafts):
        raise UsageError("a charter goes to all parties; it is not addressed")
    named = node.named.in_log(node.store, node.party, state.size)
    news = {p: head for p, head in newest_heads(node.store, but=node.party).items() if named.get(p) != head}
    after, records = write(state, drafts, key=node.keys.entry, seen=news, at_ms=now_ms, salts=salts)
    mine = after.charter.party(node.party)
    if mine.entry_key != node.keys.entry.public.hex() or mine.log_key != node.keys.log.public.hex():
        raise UsageError(f"the charter in force names other keys for {node.party} than this node has")
    note = sign_checkpoint(after.checkpoint, node.keys.log)
    written = Written(tuple(Kept(state.size + k, record, now_ms) for k, record in enumerate(records)), note)

    def lock() -> None:
        node.lock.swap(locked, Locked(state.head, note, tuple(records), now_ms))
        on_locked(written)

    node.store.append(_batch(state, records, note, now_ms, after), lock)
    node.named.add(after.size, {**named, **news})
    return written


def _batch(state: LogState, records: Sequence[Record], note: Note, at_ms: int, after: LogState | None = None) -> Batch:
    if after is None:
        after, _ = follow(state, records)
    erased = [seq for r in records for seq in erased_by(Entry.parse(r.payload))] if _may_erase(records) else ()
    return Batch(state.head, after, tuple(records), at_ms, note, erased=tuple(erased))


def _may_erase(records: Sequence[Record]) -> bool:
    return any(b'"kind":"erasure"' in r.payload for r in records)


def erased_by(entry: Entry) -> list[int]:
    """The entries of its own log whose bodies this entry takes back."""
    if entry.kind != ERASURE_KIND:
        return []
    return [r.seq for r in entry.re if r.party == entry.party and r.seq < entry.seq]


def newest_heads(store: Store, *, but: str) -> dict[str, Head]:
    """What we have verified of every other log, for ``seen``."""
    ids = {party_id for charter in store.charters() for party_id in charter.ids}
    states = {party_id: store.state(party_id) for party_id in sorted(ids - {but})}
    return {party_id: state.head for party_id, state in states.items() if state.size}


def make_lock(node: Node, shown: Mapping[str, Checkpoint | None], *, now_ms: int, by_operator: bool = False) -> None:
    """The first lock of a new node, or a lost one made again. Raises :class:`NotReady` where that is not safe.

    ``shown``: of every other party that has answered a check since the start, the largest head of our own log, signed
    by us, that it has. All must have answered and our store must hold it all; ``by_operator``: somebody knows that
    nobody else holds more, and answers for it.
    """
    state, tree = node.store.state(node.party), node.store.tree(node.party)
    for peer, head in sorted(shown.items()):
        if head and (head.size > state.size or tree.root(head.size) != head.root):
            raise NotReady(
                f"{peer} holds {head.size} entries of our log that our store does not hold; fetch them first"
            )
    missing = sorted(set(state.charter.ids) - {node.party} - set(shown))
    if missing and not by_operator:
        raise NotReady(f"{_WHY[Standing.UNLOCKED]}; missing: {', '.join(missing)}")
    note = sign_checkpoint(state.checkpoint, node.keys.log)
    node.lock.swap(None, Locked(Head(0, EMPTY_ROOT.hex()), note, (), now_ms))


def raise_lock(node: Node, note: Note, head: Checkpoint, peer: str, now_ms: int) -> bool:
    """Another party has a head of our log, signed by us, beyond what we know: the lock was restored too. The lock now
    says so, and nothing is written until the store has caught up. Returns whether it was news."""
    locked = node.lock.read()
    state = node.store.state(node.party)
    if head.size <= state.size or (locked is not None and head.size <= locked.head.size):
        return False
    text = f"{peer} holds {head.size} entries of our log, our store {state.size}: they are being fetched"
    node.store.note(Event(EventKind.RESTORED, peer, node.party, text, now_ms, now_ms))
    if locked is not None:
        with suppress(StoreConflict):  # another process has moved it; the next check shows the head again
            node.lock.swap(locked, Locked(locked.head, note, (), now_ms))
    return True
