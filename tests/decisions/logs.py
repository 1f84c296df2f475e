"""Logs of parties written by hand: who says what, when, by whose clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from random import Random

from keepclear.channel.entry import ERASURE_KIND, NO_LEAF, Draft, Entry, Record, Reference, seal
from keepclear.decisions.acts import (
    DECISION_KIND,
    Accept,
    AnyAct,
    Circulate,
    Commit,
    Constitute,
    Open,
    Position,
    Received,
    Register,
    Registered,
    Table,
    encode_act,
    text_hash,
)
from keepclear.decisions.procedure.docket import Docket
from keepclear.decisions.procedure.opening import way_of
from keepclear.decisions.procedure.procedure import status
from keepclear.decisions.procedure.status import Status
from keepclear.decisions.rules.body import Body, Member, Representation, body_hash
from keepclear.decisions.rules.rule import Quorum, Rule
from keepclear.decisions.rules.rulebook import find_rule
from keepclear.decisions.rules.stance import Stance
from keepclear.decisions.vocabulary import Ballot, Effect
from keepclear.simulation.parties import exercise_key

CHANNEL = "c" * 64
START_MS = 1_767_268_800_000
"""1 January 2026, 12:00 UTC."""
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
P = "P-HUB-2026-0001"
TITLE, TEXT = "A zone", "The zone is closed to all aircraft."
SINCE = date(2000, 1, 1)


def council(
    members: Sequence[str] = ("aa", "bb", "cc"), rules: Sequence[Rule | str] = ("silence",), *,
    speakers: dict[str, tuple[Representation, ...]] | None = None, until: dict[str, date] | None = None,
    quorum: Quorum | None = None, body_id: str = "council", weights: dict[str, int] | None = None,
    people: dict[str, int] | None = None,
) -> Body:  # fmt: skip
    """Each member is represented by the party of its own name, unless ``speakers`` says otherwise."""
    return Body(
        id=body_id, name="A council", secretary="hub", quorum=quorum,
        rules=tuple(find_rule(r) if isinstance(r, str) else r for r in rules),
        members=tuple(
            Member(
                id=m, from_date=SINCE, until_date=(until or {}).get(m), votes=(weights or {}).get(m, 1),
                population=(people or {}).get(m),
                represented_by=(speakers or {}).get(m, (Representation(party=m, from_date=SINCE),)),
            )
            for m in members
        ),
    )  # fmt: skip


class Logs:
    """Every party's log, growing; time moves where it is told to."""

    def __init__(self, body: Body, *, accepted: Iterable[str] | None = None) -> None:
        self.body = body
        self.now_ms = START_MS
        self.records: dict[str, list[Record]] = {"hub": []}
        self.texts: dict[int, tuple[str, str]] = {}
        self.write("hub", Constitute(body=body))
        parties = sorted({r.party for m in body.members for r in m.represented_by} - {"hub"})
        for party in parties if accepted is None else accepted:
            self.write(party, Accept(body=body_hash(body)))

    def write(self, party: str, act: AnyAct, *, at_ms: int | None = None) -> Reference:
        return self.write_entry(party, Draft(DECISION_KIND, encode_act(act)), at_ms)

    def write_entry(self, party: str, draft: Draft, at_ms: int | None = None) -> Reference:
        log = self.records.setdefault(party, [])
        record = seal(
            draft, channel=CHANNEL, party=party, seq=len(log), prev=log[-1].leaf if log else NO_LEAF, seen={},
            at_ms=self.now_ms if at_ms is None else at_ms, salt=bytes(32), key=exercise_key(party, "entry"),
        )  # fmt: skip
        log.append(record)
        return Reference(party, len(log) - 1, record.leaf.hex())

    def erase(self, reference: Reference) -> None:
        self.write_entry(reference.party, Draft(ERASURE_KIND, b"{}", re=(reference,)))
        record = self.records[reference.party][reference.seq]
        self.records[reference.party][reference.seq] = record.without_body()

    def wait(self, ms: int) -> None:
        self.now_ms += ms

    def tick(self, party: str = "hub") -> None:
        """Some entry that only shows the time."""
        self.write_entry(party, Draft("message", b"{}"))

    # The usual steps.

    def table(self, rule: str | None = None, *, by: str = "hub", proposal: str = P, text: str = TEXT,
              effect: Effect = Effect.BINDING, body: Body | None = None, **more: object) -> None:  # fmt: skip
        body = body or self.body
        self.write(by, Table(
            proposal=proposal, body=body_hash(body), rule=rule or body.rules[0].id, title=TITLE, text=text,
            language="en", effect=effect, **more,  # type: ignore[arg-type]
        ))  # fmt: skip

    def deliver(
        self, parties: Iterable[str], version: int = 1, text: str = TEXT, proposal: str = P
    ) -> tuple[Reference, ...]:
        digest = text_hash(TITLE, text, "en")
        return tuple(
            self.write(party, Received(proposal=proposal, version=version, text_hash=digest)) for party in parties
        )

    def circulate(
        self, delivered: tuple[Reference, ...] = (), *, version: int = 1, text: str = TEXT, closes_in_ms: int = DAY_MS,
        rule: str | None = None, proposal: str = P, body: Body | None = None, open_in_ms: int | None = None,
    ) -> int:  # fmt: skip
        body = body or self.body
        closes_ms = self.now_ms + closes_in_ms
        self.write("hub", Circulate(
            proposal=proposal, version=version, text_hash=text_hash(TITLE, text, "en"), closes_ms=closes_ms,
            under=way_of(body.rule(rule or body.rules[0].id)), delivered=delivered,
            ballot=Ballot.SECRET if open_in_ms else Ballot.OPEN,
            open_by_ms=closes_ms + open_in_ms if open_in_ms else None,
        ))  # fmt: skip
        return closes_ms

    def say(
        self, party: str, stance: Stance | None, *, member: str | None = None, version: int = 1, text: str = TEXT,
        register: bool = True, proposal: str = P, statement: str = "",
    ) -> Reference:  # fmt: skip
        reference = self.write(party, Position(
            proposal=proposal, version=version, text_hash=text_hash(TITLE, text, "en"), member=member or party,
            stance=stance, statement=statement, language="en" if statement else None,
        ))  # fmt: skip
        if register:
            self.register(member or party, reference, version=version, proposal=proposal)
        return reference

    def register(self, member: str | None, *references: Reference, version: int = 1, proposal: str = P) -> Reference:
        return self.write("hub", Register(proposal=proposal, version=version, positions=tuple(
            Registered(member=member, party=r.party, seq=r.seq, leaf=r.leaf) for r in references
        )))  # fmt: skip

    def seal(self, party: str, act: Commit | Open, member: str | None = None) -> Reference:
        reference = self.write(party, act)
        self.register(member or party, reference)
        return reference

    # What comes of it.

    def docket(self, order: Random | None = None, *, without: Iterable[str] = ()) -> Docket:
        """The logs taken whole, or in pieces, repeated and interleaved as ``order`` has it."""
        docket = Docket(CHANNEL)
        left_out = set(without)
        logs = {party: records for party, records in self.records.items() if party not in left_out}
        if order is not None:
            waiting = [party for party, records in logs.items() for _ in records]
            order.shuffle(waiting)
            for party in waiting:
                start = max(0, docket.taken.get(party, 0) - order.randrange(3))
                docket.take(party, logs[party][start : docket.taken.get(party, 0) + 1])
        for party, records in logs.items():
            docket.take(party, records)
        return docket

    def status(self, proposal: str = P) -> Status:
        return status(self.docket(), proposal)

    def entries(self, party: str) -> list[Entry]:
        return [Entry.parse(record.payload) for record in self.records[party]]
