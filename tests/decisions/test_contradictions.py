"""Positions of one member that cannot both be meant: shown, with the proof, and never counted as agreement."""

from __future__ import annotations

import pytest

from keepclear.channel.entry import NO_LEAF, Draft, Record, Reference, seal
from keepclear.channel.fork_proof import prove_fork_by_entries, verify_fork_proof
from keepclear.decisions.acts import DECISION_KIND, Position, Sheet, encode_act, text_hash
from keepclear.decisions.body import Representation
from keepclear.decisions.docket import Docket
from keepclear.decisions.procedure import status
from keepclear.decisions.stance import Stance
from keepclear.decisions.status import Status
from keepclear.decisions.vocabulary import State
from keepclear.errors import InputError
from keepclear.simulation.parties import exercise_key
from tests.decisions.logs import CHANNEL, DAY_MS, SINCE, TEXT, TITLE, Logs, P, council

ALL = ("aa", "bb", "cc")
TWO_SPEAKERS = {"aa": (Representation(party="a1", from_date=SINCE), Representation(party="a2", from_date=SINCE))}


def begun(rule: str, **body: object) -> Logs:
    logs = Logs(council(rules=(rule,), **body))  # type: ignore[arg-type]
    logs.table()
    logs.circulate(logs.deliver(sorted({r.party for m in logs.body.members for r in m.represented_by})))
    return logs


def over(logs: Logs) -> Status:
    logs.wait(DAY_MS + 1)
    logs.tick()
    return logs.status()


@pytest.mark.parametrize(
    ("rule", "state"),
    [("silence", State.BROKEN), ("consensus", State.REJECTED), ("unanimity", State.REJECTED),
     ("simple-majority", State.ADOPTED)],
)  # fmt: skip
def test_two_representatives_who_disagree_are_shown_with_both_references(rule: str, state: State) -> None:
    logs = begun(rule, speakers=TWO_SPEAKERS)
    one = logs.say("a1", Stance.FOR, member="aa")
    other = logs.say("a2", Stance.ABSTAIN, member="aa")
    logs.say("bb", Stance.FOR)
    logs.say("cc", Stance.FOR)
    found = over(logs)
    assert found.state is state
    (shown,) = found.contradictions
    assert (shown.member, shown.references, shown.fork) == ("aa", (one, other), None)
    assert shown.stances == (Stance.FOR, Stance.ABSTAIN)
    assert found.tally is not None
    assert found.tally.counts.get(Stance.FOR) == 2, "in a vote neither is cast"
    if rule != "simple-majority":
        assert found.tally.objectors == ("aa",)


def test_two_representatives_who_agree_are_one_member() -> None:
    logs = begun("simple-majority", speakers=TWO_SPEAKERS)
    logs.say("a1", Stance.FOR, member="aa")
    logs.say("a2", Stance.FOR, member="aa")
    found = over(logs)
    assert found.tally is not None
    assert (found.contradictions, found.tally.counts) == ((), {Stance.FOR: 1})


def test_a_sheet_that_says_something_else_than_the_member_signed_contradicts_it() -> None:
    logs = begun("simple-majority")
    signed = logs.say("aa", Stance.AGAINST)
    digest = text_hash(TITLE, TEXT, "en")
    sheet = logs.write("hub", Sheet(proposal=P, version=1, text_hash=digest, roll=dict.fromkeys(ALL, Stance.FOR)))
    found = over(logs)
    (shown,) = found.contradictions
    assert (shown.member, set(shown.references)) == ("aa", {signed, sheet})


def other_branch(logs: Logs, party: str, seq: int, stance: Stance) -> Record:
    """A second entry in the place of ``seq``, signed by the party as the first was."""
    act = Position(proposal=P, version=1, text_hash=text_hash(TITLE, TEXT, "en"), member=party, stance=stance)
    before = logs.records[party][seq - 1].leaf if seq else NO_LEAF
    return seal(Draft(DECISION_KIND, encode_act(act)), channel=CHANNEL, party=party, seq=seq, prev=before, seen={},
                at_ms=logs.now_ms, salt=bytes(32), key=exercise_key(party, "entry"))  # fmt: skip


def both_branches(logs: Logs, party: str, seq: int, other: Record) -> tuple[Docket, Docket]:
    """What two holders of the two histories have, once each has the proof."""
    proof = prove_fork_by_entries(party, logs.records[party][seq].without_body(), other.without_body())
    one, two = logs.docket(), logs.docket(without=(party,))
    two.take(party, [*logs.records[party][:seq], other])
    for docket in (one, two):
        docket.take_forks([proof])
    return one, two


@pytest.mark.parametrize(("rule", "state"), [("silence", State.BROKEN), ("simple-majority", State.ADOPTED)])
def test_a_forked_log_contradicts_itself_for_the_holders_of_either_branch(rule: str, state: State) -> None:
    logs = begun(rule)
    said = logs.say("aa", Stance.FOR)
    logs.say("bb", Stance.FOR)
    logs.say("cc", Stance.FOR)
    over(logs)
    other = other_branch(logs, "aa", said.seq, Stance.AGAINST)
    with pytest.raises(InputError, match="a second history"):
        logs.docket().take("aa", [other])
    for docket in both_branches(logs, "aa", said.seq, other):
        found = status(docket, P)
        assert found.state is state
        (shown,) = found.contradictions
        assert (shown.member, shown.references) == ("aa", (said,))
        assert shown.fork is not None
        assert shown.fork.party == "aa"


def test_the_holder_of_the_other_branch_says_nothing_until_the_fork_is_proved() -> None:
    logs = begun("simple-majority")
    said = logs.say("aa", Stance.FOR)
    over(logs)
    docket = logs.docket(without=("aa",))
    docket.take("aa", [*logs.records["aa"][: said.seq], other_branch(logs, "aa", said.seq, Stance.AGAINST)])
    found = status(docket, P)
    assert found.state is State.INCOMPLETE
    assert "two histories" in found.missing[0].why


def test_a_fork_after_a_position_leaves_the_position_as_it_was() -> None:
    logs = begun("simple-majority")
    said = logs.say("aa", Stance.FOR)
    after = logs.say("aa", None, statement="Thank you.", register=False)
    over(logs)
    for docket in both_branches(logs, "aa", after.seq, other_branch(logs, "aa", after.seq, Stance.AGAINST)):
        found = status(docket, P)
        assert found.state is State.ADOPTED
        assert found.round is not None
        assert [c.reference for c in found.round.counted] == [said]


def test_a_forked_receipt_proves_no_delivery() -> None:
    logs = begun("silence")
    received = Reference("aa", 1, logs.records["aa"][1].leaf.hex())
    over(logs)
    for docket in both_branches(logs, "aa", received.seq, other_branch(logs, "aa", received.seq, Stance.AGAINST)):
        found = status(docket, P)
        assert found.state is State.LAPSED
        assert found.tally is not None
        assert found.tally.unreached == ("aa",)


def test_a_secretary_that_told_two_histories_decides_nothing_from_there_on() -> None:
    logs = begun("silence")
    found = over(logs)
    assert found.state is State.ADOPTED
    circulated = found.rounds[0].circulated.seq
    one, _ = both_branches(logs, "hub", circulated, other_branch(logs, "hub", circulated, Stance.FOR))
    assert status(one, P).state is State.INCOMPLETE
    logs.tick()
    last = len(logs.records["hub"]) - 1
    one, _ = both_branches(logs, "hub", last, other_branch(logs, "hub", last, Stance.FOR))
    assert status(one, P).state is State.ADOPTED, "what was decided before the fork stays"


def test_a_proof_that_does_not_show_where_the_histories_part_changes_no_single_position() -> None:
    logs = begun("simple-majority")
    logs.say("aa", Stance.FOR)
    over(logs)
    last = len(logs.records["aa"]) - 1
    stray = seal(Draft(DECISION_KIND, b"{}"), channel=CHANNEL, party="aa", seq=last, prev=bytes(32), seen={}, at_ms=1,
                 salt=bytes(32), key=exercise_key("aa", "entry"))  # fmt: skip
    proof = prove_fork_by_entries("aa", logs.records["aa"][last].without_body(), stray.without_body())
    from keepclear.simulation.parties import exercise_charter

    assert "two different entries" in verify_fork_proof(proof, CHANNEL, [exercise_charter("aa", "bb")])
    docket = logs.docket()
    docket.take_forks([proof])
    assert status(docket, P).state is State.ADOPTED
