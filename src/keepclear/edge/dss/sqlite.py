"""The DSS's records in one SQLite file: for one server. A batch of requests shares one fsync."""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from keepclear.dss.records import Change, Kind, decode_record, encode_record
from keepclear.dss.store import DssStoreError
from keepclear.errors import InputError

__all__ = ["MIGRATIONS", "SqliteStore", "back_up"]

APPLICATION_ID = 0x4B634473
"""``KcDs`` in the file's header: tells our file from any other."""
MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE record (kind TEXT NOT NULL, id TEXT NOT NULL, document BLOB NOT NULL, PRIMARY KEY (kind, id))
        WITHOUT ROWID;
    CREATE TABLE head (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), position INTEGER NOT NULL);
    INSERT INTO head VALUES (1, 0);
    """,
)
"""Forwards only; ``user_version`` counts those done."""
CHECKPOINT_PAGES = 4_000
"""The write-ahead log is folded in every 16 MB: large enough to be rare, small enough to be quick."""

T = TypeVar("T")


class SqliteStore:
    """A :class:`~keepclear.dss.store.Store`. The file is locked to one server; readers and backups may look at it."""

    shared = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="dss-store")
        self._lock = _lock(path)
        self._position = 0
        try:
            self._connection = _open(path)
        except BaseException:
            os.close(self._lock)
            raise

    async def load(self) -> list[Change]:
        return await self._run(self._load)

    async def news(self) -> list[Change]:
        return []

    async def begin(self) -> list[Change]:
        return []

    async def commit(self, changes: Sequence[Change]) -> None:
        kept = [(c.kind.value, c.id, encode_record(c.record)) for c in changes if c.record is not None]
        gone = [(c.kind.value, c.id) for c in changes if c.record is None]
        await self._run(lambda: self._write(kept, gone))

    async def abort(self) -> None:
        return

    async def close(self) -> None:
        try:
            await self._run(self._connection.close)
        finally:
            self._thread.shutdown()
            os.close(self._lock)

    async def _run(self, job: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, job)
        except sqlite3.Error as error:
            raise _explained(self._path, error) from None

    def _load(self) -> list[Change]:
        self._position = self._connection.execute("SELECT position FROM head").fetchone()[0]
        rows = self._connection.execute("SELECT kind, id, document FROM record")
        try:
            return [Change(Kind(kind), id_, decode_record(Kind(kind), document)) for kind, id_, document in rows]
        except (InputError, ValueError) as error:
            raise DssStoreError(f"{self._path}: {error}; restore a backup") from None

    def _write(self, kept: list[tuple[str, str, bytes]], gone: list[tuple[str, str]]) -> None:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            moved = connection.execute("UPDATE head SET position = position + 1 WHERE position = ?", (self._position,))
            if moved.rowcount != 1:
                raise DssStoreError(f"{self._path}: somebody else has written to it; stop that, and start again")
            connection.executemany("DELETE FROM record WHERE kind = ? AND id = ?", gone)
            connection.executemany("INSERT OR REPLACE INTO record VALUES (?, ?, ?)", kept)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self._position += 1


def back_up(path: Path, to: Path) -> int:
    """Copy the records to a new file, also while a server is running. Returns how many.

    Raises :class:`DssStoreError`; the new file is whole or absent.
    """
    if to.exists():
        raise DssStoreError(f"{to}: exists already; name a new file")
    if not path.exists():
        raise DssStoreError(f"{path}: there is no such file")
    unfinished = to.with_name(to.name + ".unfinished")
    try:
        source, target = sqlite3.connect(f"file:{path}?mode=ro", uri=True), sqlite3.connect(unfinished)
        try:
            _check_ours(source, path)
            source.backup(target)
            if target.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
                raise DssStoreError(f"{path}: the file is damaged; the copy was not kept")
            count = int(target.execute("SELECT count(*) FROM record").fetchone()[0])
        finally:
            source.close()
            target.close()
        os.replace(unfinished, to)
    except sqlite3.Error as error:
        raise _explained(path, error) from None
    finally:
        unfinished.unlink(missing_ok=True)
    return count


def _lock(path: Path) -> int:
    """One server a file: the lock goes with the process, however it ends."""
    try:
        lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise DssStoreError(f"{path}: cannot be locked ({error.strerror}); its folder must be writable") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise DssStoreError(f"{path}: another server uses it; several servers need PostgreSQL") from None
    return lock


def _open(path: Path) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise _explained(path, error) from None
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    done = _check_ours(connection, path)
    connection.execute("PRAGMA journal_mode = WAL")
    # What was acknowledged is on the disk: each commit waits for it.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    for number, migration in enumerate(MIGRATIONS[done:], done + 1):
        connection.executescript(
            f"BEGIN IMMEDIATE; PRAGMA application_id = {APPLICATION_ID}; {migration}"
            f"PRAGMA user_version = {number}; COMMIT;"
        )


def _check_ours(connection: sqlite3.Connection, path: Path) -> int:
    """How many migrations the file has had."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    done = int(connection.execute("PRAGMA user_version").fetchone()[0])
    empty = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
    if not empty and application != APPLICATION_ID:
        raise DssStoreError(f"{path}: a database, but not a DSS's; name another file")
    if done > len(MIGRATIONS):
        raise DssStoreError(f"{path}: written by a newer Keepclear (schema {done}); update this one")
    return done


def _explained(path: Path, error: sqlite3.Error) -> DssStoreError:
    text = str(error)
    remedies = {
        "full": "the disk is full: make room",
        "readonly": "the file or its folder may not be written: change its permissions",
        "unable to open": "cannot be opened: the folder must exist and be writable",
        "malformed": "the file is damaged: restore a backup",
        "not a database": "not a database: name another file",
    }
    said = next((remedy for sign, remedy in remedies.items() if sign in text), "cannot be read or written")
    return DssStoreError(f"{path}: {said} ({text})")
