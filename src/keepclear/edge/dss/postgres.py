"""The DSS's records in PostgreSQL: for several servers over one airspace.

Servers take turns: whoever holds the lock on the one row of ``dss_head`` reads what the others wrote since, decides a
batch of requests, and writes it. Only plain SQL with row locks and upserts is used, and a serialization failure begins
the turn again, so that databases that speak PostgreSQL's language can stand in for it.

A turn in a congested cell raises hundreds of notification counts. They are written as one row a turn, and folded into
rows of their own now and then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

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
    ("CREATE TABLE dss_counts (position BIGINT PRIMARY KEY, counts BYTEA NOT NULL)",),
)
"""Forwards only; ``dss_schema`` counts those done. A deleted record stays as a row without document for a while, so
that the other servers hear of it."""
DELETIONS_KEPT = 10_000
"""Turns after which a deletion is forgotten: minutes at full load. A server that slept longer loads everything."""
FORGET_EVERY = 1_000
"""Turns between two clean-ups of deletions."""
FOLD_EVERY = 500
"""Turns whose counts are in rows of turns: five megabytes in a cell of 200 subscriptions. Folding holds up its turn by
20 ms, so it must be rare."""
CONNECT_S, STATEMENT_S = 10.0, 30.0
"""Waiting longer than this means that the database is not there; the request has long been answered."""
CONNECT_ATTEMPTS = 5
"""Two servers that make the tables at once: one of them tries again."""

_NEWS = (
    "SELECT h.position, h.forgotten, r.kind, r.id, r.document, 0 AS turn FROM dss_head h"
    " LEFT JOIN dss_record r ON r.position > $1 WHERE h.only_row = 1"
    " UNION ALL SELECT NULL, NULL, NULL, NULL, counts, position FROM dss_counts WHERE position > $1"
)
_ALL = (
    "SELECT kind, id, document, 0 AS turn FROM dss_record WHERE document IS NOT NULL"
    " UNION ALL SELECT NULL, NULL, counts, position FROM dss_counts"
)
_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT position FROM dss_head WHERE only_row = 1 FOR UPDATE"
_WRITE = (
    "WITH moved AS (UPDATE dss_head SET position = $4 WHERE only_row = 1 AND position = $5 RETURNING position),"
    " counted AS (INSERT INTO dss_counts (position, counts)"
    " SELECT position, $6 FROM moved WHERE $6::BYTEA IS NOT NULL),"
    " kept AS (INSERT INTO dss_record (kind, id, position, document) SELECT kind, id, moved.position, document"
    " FROM moved, unnest($1::TEXT[], $2::TEXT[], $3::BYTEA[]) AS given (kind, id, document)"
    " ON CONFLICT (kind, id) DO UPDATE SET position = excluded.position, document = excluded.document)"
    " SELECT position FROM moved"
)
"""All in one statement: every round trip of a turn is a wait of all servers."""
_FOLD = (
    "INSERT INTO dss_record (kind, id, position, document) SELECT kind, id, $4, document"
    " FROM unnest($1::TEXT[], $2::TEXT[], $3::BYTEA[]) AS given (kind, id, document)"
    " ON CONFLICT (kind, id) DO UPDATE SET position = excluded.position, document = excluded.document"
)


class PostgresStore:
    """A :class:`~keepclear.dss.store.Store`; make it with :meth:`open`."""

    shared = True

    def __init__(self, url: str, writer: Any, reader: Any) -> None:
        self._url = url
        self._writer = writer
        self._reader = reader
        self._position = 0
        self._turn = False
        self._unfolded: dict[str, Change] = {}
        """counts that rows of turns hold, as of the position"""

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
                rows = await self._reader.fetch(_ALL)
        except _errors() as error:
            raise _explained(error) from None
        self._unfolded.clear()
        return [change for change in self._heard(rows) if change.record is not None]

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
        counts = {change.id: change.record for change in changes if change.kind is Kind.COUNT}
        records = [change for change in changes if change.kind is not Kind.COUNT]
        counted = _COUNTS_OUT.encode(counts) if counts else None
        unfolded = {**self._unfolded, **{change.id: change for change in changes if change.kind is Kind.COUNT}}
        try:
            if await self._writer.fetchval(_WRITE, *_columns(records), following, self._position, counted) is None:
                raise DssStoreError("the DSS's database was changed by something that is no DSS server")
            if following % FOLD_EVERY == 0:
                await self._fold(following, list(unfolded.values()))
                unfolded = {}
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
        self._position, self._unfolded = following, unfolded

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

    async def _fold(self, position: int, counts: list[Change]) -> None:
        """Counts of turns become records of this turn; whoever has not seen those turns takes the records for them."""
        await self._writer.execute(_FOLD, *_columns(counts), position)
        await self._writer.execute("DELETE FROM dss_counts WHERE position <= $1", position)

    def _take(self, rows: list[Any]) -> list[Change]:
        head = next(row for row in rows if row["forgotten"] is not None)
        if head["forgotten"] > self._position:
            raise FellBehind
        self._position = head["position"]
        return self._heard(rows)

    def _heard(self, rows: Sequence[Any]) -> list[Change]:
        """The latest of each record: what counts of turns say is newer than the records."""
        latest: dict[tuple[str, str], Change] = {}
        try:
            for row in rows:
                if row["kind"] is not None:
                    latest[row["kind"], row["id"]] = _change(row["kind"], row["id"], row["document"])
                    if row["kind"] == Kind.COUNT.value:
                        self._unfolded.pop(row["id"], None)
            for row in sorted((row for row in rows if row["turn"]), key=lambda row: row["turn"]):
                for name, count in _COUNTS_IN.decode(row["document"]).items():
                    latest[Kind.COUNT.value, name] = self._unfolded[name] = Change(Kind.COUNT, name, count)
        except (InputError, ValueError, msgspec.MsgspecError) as error:
            raise DssStoreError(f"the DSS's database: {error}; restore a backup") from None
        return list(latest.values())

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


def _columns(changes: Sequence[Change]) -> tuple[list[str], list[str], list[bytes | None]]:
    documents = [None if change.record is None else encode_record(change.record) for change in changes]
    return [change.kind.value for change in changes], [change.id for change in changes], documents


def _change(kind: str, record_id: str, document: bytes | None) -> Change:
    return Change(Kind(kind), record_id, None if document is None else decode_record(Kind(kind), document))


_COUNTS_IN, _COUNTS_OUT = msgspec.json.Decoder(dict[str, int | None]), msgspec.json.Encoder()


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
