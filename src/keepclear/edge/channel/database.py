"""A channel's database, whichever it is: opened, read with every row checked, written by one thread for all that wait.

Every row carries a checksum over all of it and is checked when read, so that rot is found before anything is served or
signed. Concurrent writers of one process share a commit, and so its flush to the disk.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from keepclear.channel.canonical import decode, encode
from keepclear.channel.charter import Charter, charter_hash
from keepclear.channel.store import (
    Event,
    EventKind,
)
from keepclear.edge.channel.rows import (
    TABLES,
    ChannelStoreError,
    Execute,
    joined,
    keep_events,
    row_sum,
)
from keepclear.edge.channel.turns import Turns
from keepclear.errors import InputError, KeepclearError

__all__ = ["ChannelDatabase"]

T = TypeVar("T")


@dataclass(slots=True)
class _Ticket(Generic[T]):
    """A write that waits for its commit."""

    act: Callable[[Execute], T]
    lasting: bool = True
    """to be on the disk when it returns; what others will say again at the next check need not be"""
    value: T | None = None
    error: BaseException | None = None


class ChannelDatabase(ABC):
    """What all of a store's rooms stand on."""

    def __init__(self, where: str) -> None:
        self.where = where
        self._turns: Turns[_Ticket[Any]] = Turns(self._commit)
        self._noting = threading.Lock()
        self._noted: dict[tuple[str, str, str], Event] = {}
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

    def learn(self, charter: Charter) -> None:
        """A later charter, verified by the caller, that no log here has brought yet: so a party that it adds begins."""
        if charter not in self._charters:
            self._write(lambda execute: self._keep_charter(execute, charter))
            self._load_charters()

    def _keep_charter(self, execute: Execute, charter: Charter) -> None:
        row = (charter_hash(charter), charter.serial, encode(charter))
        if not execute("SELECT 1 FROM charter WHERE hash = ?", row[0]):
            execute("INSERT INTO charter VALUES (?, ?, ?, ?)", *row, row_sum(*row))

    # Events, and what is wrong.

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
