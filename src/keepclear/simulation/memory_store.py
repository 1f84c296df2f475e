"""A store and a lock in memory, the shortest there can be: for tests and simulations, and the others' measure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from keepclear.channel.charter import Charter
from keepclear.channel.checkpoint import Checkpoint
from keepclear.channel.entry import CHARTER_KIND, Entry
from keepclear.channel.fork_proof import ForkProof
from keepclear.channel.log import LogState
from keepclear.channel.merkle import Tree
from keepclear.channel.parting import telling
from keepclear.channel.signed_note import Note
from keepclear.channel.store import (
    FORKS_PER_PARTY_MAX,
    READ_BYTES_MAX,
    READ_COUNT_MAX,
    Batch,
    Event,
    Held,
    Kept,
    Locked,
    StoreConflict,
)
from keepclear.errors import InputError, UsageError

__all__ = ["MemoryLock", "MemoryStore"]


@dataclass(slots=True)
class _Log:
    state: LogState
    kept: list[Kept] = field(default_factory=list)
    tree: Tree = field(default_factory=Tree)
    heads: dict[int, Note] = field(default_factory=dict)
    sizes: list[int] = field(default_factory=list)
    """of the heads, sorted"""
    held: dict[str, dict[int, Held]] = field(default_factory=dict)
    """by cosigner, by size"""
    wanted: set[int] = field(default_factory=set)

    def copy(self) -> _Log:
        tree = Tree()
        tree.extend(self.tree.leaf(k) for k in range(len(self.tree)))
        held = {cosigner: dict(by_size) for cosigner, by_size in self.held.items()}
        return _Log(self.state, list(self.kept), tree, dict(self.heads), list(self.sizes), held, set(self.wanted))


class MemoryStore:
    """``on_write`` is called before and after every write, and may raise to break it there."""

    def __init__(self, first: Charter, on_write: Callable[[str], None] = lambda moment: None) -> None:
        self._charters = [first]
        self._first = first
        self._logs: dict[str, _Log] = {}
        self._forks: dict[str, list[ForkProof]] = {}
        self._events: dict[tuple[str, str, str], Event] = {}
        self._on_write = on_write
        self.channel = LogState.begin(first, first.ids[0]).channel

    def copy(self, on_write: Callable[[str], None] = lambda moment: None) -> MemoryStore:
        """A backup."""
        other = MemoryStore(self._first, on_write)
        other._charters = list(self._charters)
        other._logs = {name: log.copy() for name, log in self._logs.items()}
        other._forks = {party: list(proofs) for party, proofs in self._forks.items()}
        other._events = dict(self._events)
        return other

    def _log(self, name: str) -> _Log:
        log = self._logs.get(name)
        if log is None:
            if not any(name in charter.ids for charter in self._charters):
                raise InputError(f"{name[:64]} is not a party of the channel")
            first = next(c for c in self._charters if name in c.ids)
            log = self._logs[name] = _Log(replace(LogState.begin(first, name), channel=self.channel))
        return log

    def charters(self) -> tuple[Charter, ...]:
        return tuple(self._charters)

    def state(self, log: str) -> LogState:
        return self._log(log).state

    def tree(self, log: str) -> Tree:
        return self._log(log).tree

    def records(
        self, log: str, start: int, *, count_max: int = READ_COUNT_MAX, bytes_max: int = READ_BYTES_MAX
    ) -> list[Kept]:
        found: list[Kept] = []
        total = 0
        for kept in self._log(log).kept[start : start + count_max]:
            total += len(kept.record.payload) + len(kept.record.body or b"")
            if found and total > bytes_max:
                break
            found.append(kept)
        return found

    def append(self, batch: Batch, claimed: Callable[[], None] = lambda: None) -> None:
        log = self._log(batch.after.party)
        if log.state.head != batch.before:
            raise StoreConflict(f"the log of {batch.after.party} is at {log.state.size}, not at {batch.before.size}")
        claimed()
        self._on_write("before")
        start = log.state.size
        log.kept += [Kept(start + k, record, batch.received_ms) for k, record in enumerate(batch.records)]
        log.tree.extend(record.leaf for record in batch.records)
        log.state = batch.after
        log.wanted |= set(batch.wanted)
        if batch.after.charter not in self._charters:
            self._charters = sorted([*self._charters, batch.after.charter], key=lambda charter: charter.serial)
        for seq in batch.erased:
            self._erase(log, seq)
        if batch.checkpoint is not None:
            self._keep_checkpoint(log, batch.checkpoint)
            if batch.cosignature is not None:
                log.held.setdefault(batch.cosignature.cosigner, {})[batch.cosignature.size] = batch.cosignature
        self._on_write("after")

    def checkpoint(self, log: str, *, above: int = -1, up_to: int | None = None) -> Note | None:
        kept = self._log(log)
        place = len(kept.sizes) if up_to is None else bisect_right(kept.sizes, up_to)
        if not place or kept.sizes[place - 1] <= above:
            return None
        size = kept.sizes[place - 1]
        added = [by_size[size].signature for _, by_size in sorted(kept.held.items()) if size in by_size]
        return kept.heads[size].with_signatures(added)

    def keep_checkpoint(self, log: str, note: Note) -> None:
        self._on_write("before")
        self._keep_checkpoint(self._log(log), note)
        self._on_write("after")

    def _keep_checkpoint(self, log: _Log, note: Note) -> None:
        size = Checkpoint.parse(note.text).size
        if size not in log.heads:
            log.heads[size] = note
            insort(log.sizes, size)

    def keep_cosignature(self, log: str, head: Checkpoint, held: Held) -> bool:
        kept = self._log(log)
        if head.size not in kept.heads or kept.heads[head.size].text != head.text:
            raise UsageError(f"a cosignature of a head of {log} that is not kept")
        if head.size in kept.held.get(held.cosigner, {}):
            return False
        self._on_write("before")
        kept.held.setdefault(held.cosigner, {})[head.size] = held
        self._on_write("after")
        return True

    def held(self, log: str, seq: int) -> list[Held]:
        found = []
        for _, by_size in sorted(self._log(log).held.items()):
            sizes = sorted(by_size)
            place = bisect_left(sizes, seq + 1)
            found += [by_size[sizes[place]]] if place < len(sizes) else []
        return found

    def newest_held(self, log: str) -> list[Held]:
        return [by_size[max(by_size)] for _, by_size in sorted(self._log(log).held.items())]

    def wanted(self, log: str, *, count_max: int = READ_COUNT_MAX) -> list[int]:
        return sorted(self._log(log).wanted)[:count_max]

    def keep_body(self, log: str, seq: int, salt: bytes, body: bytes) -> bool:
        kept = self._log(log)
        if seq not in kept.wanted:
            return False
        self._on_write("before")
        kept.kept[seq] = replace(kept.kept[seq], record=replace(kept.kept[seq].record, salt=salt, body=body))
        kept.wanted.discard(seq)
        self._on_write("after")
        return True

    def erase_body(self, log: str, seq: int) -> None:
        kept = self._log(log)
        if not 0 <= seq < len(kept.kept):
            raise UsageError(f"the log of {log} has no entry {seq}")
        if Entry.parse(kept.kept[seq].record.payload).kind == CHARTER_KIND:
            raise UsageError("a charter is not erased: the log would no longer verify")
        self._on_write("before")
        self._erase(kept, seq)
        self._on_write("after")

    def _erase(self, log: _Log, seq: int) -> None:
        kept = log.kept[seq]
        if Entry.parse(kept.record.payload).kind != CHARTER_KIND:
            log.kept[seq] = replace(kept, record=kept.record.without_body(), erased=True)
            log.wanted.discard(seq)

    def forks(self, log: str | None = None) -> tuple[ForkProof, ...]:
        return tuple(p for party, proofs in sorted(self._forks.items()) if log in (None, party) for p in proofs)

    def keep_fork(self, proof: ForkProof) -> bool:
        proofs = self._forks.setdefault(proof.party, [])
        kept = telling([*proofs, proof], FORKS_PER_PARTY_MAX)
        if proof in proofs or proof not in kept:
            return False
        self._on_write("before")
        proofs[:] = kept
        self._on_write("after")
        return True

    def note(self, event: Event) -> None:
        key = (event.kind, event.peer, event.log)
        before = self._events.get(key)
        if before:
            event = replace(event, first_ms=before.first_ms, count=before.count + event.count)
        self._events[key] = event

    def events(self) -> list[Event]:
        return sorted(self._events.values(), key=lambda e: (-e.last_ms, e.kind, e.peer, e.log))

    def sync(self) -> None:
        pass


class MemoryLock:
    """``on_write`` as with the store."""

    def __init__(self, on_write: Callable[[str], None] = lambda moment: None) -> None:
        self._locked: Locked | None = None
        self._on_write = on_write

    def read(self) -> Locked | None:
        return self._locked

    def swap(self, before: Locked | None, after: Locked) -> None:
        if before != self._locked:
            raise StoreConflict("the lock was moved by another process")
        self._on_write("before")
        self._locked = after
        self._on_write("after")
