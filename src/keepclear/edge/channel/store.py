"""The channel's store in one SQLite file, and the lock beside it in another.

Write-ahead log with full synchronisation: what was appended survives a crash of the process, of the machine and of its
power. Several processes may have it open; one writes at a time. The lock file belongs outside the store's backups: it
is how a restored store finds out that it is old.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from keepclear.channel.charter import Charter
from keepclear.channel.entry import Head, Record
from keepclear.channel.signed_note import Note
from keepclear.channel.store import Locked, StoreConflict
from keepclear.edge.channel.rows import MIGRATIONS, ChannelStoreError, Execute, row_sum
from keepclear.edge.channel.sql import SqlStore
from keepclear.errors import InputError

__all__ = ["ChannelLock", "ChannelStore", "ChannelStoreError"]

STORE_ID, LOCK_ID = 0x4B434348, 0x4B43434C
"""«KCCH» and «KCCL» in the SQLite header: no other program's file is taken for one of ours and written to."""
BUSY_S = 10.0
"""How long to wait for another process that writes; a batch takes milliseconds, a slow disk a second."""
CHECK_MAX_BYTES = 32 << 20
"""Files up to this size are looked through on opening, their indexes too: a rotten key in one hides a row, and no
checksum tells. Larger ones are `fsck`'s."""
LOCK_MIGRATIONS = ("CREATE TABLE lock (place INTEGER PRIMARY KEY CHECK (place = 1), document BLOB, sum BLOB);",)

_REMEDIES = {
    "full": "the disk is full: make room; what was acknowledged is safe.",
    "readonly": "the file or its folder may not be written: change its permissions.",
    "unable to open": "cannot be opened: the folder must exist and be writable.",
    "locked": "another process has been writing for too long: end it, or try again.",
    "decode": "the file is damaged: restore a backup beside the same lock file, and the missing entries come back.",
    "malformed": "the file is damaged: restore a backup beside the same lock file, and the missing entries come back.",
    "not a database": "not a channel's file: name another.",
    "disk i/o error": "the disk does not work as it should: look at the system's messages; what was acknowledged is "
    "safe as far as the disk is.",
}


def _explained(path: Path, error: Exception) -> ChannelStoreError:
    """One line that says what to do."""
    if isinstance(error, ChannelStoreError):
        return error
    text = str(error)
    said = next((remedy for sign, remedy in _REMEDIES.items() if sign in text.lower()), "cannot be read or written.")
    return ChannelStoreError(f"{path}: {said} ({text})")


def _connect(path: Path, application_id: int, migrations: Sequence[str], create: bool) -> sqlite3.Connection:
    """Opens, checks and if need be creates or migrates the file."""
    if not create and not path.exists():
        raise ChannelStoreError(f"{path}: there is no such file; has the channel been joined?")
    connection = None
    try:
        connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        _prepare(connection, path, application_id, migrations)
    except (sqlite3.Error, ChannelStoreError, OSError, UnicodeError) as error:
        if connection is not None:
            connection.close()
        raise _explained(path, error) from None
    return connection


def _prepare(connection: sqlite3.Connection, path: Path, application_id: int, migrations: Sequence[str]) -> None:
    empty = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
    if not empty and connection.execute("PRAGMA application_id").fetchone()[0] != application_id:
        raise ChannelStoreError(f"{path}: a database, but not this part of a channel; name another file")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(migrations):
        raise ChannelStoreError(f"{path}: written by a newer Keepclear (schema {version}); update this one")
    if not empty and path.stat().st_size <= CHECK_MAX_BYTES:
        said = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if said != "ok":
            raise sqlite3.DatabaseError(f"malformed: {said}")
    connection.execute("PRAGMA journal_mode = WAL")
    # Each commit waits for the disk: an acknowledgement is a promise.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA cell_size_check = ON")
    # An erased body is overwritten, not only forgotten.
    connection.execute("PRAGMA secure_delete = ON")
    if version < len(migrations):
        _migrate(connection, application_id, migrations)


def _migrate(connection: sqlite3.Connection, application_id: int, migrations: Sequence[str]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have done it while this one waited.
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        for step in migrations[version:]:
            for statement in filter(None, (part.strip() for part in step.split(";"))):
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {application_id}")
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


class ChannelStore(SqlStore):
    """Use as a context manager, or :meth:`close` it."""

    def __init__(self, path: Path, writing: sqlite3.Connection, reading: sqlite3.Connection) -> None:
        super().__init__(str(path))
        self.path = path
        self._writing, self._reading = writing, reading
        self._writer, self._reader = threading.Lock(), threading.Lock()

    @staticmethod
    def open(path: str | Path, first: Charter | None = None) -> ChannelStore:
        """Opens the file; with the channel's first charter it is created where it is absent. Raises
        :class:`ChannelStoreError`."""
        path = Path(path)
        writing = _connect(path, STORE_ID, MIGRATIONS, create=first is not None)
        try:
            # Readers see what is committed, and therefore on the disk; never a transaction under way.
            reading = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
            reading.execute("PRAGMA query_only = ON")
            reading.execute("PRAGMA cell_size_check = ON")
        except sqlite3.Error as error:
            writing.close()
            raise _explained(path, error) from None
        store = ChannelStore(path, writing, reading)
        try:
            store._begin(first)
        except BaseException:
            store.close()
            raise
        return store

    def close(self) -> None:
        self._reading.close()
        self._writing.close()

    def _read(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        # Between transactions the writing connection has the pages at hand that the other reads anew after each.
        idle = self._writer.acquire(blocking=False)
        try:
            if idle:
                return self._writing.execute(query, values).fetchall()
            with self._reader:
                return self._reading.execute(query, values).fetchall()
        except (sqlite3.Error, UnicodeError) as error:
            raise _explained(self.path, error) from None
        finally:
            if idle:
                self._writer.release()

    def _version(self) -> object:
        try:
            with self._reader:  # the writing connection does not count its own commits
                return self._reading.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.Error as error:
            raise _explained(self.path, error) from None

    def _transact(self, acts: Sequence[Callable[[Execute], None]], lasting: bool) -> None:
        with self._writer:
            self._transact_alone(acts, lasting)

    def _transact_alone(self, acts: Sequence[Callable[[Execute], None]], lasting: bool) -> None:
        connection = self._writing

        def execute(query: str, *values: object) -> list[tuple[Any, ...]]:
            return connection.execute(query, values).fetchall()

        try:
            # In write-ahead mode NORMAL leaves the flush to the next lasting commit, which carries this one with it.
            connection.execute(f"PRAGMA synchronous = {'FULL' if lasting else 'NORMAL'}")
            connection.execute("BEGIN IMMEDIATE")
            for act in acts:
                act(execute)
            connection.execute("COMMIT")
        except BaseException as error:
            with suppress(sqlite3.Error):
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error | UnicodeError):
                raise _explained(self.path, error) from None
            raise

    def _forget(self) -> None:
        """The body's bytes are also in the write-ahead log until that begins anew."""
        with suppress(sqlite3.Error), self._reader:
            # On the reading connection, which is never within a transaction; it waits for the writer.
            self._reading.execute("PRAGMA query_only = OFF")
            self._reading.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._reading.execute("PRAGMA query_only = ON")

    def damage(self) -> Iterator[str]:
        try:
            for row in self._read("PRAGMA integrity_check(100)"):
                if row[0] != "ok":
                    yield f"{self.path}: {row[0]}"
            yield from self._damaged_rows()
        except ChannelStoreError as error:
            yield str(error)


class _LockDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    before: Head
    note: bytes
    records: tuple[tuple[bytes, bytes, bytes | None, bytes | None], ...]
    at_ms: int


class ChannelLock:
    """The lock file: :class:`~keepclear.channel.store.Lock`. Several processes may use it at once."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._mutex = threading.Lock()
        self._seen: tuple[bytes, Locked] | None = None
        """the document read or written last: most often it is what stands there still"""

    @staticmethod
    def open(path: str | Path) -> ChannelLock:
        """Creates an empty one where there is none: then :meth:`read` gives nothing until it is made."""
        path = Path(path)
        return ChannelLock(path, _connect(path, LOCK_ID, LOCK_MIGRATIONS, create=True))

    def __enter__(self) -> ChannelLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def read(self) -> Locked | None:
        try:
            with self._mutex:
                return self._fetch()
        except sqlite3.Error as error:
            raise _explained(self.path, error) from None

    def _fetch(self) -> Locked | None:
        row = self._connection.execute("SELECT document, sum FROM lock").fetchone()
        if row is None:
            return None
        if self._seen is not None and row[0] == self._seen[0] and row_sum(row[0]) == row[1]:
            return self._seen[1]
        damaged = ChannelStoreError(
            f"{self.path}: the lock file is damaged: move it away and start again; every other party must then answer "
            f"a check before anything is written"
        )
        if not isinstance(row[0], bytes) or row_sum(row[0]) != row[1]:
            raise damaged
        try:
            document = msgspec.msgpack.decode(row[0], type=_LockDocument)
            note = Note.parse(document.note)
        except (msgspec.DecodeError, InputError):
            raise damaged from None
        locked = Locked(document.before, note, tuple(Record(*r) for r in document.records), document.at_ms)
        self._seen = (row[0], locked)
        return locked

    def swap(self, before: Locked | None, after: Locked) -> None:
        records = tuple((r.payload, r.signature, r.salt, r.body) for r in after.records)
        document = msgspec.msgpack.encode(_LockDocument(after.before, after.note.encode(), records, after.at_ms))
        connection = self._connection
        with self._mutex:
            try:
                connection.execute("BEGIN IMMEDIATE")
                if self._fetch() != before:
                    raise StoreConflict("the lock was moved by another process")
                connection.execute("INSERT OR REPLACE INTO lock VALUES (1, ?, ?)", (document, row_sum(document)))
                connection.execute("COMMIT")
                self._seen = (document, after)
            except BaseException as error:
                with suppress(sqlite3.Error):
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    raise _explained(self.path, error) from None
                raise
