"""The channel's store in PostgreSQL, one schema a channel and party: for nodes whose database others look after.

It gives the same promises as the SQLite file, if the server does: one that may lose commits is refused.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from keepclear.channel.charter import Charter
from keepclear.edge.channel.rows import MIGRATIONS, ChannelStoreError, Execute
from keepclear.edge.channel.sql import SqlStore
from keepclear.errors import MissingExtra

if TYPE_CHECKING:
    import psycopg

__all__ = ["PostgresChannelStore"]


class PostgresChannelStore(SqlStore):
    """Use as a context manager, or :meth:`close` it."""

    def __init__(self, where: str, writing: psycopg.Connection[Any], reading: psycopg.Connection[Any]) -> None:
        super().__init__(where)
        self._writing, self._reading = writing, reading
        self._reader = threading.Lock()

    @staticmethod
    def open(address: str, schema: str, first: Charter | None = None) -> PostgresChannelStore:
        """``address`` as libpq takes it; ``schema`` is created where it is absent and ``first`` is given. Raises
        :class:`ChannelStoreError`."""
        try:
            import psycopg
        except ImportError:
            raise MissingExtra("a channel in PostgreSQL", "postgres") from None
        where = f"PostgreSQL schema {schema}"  # the address may hold a password
        try:
            writing = psycopg.connect(address, autocommit=False)
            reading = psycopg.connect(address, autocommit=True)
        except psycopg.Error as error:
            raise ChannelStoreError(f"{where}: cannot be reached ({_first_line(error)})") from None
        store = PostgresChannelStore(where, writing, reading)
        try:
            store._prepare(schema, first is not None)
            store._begin(first)
        except psycopg.Error as error:
            store.close()
            raise store._explained(error) from None
        except BaseException:
            store.close()
            raise
        return store

    def _prepare(self, schema: str, create: bool) -> None:
        from psycopg import sql

        name = sql.Identifier(schema)
        for setting, value in (("fsync", "on"), ("full_page_writes", "on")):
            said = self._reading.execute(f"SHOW {setting}").fetchone()
            if said is None or said[0] != value:
                raise ChannelStoreError(f"{self.where}: the server runs with {setting} off and may lose what it "
                                        f"acknowledged; set {setting} = on")  # fmt: skip
        with self._writing.transaction():
            cursor = self._writing
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (schema,))
            if create:
                cursor.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(name))
            cursor.execute(sql.SQL("SET search_path TO {}").format(name))
            cursor.execute("SET synchronous_commit = on")
            found = cursor.execute(
                "SELECT count(*) FROM information_schema.tables WHERE table_schema = %s AND table_name = 'version'",
                (schema,),
            ).fetchone()
            version = 0
            if found and found[0]:
                row = cursor.execute("SELECT number FROM version").fetchone()
                version = row[0] if row else 0
            elif not create:
                raise ChannelStoreError(f"{self.where}: holds no channel; join one first")
            if version > len(MIGRATIONS):
                raise ChannelStoreError(
                    f"{self.where}: written by a newer Keepclear (schema {version}); update this one"
                )
            if version < len(MIGRATIONS):
                cursor.execute("CREATE TABLE IF NOT EXISTS version (number INTEGER NOT NULL)")
                cursor.execute("DELETE FROM version")
                cursor.execute("INSERT INTO version VALUES (%s)", (len(MIGRATIONS),))
                for step in MIGRATIONS[version:]:
                    cursor.execute(step.replace("BLOB", "BYTEA").encode())
        self._reading.execute(sql.SQL("SET search_path TO {}").format(name))
        self._schema = schema

    def close(self) -> None:
        self._reading.close()
        self._writing.close()

    def _explained(self, error: Exception) -> ChannelStoreError:
        return ChannelStoreError(
            f"{self.where}: the database refused ({_first_line(error)}); what was acknowledged is safe"
        )

    def _read(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        import psycopg

        try:
            with self._reader:
                cursor = self._reading.execute(query.replace("?", "%s").encode(), values)
                return cursor.fetchall()
        except psycopg.Error as error:
            raise self._explained(error) from None

    def _transact(self, acts: Sequence[Callable[[Execute], None]], lasting: bool) -> None:
        import psycopg

        connection = self._writing

        def execute(query: str, *values: object) -> list[tuple[Any, ...]]:
            cursor = connection.execute(query.replace("?", "%s").encode(), values)
            return cursor.fetchall() if cursor.description else []

        try:
            # One writer at a time, whatever the process: the next sees what this one has committed.
            connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (self._schema,))
            if not lasting:
                connection.execute("SET LOCAL synchronous_commit = off")
            for act in acts:
                act(execute)
            connection.commit()
        except BaseException as error:
            with suppress(psycopg.Error):
                connection.rollback()
            if isinstance(error, psycopg.Error):
                raise self._explained(error) from None
            raise

    def _forget(self) -> None:
        """Dead rows and the server's own log keep an erased body until it vacuums and recycles them: its owner's to
        arrange."""

    def damage(self) -> Iterator[str]:
        try:
            yield from self._damaged_rows()
        except ChannelStoreError as error:
            yield str(error)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
