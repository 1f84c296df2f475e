"""Positions of one member that cannot both be meant: shown, with the proof, and never counted as agreement."""

from __future__ import annotations

import pytest

from keepclear.channel.charter import origin_of
from keepclear.channel.checkpoint import Checkpoint, sign_checkpoint
from keepclear.channel.entry import NO_LEAF, Draft, Record, Reference, seal
from keepclear.channel.fork_proof import ForkProof, prove_fork_by_entries, prove_fork_by_heads, verify_fork_proof
from keepclear.channel.parting import parted_at, parted_before
from keepclear.decisions.acts import DECISION_KIND, Amend, Close, Position, Sheet, encode_act, text_hash
from keepclear.decisions.procedure.docket import Docket
from keepclear.decisions.procedure.procedure import SUPPOSITIONS_MAX, status
from keepclear.decisions.procedure.status import Status
from keepclear.decisions.rules.body import Representation
from keepclear.decisions.rules.stance import Outcome, Stance
from keepclear.decisions.vocabulary import State
from keepclear.errors import InputError
from keepclear.simulation.parties import exercise_charter, exercise_key
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


def unplaced(logs: Logs, party: str, *, seq: int | None = None) -> ForkProof:
    """A proof that does not show where the histories part: an entry in the place of one, that follows another."""
    last = len(logs.records[party]) - 1 if seq is None else seq
    stray = seal(Draft(DECISION_KIND, b"{}"), channel=CHANNEL, party=party, seq=last, prev=bytes(32), seen={}, at_ms=1,
                 salt=bytes(32), key=exercise_key(party, "entry"))  # fmt: skip
    proof = prove_fork_by_entries(party, logs.records[party][last].without_body(), stray.without_body())
    assert "two different entries" in verify_fork_proof(proof, CHANNEL, [exercise_charter(party, "zz")])
    return proof


def with_proofs(logs: Logs, *proofs: ForkProof) -> Status:
    docket = logs.docket()
    docket.take_forks(proofs)
    return status(docket, P)


@pytest.mark.parametrize(("others", "state"), [((), State.INCOMPLETE), (("bb", "cc"), State.ADOPTED)])
def test_histories_that_part_at_an_unknown_place_leave_open_what_turns_on_it(
    others: tuple[str, ...], state: State
) -> None:
    logs = begun("simple-majority")
    for party in ("aa", *others):
        logs.say(party, Stance.FOR)
    assert over(logs).state is State.ADOPTED
    found = with_proofs(logs, unplaced(logs, "aa"))
    assert found.state is state
    assert [each.what for each in found.missing] == ([] if others else ["the log of aa"])
    assert bool(found.bound) is bool(others)


def test_a_receipt_in_histories_that_part_somewhere_is_neither_adopted_nor_lapsed() -> None:
    """Seed 3191: one had the proof by heads and showed ADOPTED, the others had that by entries and showed LAPSED."""
    logs = begun("silence")
    received = Reference("aa", 1, logs.records["aa"][1].leaf.hex())
    assert over(logs).state is State.ADOPTED
    by_entries, _ = both_branches(logs, "aa", received.seq, other_branch(logs, "aa", received.seq, Stance.AGAINST))
    assert status(by_entries, P).state is State.LAPSED
    found = with_proofs(logs, unplaced(logs, "aa"))
    assert (found.state, found.outcome, found.adopted_ms) == (State.INCOMPLETE, None, None)


def test_two_heads_leave_open_what_stands_before_the_smaller_one() -> None:
    logs = begun("silence")
    over(logs)
    origin, key = origin_of("aa", CHANNEL), exercise_key("aa", "log")
    one, two = (sign_checkpoint(Checkpoint(origin, 2, bytes([n]) * 32), key) for n in (1, 2))
    proof = prove_fork_by_heads("aa", one, two)
    verify_fork_proof(proof, CHANNEL, [exercise_charter("aa", "zz")])
    assert (parted_at(proof), parted_before(proof)) == (None, 2)
    assert with_proofs(logs, proof).state is State.INCOMPLETE


def test_a_proof_of_the_place_settles_what_another_left_open_unless_they_parted_before() -> None:
    logs = begun("silence")
    after = [logs.say("aa", None, statement="Thank you.", register=False) for _ in range(2)]
    over(logs)
    other = other_branch(logs, "aa", after[0].seq, Stance.AGAINST)
    place = prove_fork_by_entries("aa", logs.records["aa"][after[0].seq].without_body(), other.without_body())
    later, earlier = unplaced(logs, "aa", seq=after[1].seq), unplaced(logs, "aa", seq=1)
    assert with_proofs(logs, later).state is State.INCOMPLETE
    assert with_proofs(logs, place, later).state is State.ADOPTED
    assert with_proofs(logs, later, place).state is State.ADOPTED
    assert with_proofs(logs, place, earlier).state is State.INCOMPLETE


def test_whoever_writes_more_than_can_be_tried_leaves_it_open() -> None:
    logs = begun("simple-majority")
    for party in ("aa", "bb", "cc"):
        logs.say(party, Stance.FOR)
    assert over(logs).state is State.ADOPTED
    assert with_proofs(logs, unplaced(logs, "aa")).state is State.ADOPTED
    for _ in range(SUPPOSITIONS_MAX):
        logs.say("aa", None, statement="Thank you.", register=False)
    assert with_proofs(logs, unplaced(logs, "aa")).state is State.INCOMPLETE


def test_two_histories_of_what_was_tabled_are_shown_even_where_it_could_not_be_tabled() -> None:
    """Seed 4297: a stranger's proposal was TABLED on one branch and RE_TABLED on the other."""
    logs = Logs(council())
    logs.table(by="zz", proposal="P-ZZ-2026-0001")
    other = other_branch(logs, "zz", 0, Stance.FOR)
    logs.write("zz", Amend(proposal="P-ZZ-2026-0001", version=2, title=TITLE, text="Another.", language="en"))
    assert logs.status("P-ZZ-2026-0001").faults
    assert logs.status("P-ZZ-2026-0001").state is State.RE_TABLED
    one, _ = both_branches(logs, "zz", 0, other)
    assert status(one, "P-ZZ-2026-0001").state is State.INCOMPLETE


def test_a_secretary_with_two_histories_lets_nothing_expire_that_it_never_mentioned() -> None:
    """Seed 8403: on one branch of its log the proposal's time was over, on the other it was not."""
    logs = Logs(council())
    logs.table(by="aa", proposal="P-AA-2026-0001", expires_ms=logs.now_ms + 1_000)
    logs.tick()
    place = len(logs.records["hub"])
    logs.wait(2_000)
    logs.tick()
    assert logs.status("P-AA-2026-0001").state is State.LAPSED
    logs.now_ms -= 2_000
    for docket in both_branches(logs, "hub", place, other_branch(logs, "hub", place, Stance.FOR)):
        assert status(docket, "P-AA-2026-0001").state is State.INCOMPLETE


def test_an_amendment_in_one_of_two_histories_puts_no_text_forward() -> None:
    logs = Logs(council())
    logs.table(by="aa", proposal="P-AA-2026-0001")
    amend = Amend(proposal="P-AA-2026-0001", version=2, title=TITLE, text="Another.", language="en")
    written = logs.write("aa", amend)
    assert logs.status("P-AA-2026-0001").state is State.RE_TABLED
    other = other_branch(logs, "aa", written.seq, Stance.FOR)
    for docket in both_branches(logs, "aa", written.seq, other):
        found = status(docket, "P-AA-2026-0001")
        assert (found.state, found.version) == (State.TABLED, 1)
    logs.register(None, written, proposal="P-AA-2026-0001")
    for docket in both_branches(logs, "aa", written.seq, other):
        found = status(docket, "P-AA-2026-0001")
        assert found.state is State.INCOMPLETE, "it may have been amended or withdrawn"


def test_a_broken_silence_is_not_in_consultation_by_a_word_that_only_some_were_told() -> None:
    logs = begun("silence")
    logs.say("aa", Stance.BREAK_SILENCE)
    assert over(logs).state is State.BROKEN
    closed = logs.write("hub", Close(proposal=P, version=1, outcome=Outcome.REJECTED))
    assert logs.status().state is State.CONSULTATION
    for docket in both_branches(logs, "hub", closed.seq, other_branch(logs, "hub", closed.seq, Stance.FOR)):
        assert status(docket, P).state is State.BROKEN


def test_of_two_proofs_of_one_place_all_show_the_same_whatever_came_first() -> None:
    logs = begun("simple-majority")
    said = logs.say("aa", Stance.FOR)
    over(logs)
    ours = logs.records["aa"][said.seq].without_body()
    others = (other_branch(logs, "aa", said.seq, stance).without_body() for stance in (Stance.AGAINST, Stance.ABSTAIN))
    proofs = [prove_fork_by_entries("aa", ours, other) for other in others]
    shown = []
    for order in (proofs, proofs[::-1]):
        docket = logs.docket()
        for proof in order:
            docket.take_forks([proof])
        shown.append(status(docket, P))
    assert shown[0] == shown[1]
    assert shown[0].contradictions[0].fork in proofs
