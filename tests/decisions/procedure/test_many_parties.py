"""A body whose members are all on the channel, more of them than a small charter has, over the protocol itself."""

from __future__ import annotations

from keepclear.channel.charter import SignedCharter, verify_charter
from keepclear.channel.entry import Draft, Entry
from keepclear.channel.protocol import exchange
from keepclear.channel.protocol.own_log import Node, append_own
from keepclear.decisions.acts import (
    DECISION_KIND,
    Accept,
    AnyAct,
    Circulate,
    Close,
    Constitute,
    Received,
    Table,
    encode_act,
    text_hash,
)
from keepclear.decisions.procedure.docket import Docket
from keepclear.decisions.procedure.procedure import status
from keepclear.decisions.procedure.reading import take_new
from keepclear.decisions.procedure.receipts import receipts_of
from keepclear.decisions.procedure.status import Status
from keepclear.decisions.rules.body import Body, Member, Representation, body_hash
from keepclear.decisions.rules.rulebook import find_rule
from keepclear.decisions.rules.stance import Outcome
from keepclear.decisions.vocabulary import State, Under
from keepclear.simulation.parties import exercise_charter, signed_by_all
from tests.channel.line import NOW_MS, drive, meet, new_node, salt
from tests.decisions.logs import HOUR_MS, SINCE, TITLE, P

PARTIES = [f"p{number:02d}" for number in range(40)]
TEXT = "The text."
DIGEST = text_hash(TITLE, TEXT, "en")


def write(node: Node, *acts: AnyAct, later_ms: int = 0) -> None:
    drafts = [Draft(DECISION_KIND, encode_act(act)) for act in acts]
    append_own(node, drafts, clock=lambda: NOW_MS + later_ms, salts=[salt() for _ in drafts])


def shown(node: Node) -> Status:
    docket = Docket(node.store.channel)
    take_new(docket, node.store)
    return status(docket, P)


def test_forty_parties_under_silence_all_know_the_outcome_after_one_exchange_with_the_secretary() -> None:
    charter = exercise_charter("hub", *PARTIES)
    assert verify_charter(SignedCharter.parse(signed_by_all(charter, generations=1).encode())) == charter
    nodes = {party: new_node(party, charter) for party in charter.ids}
    hub, last = nodes["hub"], nodes[PARTIES[-1]]
    body = Body(
        id="body", name="A body", secretary="hub", rules=(find_rule("silence"),),
        members=tuple(
            Member(id=f"m-{p}", from_date=SINCE, represented_by=(Representation(party=p, from_date=SINCE),))
            for p in PARTIES
        ),
    )  # fmt: skip
    table = Table(proposal=P, body=body_hash(body), rule="silence", title=TITLE, text=TEXT, language="en")
    write(hub, Constitute(body=body), table)
    for party in PARTIES:
        meet(nodes[party], hub)
    for party in PARTIES:
        write(nodes[party], Accept(body=body_hash(body)), Received(proposal=P, version=1, text_hash=DIGEST))
        drive(exchange.push_log(nodes[party], "hub", party, 0, lambda: NOW_MS), hub, party)
    docket = Docket(hub.store.channel)
    take_new(docket, hub.store)
    delivered = tuple(receipts_of(docket, P, 1, DIGEST).values())
    write(hub, Circulate(proposal=P, version=1, text_hash=DIGEST, under=Under.SILENCE, closes_ms=NOW_MS + HOUR_MS,
                         delivered=delivered))  # fmt: skip
    write(hub, Close(proposal=P, version=1, outcome=Outcome.ADOPTED), later_ms=HOUR_MS + 1)
    expected = shown(hub)
    assert expected.state is State.ADOPTED
    assert expected.tally is not None
    assert expected.tally.silent == len(PARTIES) == sum(bound.bound for bound in expected.bound)
    assert last.store.state(PARTIES[0]).size == 0
    for party in PARTIES:
        meet(nodes[party], hub, lambda: NOW_MS + HOUR_MS + 1)
        found = shown(nodes[party])
        assert (found.state, found.tally, found.bound, found.missing) == (
            expected.state, expected.tally, expected.bound, (),
        )  # fmt: skip
    named = [len(Entry.parse(kept.record.payload).seen) for kept in hub.store.records("hub", 0)]
    assert named == [0, 0, len(PARTIES), 0], "each head once"
