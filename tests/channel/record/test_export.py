"""What nodes have exchanged is exported from either side's store and verifies, with what each has and has not."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from keepclear.channel.entry import Draft, Reference
from keepclear.channel.protocol import exchange, wire
from keepclear.channel.protocol.gate import Gate
from keepclear.channel.protocol.own_log import Node, append_own, make_lock
from keepclear.channel.record.export import export_files
from keepclear.channel.record.verify import verify_export
from keepclear.simulation.channel_record import ExerciseFiles
from keepclear.simulation.memory_store import MemoryLock, MemoryStore
from keepclear.simulation.parties import exercise_charter, exercise_key, signed_by_all

NOW_MS = 1_700_000_100_000


def clock() -> int:
    return NOW_MS


def drive(talk: Generator[Any, bytes, Any], other: Node, peer: str) -> Any:
    try:
        ask = next(talk)
        while True:
            ask = talk.send(exchange.respond(other, peer, ask, NOW_MS, clock))
    except StopIteration as stop:
        return stop.value


def test_both_sides_records_verify_and_show_what_was_held_and_answered() -> None:
    charter = exercise_charter("alpha", "bravo", "charlie")
    nodes = {}
    for number, party in enumerate(charter.ids):
        keys = wire.Keys(party, *(exercise_key(party, purpose) for purpose in ("entry", "log", "mirror")))
        nodes[party] = Node(MemoryStore(charter), MemoryLock(), keys, Gate())
        make_lock(nodes[party], {}, now_ms=NOW_MS, by_operator=True)
        append_own(nodes[party], [Draft("state", b"{}")], clock=clock, salts=[bytes([number]) * 32])

    def meet(one: str, other: str) -> None:
        checked = drive(exchange.check(nodes[one], other, bytes(32), clock), nodes[other], one)
        drive(exchange.catch_up(nodes[one], other, checked, clock), nodes[other], one)

    append_own(nodes["alpha"], [Draft("message", b'{"a":1}', to=("bravo",))], clock=clock, salts=[b"s" * 32])
    meet("alpha", "bravo")
    meet("alpha", "charlie")
    message = Reference("alpha", 1, nodes["bravo"].store.records("alpha", 1)[0].record.leaf.hex())
    answers = [Draft(kind, b"{}", to=("alpha",), re=(message,)) for kind in ("receipt", "answer")]
    append_own(nodes["bravo"], answers, clock=clock, salts=[b"t" * 32, b"u" * 32])
    for _ in range(2):
        meet("bravo", "alpha")
        meet("charlie", "alpha")
        meet("alpha", "bravo")

    first = signed_by_all(charter)
    records = {party: dict(export_files(node.store, first)) for party, node in nodes.items()}
    for party, files in records.items():
        found = verify_export(ExerciseFiles(files))
        assert found.verified, (party, [str(finding) for finding in found.findings.kept])
    found = verify_export(ExerciseFiles(records["alpha"]))
    assert {log.party: log.size for log in found.logs} == {"alpha": 2, "bravo": 3, "charlie": 1}
    assert found.logs[0].held["bravo"].size == 2
    assert found.levels["alpha"] == {"sent": 1, "HELD": 1, "SHOWN": 1, "READ_BACK": 0, "ANSWERED": 1}
    charlies = verify_export(ExerciseFiles(records["charlie"])).logs[0]
    assert (charlies.bodies, charlies.bodies_absent) == (1, 1), "the message was not for charlie"
