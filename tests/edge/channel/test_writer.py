"""Many threads write one log: all of it is there, in order, with fewer flushes than appends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from keepclear.channel.entry import Draft
from keepclear.channel.protocol.fsck import fsck
from keepclear.channel.protocol.own_log import Written
from keepclear.channel.store import Batch
from keepclear.edge.channel.store import ChannelLock, ChannelStore
from keepclear.edge.channel.writer import ChannelWriter
from keepclear.errors import InputError
from keepclear.simulation.parties import exercise_charter
from tests.channel.line import clock, new_node

CHARTER = exercise_charter("alfa", "bravo")


def test_threads_that_wait_go_together_and_each_gets_its_own_entries(tmp_path: Path) -> None:
    with ChannelStore.open(tmp_path / "c.sqlite", CHARTER) as store, ChannelLock.open(tmp_path / "l.sqlite") as lock:
        node = new_node("alfa", CHARTER, store, lock)
        writer = ChannelWriter(node, clock)
        refused: list[int] = []

        def work(number: int) -> None:
            for k in range(20):
                bodies = [b"%d %d %d" % (number, k, part) for part in range(2)]
                kept = writer.append([Draft("message", b) for b in bodies])
                assert [x.record.body for x in kept] == bodies
                assert store.records("alfa", kept[0].seq, count_max=2) == kept
            with pytest.raises(InputError):
                writer.append([Draft("Not a kind", b"")])
            refused.append(number)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(refused) == list(range(8))
        assert store.state("alfa").size == 320
        assert list(fsck(store, "alfa", lock)) == []


def test_what_the_lock_has_may_be_sent_while_the_store_still_writes(tmp_path: Path) -> None:
    with ChannelStore.open(tmp_path / "c.sqlite", CHARTER) as store, ChannelLock.open(tmp_path / "l.sqlite") as lock:
        seen: list[tuple[int, int]] = []
        waits: list[Callable[[], object]] = []

        def written(given: Written) -> None:
            locked = lock.read()
            assert locked is not None
            assert [k.record for k in given.kept] == list(locked.records)
            seen.append((locked.head.size, store.state("alfa").size))
            waits.append(given.settled)

        writer = ChannelWriter(new_node("alfa", CHARTER, store, lock), clock, on_written=written)
        writer.append([Draft("message", b"one"), Draft("message", b"two")])
        writer.append([Draft("message", b"three")])
        assert seen == [(2, 0), (3, 2)]
        assert all(wait() for wait in waits)
        assert store.state("alfa").size == 3


def test_of_two_instances_with_one_store_and_a_lock_each_the_later_sends_nothing_that_does_not_follow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "c.sqlite"
    with (
        ChannelStore.open(path, CHARTER) as store,
        ChannelStore.open(path) as other,
        ChannelLock.open(tmp_path / "one.sqlite") as one,
        ChannelLock.open(tmp_path / "two.sqlite") as two,
    ):
        writer = ChannelWriter(new_node("alfa", CHARTER, store, one), clock)
        sent: list[Written] = []
        late = ChannelWriter(new_node("alfa", CHARTER, other, two), clock, on_written=sent.append)
        append = other.append

        def overtaken(batch: Batch, claimed: Callable[[], None]) -> None:
            if not store.state("alfa").size:
                writer.append([Draft("message", b"first")])
            append(batch, claimed)

        monkeypatch.setattr(other, "append", overtaken)
        late.append([Draft("message", b"second")])
        assert [w.kept[0].seq for w in sent] == [1]
        assert list(fsck(store, "alfa", two)) == []
