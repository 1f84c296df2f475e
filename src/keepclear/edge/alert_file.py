"""The SQLite file of alerts: its schema, how it is opened and checked, and what to do when it cannot be used."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from keepclear.errors import KeepclearError

__all__ = ["SCHEMA_VERSION", "AlertStoreError", "explained", "open_file"]

SCHEMA_VERSION = 1
APPLICATION_ID = 0x4B434C52
"""«KCLR» in the SQLite header: no other program's file is taken for a store and written to."""
BUSY_S = 5.0
"""How long to wait for another process that writes; an acknowledgement takes milliseconds."""
CHECK_MAX_BYTES = 64 << 20
"""Files up to this size are checked through on opening (under a second)."""

_SCHEMA = """
CREATE TABLE zone_version (
    zone_id TEXT NOT NULL, version TEXT NOT NULL, name TEXT NOT NULL, text TEXT NOT NULL, document TEXT NOT NULL,
    PRIMARY KEY (zone_id, version)
) WITHOUT ROWID;
CREATE TABLE alert (
    judged_by TEXT NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL, status TEXT NOT NULL, exempt INTEGER NOT NULL,
    track_id TEXT NOT NULL, source TEXT NOT NULL, zone_id TEXT NOT NULL, zone_version TEXT NOT NULL,
    raised_s REAL NOT NULL, ended_s REAL, document TEXT NOT NULL,
    PRIMARY KEY (judged_by, id)
) WITHOUT ROWID;
CREATE INDEX alert_raised ON alert (raised_s);
CREATE INDEX alert_target ON alert (track_id, zone_id, raised_s);
CREATE TABLE event (
    number INTEGER PRIMARY KEY, judged_by TEXT NOT NULL, alert_id TEXT NOT NULL, kind TEXT NOT NULL,
    at_s REAL NOT NULL, document TEXT NOT NULL
);
CREATE INDEX event_alert ON event (judged_by, alert_id);
CREATE TABLE acknowledgement (
    judged_by TEXT NOT NULL, alert_id TEXT NOT NULL, at_s REAL NOT NULL, by_role TEXT NOT NULL, status TEXT NOT NULL,
    PRIMARY KEY (judged_by, alert_id, at_s, by_role)
) WITHOUT ROWID;
CREATE TABLE review (
    number INTEGER PRIMARY KEY, judged_by TEXT NOT NULL, alert_id TEXT NOT NULL, at_s REAL NOT NULL,
    by_role TEXT NOT NULL, verdict TEXT NOT NULL, note TEXT NOT NULL
);
CREATE INDEX review_alert ON review (judged_by, alert_id);
"""


class AlertStoreError(KeepclearError):
    """The store's file cannot be read or written; the message says which, why, and what to do."""


def open_file(path: Path, *, create: bool) -> sqlite3.Connection:
    """A connection to a checked alert store, made if need be. Raises :class:`AlertStoreError`."""
    if not create and not path.exists():
        raise AlertStoreError(f"{path}: there is no such alert store; «keepclear watch --store {path}» makes one")
    new = not path.exists()
    try:
        return _connect(path)
    except (sqlite3.Error, AlertStoreError) as error:
        if new:
            for suffix in ("", "-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
        elif not create and "disk I/O error" in str(error):
            # No room for the memory that processes share: whoever only looks can do without, where no other is there.
            with contextlib.suppress(sqlite3.Error, AlertStoreError):
                return _connect(path, alone=True)
        raise explained(path, error) from None


def _connect(path: Path, *, alone: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
    try:
        if alone:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        _prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    empty = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
    if not empty and application != APPLICATION_ID:
        raise AlertStoreError(f"{path}: a database, but not an alert store; name another file")
    if version > SCHEMA_VERSION:
        raise AlertStoreError(f"{path}: written by a newer Keepclear (schema {version}); update this one")
    if not empty and path.stat().st_size <= CHECK_MAX_BYTES:
        said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if said != "ok":
            raise sqlite3.DatabaseError(f"malformed: {said}")
    connection.execute("PRAGMA journal_mode = WAL")
    # An alert that was told is on the disk: each commit waits for it.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    if empty:
        connection.executescript(
            f"BEGIN IMMEDIATE; PRAGMA application_id = {APPLICATION_ID}; {_SCHEMA}"
            f"PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
        )


def explained(path: Path, error: Exception) -> AlertStoreError:
    """One line that says what to do."""
    if isinstance(error, AlertStoreError):
        return error
    text = str(error)
    remedies = {
        "disk I/O error": "the disk fails, or is full: make room, or name a file on another disk.",
        "full": "the disk is full: make room, or name a file on another disk.",
        "readonly": "the file or its folder may not be written: change its permissions, or name another file.",
        "unable to open": "cannot be opened: the folder must exist and be writable.",
        "locked": "another process has been writing for too long: end it, or try again.",
        "malformed": "the file is damaged: keep a copy, then «sqlite3 FILE .recover» saves what is left.",
        "not a database": "not an alert store: name another file.",
        "kept alert": "a kept alert is damaged: keep a copy, then name another file.",
    }
    said = next((remedy for sign, remedy in remedies.items() if sign in text), "cannot be read or written.")
    return AlertStoreError(f"{path}: {said} ({text})")
