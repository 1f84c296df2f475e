"""What we have published, in one SQLite file: peers ask for the details, and notices wait here until they are told.

``keepclear dss publish`` writes it while ``keepclear dss uss`` reads it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keepclear.errors import InputError, KeepclearError
from keepclear.uss.entities import EntityKind

__all__ = ["Heard", "Published", "UssStore", "UssStoreError", "Waiting"]

APPLICATION_ID = 0x4B635573
"""``KcUs``."""
SCHEMA_VERSION = 1
BUSY_S = 5.0
HEARD_MAX = 10_000
"""Notices of peers that are kept, the newest."""
WAITING_MAX = 100_000
_SCHEMA = """
CREATE TABLE published (id TEXT PRIMARY KEY, kind TEXT NOT NULL, label TEXT NOT NULL, to_s REAL NOT NULL,
    details TEXT NOT NULL, reference TEXT) WITHOUT ROWID;
CREATE TABLE waiting (n INTEGER PRIMARY KEY, kind TEXT NOT NULL, url TEXT NOT NULL, body BLOB NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0, next_s REAL NOT NULL DEFAULT 0);
CREATE TABLE heard (n INTEGER PRIMARY KEY AUTOINCREMENT, at_s REAL NOT NULL, sender TEXT NOT NULL, kind TEXT NOT NULL,
    entity TEXT NOT NULL, body BLOB NOT NULL);
"""


class UssStoreError(KeepclearError):
    """The file cannot be read or written now."""


@dataclass(frozen=True, slots=True)
class Published:
    """``reference`` None: not, or not yet, at the DSS."""

    id: str
    kind: EntityKind
    label: str
    to_s: float
    details: dict[str, Any]
    reference: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A notice that a subscriber has not taken yet."""

    n: int
    kind: EntityKind
    url: str
    body: bytes
    tries: int


@dataclass(frozen=True, slots=True)
class Heard:
    """A peer's notice as it came; numbers rise."""

    n: int
    sender: str
    kind: EntityKind
    entity: str
    body: bytes


class UssStore:
    """A context manager; for one thread at a time."""

    def __init__(self, path: Path, *, create: bool = True) -> None:
        """Raises :class:`InputError` for a file that is something else or, without ``create``, is missing."""
        if not create and not path.exists():
            raise InputError("there is no such file; «keepclear dss publish» makes it", source=str(path))
        try:
            self._db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
            found = (self._value("PRAGMA application_id"), self._value("PRAGMA user_version"))
            if found == (0, 0) and not self._value("SELECT count(*) FROM sqlite_master"):
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.executescript(
                    f"BEGIN; {_SCHEMA} PRAGMA application_id = {APPLICATION_ID}; "
                    f"PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
                )
            elif found != (APPLICATION_ID, SCHEMA_VERSION):
                raise InputError("is no file of this program for what a USS publishes", source=str(path))
        except sqlite3.Error as error:
            raise InputError(f"cannot be used ({error})", source=str(path)) from None

    def __enter__(self) -> UssStore:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def get(self, name: str) -> Published | None:
        return next(iter(self._published("WHERE id = ?", name)), None)

    def all(self, kind: EntityKind | None = None) -> list[Published]:
        if kind is None:
            return self._published("ORDER BY kind, label, to_s")
        return self._published("WHERE kind = ? ORDER BY label, to_s", kind.value)

    def keep(self, one: Published) -> None:
        reference = None if one.reference is None else json.dumps(one.reference)
        row = (one.id, one.kind.value, one.label, one.to_s, json.dumps(one.details), reference)
        self._run("INSERT OR REPLACE INTO published VALUES (?, ?, ?, ?, ?, ?)", row)

    def drop(self, name: str) -> None:
        self._run("DELETE FROM published WHERE id = ?", (name,))

    def wait(self, kind: EntityKind, url: str, body: bytes) -> None:
        """Put a notice with those that are to be told."""
        if self._value("SELECT count(*) FROM waiting") >= WAITING_MAX:
            raise InputError(f"more than {WAITING_MAX:,} notices wait for peers who do not answer")
        self._run("INSERT INTO waiting (kind, url, body) VALUES (?, ?, ?)", (kind.value, url, body))

    def due(self, now_s: float) -> list[Waiting]:
        rows = self._run(
            "SELECT n, kind, url, body, tries FROM waiting WHERE next_s <= ? ORDER BY n LIMIT 1000", (now_s,)
        )
        return [Waiting(n, EntityKind(kind), url, body, tries) for n, kind, url, body, tries in rows]

    def told(self, notice: Waiting) -> None:
        self._run("DELETE FROM waiting WHERE n = ?", (notice.n,))

    def later(self, notice: Waiting, next_s: float) -> None:
        self._run("UPDATE waiting SET tries = tries + 1, next_s = ? WHERE n = ?", (next_s, notice.n))

    def waiting(self) -> int:
        return self._value("SELECT count(*) FROM waiting")

    def hear(self, at_s: float, sender: str, kind: EntityKind, entity: str, body: bytes) -> None:
        """Keep a peer's notice."""
        row = (at_s, sender, kind.value, entity, body)
        n = self._run("INSERT INTO heard (at_s, sender, kind, entity, body) VALUES (?, ?, ?, ?, ?)", row)
        self._run("DELETE FROM heard WHERE n <= ?", ((n.lastrowid or 0) - HEARD_MAX,))

    def heard(self, after: int = 0) -> list[Heard]:
        """Notices with numbers above ``after``, oldest first."""
        rows = self._run("SELECT n, sender, kind, entity, body FROM heard WHERE n > ? ORDER BY n", (after,))
        return [Heard(n, sender, EntityKind(kind), entity, body) for n, sender, kind, entity, body in rows]

    def last_heard(self) -> int:
        """The newest notice's number, 0 where there is none."""
        return self._value("SELECT coalesce(max(n), 0) FROM heard")

    def _published(self, where: str, *given: str) -> list[Published]:
        rows = self._run(
            f"SELECT id, kind, label, to_s, details, reference FROM published {where}",  # noqa: S608 – ours
            given,
        )
        return [
            Published(name, EntityKind(kind), label, to_s, json.loads(details), reference and json.loads(reference))
            for name, kind, label, to_s, details, reference in rows
        ]

    def _value(self, sql: str) -> int:
        return int(self._run(sql).fetchone()[0])

    def _run(self, sql: str, given: Sequence[object] = ()) -> sqlite3.Cursor:
        try:
            return self._db.execute(sql, given)
        except sqlite3.Error as error:
            raise UssStoreError(f"the store of what we publish cannot be used now ({error})") from None
