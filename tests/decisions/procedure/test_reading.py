"""What a node's store holds of decisions is read from every log that any charter has named."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from keepclear.channel.charter import charter_hash
from keepclear.channel.entry import Draft
from keepclear.channel.protocol import wire
from keepclear.channel.protocol.gate import Gate
from keepclear.channel.protocol.own_log import Node, append_own, make_lock
from keepclear.decisions.acts import DECISION_KIND, Withdraw, encode_act
from keepclear.decisions.procedure.docket import Docket
from keepclear.decisions.procedure.reading import take_new
from keepclear.edge.channel.store import ChannelStore
from keepclear.simulation.memory_store import MemoryLock
from keepclear.simulation.parties import CREATED_MS, exercise_charter, exercise_key


def test_a_party_that_has_left_is_still_read(tmp_path: Path) -> None:
    first = exercise_charter("alfa", "bravo", "charlie")
    staying = tuple(party for party in first.parties if party.id != "charlie")
    second = replace(first, parties=staying, serial=1, previous=charter_hash(first).hex())
    keys = wire.Keys("charlie", *(exercise_key("charlie", purpose) for purpose in ("entry", "log", "mirror")))
    act = Withdraw(proposal="P-CHARLIE-2026-0001")
    with ChannelStore.open(tmp_path / "store.db", first) as store:
        node = Node(store, MemoryLock(), keys, Gate())
        make_lock(node, {}, now_ms=CREATED_MS, by_operator=True)
        draft = Draft(DECISION_KIND, encode_act(act))
        append_own(node, [draft], clock=lambda: CREATED_MS, salts=[b"s" * 32])
        store.learn(second)
        assert "charlie" not in store.charters()[-1].ids
        assert [filed.act for filed in take_new(Docket(store.channel), store)] == [act]
