"""What a witness remembers: one SQLite file, the newest head of every log, on the disk before it is said."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

from keepclear.channel.checkpoint import Checkpoint
from keepclear.errors import InputError

__all__ = ["WitnessFile"]

APPLICATION_ID = 0x4B435749
"""«KCWI»"""
BUSY_S = 10.0


class WitnessFile:
    """Several processes may have it open."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        try:
            self._file = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
            known = self._file.execute("PRAGMA application_id").fetchone()[0]
            if known not in (0, APPLICATION_ID):
                raise InputError("a database, but not a witness's", source=str(path))
            self._file.execute("PRAGMA journal_mode = WAL")
            self._file.execute("PRAGMA synchronous = FULL")
            self._file.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            self._file.execute(
                "CREATE TABLE IF NOT EXISTS head (origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL)"
            )
        except sqlite3.Error as error:
            raise InputError(f"cannot be opened ({error})", source=str(path)) from None

    def newest(self, origin: str) -> Checkpoint | None:
        with self._lock:
            row = self._file.execute("SELECT size, root FROM head WHERE origin = ?", (origin,)).fetchone()
        return Checkpoint(origin, row[0], row[1]) if row else None

    def swap(self, before: Checkpoint | None, after: Checkpoint) -> bool:
        values = (after.size, after.root, after.origin)
        with self._lock:
            if before is None:
                done = self._file.execute(
                    "INSERT INTO head (size, root, origin) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", values
                )
            else:
                done = self._file.execute(
                    "UPDATE head SET size = ?, root = ? WHERE origin = ? AND size = ? AND root = ?",
                    (*values, before.size, before.root),
                )
        return done.rowcount == 1

    def close(self) -> None:
        self._file.close()
