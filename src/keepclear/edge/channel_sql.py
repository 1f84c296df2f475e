"""A channel's store in SQL: what SQLite and PostgreSQL have in common, which is all but opening and committing.

Every row carries a checksum over all of it and is checked when read, so that rot is found before anything is served or
signed. Concurrent writers of one process share a commit, and so its flush to the disk.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from keepclear.channel.canonical import decode, encode
from keepclear.channel.charter import Charter, charter_hash
from keepclear.channel.checkpoint import Checkpoint
from keepclear.channel.entry import CHARTER_KIND, Entry, Record
from keepclear.channel.fork_proof import ForkProof
from keepclear.channel.log import LogState
from keepclear.channel.merkle import HASH_BYTES, Frontier, ProvingTree, node_hash
from keepclear.channel.signed_note import Note, NoteSignature
from keepclear.channel.store import (
    FORKS_PER_PARTY_MAX,
    READ_BYTES_MAX,
    READ_COUNT_MAX,
    Batch,
    Event,
    EventKind,
    Held,
    Kept,
    StoreConflict,
)
from keepclear.edge.channel_rows import (
    ERASED,
    HELD_COLUMNS,
    HERE,
    NODE_STEP,
    NONE,
    TABLES,
    WANTED,
    ChannelStoreError,
    Execute,
    change_entry,
    grown,
    joined,
    keep_checkpoint_row,
    keep_cosignature_row,
    keep_entry,
    keep_events,
    keep_log_row,
    row_sum,
)
from keepclear.edge.turns import Turns
from keepclear.errors import InputError, KeepclearError, UsageError

__all__ = ["SqlStore"]

T = TypeVar("T")
NODES_CACHED_MAX = 8_192


@dataclass(slots=True)
class _Ticket(Generic[T]):
    """A write that waits for its commit."""

    act: Callable[[Execute], T]
    lasting: bool = True
    """to be on the disk when it returns; what others will say again at the next check need not be"""
    value: T | None = None
    error: BaseException | None = None


class SqlStore(ABC):
    """Open one with the ``open`` of its kind. For several threads at once."""

    def __init__(self, where: str) -> None:
        self.where = where
        self._turns: Turns[_Ticket[Any]] = Turns(self._commit)
        self._fresh: dict[str, tuple[object, LogState]] = {}
        """by log: its state at a version of the database"""
        self._noting = threading.Lock()
        self._noted: dict[tuple[str, str, str], Event] = {}
        self._nodes: dict[tuple[str, int, int], bytes] = {}
        self._states: dict[str, tuple[bytes, LogState]] = {}
        self._charters: tuple[Charter, ...] = ()
        self._by_hash: dict[bytes, Charter] = {}
        self.channel = ""

    # What a kind of database does in its own way.

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.sync()
        finally:
            self.close()

    @abstractmethod
    def _read(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Committed rows only. Raises :class:`ChannelStoreError`."""

    @abstractmethod
    def _transact(self, acts: Sequence[Callable[[Execute], None]], lasting: bool) -> None:
        """All acts in one transaction that is on the disk when this returns. Raises :class:`ChannelStoreError`."""

    @abstractmethod
    def damage(self) -> Iterator[str]:
        """What the database itself finds wrong with its file, and every row that is not as it was written."""

    @abstractmethod
    def _forget(self) -> None:
        """What is to be done, beyond deleting, so that an erased body is gone from the database's files."""

    @abstractmethod
    def close(self) -> None:
        """Afterwards nothing works any more."""

    # Opening.

    def _begin(self, first: Charter | None) -> None:
        """Reads the channel's charter, or keeps the first one in an empty store."""
        self._load_charters()
        if not self._charters:
            if first is None:
                raise ChannelStoreError(f"{self.where}: holds no channel; join one first")
            charter = first
            self._write(lambda execute: self._keep_charter(execute, charter))
            self._load_charters()
        elif first is not None and charter_hash(first) != charter_hash(self._charters[0]):
            raise ChannelStoreError(f"{self.where}: holds another channel than this charter's; name another place")
        self.channel = charter_hash(self._charters[0]).hex()

    def _load_charters(self) -> None:
        rows = self._read("SELECT hash, serial, document, sum FROM charter ORDER BY serial, hash")
        for row in rows:
            self._checked(row, "a charter")
        try:
            charters = [decode(bytes(row[2]), Charter, what="the charter") for row in rows]
        except InputError as error:
            raise self._damaged(f"a charter ({error})") from None
        if charters and charters[0].serial:
            raise self._damaged("the first charter, which is missing")
        self._by_hash = {bytes(row[0]): charter for row, charter in zip(rows, charters)}
        self._charters = tuple(charters)

    def _damaged(self, what: str) -> ChannelStoreError:
        return ChannelStoreError(
            f"{self.where}: {what} is damaged; nothing is served or signed from it: restore a backup beside the same "
            f"lock file, and the missing entries come back from the other parties"
        )

    def _checked(self, row: tuple[Any, ...], what: str) -> tuple[Any, ...]:
        """A row whose last column is the checksum of the others."""
        plain = tuple(bytes(c) if isinstance(c, memoryview) else c for c in row)
        try:
            right = row_sum(*plain[:-1]) == plain[-1]
        except (TypeError, ValueError, OverflowError, UnicodeError):
            right = False
        if not right:
            raise self._damaged(what)
        return plain

    # Writing: one thread commits for all that wait.

    def _write(self, act: Callable[[Execute], T], *, lasting: bool = True) -> T:
        ticket = _Ticket(act, lasting)
        self._turns.go(ticket)
        if ticket.error is not None:
            raise ticket.error
        return ticket.value  # type: ignore[return-value]

    def _commit(self, batch: Sequence[_Ticket[Any]]) -> None:
        noted, self._noted = self._noted, {}
        try:
            acts = [*(_acting(ticket) for ticket in batch), lambda execute: keep_events(execute, noted)]
            self._transact(acts, bool(noted) or any(ticket.lasting for ticket in batch))
        except BaseException as error:
            for key, event in noted.items():
                self._noted[key] = joined(event, self._noted.get(key))
            for ticket in batch:
                ticket.error = ticket.error or error

    # Logs.

    def charters(self) -> tuple[Charter, ...]:
        return self._charters

    def _name(self, log: str) -> Charter:
        """The charter under which the log begins."""
        for charter in self._charters:
            if log in charter.ids:
                return charter
        self._load_charters()  # another process may have brought one
        for charter in self._charters:
            if log in charter.ids:
                return charter
        raise InputError(f"{log[:64]} is not a party of the channel")

    def _version(self) -> object:
        """Changes with every commit by anybody; nothing where the database does not tell, or not cheaply."""
        return None

    def state(self, log: str) -> LogState:
        version = self._version()
        fresh = self._fresh.get(log)
        if version is not None and fresh is not None and fresh[0] == version:
            return fresh[1]
        state = self._read_state(log)
        self._fresh[log] = (version, state)
        return state

    def _read_state(self, log: str) -> LogState:
        first = self._name(log)
        rows = self._read("SELECT name, size, frontier, last_leaf, charter, revoked, sum FROM log WHERE name = ?", log)
        return self._state(log, rows, first)

    def _state(self, log: str, rows: list[tuple[Any, ...]], first: Charter) -> LogState:
        if not rows:
            return LogState(self.channel, log, first)
        cached = self._states.get(log)
        if cached and cached[0] == rows[0][-1] and cached[1].size == rows[0][1]:
            return cached[1]
        _, size, frontier, last_leaf, charter, revoked, check = self._checked(rows[0], f"the state of the log of {log}")
        if charter not in self._by_hash:
            self._load_charters()
        if charter not in self._by_hash or len(frontier) != HASH_BYTES * int(size).bit_count():
            raise self._damaged(f"the state of the log of {log}")
        roots = tuple(frontier[k : k + HASH_BYTES] for k in range(0, len(frontier), HASH_BYTES))
        state = LogState(self.channel, log, self._by_hash[charter], Frontier(size, roots), last_leaf, bool(revoked))
        self._states[log] = (check, state)
        return state

    def tree(self, log: str) -> ProvingTree:
        return _StoredTree(self, self.state(log))

    def records(
        self, log: str, start: int, *, count_max: int = READ_COUNT_MAX, bytes_max: int = READ_BYTES_MAX
    ) -> list[Kept]:
        size = self.state(log).size
        found: list[Kept] = []
        total, seq = 0, start
        end = min(size, start + min(count_max, READ_COUNT_MAX))
        while 0 <= seq < end:
            rows = self._read(
                "SELECT log, seq, leaf, payload, signature, salt, body, body_state, received_ms, sum FROM entry"
                " WHERE log = ? AND seq >= ? AND seq < ? ORDER BY seq LIMIT 64",
                log, seq, end,
            )  # fmt: skip
            if not rows:
                raise self._damaged(f"entry {seq} of {log}, which is missing,")
            for row in rows:
                kept = self._kept(log, seq, row)
                total += len(kept.record.payload) + len(kept.record.body or b"")
                if found and total > bytes_max:
                    return found
                found.append(kept)
                seq += 1
        return found

    def _kept(self, log: str, seq: int, row: tuple[Any, ...]) -> Kept:
        _, at, leaf, payload, signature, salt, body, body_state, received_ms, _ = self._checked(
            row, f"entry {seq} of {log}"
        )
        record = Record(payload, signature, salt, body)
        if at != seq or record.leaf != leaf:
            raise self._damaged(f"entry {seq} of {log}")
        return Kept(seq, record, received_ms, body_state == ERASED)

    def append(self, batch: Batch) -> None:
        log = batch.after.party
        first = self._name(log)
        self._write(lambda execute: self._append(execute, batch, first))
        if batch.after.charter not in self._charters:
            self._load_charters()
        if batch.erased:
            self._forget()

    def _append(self, execute: Execute, batch: Batch, first: Charter) -> None:
        log, after = batch.after.party, batch.after
        rows = execute("SELECT name, size, frontier, last_leaf, charter, revoked, sum FROM log WHERE name = ?", log)
        before = self._state(log, rows, first)
        if before.head != batch.before:
            raise StoreConflict(f"the log of {log} is at {before.size}, not at {batch.before.size}")
        if before.size:
            last = execute("SELECT leaf FROM entry WHERE log = ? AND seq = ?", log, before.size - 1)
            if not last or bytes(last[0][0]) != before.last_leaf:
                raise self._damaged(f"entry {before.size - 1} of {log}")
        leaves = [record.leaf for record in batch.records]
        wanted, erased = set(batch.wanted), set(batch.erased)
        for seq, (record, leaf) in enumerate(zip(batch.records, leaves), before.size):
            state = WANTED if seq in wanted else HERE if record.body is not None else NONE
            keep_entry(execute, log, seq, leaf, record, state, batch.received_ms)
        for level, place, node in grown(before.frontier, leaves):
            execute(
                "INSERT INTO node VALUES (?, ?, ?, ?, ?)", log, level, place, node, row_sum(log, level, place, node)
            )
        for seq in sorted(erased):
            self._erase(execute, log, seq)
        if after.charter != before.charter:
            self._keep_charter(execute, after.charter)
        keep_log_row(execute, after, rows[0][4] if rows and after.charter == before.charter else None)
        if batch.checkpoint is not None:
            keep_checkpoint_row(execute, log, batch.checkpoint)
            if batch.cosignature is not None:
                keep_cosignature_row(execute, log, batch.cosignature)

    def learn(self, charter: Charter) -> None:
        """A later charter, verified by the caller, that no log here has brought yet: so a party that it adds begins."""
        if charter not in self._charters:
            self._write(lambda execute: self._keep_charter(execute, charter))
            self._load_charters()

    def _keep_charter(self, execute: Execute, charter: Charter) -> None:
        row = (charter_hash(charter), charter.serial, encode(charter))
        if not execute("SELECT 1 FROM charter WHERE hash = ?", row[0]):
            execute("INSERT INTO charter VALUES (?, ?, ?, ?)", *row, row_sum(*row))

    # Heads and who has seen them.

    def checkpoint(self, log: str, *, above: int = -1, up_to: int | None = None) -> Note | None:
        self._name(log)
        rows = self._read(
            "SELECT log, size, note, sum FROM checkpoint WHERE log = ? AND size > ? AND size <= ?"
            " ORDER BY size DESC LIMIT 1",
            log, above, 2**62 if up_to is None else up_to,
        )  # fmt: skip
        if not rows:
            return None
        _, size, note, _ = self._checked(rows[0], f"a head of {log}")
        found = self._read(
            f"SELECT {HELD_COLUMNS} FROM cosignature WHERE log = ? AND size = ? ORDER BY cosigner",  # noqa: S608
            log, size,
        )  # fmt: skip
        return Note.parse(note).with_signatures(self._held(row, log).signature for row in found)

    def keep_checkpoint(self, log: str, note: Note) -> None:
        size = Checkpoint.parse(note.text).size
        if not self._read("SELECT 1 FROM checkpoint WHERE log = ? AND size = ?", log, size):
            self._write(lambda execute: keep_checkpoint_row(execute, log, note), lasting=False)

    def keep_cosignature(self, log: str, head: Checkpoint, held: Held) -> bool:
        def act(execute: Execute) -> bool:
            rows = execute("SELECT log, size, note, sum FROM checkpoint WHERE log = ? AND size = ?", log, head.size)
            if not rows or Note.parse(self._checked(rows[0], f"a head of {log}")[2]).text != head.text:
                raise UsageError(f"a cosignature of a head of {log} that is not kept")
            found = execute(
                "SELECT 1 FROM cosignature WHERE log = ? AND cosigner = ? AND size = ?", log, held.cosigner, held.size
            )
            if found:
                return False
            keep_cosignature_row(execute, log, held)
            return True

        return self._write(act, lasting=False)

    def _held(self, row: tuple[Any, ...], log: str) -> Held:
        _, cosigner, size, time_s, received_ms, key_id, blob, _ = self._checked(row, f"a cosignature of {log}")
        return Held(cosigner, size, time_s, received_ms, NoteSignature(cosigner, key_id, blob))

    def held(self, log: str, seq: int) -> list[Held]:
        return self._one_each(log, seq, "ORDER BY size")

    def newest_held(self, log: str) -> list[Held]:
        return self._one_each(log, -1, "ORDER BY size DESC")

    def _one_each(self, log: str, above: int, order: str) -> list[Held]:
        """Of every cosigner the first in that order, by one short look into the index each."""
        self._name(log)
        names = {f"{p.id}/mirror" for c in self._charters for p in c.parties}
        names |= {w.id for c in self._charters for w in c.witnesses}
        query = f"SELECT {HELD_COLUMNS} FROM cosignature WHERE log = ? AND cosigner = ? AND size > ? {order} LIMIT 1"  # noqa: S608
        return [self._held(row, log) for name in sorted(names) for row in self._read(query, log, name, above)]

    # Bodies.

    def wanted(self, log: str, *, count_max: int = READ_COUNT_MAX) -> list[int]:
        self._name(log)
        rows = self._read("SELECT seq FROM entry WHERE log = ? AND body_state = 1 ORDER BY seq LIMIT ?", log, count_max)
        return [row[0] for row in rows]

    def keep_body(self, log: str, seq: int, salt: bytes, body: bytes) -> bool:
        def act(execute: Execute) -> bool:
            kept = self._fetch(execute, log, seq)
            if kept is None or kept[1] != WANTED:
                return False
            record = replace(kept[0].record, salt=salt, body=body)
            change_entry(execute, log, replace(kept[0], record=record), HERE)
            return True

        return self._write(act)

    def erase_body(self, log: str, seq: int) -> None:
        def act(execute: Execute) -> None:
            kept = self._fetch(execute, log, seq)
            if kept is None:
                raise UsageError(f"the log of {log} has no entry {seq}")
            if Entry.parse(kept[0].record.payload).kind == CHARTER_KIND:
                raise UsageError("a charter is not erased: the log would no longer verify")
            self._erase(execute, log, seq)

        self._write(act)
        self._forget()

    def _fetch(self, execute: Execute, log: str, seq: int) -> tuple[Kept, int] | None:
        rows = execute(
            "SELECT log, seq, leaf, payload, signature, salt, body, body_state, received_ms, sum FROM entry"
            " WHERE log = ? AND seq = ?",
            log, seq,
        )  # fmt: skip
        return (self._kept(log, seq, rows[0]), rows[0][7]) if rows else None

    def _erase(self, execute: Execute, log: str, seq: int) -> None:
        kept = self._fetch(execute, log, seq)
        if kept is not None and Entry.parse(kept[0].record.payload).kind != CHARTER_KIND:
            change_entry(execute, log, replace(kept[0], record=kept[0].record.without_body()), ERASED)

    # Forks and events.

    def forks(self, log: str | None = None) -> tuple[ForkProof, ...]:
        rows = self._read("SELECT party, number, document, sum FROM fork ORDER BY party, number")
        checked = [self._checked(row, "a fork proof") for row in rows]
        return tuple(ForkProof.parse(row[2]) for row in checked if log in (None, row[0]))

    def keep_fork(self, proof: ForkProof) -> bool:
        def act(execute: Execute) -> bool:
            known = execute("SELECT document FROM fork WHERE party = ?", proof.party)
            document = proof.encode()
            if len(known) >= FORKS_PER_PARTY_MAX or any(bytes(row[0]) == document for row in known):
                return False
            row = (proof.party, len(known), document)
            execute("INSERT INTO fork VALUES (?, ?, ?, ?)", *row, row_sum(*row))
            return True

        return self._write(act)

    def note(self, event: Event) -> None:
        key = (str(event.kind), event.peer, event.log)
        with self._noting:
            self._noted[key] = joined(self._noted.get(key), event)

    def events(self) -> list[Event]:
        self.sync()
        rows = self._read("SELECT kind, peer, log, text, first_ms, last_ms, count, sum FROM event")
        checked = [self._checked(row, "an event")[:-1] for row in rows]
        events = [Event(EventKind(row[0]), *row[1:]) for row in checked]
        return sorted(events, key=lambda e: (-e.last_ms, e.kind, e.peer, e.log))

    def sync(self) -> None:
        if self._noted:
            self._write(lambda execute: None)

    # The tree.

    def _node(self, log: str, level: int, place: int) -> bytes:
        key = (log, level, place)
        found = self._nodes.get(key)
        if found is None:
            found = self._make_node(log, level, place)
            if len(self._nodes) >= NODES_CACHED_MAX:
                self._nodes.clear()
            self._nodes[key] = found
        return found

    def _make_node(self, log: str, level: int, place: int) -> bytes:
        width = 1 << level % NODE_STEP
        base, start = level - level % NODE_STEP, place * width
        if base == 0:
            rows = self._read(
                "SELECT seq, leaf FROM entry WHERE log = ? AND seq >= ? AND seq < ? ORDER BY seq",
                log, start, start + width,
            )  # fmt: skip
            hashes = [bytes(row[1]) for row in rows]
        else:
            rows = self._read(
                "SELECT log, level, place, hash, sum FROM node WHERE log = ? AND level = ? AND place >= ?"
                " AND place < ? ORDER BY place",
                log, base, start, start + width,
            )  # fmt: skip
            hashes = [self._checked(row, f"a node of the tree of {log}")[3] for row in rows]
        if len(hashes) != width:
            raise self._damaged(f"the tree of {log}")
        while len(hashes) > 1:
            hashes = [node_hash(hashes[k], hashes[k + 1]) for k in range(0, len(hashes), 2)]
        return hashes[0]

    def _damaged_rows(self) -> Iterator[str]:
        """Every row whose checksum is wrong."""
        for table, (key, others) in TABLES.items():
            after: tuple[Any, ...] = ()
            marks = ", ".join("?" * (key.count(",") + 1))
            names = f"{key}, {others}"
            while True:
                where = f"WHERE ({key}) > ({marks})" if after else ""
                query = f"SELECT {names}, sum FROM {table} {where} ORDER BY {key} LIMIT 512"  # noqa: S608
                rows = self._read(query, *after)
                if not rows:
                    break
                for row in rows:
                    try:
                        self._checked(row, f"a row of the table {table}, {row[:2]},")
                    except ChannelStoreError as error:
                        yield str(error)
                last = rows[-1][: key.count(",") + 1]
                if last == after:
                    break
                after = last


class _StoredTree(ProvingTree):
    def __init__(self, store: SqlStore, state: LogState) -> None:
        self._store, self._state = store, state

    def __len__(self) -> int:
        return self._state.size

    def node(self, level: int, index: int) -> bytes:
        if not 0 <= index < self._state.size >> level:
            raise IndexError(f"no node {index} at level {level} in a tree of {self._state.size}")
        return self._store._node(self._state.party, level, index)

    def root(self, size: int | None = None) -> bytes:
        return self._state.root if size in (None, self._state.size) else super().root(size)


def _acting(ticket: _Ticket[Any]) -> Callable[[Execute], None]:
    """Runs the ticket; what Keepclear refuses is its own, anything else fails the whole transaction."""

    def act(execute: Execute) -> None:
        try:
            ticket.value = ticket.act(execute)
        except ChannelStoreError:
            raise
        except KeepclearError as error:
            ticket.error = error

    return act
