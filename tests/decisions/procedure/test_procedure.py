"""The procedure, and the requirements R4.1 to R4.4, R4.6 and R4.8 of practice."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from keepclear.decisions.acts import (
    AgendaItem,
    Amend,
    Circulate,
    Close,
    Convene,
    Counts,
    Extend,
    Move,
    Position,
    Sheet,
    Table,
    Withdraw,
    text_hash,
)
from keepclear.decisions.procedure.procedure import status
from keepclear.decisions.procedure.status import Status, day_of
from keepclear.decisions.rules.body import Representation, body_hash
from keepclear.decisions.rules.rule import Quorum
from keepclear.decisions.rules.stance import Outcome, Stance
from keepclear.decisions.vocabulary import Effect, State, Under, VoidReason
from keepclear.errors import UsageError
from tests.decisions.logs import DAY_MS, HOUR_MS, MINUTE_MS, SINCE, START_MS, TITLE, Logs, P, council

ALL = ("aa", "bb", "cc")
OTHER_TEXT = "The zone is open."


def under_silence(delivered: tuple[str, ...] = ALL, **body: object) -> Logs:
    logs = Logs(council(**body))  # type: ignore[arg-type]
    logs.table()
    logs.circulate(logs.deliver(delivered))
    return logs


def voting(rule: str, **body: object) -> Logs:
    logs = Logs(council(rules=(rule,), **body))  # type: ignore[arg-type]
    logs.table()
    logs.circulate(logs.deliver(ALL))
    return logs


def over(logs: Logs) -> Status:
    """A millisecond after the deadline."""
    last = logs.status().round
    assert last is not None
    logs.now_ms = last.closes_ms + 1
    logs.tick()
    return logs.status()


def void_of(found: Status) -> list[tuple[str, VoidReason]]:
    return [(v.member, v.reason) for v in found.void]


def test_a_proposal_that_nobody_tabled_is_said_to_be_none() -> None:
    with pytest.raises(UsageError, match="no proposal P-HUB-2026-0001"):
        Logs(council()).status()


def test_silence_that_nobody_breaks_adopts_the_text_once_the_secretarys_log_is_past_the_deadline() -> None:
    logs = under_silence()
    assert logs.status().state is State.UNDER_SILENCE
    logs.wait(DAY_MS)
    logs.tick()
    assert logs.status().state is State.UNDER_SILENCE, "the deadline itself still belongs to the members"
    found = over(logs)
    assert found.state is State.ADOPTED
    assert found.adopted_ms == START_MS + DAY_MS
    assert [(b.member, b.bound, b.why) for b in found.bound] == [(m, True, "SILENT") for m in ALL]


def test_r4_1_silence_counts_only_for_members_whose_delivery_was_proved_before_the_opening() -> None:
    logs = under_silence(("aa", "bb"))
    logs.deliver(("cc",))  # afterwards: it proves nothing for this circulation
    found = over(logs)
    assert found.state is State.LAPSED
    assert found.tally is not None
    assert found.tally.unreached == ("cc",)
    assert found.tally.silent == 2


def test_r4_1_a_receipt_for_another_text_or_by_a_party_that_speaks_for_nobody_proves_no_delivery() -> None:
    logs = Logs(council())
    logs.table()
    receipts = (*logs.deliver(("aa", "bb")), *logs.deliver(("cc",), text=OTHER_TEXT), *logs.deliver(("dd",)))
    logs.circulate(receipts)
    found = over(logs)
    assert found.tally is not None
    assert found.tally.unreached == ("cc",)


def test_r4_1_a_member_that_was_not_reached_may_still_agree_in_so_many_words() -> None:
    logs = under_silence(("aa", "bb"))
    logs.say("cc", Stance.FOR)
    assert over(logs).state is State.ADOPTED


def test_r4_2_another_text_restarts_the_clock_on_another_hash_and_earlier_positions_are_void() -> None:
    logs = under_silence()
    logs.say("aa", Stance.FOR)
    logs.wait(HOUR_MS)
    logs.write("hub", Amend(proposal=P, version=2, title=TITLE, text=OTHER_TEXT, language="en"))
    assert logs.status().state is State.RE_TABLED
    logs.wait(DAY_MS)
    logs.tick()
    assert logs.status().state is State.RE_TABLED, "the old deadline is none any more"
    logs.circulate(logs.deliver(ALL, 2, OTHER_TEXT), version=2, text=OTHER_TEXT)
    logs.say("bb", Stance.BREAK_SILENCE, version=1)
    logs.say("cc", Stance.BREAK_SILENCE, version=2)  # of the old text
    found = over(logs)
    assert found.state is State.ADOPTED
    assert found.version == 2
    assert found.text_hash == text_hash(TITLE, OTHER_TEXT, "en")
    assert void_of(found) == [("bb", VoidReason.OTHER_VERSION), ("cc", VoidReason.OTHER_TEXT)]
    assert [r.state for r in found.rounds] == [State.RE_TABLED, State.ADOPTED]


def test_r4_2_an_amendment_by_who_tabled_it_stops_the_clock_when_the_secretary_has_received_it() -> None:
    logs = Logs(council())
    logs.table(by="aa", proposal="P-AA-2026-0001")
    logs.circulate(logs.deliver(ALL, proposal="P-AA-2026-0001"), proposal="P-AA-2026-0001")
    amended = logs.write("aa", Amend(proposal="P-AA-2026-0001", version=2, title=TITLE, text=OTHER_TEXT, language="en"))
    assert logs.status("P-AA-2026-0001").state is State.UNDER_SILENCE
    logs.register(None, amended, proposal="P-AA-2026-0001")
    assert logs.status("P-AA-2026-0001").state is State.RE_TABLED


@pytest.mark.parametrize(("late_ms", "state"), [(0, State.BROKEN), (1, State.ADOPTED)])
def test_r4_3_an_objection_received_at_the_very_millisecond_counts_and_one_millisecond_later_is_late(
    late_ms: int, state: State
) -> None:
    logs = under_silence()
    logs.wait(DAY_MS - MINUTE_MS)
    objection = logs.say("bb", Stance.BREAK_SILENCE, register=False)  # in time by its own clock
    logs.wait(MINUTE_MS + late_ms)
    logs.register("bb", objection)
    found = over(logs)
    assert found.state is state
    assert void_of(found) == ([] if late_ms == 0 else [("bb", VoidReason.LATE)])


def test_r4_3_a_secretary_that_dates_a_receipt_back_does_not_bring_it_in_time() -> None:
    logs = under_silence()
    objection = logs.say("bb", Stance.BREAK_SILENCE, register=False)
    logs.wait(DAY_MS + 1)
    logs.tick()
    logs.now_ms -= HOUR_MS
    logs.register("bb", objection)
    assert logs.status().state is State.ADOPTED
    assert void_of(logs.status()) == [("bb", VoidReason.LATE)]


def test_r4_3_what_the_secretary_has_not_registered_is_not_received_and_is_shown() -> None:
    logs = under_silence()
    logs.say("bb", Stance.BREAK_SILENCE, register=False)
    assert [f.party for f in logs.status().waiting] == ["bb"]
    found = over(logs)
    assert found.state is State.ADOPTED
    assert void_of(found) == [("bb", VoidReason.NOT_REGISTERED)]


def test_r4_4_a_deadline_is_extended_and_shortened_again_by_recorded_acts() -> None:
    logs = under_silence()
    announced_ms = START_MS + DAY_MS
    logs.wait(HOUR_MS)
    logs.write("hub", Extend(proposal=P, version=1, closes_ms=announced_ms + DAY_MS, reason="asked for by aa"))
    found = logs.status()
    assert (found.state, found.round and found.round.closes_ms) == (State.EXTENDED, announced_ms + DAY_MS)
    logs.wait(DAY_MS)
    logs.write("hub", Extend(proposal=P, version=1, closes_ms=logs.now_ms + HOUR_MS, reason="aa is content"))
    logs.say("bb", Stance.AGAINST)
    assert over(logs).state is State.BROKEN


@pytest.mark.parametrize(
    ("wait_ms", "closes_ms", "why"),
    [
        (HOUR_MS, START_MS + DAY_MS - 1, "before the one that was first announced"),
        (HOUR_MS, START_MS + HOUR_MS, "has passed already"),
        (DAY_MS + 1, START_MS + 3 * DAY_MS, ""),
    ],
)
def test_r4_4_a_deadline_is_not_moved_against_the_rule(wait_ms: int, closes_ms: int, why: str) -> None:
    logs = under_silence()
    logs.wait(wait_ms)
    logs.write("hub", Extend(proposal=P, version=1, closes_ms=closes_ms, reason="because"))
    found = over(logs)
    assert found.round is not None
    assert found.round.closes_ms == START_MS + DAY_MS
    assert found.state is State.ADOPTED
    assert len(found.void) == 1
    assert why in found.void[0].detail


def test_r4_4_a_rule_with_a_shortest_time_leaves_it_to_the_members() -> None:
    logs = Logs(council(rules=("unga-silence",)))
    logs.table()
    logs.circulate(logs.deliver(ALL), closes_in_ms=3 * DAY_MS - 1)
    assert logs.status().state is State.TABLED
    assert "259,200 s" in logs.status().void[0].detail
    logs.circulate(logs.deliver(ALL), closes_in_ms=3 * DAY_MS)
    assert logs.status().state is State.UNDER_SILENCE


@pytest.mark.parametrize(
    ("rule", "abstains", "absent", "unheard"),
    [
        ("consensus", State.ADOPTED, State.ADOPTED, State.ADOPTED),
        ("silence", State.ADOPTED, State.ADOPTED, State.ADOPTED),
        ("unanimity", State.ADOPTED, State.LAPSED, State.LAPSED),
        ("simple-majority", State.ADOPTED, State.ADOPTED, State.ADOPTED),
        ("absolute-majority", State.ADOPTED, State.ADOPTED, State.ADOPTED),
    ],
)
def test_r4_6_abstention_and_absence_are_tested_apart_for_each_rule(
    rule: str, abstains: State, absent: State, unheard: State
) -> None:
    found = []
    for stance in (Stance.ABSTAIN, Stance.ABSENT, None):
        logs = voting(rule)
        logs.say("aa", Stance.FOR)
        logs.say("bb", Stance.FOR)
        if stance:
            logs.say("cc", stance)
        found.append(over(logs).state)
    assert found == [abstains, absent, unheard]


def test_r4_8_a_move_to_another_body_keeps_the_record_of_what_failed() -> None:
    logs = under_silence()
    logs.say("bb", Stance.BREAK_SILENCE)
    over(logs)
    other = council(("aa", "cc"), body_id="committee")
    moved = "P-HUB-2026-0002"
    logs.write("hub", Move(proposal=P, to_body=body_hash(other), as_proposal=moved))
    found = logs.status()
    assert found.state is State.MOVED
    assert found.moved_to == moved
    assert found.outcome is Outcome.REJECTED
    assert found.rounds[0].state is State.BROKEN
    assert found.rounds[0].broken_by == ("bb",)


def test_a_broken_silence_stays_broken_whatever_the_member_says_later() -> None:
    logs = under_silence()
    logs.say("bb", Stance.BREAK_SILENCE)
    assert logs.status().state is State.BROKEN
    logs.say("bb", Stance.FOR)
    found = over(logs)
    assert found.state is State.BROKEN
    assert found.round is not None
    assert [c.stance for c in found.round.counted] == [Stance.BREAK_SILENCE]
    assert found.tally is not None
    assert not found.tally.adopted


def test_broken_consultation_tabled_again_and_adopted() -> None:
    logs = under_silence()
    logs.say("bb", Stance.AMEND)
    assert over(logs).state is State.BROKEN
    agenda = (AgendaItem(title="The zone", proposal=P),)
    logs.write("hub", Convene(meeting="M-HUB-2026-0001", body=body_hash(logs.body), starts_ms=logs.now_ms + DAY_MS,
                              place="Vienna", language="en", extraordinary=True, agenda=agenda))  # fmt: skip
    assert logs.status().state is State.CONSULTATION
    logs.circulate(logs.deliver(ALL))
    assert "amended first" in logs.status().void[-1].detail, "the same text is not put under silence again"
    logs.write("hub", Amend(proposal=P, version=2, title=TITLE, text=OTHER_TEXT, language="en"))
    assert logs.status().state is State.RE_TABLED
    logs.circulate(logs.deliver(ALL, 2, OTHER_TEXT), version=2, text=OTHER_TEXT)
    found = over(logs)
    assert found.state is State.ADOPTED
    assert [r.state for r in found.rounds] == [State.BROKEN, State.ADOPTED]


def test_a_reserve_pauses_the_text_beyond_the_deadline_until_that_member_lifts_it() -> None:
    logs = under_silence()
    logs.say("bb", Stance.RESERVE)
    assert over(logs).state is State.RESERVED
    logs.wait(DAY_MS)
    logs.say("cc", Stance.AGAINST)  # its own deadline has passed
    assert logs.status().state is State.RESERVED
    logs.say("bb", Stance.FOR)
    found = over(logs)
    assert found.state is State.ADOPTED
    assert void_of(found) == [("cc", VoidReason.LATE)]


def test_a_reserve_that_is_never_lifted_ends_with_the_secretarys_close() -> None:
    logs = under_silence()
    logs.say("bb", Stance.RESERVE)
    over(logs)
    logs.write("hub", Close(proposal=P, version=1, outcome=Outcome.REJECTED))
    found = logs.status()
    assert found.state is State.LAPSED
    assert not found.faults


def test_without_a_quorum_a_vote_lapses() -> None:
    logs = voting("simple-majority", quorum=Quorum(numerator=2, denominator=3))
    logs.say("aa", Stance.FOR)
    found = over(logs)
    assert found.state is State.LAPSED
    assert found.tally is not None
    assert not found.tally.quorum_met


def test_a_text_that_is_not_adopted_before_its_time_is_over_lapses() -> None:
    logs = Logs(council())
    logs.table(expires_ms=START_MS + 2 * DAY_MS)
    logs.wait(2 * DAY_MS)
    logs.tick()
    assert logs.status().state is State.TABLED
    logs.wait(1)
    logs.tick()
    assert logs.status().state is State.LAPSED


def test_only_who_tabled_it_withdraws_it_and_only_by_the_secretarys_receipt() -> None:
    logs = Logs(council())
    number = "P-AA-2026-0001"
    logs.table(by="aa", proposal=number)
    logs.circulate(logs.deliver(ALL, proposal=number), proposal=number)
    logs.register(None, logs.write("bb", Withdraw(proposal=number)), proposal=number)
    assert logs.status(number).state is State.UNDER_SILENCE
    taken_back = logs.write("aa", Withdraw(proposal=number))
    assert logs.status(number).state is State.UNDER_SILENCE
    logs.register(None, taken_back, proposal=number)
    assert logs.status(number).state is State.WITHDRAWN


def test_a_later_position_in_one_log_replaces_an_earlier_one_in_whatever_order_they_are_registered() -> None:
    logs = voting("simple-majority")
    first = logs.say("aa", Stance.AGAINST, register=False)
    second = logs.say("aa", Stance.FOR, register=False)
    logs.register("aa", second)
    logs.register("aa", first)
    found = over(logs)
    assert found.state is State.ADOPTED
    assert found.round is not None
    assert [(c.stance, c.reference) for c in found.round.counted] == [(Stance.FOR, second)]
    assert [(c.stance, c.reference) for c in found.round.replaced] == [(Stance.AGAINST, first)]


def test_a_position_of_who_left_of_a_stranger_or_by_a_party_that_does_not_speak_for_the_member_is_void() -> None:
    today = day_of(START_MS)
    speakers: dict[str, tuple[Representation, ...]] = {
        "bb": (Representation(party="bb", from_date=SINCE, until_date=today),),
        "cc": (Representation(party="cc", from_date=SINCE),),
    }
    logs = Logs(council(rules=("simple-majority",), speakers=speakers, until={"cc": today}))
    logs.table()
    logs.circulate(logs.deliver(ALL), closes_in_ms=3 * DAY_MS)
    logs.say("dd", Stance.AGAINST)
    logs.say("aa", Stance.AGAINST, member="bb")
    logs.say("cc", Stance.AGAINST)  # a member still; it leaves before the deadline
    logs.wait(DAY_MS)
    logs.say("bb", Stance.AGAINST)  # its representation ended yesterday
    logs.say("cc", Stance.FOR)
    logs.say("aa", Stance.FOR)
    found = over(logs)
    assert void_of(found) == [
        ("dd", VoidReason.NOT_A_MEMBER), ("bb", VoidReason.NOT_REPRESENTED), ("bb", VoidReason.NOT_REPRESENTED),
        ("cc", VoidReason.NOT_A_MEMBER), ("cc", VoidReason.NOT_A_MEMBER),
    ]  # fmt: skip
    assert found.state is State.ADOPTED
    assert found.round is not None
    assert found.round.members == ("aa", "bb")


def test_a_member_that_joins_after_the_opening_takes_no_part() -> None:
    body = council(rules=("simple-majority",))
    late = body.members[2].__class__(id="cc", from_date=day_of(START_MS) + timedelta(days=1),
                                     represented_by=body.members[2].represented_by)  # fmt: skip
    logs = Logs(body.__class__(id="council", name="A council", secretary="hub", rules=body.rules,
                               members=(*body.members[:2], late)))  # fmt: skip
    logs.table()
    logs.circulate(closes_in_ms=3 * DAY_MS)
    logs.wait(DAY_MS)
    logs.say("cc", Stance.AGAINST)
    logs.say("aa", Stance.FOR)
    found = over(logs)
    assert (found.state, void_of(found)) == (State.ADOPTED, [("cc", VoidReason.NOT_A_MEMBER)])


def test_a_receipt_for_another_member_or_proposal_is_void() -> None:
    logs = voting("simple-majority")
    position = logs.say("aa", Stance.FOR, register=False)
    logs.register("bb", position)
    assert void_of(over(logs)) == [("aa", VoidReason.MISREGISTERED)]
    logs = voting("simple-majority")
    logs.table(proposal="P-HUB-2026-0002")
    logs.register("aa", logs.say("aa", Stance.FOR, register=False, proposal="P-HUB-2026-0002"))
    assert void_of(over(logs)) == [("aa", VoidReason.MISREGISTERED)]


def test_nobody_but_the_secretary_circulates_extends_closes_or_writes_the_sheet() -> None:
    logs = Logs(council(rules=("simple-majority",)))
    logs.table()
    digest = text_hash(TITLE, "The zone is closed to all aircraft.", "en")
    circulated = Circulate(proposal=P, version=1, text_hash=digest, under=Under.VOTE, closes_ms=START_MS + DAY_MS)
    logs.write("aa", circulated)
    assert logs.status().state is State.TABLED
    logs.write("hub", circulated)
    for act in (
        Sheet(proposal=P, version=1, text_hash=digest, roll={"aa": Stance.FOR}),
        Close(proposal=P, version=1, outcome=Outcome.ADOPTED),
        Extend(proposal=P, version=1, closes_ms=START_MS + 9 * DAY_MS, reason="because"),
        Move(proposal=P, to_body="0" * 64, as_proposal="P-HUB-2026-0009"),
    ):
        logs.register(None, logs.write("aa", act))
    found = over(logs)
    assert found.state is not State.ADOPTED
    assert [v.reason for v in found.void] == [VoidReason.NOT_THE_SECRETARY] * 4


def test_a_vote_in_a_room_is_written_down_by_the_secretary_and_closed_at_once() -> None:
    logs = voting("simple-majority")
    digest = logs.status().text_hash
    roll = {"aa": Stance.FOR, "bb": Stance.FOR, "cc": Stance.AGAINST}
    logs.write("hub", Sheet(proposal=P, version=1, text_hash=digest, roll=roll))
    logs.write("hub", Close(proposal=P, version=1, outcome=Outcome.ADOPTED, tally={Stance.FOR: 2, Stance.AGAINST: 1}))
    found = logs.status()
    assert (found.state, found.faults) == (State.ADOPTED, ())
    assert found.round is not None
    assert all(c.by_sheet for c in found.round.counted)


def test_a_vote_known_by_its_numbers_is_tallied_and_numbers_that_do_not_fit_are_void_whole() -> None:
    logs = voting("simple-majority")
    digest = logs.status().text_hash
    for numbers in (Counts(in_favour=2, against=0, abstaining=9), Counts(in_favour=2, against=1, abstaining=0)):
        logs.write("hub", Sheet(proposal=P, version=1, text_hash=digest, counts=numbers))
    logs.write("hub", Sheet(proposal=P, version=1, text_hash=digest, roll={"aa": Stance.AGAINST, "zz": Stance.FOR}))
    found = over(logs)
    assert found.state is State.ADOPTED
    assert [v.reason for v in found.void] == [VoidReason.AGAINST_THE_RULE, VoidReason.NOT_A_MEMBER]


def test_a_close_that_says_something_else_than_the_logs_is_a_fault_of_the_secretarys() -> None:
    logs = under_silence()
    logs.say("bb", Stance.BREAK_SILENCE)
    over(logs)
    logs.write("hub", Close(proposal=P, version=1, outcome=Outcome.ADOPTED, tally={Stance.FOR: 3}))
    found = logs.status()
    assert found.state is State.CONSULTATION
    assert found.faults == (
        "the secretary closed version 1 as ADOPTED; it is REJECTED",
        "the secretary counted 3 FOR; it is 1 BREAK_SILENCE",
    )


def test_a_close_before_the_deadline_counts_only_when_nobody_is_left_to_say_anything() -> None:
    logs = voting("simple-majority")
    logs.say("aa", Stance.FOR)
    logs.say("bb", Stance.FOR)
    logs.write("hub", Close(proposal=P, version=1, outcome=Outcome.ADOPTED))
    assert logs.status().state is State.VOTING
    assert [v.reason for v in logs.status().void] == [VoidReason.TOO_EARLY]
    logs.say("cc", Stance.ABSTAIN)
    logs.write("hub", Close(proposal=P, version=1, outcome=Outcome.ADOPTED))
    assert logs.status().state is State.ADOPTED


def test_interpretative_statements_are_shown_and_change_no_count() -> None:
    logs = under_silence()
    logs.say("aa", None, statement="We read «all aircraft» as crewed aircraft.")
    found = over(logs)
    assert found.state is State.ADOPTED
    assert found.tally is not None
    assert found.tally.silent == 3
    assert [(s.member, s.text) for s in found.statements] == [("aa", "We read «all aircraft» as crewed aircraft.")]


def test_who_abstains_with_a_formal_declaration_and_who_has_not_accepted_the_body_is_not_bound() -> None:
    logs = Logs(council(rules=("unanimity",)), accepted=("aa", "bb"))
    logs.table()
    logs.circulate()
    logs.say("aa", Stance.FOR)
    logs.say("bb", Stance.FOR)
    logs.say("cc", Stance.FOR)
    found = over(logs)
    assert {b.member: (b.bound, b.why) for b in found.bound} == {
        "aa": (True, "FOR"), "bb": (True, "FOR"), "cc": (False, "NOT_ACCEPTED"),
    }  # fmt: skip


def test_an_advisory_text_binds_nobody() -> None:
    logs = Logs(council())
    logs.table(effect=Effect.ADVISORY)
    logs.circulate(logs.deliver(ALL))
    assert {(b.bound, b.why) for b in over(logs).bound} == {(False, "ADVISORY")}


@pytest.mark.parametrize("what", ["rule", "body", "stranger", "secretary"])
def test_what_cannot_be_decided_at_all_says_why_and_nothing_of_it_is_applied(what: str) -> None:
    logs = Logs(council())
    if what == "secretary":
        logs.records["hub"].clear()
        logs.write("aa", Table(proposal="P-AA-2026-0001", body=body_hash(logs.body), rule="silence", title=TITLE,
                               text=OTHER_TEXT, language="en"))  # fmt: skip
        from keepclear.decisions.acts import Constitute

        logs.write("aa", Constitute(body=logs.body))
        number, line = "P-AA-2026-0001", "hub, the secretary, has not accepted the body"
    elif what == "stranger":
        number, line = "P-ZZ-2026-0001", "zz represents no member of council on 2026-01-01, and may not table"
        logs.table(by="zz", proposal=number)
    elif what == "rule":
        number, line = P, "council has no rule qualified; it has silence"
        logs.table("qualified")
    else:
        number, line = P, "no body with the hash"
        logs.write("hub", Table(proposal=P, body="0" * 64, rule="silence", title=TITLE, text="T", language="en"))
    logs.circulate(proposal=number, text=OTHER_TEXT)
    found = logs.status(number)
    assert found.state is State.TABLED
    assert found.rounds == ()
    assert len(found.faults) == 1
    assert line in found.faults[0]


def test_consensus_minus_one_leaves_the_one_out() -> None:
    logs = Logs(council(rules=("osce-consensus-minus-one",)))
    logs.table(excluded=("cc",))
    logs.circulate(logs.deliver(ALL))
    logs.say("cc", Stance.AGAINST)
    found = over(logs)
    assert found.state is State.ADOPTED
    assert void_of(found) == [("cc", VoidReason.NOT_A_MEMBER)]
    assert [(b.member, b.why) for b in found.bound][-1] == ("cc", "EXCLUDED")


def test_an_entry_whose_text_was_erased_leaves_the_outcome_open_for_everybody() -> None:
    logs = voting("simple-majority")
    position = logs.say("aa", Stance.FOR)
    logs.say("bb", Stance.FOR)
    assert over(logs).state is State.ADOPTED
    before = logs.docket()
    logs.erase(position)
    before.take("aa", logs.records["aa"])
    found = logs.status()
    assert found.state is State.INCOMPLETE
    assert found.outcome is None
    assert [m.what for m in found.missing] == ["entry 2 of aa"]
    assert status(before, P).state is State.INCOMPLETE, "also where it had been read before"


def test_a_log_that_is_behind_leaves_the_outcome_open_and_says_what_is_missing() -> None:
    logs = under_silence()
    logs.say("bb", Stance.BREAK_SILENCE)
    over(logs)
    found = status(logs.docket(without=("bb",)), P)
    assert found.state is State.INCOMPLETE
    assert {m.what for m in found.missing} == {"entry 1 of bb", "entry 2 of bb"}
    assert "only up to 0 entries" in found.missing[0].why
    assert logs.status().state is State.BROKEN


def test_a_position_with_one_byte_of_the_text_hash_changed_is_void() -> None:
    logs = voting("simple-majority")
    digest = logs.status().text_hash
    wrong = digest[:-1] + ("0" if digest[-1] != "0" else "1")
    logs.register("aa", logs.write("aa", Position(proposal=P, version=1, text_hash=wrong, member="aa",
                                                  stance=Stance.FOR)))  # fmt: skip
    assert void_of(over(logs)) == [("aa", VoidReason.OTHER_TEXT)]


def test_a_day_is_counted_in_utc() -> None:
    assert day_of(START_MS) == date(2026, 1, 1)
    assert day_of(START_MS + 12 * HOUR_MS - 1) == date(2026, 1, 1)
    assert day_of(START_MS + 12 * HOUR_MS) == date(2026, 1, 2)
