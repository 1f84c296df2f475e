"""Many threads write one log: all of it is there, in order, with fewer flushes than appends."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from keepclear.channel.entry import Draft
from keepclear.channel.protocol.fsck import fsck
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
