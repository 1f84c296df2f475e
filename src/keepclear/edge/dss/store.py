"""Opens the DSS's database by its URL."""

from __future__ import annotations

from pathlib import Path

from keepclear.dss.store import Store
from keepclear.edge.dss.postgres import PostgresStore
from keepclear.edge.dss.sqlite import SqliteStore
from keepclear.errors import UsageError

__all__ = ["open_store", "sqlite_path"]

POSTGRES_SCHEMES = ("postgresql://", "postgres://")


async def open_store(url: str) -> Store:
    """``postgresql://…``, ``sqlite:FILE`` or just a file. Raises :class:`~keepclear.dss.store.DssStoreError`."""
    if url.startswith(POSTGRES_SCHEMES):
        return await PostgresStore.open(url)
    return SqliteStore(sqlite_path(url))


def sqlite_path(url: str) -> Path:
    """The file of a SQLite URL. Raises :class:`UsageError` for any other scheme."""
    for prefix in ("sqlite:///", "sqlite:"):
        if url.startswith(prefix):
            return Path(url.removeprefix(prefix))
    if "://" in url:
        raise UsageError(f"no database {url.partition('://')[0]}://…; write a file, sqlite:FILE or postgresql://…")
    return Path(url)
