"""Decisions from records and over the channel: ``python -m benchmarks.decisions_record``.

* A vote of 705 members by name, and one of 500 members with a signed position each, recomputed from a verified record;
  beside it what verifying the same record takes (its signatures and hashes), in the same run.
* A body of 193 members under silence over a channel of 194 parties, one for each member and the secretary's, with a
  receipt from each: every node fetches the text and pushes its receipt as nodes do; after the secretary's last entry
  every party exchanges with the secretary once, and its status must be the secretary's. Then what a further exchange
  takes when there is nothing new, and how large the charter is.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Callable, Generator, Sequence
from datetime import date
from typing import TypeVar

from keepclear.channel.entry import Draft, Reference
from keepclear.channel.protocol import exchange
from keepclear.channel.protocol.gate import Gate
from keepclear.channel.protocol.own_log import Node, append_own, make_lock
from keepclear.channel.protocol.wire import Ask, Keys
from keepclear.channel.record.verify import verify_export
from keepclear.decisions.acts import (
    DECISION_KIND,
    Accept,
    AnyAct,
    Circulate,
    Close,
    Constitute,
    Position,
    Received,
    Sheet,
    Table,
    encode_act,
    text_hash,
)
from keepclear.decisions.procedure.docket import Docket
from keepclear.decisions.procedure.procedure import status
from keepclear.decisions.procedure.reading import take_new
from keepclear.decisions.procedure.recomputation import recompute
from keepclear.decisions.procedure.registering import register_acts
from keepclear.decisions.rules.body import Body, Member, Representation, body_hash
from keepclear.decisions.rules.rulebook import find_rule
from keepclear.decisions.rules.stance import Outcome, Stance
from keepclear.decisions.vocabulary import State, Under
from keepclear.simulation.channel_record import Exercise, ExerciseFiles
from keepclear.simulation.memory_store import MemoryLock, MemoryStore
from keepclear.simulation.parties import CREATED_MS, exercise_charter, exercise_key, signed_by_all

T = TypeVar("T")
P, TITLE, TEXT, SINCE = "P-HUB-2023-0001", "A resolution", "The text.", date(2020, 1, 1)
DIGEST = text_hash(TITLE, TEXT, "en")
HOUR_MS = 3_600_000
ROUNDS = 7
IDLE = 20
"""Exchanges with nothing new."""


def speakers(parties: int) -> list[str]:
    return [f"p{number:03d}" for number in range(parties)]


def body_of(members: int, parties: Sequence[str], rule: str) -> Body:
    """Members spread over the parties; without any, the secretary alone writes down who said what."""
    return Body(
        id="body", name="A body", secretary="hub", rules=(find_rule(rule),),
        members=tuple(
            Member(
                id=f"m{number:03d}", from_date=SINCE,
                represented_by=tuple(
                    Representation(party=p, from_date=SINCE) for p in parties[number % len(parties or [0]) :][:1]
                ),
            )
            for number in range(members)
        ),
    )  # fmt: skip


def best_of(run: Callable[[], T]) -> tuple[float, float, T]:
    """The quickest of some: milliseconds of processor time and by the wall clock."""
    cpu, wall = [], []
    for _ in range(ROUNDS):
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        found = run()
        cpu.append(1_000 * (time.process_time() - cpu_s))
        wall.append(1_000 * (time.perf_counter() - wall_s))
    return min(cpu), min(wall), found


def write(exercise: Exercise, party: str, *acts: AnyAct, later_ms: int = 100) -> list[Reference]:
    start = len(exercise.records(party, 0))
    exercise.say(party, [Draft(DECISION_KIND, encode_act(act)) for act in acts], later_ms=later_ms)
    return [exercise.reference(party, start + number) for number in range(len(acts))]


def voted(members: int, parties: list[str]) -> Exercise:
    """A vote, in a room (without parties) or with a position of each member's party."""
    exercise, body = Exercise(("hub", *(parties or ["aa"])), seed=1), body_of(members, parties, "simple-majority")
    table = Table(proposal=P, body=body_hash(body), rule="simple-majority", title=TITLE, text=TEXT, language="en")
    closes_ms = CREATED_MS + HOUR_MS
    circulate = Circulate(proposal=P, version=1, text_hash=DIGEST, under=Under.VOTE, closes_ms=closes_ms)
    write(exercise, "hub", Constitute(body=body), table, circulate)
    stances = {
        m.id: (Stance.FOR, Stance.FOR, Stance.AGAINST, Stance.ABSTAIN)[n % 4] for n, m in enumerate(body.members)
    }
    if not parties:
        write(exercise, "hub", Sheet(proposal=P, version=1, text_hash=DIGEST, roll=stances))
    for party in parties:
        mine = [m.id for m in body.members if m.represented_by[0].party == party]
        write(exercise, party, Accept(body=body_hash(body)), *(
            Position(proposal=P, version=1, text_hash=DIGEST, member=m, stance=stances[m]) for m in mine
        ))  # fmt: skip
    docket = Docket(exercise.channel)
    for log in exercise.ids:
        start = 0
        while kept := exercise.records(log, start):
            docket.take(log, [k.record for k in kept])
            start += len(kept)
    for act in register_acts(docket, "hub"):
        write(exercise, "hub", act)
    write(exercise, "hub", Close(proposal=P, version=1, outcome=Outcome.ADOPTED), later_ms=2 * HOUR_MS)
    exercise.close()
    return exercise


def measure_record(what: str, exercise: Exercise, members: int) -> None:
    files = ExerciseFiles(exercise.files())
    verify_cpu, _, found = best_of(lambda: verify_export(files))
    assert found.verified, found.findings.kept
    cpu, wall, recomputed = best_of(lambda: recompute(files, found))
    (decision,) = recomputed.decisions
    assert decision.state is State.ADOPTED
    assert decision.tally is not None
    assert sum(decision.tally.counts.values()) == members
    assert not recomputed.faults
    entries = sum(log.size for log in found.logs)
    print(f"{what}, {entries:,} entries: recomputed in {cpu:.1f} ms of processor time ({wall:.1f} ms by the clock); "
          f"verifying the record takes {verify_cpu:.0f} ms, {verify_cpu / cpu:.1f} times as long")  # fmt: skip


class Line:
    """Nodes of one channel in memory; time is told."""

    def __init__(self, parties: Sequence[str]) -> None:
        self.charter = charter = exercise_charter(*parties)
        self.now_ms, self.bytes, self._salt = CREATED_MS, 0, 0
        self.nodes: dict[str, Node] = {}
        for party in parties:
            keys = Keys(party, *(exercise_key(party, purpose) for purpose in ("entry", "log", "mirror")))
            self.nodes[party] = Node(MemoryStore(charter), MemoryLock(), keys, Gate())
            make_lock(self.nodes[party], {}, now_ms=self.now_ms, by_operator=True)
        self.dockets = {party: Docket(self.nodes[party].store.channel) for party in parties}

    def say(self, party: str, *acts: AnyAct) -> None:
        drafts = [Draft(DECISION_KIND, encode_act(act)) for act in acts]
        self._salt += 1
        salts = [bytes([n % 256]) * 16 + self._salt.to_bytes(16, "big") for n in range(len(drafts))]
        append_own(self.nodes[party], drafts, clock=lambda: self.now_ms, salts=salts)

    def docket(self, party: str) -> Docket:
        take_new(self.dockets[party], self.nodes[party].store)
        return self.dockets[party]

    def exchange(self, one: str, other: str) -> None:
        """One: a check, and everything either side lacks."""
        checked = self._drive(exchange.check(self.nodes[one], other, bytes(32), lambda: self.now_ms), one, other)
        self._drive(exchange.catch_up(self.nodes[one], other, checked, lambda: self.now_ms), one, other)

    def push(self, one: str, other: str) -> None:
        """What a node does when it has written: its own log from where the other's copy ends."""
        node = self.nodes[one]
        cursor = self.nodes[other].store.state(one).size
        self._drive(exchange.push_log(node, other, one, cursor, lambda: self.now_ms), one, other)

    def _drive(self, talk: Generator[Ask, bytes, T], one: str, other: str) -> T:
        try:
            ask = next(talk)
            while True:
                answer = exchange.respond(self.nodes[other], one, ask, self.now_ms, lambda: self.now_ms)
                self.bytes += len(ask.body) + len(answer)
                ask = talk.send(answer)
        except StopIteration as stop:
            result: T = stop.value
            return result


def measure_silence(members: int, parties: list[str], *, broken: bool) -> None:
    line, body = Line(["hub", *parties]), body_of(members, parties, "silence")
    table = Table(proposal=P, body=body_hash(body), rule="silence", title=TITLE, text=TEXT, language="en")
    line.say("hub", Constitute(body=body), table)
    for party in parties:
        line.exchange(party, "hub")
    for party in parties:
        line.say(party, Accept(body=body_hash(body)), Received(proposal=P, version=1, text_hash=DIGEST))
        line.push(party, "hub")
    receipts = tuple(
        filed.reference for filed in line.docket("hub").about(P) if isinstance(filed.act, Received)
    )  # fmt: skip
    line.say("hub", Circulate(proposal=P, version=1, text_hash=DIGEST, under=Under.SILENCE,
                              closes_ms=line.now_ms + HOUR_MS, delivered=receipts))  # fmt: skip
    if broken:
        line.exchange(parties[-1], "hub")
        member = next(m.id for m in body.members if m.represented_by[0].party == parties[-1])
        objection = Position(proposal=P, version=1, text_hash=DIGEST, member=member, stance=Stance.BREAK_SILENCE)
        line.say(parties[-1], objection)
        line.exchange(parties[-1], "hub")
        for act in register_acts(line.docket("hub"), "hub"):
            line.say("hub", act)
    line.now_ms += HOUR_MS + 1
    line.say("hub", Close(proposal=P, version=1, outcome=Outcome.REJECTED if broken else Outcome.ADOPTED))
    expected = status(line.docket("hub"), P)
    cpu_ms, _, _ = best_of(lambda: status(line.docket("hub"), P))
    line.bytes, exact, begun_s = 0, 0, time.process_time()
    held = [len(line.docket(party).taken) for party in parties[:-1]]
    assert max(held) <= 2, "the secretary's log and their own: all others come with the one exchange"
    for party in parties:
        line.exchange(party, "hub")
        found = status(line.docket(party), P)
        exact += (found.state, found.tally, found.bound, found.missing) == (
            expected.state, expected.tally, expected.bound, (),
        )  # fmt: skip
    each_ms = 1_000 * (time.process_time() - begun_s) / len(parties)
    full_kb, line.bytes, begun_s = line.bytes / len(parties) / 1_000, 0, time.process_time()
    for party in parties[:IDLE]:
        line.exchange(party, "hub")
    idle_ms = 1_000 * (time.process_time() - begun_s) / IDLE
    largest = max(len(k.record.payload) for k in line.nodes["hub"].store.records("hub", 0))
    print(f"{members} members under silence, {len(parties) + 1} parties: {expected.state.value}; status in "
          f"{cpu_ms:.1f} ms; exact at {exact} of {len(parties)} parties after one exchange each "
          f"({full_kb:.0f} kB and {each_ms:.0f} ms each, both ends); with nothing new an exchange takes "
          f"{line.bytes / IDLE / 1_000:.0f} kB and {idle_ms:.1f} ms; the signed charter has "
          f"{len(signed_by_all(line.charter).encode()) / 1_000:.0f} kB, the largest entry {largest / 1_000:.1f} kB; "
          f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024:.0f} MB for all nodes")  # fmt: skip
    if exact != len(parties):
        sys.exit(1)


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    measure_record("705 members by name (a sheet)", voted(705, []), 705)
    measure_record("500 members, a signed position each", voted(500, speakers(31)), 500)
    measure_silence(193, speakers(193), broken=False)
    measure_silence(193, speakers(193), broken=True)


if __name__ == "__main__":
    main()
