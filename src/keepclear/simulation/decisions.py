"""Bodies that decide over a channel on which everything goes wrong, from one seed: the same seed, the same run.

The network, the crashes, the restored backups, the wrong clocks and the party that tells two histories are those of
:mod:`keepclear.simulation.channel`; what parties write on it, those of :mod:`keepclear.simulation.delegations`. First
all goes wrong, then the network has healed and what was begun is brought to an end, with nodes that are behind. What
must hold: whoever holds the same logs shows the same, after healing all do, and nothing follows from what was not
adopted.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations

from keepclear.channel.entry import Draft
from keepclear.decisions.acts import DECISION_KIND, encode_act
from keepclear.decisions.procedure.authority import Standing, authority
from keepclear.decisions.procedure.docket import Docket, origin
from keepclear.decisions.procedure.reading import take_new
from keepclear.decisions.procedure.registering import register_acts
from keepclear.decisions.procedure.status import Status
from keepclear.decisions.vocabulary import State
from keepclear.simulation.channel import DURATION_MS, START_MS, Breach, Host, World
from keepclear.simulation.decision_invariants import came_about, check_contrary, check_in_force, check_reached
from keepclear.simulation.delegations import SUBJECT, Delegations, applications, statuses
from keepclear.simulation.memory_store import MemoryStore

__all__ = ["Sitting", "sit"]

ROUNDS = 6
"""In which what was begun is brought to an end."""
ACTS_AT_ONCE = 5


@dataclass(slots=True)
class Sitting:
    """What a run amounted to."""

    seed: int
    acts: int = 0
    states: Counter[str] = field(default_factory=Counter)
    """in which proposals ended"""
    met: Counter[str] = field(default_factory=Counter)
    """what came about, once a run"""
    void: int = 0
    contradictions: int = 0
    comparisons: int = 0
    """of two nodes that held the same logs"""
    forks: int = 0
    unlike: int = 0
    """statuses that were left open at some nodes only, because a forked log was theirs to hold in one branch"""


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a node says."""

    statuses: dict[str, Status]
    standings: dict[str, Standing]
    applications: dict[str, object]


class _Council(World):
    def __init__(self, seed: int, dishonest: bool) -> None:
        super().__init__(seed, dishonest)
        self.sitting = Sitting(seed)
        self._prepared: list[Draft] | None = None
        self._dockets: dict[str, tuple[MemoryStore | None, Docket]] = {}
        self.delegations = Delegations(self.rng, list(self.keys), self.honest)
        self.secretaries = sorted({str(body.secretary) for body in self.delegations.bodies.values()})

    def docket(self, host: Host, *, afresh: bool = False) -> Docket:
        """As the node has it, growing with its logs; after a restored backup, and ``afresh``, read from the start."""
        store, kept = self._dockets.get(host.name, (None, Docket("")))
        if store is not host.store or afresh:
            kept = Docket(host.store.channel)
            self._dockets[host.name] = host.store, kept
        take_new(kept, host.store)
        return kept

    def drafts(self, host: Host, size: int, others: list[str]) -> list[Draft]:
        """The next acts of a party, on what it can read."""
        if self._prepared is not None:
            return self._prepared
        acts = list(self.delegations.acts(host.party, self.docket(host), self.clock(host)))[:ACTS_AT_ONCE]
        self.sitting.acts += len(acts)
        return [Draft(DECISION_KIND, encode_act(act)) for act in acts]

    # What must hold.

    def check_safety(self) -> None:
        super().check_safety()
        self.compare()

    def compare(self) -> dict[str, _Shown]:
        """Two honest nodes with the same logs and proofs show the same; without a liar, no two say contrary things."""
        shown: dict[str, _Shown] = {}
        holding: dict[str, tuple[object, ...]] = {}
        for number, party in enumerate(self.honest):
            store = self.hosts[party].store
            docket = self.docket(self.hosts[party], afresh=number == 0)
            shown[party] = self._show(docket)
            heads = tuple(store.state(log).head for log in self.keys)
            bodies = tuple(tuple(store.wanted(log)) for log in self.keys)
            holding[party] = heads, bodies, frozenset(proof.encode() for proof in store.forks())
        for one, other in combinations(self.honest, 2):
            if holding[one] == holding[other]:
                self.sitting.comparisons += 1
                if shown[one] != shown[other]:
                    raise Breach(f"{one} and {other} hold the same logs and show different things")
            if not self.liar:
                check_contrary(one, shown[one].statuses, other, shown[other].statuses)
        return shown

    def _show(self, docket: Docket) -> _Shown:
        """What follows is asked at a time of the run that is the same for all."""
        found = {each.proposal: each for each in statuses(docket)}
        standings = {number: authority(docket, number, self.now_ms, subject=SUBJECT) for number in found}
        made = {each.number: each for each in applications(docket)}
        for each in found.values():
            check_reached(docket, each)
        check_in_force(docket, found, standings, made.values(), self.now_ms)
        stages = {number: (each.stage, each.steps, each.void) for number, each in made.items()}
        return _Shown(found, standings, dict(stages))

    def bring_to_an_end(self) -> None:
        """The network works, but not everybody meets everybody; the secretaries' clocks go on."""
        rng, self.delegations.closing = self.rng, True
        for number in range(ROUNDS):
            for host in rng.sample(list(self.hosts.values()), len(self.hosts)):
                self.write(host)
                for secretary in self.secretaries:
                    known = host.party != secretary and self.host_for(host.party, secretary) is host
                    if known and rng.random() < 0.8:
                        self.meet(host, secretary)
                        self.play(self.now_ms + 50)
            self.play(self.now_ms + rng.randint(500, 6_000))
            if number % 3 == 2:
                self.check_safety()

    def settle(self) -> None:
        """After healing the secretaries receive what waits and let every deadline pass; all exchange again."""
        for wait_ms in (0, 60_000):
            self.now_ms += wait_ms
            for secretary in self.secretaries:
                host = self.hosts[secretary]
                acts = register_acts(self.docket(host), secretary)
                drafts = [Draft(DECISION_KIND, encode_act(act)) for act in acts]
                self.write_now(host, drafts or [Draft("message", b"{}")])
        self.heal()

    def write_now(self, host: Host, drafts: list[Draft]) -> None:
        self._prepared = drafts
        self.write(host)
        self._prepared = None

    def check_settled(self) -> None:
        shown = {party: each.statuses for party, each in self.compare().items()}
        first = shown[self.honest[0]]
        for party, others in shown.items():
            for number in {*first, *others}:
                one, other = first.get(number), others.get(number)
                if one is None or other is None or one.state is not other.state or one.outcome is not other.outcome:
                    states = {one.state if one else None, other.state if other else None}
                    if not (self._left_open(number, one) or self._left_open(number, other)):
                        raise Breach(f"after healing {self.honest[0]} and {party} show {states} of {number}")
                    self.sitting.unlike += 1
        for found in first.values():
            self.sitting.states[found.state.value] += 1
            self.sitting.void += len(found.void)
            self.sitting.contradictions += len(found.contradictions)
        docket = self.docket(self.hosts[self.honest[0]])
        self.sitting.met.update(dict.fromkeys(came_about(docket, first, self.now_ms, SUBJECT), 1))
        self.sitting.forks = self.run.forks

    def _left_open(self, number: str, found: Status | None) -> bool:
        """Whether one has no outcome for want of what only the liar wrote: a history that it told others, or a proof of
        where its histories part. Nothing else excuses a difference, and two outcomes are never excused."""
        if found is None:
            return origin(number) == self.liar
        authors = {found.tabled.party, found.body.secretary if found.body else None}
        return (
            found.state is State.INCOMPLETE
            and bool(found.missing)
            and all(
                f" of {self.liar}" in each.what or (each.what.startswith("the text of") and self.liar in authors)
                for each in found.missing
            )
        )


def sit(seed: int, *, dishonest: bool = False) -> Sitting:
    """One run; raises :class:`Breach`."""
    council = _Council(seed, dishonest)
    rng = council.rng
    for host in council.hosts.values():
        turns = rng.randint(2, 5) + (6 if host.party in council.secretaries else 0)
        for _ in range(turns):
            council.at(rng.uniform(0, DURATION_MS), partial(council.write, host))
        for peer in council.keys:
            if peer != host.party and council.host_for(host.party, peer) is host:
                for _ in range(rng.randint(0, 2)):
                    council.at(rng.uniform(0, DURATION_MS), partial(council.meet, host, peer))
    for _ in range(rng.randint(0, 6)):
        council.at(rng.uniform(0, DURATION_MS), council.disturb)
    for part in range(1, 3):
        council.play(START_MS + DURATION_MS * part // 2)
        council.check_safety()
    council.heal()
    council.bring_to_an_end()
    council.settle()
    council.check_healed()
    council.check_settled()
    return council.sitting
