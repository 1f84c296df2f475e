"""A body that decides over a channel on which everything goes wrong, from one seed: the same seed, the same run.

The network, the crashes, the restored backups, the wrong clocks and the party that tells two histories are those of
:mod:`keepclear.simulation.channel`. On it a secretary and members table, circulate, amend, extend, take positions twice
and late, through two representatives and on wrong texts. What must hold: whoever holds the same logs shows the same,
and after healing all do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import combinations

from keepclear.channel.entry import Draft
from keepclear.decisions.acts import (
    DECISION_KIND,
    Accept,
    Amend,
    AnyAct,
    Circulate,
    Close,
    Commit,
    Constitute,
    Extend,
    Open,
    Position,
    Received,
    Sheet,
    Table,
    Withdraw,
    encode_act,
    text_hash,
)
from keepclear.decisions.procedure.ballot import seal
from keepclear.decisions.procedure.docket import Docket, origin
from keepclear.decisions.procedure.opening import way_of
from keepclear.decisions.procedure.procedure import status
from keepclear.decisions.procedure.reading import take_new
from keepclear.decisions.procedure.receipts import receipts_of
from keepclear.decisions.procedure.registering import register_acts
from keepclear.decisions.procedure.status import Status
from keepclear.decisions.rules.body import Body, Member, Representation, body_hash
from keepclear.decisions.rules.rulebook import find_rule
from keepclear.decisions.rules.stance import Outcome, Stance
from keepclear.decisions.vocabulary import Ballot, State, Under
from keepclear.simulation.channel import DURATION_MS, START_MS, Breach, Host, World
from keepclear.simulation.memory_store import MemoryStore

__all__ = ["Sitting", "sit"]

RULES = ("silence", "consensus", "unanimity", "simple-majority", "absolute-majority", "eu-unanimity")
SINCE = date(2000, 1, 1)
LANGUAGE, TITLE = "en", "A zone"
ENDED = (State.ADOPTED, State.MOVED, State.WITHDRAWN)


@dataclass(slots=True)
class Sitting:
    """What a run amounted to."""

    seed: int
    acts: int = 0
    states: Counter[str] = field(default_factory=Counter)
    """in which proposals ended"""
    void: int = 0
    contradictions: int = 0
    comparisons: int = 0
    """of two nodes that held the same logs"""
    forks: int = 0
    unlike: int = 0
    """statuses that were left open at some nodes only, because a forked log was theirs to hold in one branch"""


class _Council(World):
    def __init__(self, seed: int, dishonest: bool) -> None:
        super().__init__(seed, dishonest)
        self.sitting = Sitting(seed)
        self._prepared: list[Draft] | None = None
        self._dockets: dict[str, tuple[MemoryStore | None, Docket]] = {}
        parties, rng = list(self.keys), self.rng
        self.secretary = rng.choice(parties)
        members = []
        for number in range(rng.randint(2, 5)):
            speakers = rng.sample(parties, 2 if len(parties) > 1 and rng.random() < 0.25 else 1)
            until = date(2023, 11, 14) if rng.random() < 0.05 else None  # the day of the run
            members.append(Member(
                id=f"m{number}", from_date=SINCE, until_date=until,
                represented_by=tuple(Representation(party=p, from_date=SINCE) for p in speakers),
            ))  # fmt: skip
        self.body = Body(id="council", name="Council", secretary=self.secretary, members=tuple(members),
                         rules=tuple(find_rule(r) for r in RULES))  # fmt: skip
        self.digest = body_hash(self.body)

    def docket(self, host: Host, *, afresh: bool = False) -> Docket:
        """As the node has it, growing with its logs; after a restored backup, and ``afresh``, read from the start."""
        store, kept = self._dockets.get(host.name, (None, Docket("")))
        if store is not host.store or afresh:
            kept = Docket(host.store.channel)
            self._dockets[host.name] = host.store, kept
        take_new(kept, host.store)
        return kept

    def drafts(self, host: Host, size: int, others: list[str]) -> list[Draft]:
        """Up to four acts of a party, on what it can read."""
        if self._prepared is not None:
            return self._prepared
        acts = list(self._acts(host, self.docket(host)))[:4]
        self.sitting.acts += len(acts)
        return [Draft(DECISION_KIND, encode_act(act)) for act in acts]

    def _acts(self, host: Host, docket: Docket) -> Iterator[AnyAct]:
        rng, party = self.rng, host.party
        if self.digest not in docket.bodies():
            yield Constitute(body=self.body)
        elif party not in docket.accepted(self.digest):
            yield Accept(body=self.digest)
        number = f"P-{party.upper()}-2023-0001"
        if number not in docket.proposals() and (party == self.secretary or rng.random() < 0.15):
            rule = rng.choice(RULES)
            yield Table(proposal=number, body=self.digest, rule=rule, title=TITLE, text="Text 1.", language=LANGUAGE,
                        expires_ms=self.clock(host) + 20_000 if rng.random() < 0.05 else None)  # fmt: skip
        if party == self.secretary:
            yield from register_acts(docket, party)
        for found in _statuses(docket):
            if not found.faults or rng.random() < 0.1:
                yield from self._on(host, docket, found)

    def _on(self, host: Host, docket: Docket, found: Status) -> Iterator[AnyAct]:
        """What a party does about one proposal."""
        rng, party, number = self.rng, host.party, found.proposal
        last, now_ms = found.round, self.clock(host)
        if party == self.secretary:
            yield from self._lead(docket, found, now_ms)
        if found.state in (State.TABLED, State.RE_TABLED) and rng.random() < 0.9:
            yield Received(proposal=number, version=found.version, text_hash=found.text_hash)
        if rng.random() < 0.06 and party == found.tabled.party:
            yield self._amend(found) if rng.random() < 0.7 else Withdraw(proposal=number)
        if last is None or found.state in ENDED or rng.random() < 0.15:
            return
        for member in self.body.members:
            spoken = party in (r.party for r in member.represented_by)
            if (not spoken and rng.random() > 0.03) or rng.random() < 0.4:
                continue
            stance = rng.choice([Stance.FOR] * 20 + list(Stance))
            nonce = text_hash(number, member.id, LANGUAGE)
            if last.ballot is Ballot.SECRET and rng.random() < 0.95:
                vote = Stance.FOR if int(nonce[0], 16) < 12 else Stance.AGAINST
                sealed = seal(docket.channel, number, last.version, last.text_hash, member.id, vote, nonce)
                if now_ms <= last.closes_ms:
                    yield Commit(proposal=number, version=last.version, member=member.id, commitment=sealed)
                else:
                    yield Open(proposal=number, version=last.version, member=member.id, stance=vote, nonce=nonce)
                continue
            declares = stance is Stance.QUALIFIED_ABSTAIN or rng.random() < 0.05
            yield Position(
                proposal=number, version=last.version, member=member.id, stance=stance,
                text_hash=last.text_hash if rng.random() < 0.95 else "0" * 64,
                statement="As we understand it." if declares else "", language=LANGUAGE if declares else None,
            )  # fmt: skip

    def _lead(self, docket: Docket, found: Status, now_ms: int) -> Iterator[AnyAct]:
        """What the secretary does about it."""
        rng, number, last = self.rng, found.proposal, found.round
        chance = rng.random()
        if found.rule is None or found.state in ENDED:
            return
        receipts = tuple(receipts_of(docket, number, found.version, found.text_hash).values())
        ready = chance < (0.9 if len(receipts) >= len(self.keys) - 1 else 0.25)
        if found.state in (State.TABLED, State.RE_TABLED, State.LAPSED) and ready:
            closes_ms = now_ms + rng.randint(1_000, 12_000)
            secret = way_of(found.rule) is Under.VOTE and rng.random() < 0.3
            yield Circulate(
                proposal=number, version=found.version, text_hash=found.text_hash, under=way_of(found.rule),
                closes_ms=closes_ms, delivered=receipts, ballot=Ballot.SECRET if secret else Ballot.OPEN,
                open_by_ms=closes_ms + 6_000 if secret else None,
            )  # fmt: skip
        elif last is None:
            return
        elif found.state.open and chance < 0.08:
            yield Extend(proposal=number, version=last.version, closes_ms=last.closes_ms + rng.randint(-2_000, 5_000),
                         reason="asked for")  # fmt: skip
        elif chance < 0.12:
            yield self._amend(found)
        elif found.state.open and chance < 0.16:
            roll = {member: rng.choice(list(Stance)) for member in last.members}
            yield Sheet(proposal=number, version=last.version, text_hash=last.text_hash, roll=roll)
        elif chance < 0.3:
            yield Close(proposal=number, version=last.version, outcome=rng.choice(list(Outcome)))

    def _amend(self, found: Status) -> Amend:
        version = found.version + 1
        return Amend(proposal=found.proposal, version=version, title=TITLE, text=f"Text {version}.", language=LANGUAGE)

    # What must hold.

    def check_safety(self) -> None:
        super().check_safety()
        self.compare()

    def compare(self) -> dict[str, dict[str, Status]]:
        """Two honest nodes with the same logs and proofs show the same; without a liar, no two say contrary things."""
        shown: dict[str, dict[str, Status]] = {}
        holding: dict[str, tuple[object, ...]] = {}
        for number, party in enumerate(self.honest):
            store = self.hosts[party].store
            docket = self.docket(self.hosts[party], afresh=number == 0)
            shown[party] = {found.proposal: found for found in _statuses(docket)}
            heads = tuple(store.state(log).head for log in self.keys)
            bodies = tuple(tuple(store.wanted(log)) for log in self.keys)
            holding[party] = heads, bodies, frozenset(proof.encode() for proof in store.forks())
        for one, other in combinations(self.honest, 2):
            if holding[one] == holding[other]:
                self.sitting.comparisons += 1
                if shown[one] != shown[other]:
                    raise Breach(f"{one} and {other} hold the same logs and show different things")
            if not self.liar:
                _check_contrary(one, shown[one], other, shown[other])
        return shown

    def settle(self) -> None:
        """After healing the secretary receives what waits and lets every deadline pass; all exchange again."""
        host = self.hosts[self.secretary]
        for wait_ms in (0, 60_000):
            self.now_ms += wait_ms
            docket = self.docket(host)
            acts: Iterable[AnyAct] = register_acts(docket, self.secretary)
            drafts = [Draft(DECISION_KIND, encode_act(act)) for act in acts]
            self.write_now(host, drafts or [Draft("message", b"{}")])
        self.heal()

    def write_now(self, host: Host, drafts: list[Draft]) -> None:
        self._prepared = drafts
        self.write(host)
        self._prepared = None

    def check_settled(self) -> None:
        shown = self.compare()
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
        self.sitting.forks = self.run.forks

    def _left_open(self, number: str, found: Status | None) -> bool:
        """Whether one has no outcome for want of what only the liar wrote: a history that it told others, or a proof of
        where its histories part. Nothing else excuses a difference, and two outcomes are never excused."""
        if found is None:
            return origin(number) == self.liar
        authors = {found.tabled.party, self.secretary}
        return (
            found.state is State.INCOMPLETE
            and bool(found.missing)
            and all(
                f" of {self.liar}" in each.what or (each.what.startswith("the text of") and self.liar in authors)
                for each in found.missing
            )
        )


def _statuses(docket: Docket) -> Iterator[Status]:
    for number in docket.proposals():
        if any(isinstance(filed.act, Table) for filed in docket.about(number)):
            yield status(docket, number)


def _check_contrary(one: str, shown: dict[str, Status], other: str, others: dict[str, Status]) -> None:
    """Also of those who hold different parts of the logs: what each says of a circulation that it saw the end of."""
    for number in shown.keys() & others.keys():
        if shown[number].missing or others[number].missing:
            continue
        ended = {r.circulated.leaf: r.state for r in others[number].rounds if r.finished}
        for found in shown[number].rounds:
            if found.finished and ended.get(found.circulated.leaf, found.state) is not found.state:
                raise Breach(f"{one} says {found.state} of {number}, {other} {ended[found.circulated.leaf]}")


def sit(seed: int, *, dishonest: bool = False) -> Sitting:
    """One run; raises :class:`Breach`."""
    council = _Council(seed, dishonest)
    rng = council.rng
    for host in council.hosts.values():
        turns = rng.randint(2, 5) + (7 if host.party == council.secretary else 0)
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
    council.settle()
    council.check_healed()
    council.check_settled()
    return council.sitting
