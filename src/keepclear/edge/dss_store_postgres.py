"""The DSS's records in PostgreSQL: for several servers over one airspace.

Servers take turns: whoever holds the lock on the one row of ``dss_head`` reads what the others wrote since, decides a
batch of requests, and writes it. Only plain SQL with row locks and upserts is used, and a serialization failure begins
the turn again, so that databases that speak PostgreSQL's language can stand in for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from keepclear.dss.records import Change, Kind, decode_record, encode_record
from keepclear.dss.store import DssStoreError, FellBehind, TurnLost
from keepclear.errors import InputError, MissingExtra

__all__ = ["MIGRATIONS", "PostgresStore"]

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE dss_record (kind TEXT NOT NULL, id TEXT NOT NULL, position BIGINT NOT NULL, document BYTEA,"
        " PRIMARY KEY (kind, id))",
        "CREATE INDEX dss_record_position ON dss_record (position)",
        "CREATE TABLE dss_head (only_row INT PRIMARY KEY CHECK (only_row = 1), position BIGINT NOT NULL,"
        " forgotten BIGINT NOT NULL)",
        "INSERT INTO dss_head (only_row, position, forgotten) VALUES (1, 0, 0)",
    ),
)
"""Forwards only; ``dss_schema`` counts those done. A deleted record stays as a row without document for a while, so
that the other servers hear of it."""
DELETIONS_KEPT = 10_000
"""Turns after which a deletion is forgotten: minutes at full load. A server that slept longer loads everything."""
FORGET_EVERY = 1_000
"""Turns between two clean-ups of deletions."""
CONNECT_S, STATEMENT_S = 10.0, 30.0
"""Waiting longer than this means that the database is not there; the request has long been answered."""
CONNECT_ATTEMPTS = 5
"""Two servers that make the tables at once: one of them tries again."""

_NEWS = (
    "SELECT h.position, h.forgotten, r.kind, r.id, r.document FROM dss_head h"
    " LEFT JOIN dss_record r ON r.position > $1 WHERE h.only_row = 1"
)
_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT position FROM dss_head WHERE only_row = 1 FOR UPDATE"
_WRITE = (
    "WITH moved AS (UPDATE dss_head SET position = $3 WHERE only_row = 1 AND position = $5 RETURNING position)"
    " INSERT INTO dss_record (kind, id, position, document)"
    " SELECT kind, id, moved.position, document"
    " FROM moved, unnest($1::TEXT[], $2::TEXT[], $4::BYTEA[]) AS given (kind, id, document)"
    " ON CONFLICT (kind, id) DO UPDATE SET position = excluded.position, document = excluded.document"
)
"""Both in one statement: every round trip of a turn is a wait of all servers."""


class PostgresStore:
    """A :class:`~keepclear.dss.store.Store`; make it with :meth:`open`."""

    shared = True

    def __init__(self, url: str, writer: Any, reader: Any) -> None:
        self._url = url
        self._writer = writer
        self._reader = reader
        self._position = 0
        self._turn = False

    @classmethod
    async def open(cls, url: str) -> PostgresStore:
        """Connect, and bring the tables up to date. Raises :class:`DssStoreError`, :class:`MissingExtra`."""
        try:
            import asyncpg
        except ImportError:
            raise MissingExtra("PostgreSQL", "postgres") from None
        try:
            writer = await asyncpg.connect(url, timeout=CONNECT_S, command_timeout=STATEMENT_S)
            try:
                await _migrate(writer)
                reader = await asyncpg.connect(url, timeout=CONNECT_S, command_timeout=STATEMENT_S)
            except BaseException:
                await writer.close()
                raise
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
            raise _explained(error) from None
        return cls(url, writer, reader)

    async def load(self) -> list[Change]:
        await self._reconnect()
        try:
            async with self._reader.transaction(isolation="repeatable_read", readonly=True):
                self._position = await self._reader.fetchval("SELECT position FROM dss_head WHERE only_row = 1")
                rows = await self._reader.fetch("SELECT kind, id, document FROM dss_record WHERE document IS NOT NULL")
        except _errors() as error:
            raise _explained(error) from None
        return _changes(rows)

    async def news(self) -> list[Change]:
        try:
            return self._take(await self._reader.fetch(_NEWS, self._position))
        except _errors() as error:
            raise _explained(error) from None

    async def begin(self) -> list[Change]:
        try:
            self._turn = True
            await self._writer.execute(_BEGIN)
            return self._take(await self._writer.fetch(_NEWS, self._position))
        except FellBehind:
            await self.abort()
            raise
        except _errors() as error:
            await self.abort()
            raise self._judged(error) from None

    async def commit(self, changes: Sequence[Change]) -> None:
        following = self._position + 1
        kinds, ids = [c.kind.value for c in changes], [c.id for c in changes]
        documents = [None if c.record is None else encode_record(c.record) for c in changes]
        try:
            written = await self._writer.execute(_WRITE, kinds, ids, following, documents, self._position)
            if written != f"INSERT 0 {len(changes)}":
                raise DssStoreError("the DSS's database was changed by something that is no DSS server")
            if following % FORGET_EVERY == 0:
                await self._forget(following - DELETIONS_KEPT)
            await self._writer.execute("COMMIT")
        except DssStoreError:
            await self.abort()
            raise
        except _errors() as error:
            await self.abort()
            raise self._judged(error) from None
        self._turn = False
        self._position = following

    async def abort(self) -> None:
        turn, self._turn = self._turn, False
        if not turn:
            return
        try:
            await self._writer.execute("ROLLBACK")
        except _errors():
            await self._writer.close(timeout=1.0)

    async def close(self) -> None:
        await self.abort()
        for connection in (self._writer, self._reader):
            await connection.close()

    async def _forget(self, before: int) -> None:
        await self._writer.execute("DELETE FROM dss_record WHERE document IS NULL AND position < $1", before)
        await self._writer.execute("UPDATE dss_head SET forgotten = $1 WHERE only_row = 1 AND forgotten < $1", before)

    def _take(self, rows: list[Any]) -> list[Change]:
        if rows[0]["forgotten"] > self._position:
            raise FellBehind
        self._position = rows[0]["position"]
        return _changes(row for row in rows if row["kind"] is not None)

    async def _reconnect(self) -> None:
        import asyncpg

        try:
            if self._writer.is_closed():
                self._writer = await asyncpg.connect(self._url, timeout=CONNECT_S, command_timeout=STATEMENT_S)
            if self._reader.is_closed():
                self._reader = await asyncpg.connect(self._url, timeout=CONNECT_S, command_timeout=STATEMENT_S)
        except _errors() as error:
            raise _explained(error) from None

    def _judged(self, error: Exception) -> Exception:
        import asyncpg

        if isinstance(error, asyncpg.SerializationError | asyncpg.DeadlockDetectedError):
            return TurnLost()
        return _explained(error)


def _changes(rows: Any) -> list[Change]:
    try:
        return [_change(row["kind"], row["id"], row["document"]) for row in rows]
    except (InputError, ValueError) as error:
        raise DssStoreError(f"the DSS's database: {error}; restore a backup") from None


def _change(kind: str, record_id: str, document: bytes | None) -> Change:
    return Change(Kind(kind), record_id, None if document is None else decode_record(Kind(kind), document))


def _errors() -> tuple[type[Exception], ...]:
    import asyncpg

    return (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncio.TimeoutError)


async def _migrate(connection: Any) -> None:
    import asyncpg

    for attempt in range(CONNECT_ATTEMPTS):
        try:
            async with connection.transaction():
                await connection.execute(
                    "CREATE TABLE IF NOT EXISTS dss_schema (only_row INT PRIMARY KEY, version INT NOT NULL)"
                )
                await connection.execute("INSERT INTO dss_schema VALUES (1, 0) ON CONFLICT (only_row) DO NOTHING")
                done = await connection.fetchval("SELECT version FROM dss_schema WHERE only_row = 1 FOR UPDATE")
                if done > len(MIGRATIONS):
                    raise DssStoreError(f"the database is of a newer Keepclear (schema {done}); update this one")
                for migration in MIGRATIONS[done:]:
                    for statement in migration:
                        await connection.execute(statement)
                await connection.execute("UPDATE dss_schema SET version = $1 WHERE only_row = 1", len(MIGRATIONS))
                return
        except (asyncpg.UniqueViolationError, asyncpg.DuplicateTableError, asyncpg.SerializationError):
            if attempt == CONNECT_ATTEMPTS - 1:
                raise
            await asyncio.sleep(0.1 * (attempt + 1))


def _explained(error: Exception) -> DssStoreError:
    """One line without the URL: it may hold a password."""
    said = " ".join(str(error).split())[:200] or type(error).__name__
    return DssStoreError(f"the DSS's database cannot be reached or refuses: {said}")
