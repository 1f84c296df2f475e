"""What the parties of simulated bodies write: secretaries that lead, members that answer, keep silent, or get it wrong.

Two bodies, so that two keys can be turned. Some runs are unruly: everybody acts on a whim, late, twice, on wrong texts.
In the others most members do what members do, and things end as bodies end them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from random import Random

from keepclear.decisions.acts import (
    Accept,
    Amend,
    AnyAct,
    Apply,
    Circulate,
    Close,
    Commit,
    Constitute,
    Extend,
    Open,
    Position,
    Received,
    Sheet,
    StageReached,
    Table,
    Withdraw,
    text_hash,
)
from keepclear.decisions.procedure.application import Application, application
from keepclear.decisions.procedure.ballot import seal
from keepclear.decisions.procedure.docket import Docket
from keepclear.decisions.procedure.opening import way_of
from keepclear.decisions.procedure.procedure import status
from keepclear.decisions.procedure.receipts import receipts_of
from keepclear.decisions.procedure.registering import register_acts
from keepclear.decisions.procedure.status import Round, Status
from keepclear.decisions.rules.body import Body, Member, Representation, body_hash
from keepclear.decisions.rules.rulebook import find_rule
from keepclear.decisions.rules.stance import Outcome, Stance
from keepclear.decisions.vocabulary import Ballot, Effect, Request, Stage, State, Under
from keepclear.simulation.channel_network import START_MS

__all__ = ["SUBJECT", "Delegations", "applications", "statuses"]

RULES = ("silence", "consensus", "unanimity", "simple-majority", "absolute-majority", "two-thirds", "eu-unanimity")
SINCE, DAY = date(2000, 1, 1), date(2023, 11, 14)
"""the second is the day of the run"""
LANGUAGE, TITLE, SUBJECT = "en", "A zone", "NFZ-1"
ENDED = (State.ADOPTED, State.MOVED, State.WITHDRAWN)
FAILED = (State.BROKEN, State.CONSULTATION, State.REJECTED)
PROPOSALS_MAX = 2
"""Of one party in one run."""


def statuses(docket: Docket) -> Iterator[Status]:
    for number in docket.proposals():
        if any(isinstance(filed.act, Table) for filed in docket.about(number)):
            yield status(docket, number)


def applications(docket: Docket) -> Iterator[Application]:
    for number in docket.applications():
        if any(isinstance(filed.act, Apply) for filed in docket.about(number)):
            yield application(docket, number)


class Delegations:
    def __init__(self, rng: Random, parties: list[str], honest: list[str]) -> None:
        self.rng, self.parties = rng, parties
        self.leading = honest if rng.random() < 0.7 else parties
        """who may be a secretary: of a body whose secretary tells two histories little comes"""
        self.orderly = rng.random() < 0.75
        self.closing = False
        """what was begun is brought to an end, and little is begun anew"""
        self.bodies: dict[str, Body] = {}
        for name in ("council", "senate"):
            body = self._new_body(name)
            self.bodies[body_hash(body)] = body
        self.council, self.senate = self.bodies
        self.second_key = f"P-{str(self.bodies[self.senate].secretary).upper()}-{DAY.year}-0009"
        """under which the senate's secretary tables what the council wants a second key to"""

    def _new_body(self, name: str) -> Body:
        rng, members = self.rng, []
        for number in range(rng.randint(2, 5) if name == "council" else 2):
            speakers = rng.sample(self.parties, 2 if rng.random() < 0.15 else 1)
            members.append(Member(
                id=f"m{number}", from_date=SINCE, until_date=DAY if rng.random() < 0.05 else None,
                represented_by=tuple(Representation(party=p, from_date=SINCE) for p in speakers),
            ))  # fmt: skip
        return Body(id=name, name=name.title(), secretary=rng.choice(self.leading), members=tuple(members),
                    rules=tuple(find_rule(r) for r in RULES))  # fmt: skip

    def _is_amiss(self, chance: float) -> bool:
        """Whether something goes otherwise than it should: seldom where all is orderly."""
        return self.rng.random() < (chance / 5 if self.orderly else chance)

    def acts(self, party: str, docket: Docket, now_ms: int) -> Iterator[AnyAct]:
        """What the party might write now, on what it can read."""
        rng = self.rng
        for digest, body in self.bodies.items():
            if digest not in docket.bodies():
                yield Constitute(body=body)
            elif party not in docket.accepted(digest):
                yield Accept(body=digest)
        yield from register_acts(docket, party)
        known = {found.proposal: found for found in statuses(docket)}
        for found in known.values():
            if not found.faults or rng.random() < 0.1:
                yield from self._on(party, docket, found, now_ms)
        for made in applications(docket):
            yield from self._advance(party, made, known)
        if not docket.applications() and rng.random() < 0.1:
            yield Apply(application=docket.number("A", party, DAY.year), applicant="A", body=self.council, subject="S",
                        kind=Request.MEASURE, basis="Article 1", language=LANGUAGE)  # fmt: skip
        yield from self._table(party, docket, known)

    def _table(self, party: str, docket: Docket, known: dict[str, Status]) -> Iterator[AnyAct]:
        """A new text; now and then the second key to another one, or the end of one that was adopted."""
        rng, start = self.rng, f"P-{party.upper()}-{DAY.year}-"
        own = sum(number.startswith(start) for number in known)
        key = next((found for found in known.values() if self._wants_key(found, known)), None)
        if key is not None and party == self.bodies[self.senate].secretary:
            number, first = self.second_key, key.texts[0]
            yield Table(proposal=number, body=self.senate, rule=rng.choice(RULES), title=first.title, text=first.text,
                        language=LANGUAGE, authorises=(SUBJECT,), key_of=key.proposal)  # fmt: skip
            return
        council = (found for found in known.values() if getattr(found.tabled.act, "body", "") == self.council)
        ended = [found.proposal for found in council if found.state is State.ADOPTED]
        likely = 0.5 if ended else 0.0 if own or self.closing else 0.5
        if own >= PROPOSALS_MAX or rng.random() > likely:
            return
        number = f"{start}{own + 1:04d}"
        yield Table(
            proposal=number, body=self.council, rule=rng.choice(RULES), title=TITLE, text=f"Text 1 of {number}.",
            language=LANGUAGE, expires_ms=START_MS + 40_000 if rng.random() < 0.03 else None,
            effect=Effect.ADVISORY if rng.random() < 0.1 else Effect.BINDING,
            authorises=(SUBJECT,) if rng.random() < 0.7 else (),
            key_of=self.second_key if not self.closing and rng.random() < 0.6 else None,
            revokes=tuple(ended[:1]) if rng.random() < 0.7 else (),
        )  # fmt: skip

    def _wants_key(self, found: Status, known: dict[str, Status]) -> bool:
        table = found.tabled.act
        assert isinstance(table, Table)
        return table.body == self.council and table.key_of is not None and table.key_of not in known

    def _on(self, party: str, docket: Docket, found: Status, now_ms: int) -> Iterator[AnyAct]:
        """What a party does about one proposal."""
        rng, number, last = self.rng, found.proposal, found.round
        if found.body is not None and party == found.body.secretary:
            yield from self._lead(docket, found, now_ms)
        had = receipts_of(docket, number, found.version, found.text_hash)
        if found.state in (State.TABLED, State.RE_TABLED) and party not in had and not self._is_amiss(0.15):
            yield Received(proposal=number, version=found.version, text_hash=found.text_hash)
        if party == found.tabled.party and found.state in FAILED and not self._is_amiss(0.5):
            yield self._amend(found)
        elif party == found.tabled.party and self._is_amiss(0.06):
            yield self._amend(found) if rng.random() < 0.7 else Withdraw(proposal=number)
        if last is None or found.state in ENDED or found.body is None or self._is_amiss(0.15):
            return
        answered = {counted.member for counted in last.counted} if self.orderly and rng.random() < 0.9 else set()
        for member in found.body.members:
            spoken = party in (r.party for r in member.represented_by)
            if (spoken or self._is_amiss(0.03)) and member.id not in answered and not self._is_amiss(0.4):
                yield from self._answer(docket, found, last, member.id, now_ms)

    def _answer(self, docket: Docket, found: Status, last: Round, member: str, now_ms: int) -> Iterator[AnyAct]:
        """A member's vote, sealed or open; under silence most say nothing."""
        rng, number = self.rng, found.proposal
        stance = rng.choice([Stance.FOR] * (60 if self.orderly else 20) + list(Stance))
        nonce = text_hash(number, member, LANGUAGE)
        if last.ballot is Ballot.SECRET and not self._is_amiss(0.1):
            vote = Stance.FOR if int(nonce[0], 16) < 12 else Stance.AGAINST
            sealed = seal(docket.channel, number, last.version, last.text_hash, member, vote, nonce)
            if now_ms > last.closes_ms:
                yield Open(proposal=number, version=last.version, member=member, stance=vote, nonce=nonce)
            elif member not in last.sealed:
                yield Commit(proposal=number, version=last.version, member=member, commitment=sealed)
            return
        if last.under is Under.SILENCE:
            objects = last.version == 1 and rng.random() < 0.2
            if self.orderly and not objects:
                return
            stance = Stance.BREAK_SILENCE if objects else stance
        declares = stance is Stance.QUALIFIED_ABSTAIN or rng.random() < 0.05
        yield Position(
            proposal=number, version=last.version, member=member, stance=stance,
            text_hash="0" * 64 if self._is_amiss(0.05) else last.text_hash,
            statement="As we understand it." if declares else "", language=LANGUAGE if declares else None,
        )  # fmt: skip

    def _lead(self, docket: Docket, found: Status, now_ms: int) -> Iterator[AnyAct]:
        """What the secretary does about it."""
        rng, number, last = self.rng, found.proposal, found.round
        if found.rule is None or found.body is None or found.state in ENDED:
            return
        receipts = receipts_of(docket, number, found.version, found.text_hash)
        needed = {r.party for member in found.body.members for r in member.represented_by[:1]}
        ready = rng.random() < (0.95 if needed <= set(receipts) else 0.05 if self.orderly else 0.25)
        if found.state in (State.TABLED, State.RE_TABLED, State.LAPSED) and ready:
            secret = way_of(found.rule) is Under.VOTE and rng.random() < 0.5
            closes_ms = now_ms + rng.randint(4_000 if secret else 1_000, 12_000)
            yield Circulate(
                proposal=number, version=found.version, text_hash=found.text_hash, under=way_of(found.rule),
                closes_ms=closes_ms, delivered=tuple(receipts.values()),
                ballot=Ballot.SECRET if secret else Ballot.OPEN, open_by_ms=closes_ms + 12_000 if secret else None,
            )  # fmt: skip
        elif last is None:
            return
        elif found.state.open and self._is_amiss(0.08):
            yield Extend(proposal=number, version=last.version, closes_ms=last.closes_ms + rng.randint(-2_000, 5_000),
                         reason="asked for")  # fmt: skip
        elif self._is_amiss(0.04):
            yield self._amend(found)
        elif found.state.open and self._is_amiss(0.04):
            roll = {member: rng.choice(list(Stance)) for member in last.members}
            yield Sheet(proposal=number, version=last.version, text_hash=last.text_hash, roll=roll)
        elif last.closed is None and now_ms > (last.open_by_ms or last.closes_ms) and not self._is_amiss(0.7):
            adopted = last.tally is not None and last.tally.adopted and not last.broken_by
            said = rng.choice(list(Outcome)) if self._is_amiss(0.5) else None
            yield Close(proposal=number, version=last.version,
                        outcome=said or (Outcome.ADOPTED if adopted else Outcome.REJECTED))  # fmt: skip

    def _amend(self, found: Status) -> Amend:
        version = found.version + 1
        text = f"Text {version} of {found.proposal}."
        return Amend(proposal=found.proposal, version=version, title=TITLE, text=text, language=LANGUAGE)

    def _advance(self, party: str, made: Application, known: dict[str, Status]) -> Iterator[StageReached]:
        """The next stage, by whose move it is; sometimes by somebody else, or on a decision that does not carry it."""
        if made.owner not in ("", party) and not self._is_amiss(0.2):
            return
        stages = [s for s in made.next if s in (Stage.RECEIVED, Stage.DECISION, Stage.GRANTED) or self._is_amiss(0.2)]
        if not stages:
            return
        stage, number = self.rng.choice(stages), None
        if stage in (Stage.GRANTED, Stage.DEFERRED_WITH_CONDITIONS, Stage.REFUSED):
            adopted = [n for n, found in known.items() if found.state is State.ADOPTED]
            number = self.rng.choice(list(known) if self._is_amiss(0.8) or not adopted else adopted) if known else None
            if number not in adopted and self.orderly and self.rng.random() < 0.9:
                return
        owner = made.body.secretary if made.body else None
        yield StageReached(application=made.number, stage=stage, after=made.last.leaf, owner=owner or party,
                           decision=number, conditions=("One.",) if self.rng.random() < 0.2 else ())  # fmt: skip
