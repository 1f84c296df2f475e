"""What a served node says about decisions: who is told of what is owed, when, and what the secretary receives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import msgspec
import pytest

from keepclear.channel.charter import Charter, DutyStep
from keepclear.channel.charter import Desk as CharterDesk
from keepclear.channel.entry import Reference
from keepclear.channel.store import Kept, Store
from keepclear.decision_desk import DecisionDesk, TextReceipts
from keepclear.decisions.acts import (
    AgendaItem,
    Amend,
    Apply,
    Close,
    Commit,
    Convene,
    Minutes,
    Received,
    Register,
    StageReached,
    Withdraw,
    text_hash,
)
from keepclear.decisions.documents.deadlines import deadlines
from keepclear.decisions.procedure import duties as duties_module
from keepclear.decisions.procedure.docket import Docket
from keepclear.decisions.procedure.duties import DutyBook, duties, unaccepted
from keepclear.decisions.procedure.duty import Owed
from keepclear.decisions.procedure.procedure import status
from keepclear.decisions.procedure.registering import register_acts
from keepclear.decisions.procedure.status import Status
from keepclear.decisions.rules.body import body_hash
from keepclear.decisions.rules.stance import Outcome, Stance
from keepclear.decisions.vocabulary import Request, Stage, State
from keepclear.simulation.parties import exercise_charter
from tests.decisions.logs import CHANNEL, DAY_MS, HOUR_MS, MINUTE_MS, TEXT, TITLE, Logs, P, council

OURS, A = "aa", "A-AA-2026-0001"
LADDER = (DutyStep("officer", 0, ("console",)), DutyStep("head", 600, ("telephone",)))


@dataclass
class Shelf:
    """The logs as a store shows them."""

    logs: Logs
    channel: str = CHANNEL

    def records(self, log: str, start: int) -> list[Kept]:
        kept = self.logs.records.get(log, [])
        return [Kept(seq, record, 0) for seq, record in enumerate(kept) if seq >= start]

    def forks(self) -> tuple[()]:
        return ()

    def charters(self) -> tuple[Charter, ...]:
        return (charter(),)


def charter() -> Charter:
    made = exercise_charter("aa", "bb", "cc", "hub")
    desks = (CharterDesk("POLITICAL", LADDER),)
    parties = tuple(msgspec.structs.replace(one, desks=desks) for one in made.parties)
    return msgspec.structs.replace(made, parties=parties)


def desk_of(
    logs: Logs, party: str = OURS, receipts: TextReceipts = TextReceipts.LADDER, made: Charter | None = None
) -> DecisionDesk:
    return DecisionDesk(made or charter(), party, cast(Store, Shelf(logs)), receipts=receipts)


def said(desk: DecisionDesk, logs: Logs, event: str) -> Sequence[Mapping[str, Any]]:
    return [one for one in desk.step(logs.now_ms) if one["event"] == event]


def owed(logs: Logs, party: str = OURS) -> list[tuple[Owed, tuple[str, ...], bool]]:
    return [(one.what, one.members, one.late) for one in duties(logs.docket(), party, logs.now_ms)]


def test_a_receipt_is_owed_until_it_is_given_and_the_end_of_a_silence_is_told() -> None:
    logs = Logs(council())
    logs.table()
    assert owed(logs) == [(Owed.RECEIPT, ("aa",), False)]
    references = logs.deliver(("aa", "bb"))
    assert owed(logs) == []
    logs.circulate(references)
    assert owed(logs) == [(Owed.SILENCE_ENDS, ("aa",), False)]
    assert owed(logs, "cc") == [(Owed.RECEIPT, ("cc",), False)], "its silence would not count, so it does not end"
    logs.say("aa", Stance.BREAK_SILENCE)
    assert logs.status().state is State.BROKEN
    assert owed(logs) == owed(logs, "bb") == []


def test_a_position_is_owed_before_the_deadline_and_a_closing_by_the_secretary_until_it_is_written() -> None:
    logs = Logs(council(rules=("simple-majority",)))
    logs.table()
    logs.circulate()
    assert owed(logs) == [(Owed.POSITION, ("aa",), False)]
    assert owed(logs, "hub") == []
    logs.say("aa", Stance.ABSTAIN)
    assert owed(logs) == []
    logs.wait(DAY_MS + 1)
    assert owed(logs, "bb") == []
    assert owed(logs, "hub") == [(Owed.CLOSE, (), False)]
    logs.tick()
    assert logs.status().state is State.REJECTED
    assert owed(logs, "hub") == [(Owed.CLOSE, (), False)], "its log shows it, and it has told nobody what came of it"
    logs.write("hub", Close(proposal=P, version=1, outcome=Outcome.REJECTED))
    assert owed(logs, "hub") == []


def test_a_sealed_vote_is_to_be_opened_from_the_deadline_on_though_the_secretary_is_silent() -> None:
    logs = Logs(council(rules=("simple-majority",)))
    logs.table()
    logs.circulate(open_in_ms=DAY_MS)
    logs.seal("aa", Commit(proposal=P, version=1, member="aa", commitment="c" * 64))
    assert owed(logs) == []
    logs.wait(DAY_MS + 1)
    assert owed(logs) == [(Owed.OPENING, ("aa",), False)]
    logs.tick()
    assert logs.status().state is State.OPENING
    assert owed(logs) == [(Owed.OPENING, ("aa",), False)]
    assert owed(logs, "hub") == []
    logs.wait(DAY_MS)
    assert owed(logs, "hub") == [(Owed.CLOSE, (), False)]


def test_the_secretary_owes_the_members_a_tabled_text_and_an_amended_one_until_it_expires() -> None:
    logs = Logs(council())
    logs.table(by="aa", proposal="P-AA-2026-0001", expires_ms=logs.now_ms + DAY_MS)
    assert owed(logs, "hub") == [(Owed.CIRCULATE, (), False)]
    logs.circulate(logs.deliver(("aa",), proposal="P-AA-2026-0001"), closes_in_ms=HOUR_MS, proposal="P-AA-2026-0001")
    assert owed(logs, "hub") == []
    logs.say("bb", Stance.BREAK_SILENCE, proposal="P-AA-2026-0001")
    assert owed(logs, "hub") == [(Owed.CLOSE, (), False)], "all are told that it was broken, and by whom"
    logs.write("aa", Amend(proposal="P-AA-2026-0001", version=2, title=TITLE, text="Another.", language="en"))
    assert (Owed.CIRCULATE, (), False) in owed(logs, "hub")
    logs.wait(2 * DAY_MS)
    assert Owed.CIRCULATE not in [what for what, _, _ in owed(logs, "hub")], "it has expired"


def test_the_secretary_owes_its_receipt_for_what_has_come() -> None:
    logs = Logs(council())
    logs.table()
    logs.circulate(logs.deliver(("aa", "bb")))
    reference = logs.say("aa", Stance.AGAINST, register=False)
    assert owed(logs, "hub") == [(Owed.REGISTER, (), False)]
    logs.register("aa", reference)
    assert owed(logs, "hub") == [(Owed.CLOSE, (), False)]
    logs.say("dd", Stance.AGAINST, register=False)
    assert Owed.REGISTER not in [what for what, _, _ in owed(logs, "hub")], "a stranger is owed nothing"


def applied(logs: Logs) -> Reference:
    return logs.write("aa", Apply(
        application=A, applicant="Party A", body=body_hash(logs.body), kind=Request.MEASURE, subject="A corridor",
        basis="Agreement, 4", language="en",
    ))  # fmt: skip


def test_a_stage_is_owed_by_whoever_has_it_and_a_late_one_climbs_the_ladder() -> None:
    logs = Logs(council())
    first = applied(logs)
    assert owed(logs, "hub") == [(Owed.STAGE, (), False)], "to say that it is received"
    due_ms = logs.now_ms + DAY_MS
    stage = logs.write("hub", StageReached(application=A, stage=Stage.RECEIVED, after=first.leaf, owner="bb",
                                           due_ms=due_ms))  # fmt: skip
    assert owed(logs, "hub") == owed(logs, "aa") == []
    assert owed(logs, "bb") == [(Owed.STAGE, (), False)]
    desk = desk_of(logs, "bb")
    assert [(c["precedence"], c["role"]) for c in said(desk, logs, "call")] == [("ROUTINE", "officer")]
    logs.wait(DAY_MS + 1)
    late = desk.step(logs.now_ms)
    assert [(o["id"], o["what"], o["late"]) for o in late if o["event"] == "owed"] == [(A, "STAGE", True)]
    assert ("IMMEDIATE", "head") in [(c["precedence"], c["role"]) for c in late if c["event"] == "call"]
    logs.wait(HOUR_MS)
    assert said(desk, logs, "call") == [], "whoever was told knows it"
    logs.wait(8 * HOUR_MS)
    assert [(c["role"], c["round"]) for c in said(desk, logs, "call")] == [("head", 1)], "the next watch is told again"
    logs.write("bb", StageReached(application=A, stage=Stage.DECISION, after=stage.leaf, owner="committee on duty",
                                  due_ms=logs.now_ms + DAY_MS))  # fmt: skip
    logs.wait(HOUR_MS)
    assert said(desk, logs, "call") == []
    assert owed(logs, "hub") == [(Owed.STAGE, (), False)], "a role cannot be reminded, so the secretary is"


def test_a_meeting_is_announced_to_members_and_its_minutes_are_owed_by_the_secretary() -> None:
    logs = Logs(council())
    meeting = "M-HUB-2026-0001"
    convene = Convene(meeting=meeting, body=body_hash(logs.body), starts_ms=logs.now_ms + DAY_MS, place="Room 3",
                      language="en", extraordinary=True, agenda=(AgendaItem(title="Corridor"),))  # fmt: skip
    logs.write("bb", convene)
    assert owed(logs) == [], "only the secretary convenes"
    logs.write("hub", convene)
    assert owed(logs) == [(Owed.MEETING, ("aa",), False)]
    assert owed(logs, "hub") == []
    desk = desk_of(logs)
    assert [(c["id"], c["precedence"]) for c in said(desk, logs, "call")] == [(meeting, "ROUTINE")]
    logs.wait(DAY_MS + 1)
    assert owed(logs) == []
    assert owed(logs, "hub") == [(Owed.MINUTES, (), False)]
    logs.write("hub", Minutes(meeting=meeting, present=("aa",), text="It met.", language="en"))
    assert owed(logs, "hub") == []


def test_what_is_over_is_not_looked_at_until_something_is_written_about_it(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    def looking(docket: Docket, number: str) -> Status:
        looked.append(number)
        return status(docket, number)

    monkeypatch.setattr(duties_module, "status", looking)
    logs = Logs(council())
    logs.table()
    logs.circulate(logs.deliver(("aa",)), closes_in_ms=HOUR_MS)
    logs.wait(2 * HOUR_MS)
    book = DutyBook(logs.docket(), "hub")
    assert [one.what for one in book.owed(logs.now_ms)] == [Owed.CLOSE]
    logs.write("hub", Close(proposal=P, version=1, outcome=Outcome.REJECTED))
    desk = desk_of(logs, "hub")
    desk.step(logs.now_ms)
    looked.clear()
    logs.wait(DAY_MS)
    logs.tick()
    desk.step(logs.now_ms)
    assert looked == []
    logs.write("hub", Amend(proposal=P, version=2, title=TITLE, text="Another.", language="en"))
    assert [one["what"] for one in said(desk, logs, "owed")] == ["CIRCULATE"]
    assert looked == [P]


def test_r4_1_the_node_proves_delivery_by_itself_where_somebody_is_then_called() -> None:
    logs = Logs(council(), accepted=("aa", "bb"))
    logs.table()
    bare = exercise_charter("aa", "bb", "cc", "hub")
    never = desk_of(logs, receipts=TextReceipts.NEVER)
    nobody = desk_of(logs, made=bare)
    for desk in (never, nobody):
        assert [one["what"] for one in said(desk, logs, "owed")] == ["RECEIPT"], "people are told to do it"
        assert desk.to_receive(logs.now_ms) == ()
    always = desk_of(logs, receipts=TextReceipts.ALWAYS, made=bare)
    always.take()
    assert len(always.to_receive(logs.now_ms)) == 1
    stranger = desk_of(logs, "cc")
    stranger.take()
    assert stranger.to_receive(logs.now_ms) == (), "it has not accepted the body: its silence is not to count"
    desk = desk_of(logs)
    desk.take()
    [act] = desk.to_receive(logs.now_ms)
    assert (act.proposal, act.version, act.text_hash) == (P, 1, text_hash(TITLE, TEXT, "en"))
    reference = logs.write(OURS, act)
    desk.take()
    assert desk.to_receive(logs.now_ms) == (), "once"
    logs.circulate((reference,))
    found = logs.status().round
    assert found is not None
    assert found.delivered == ("aa",)
    assert [c["what"] for c in said(desk, logs, "call")] == ["SILENCE_ENDS"], "delivered is not read: people are called"
    logs.say("aa", Stance.BREAK_SILENCE)
    logs.write("hub", Amend(proposal=P, version=2, title=TITLE, text="Another.", language="en"))
    desk.take()
    assert [one.version for one in desk.to_receive(logs.now_ms)] == [2], "another text, another receipt"


def test_what_is_owed_climbs_the_duty_ladder_and_is_urgent_in_its_last_quarter() -> None:
    logs = Logs(council())
    logs.table()
    desk = desk_of(logs)
    assert [one["what"] for one in said(desk, logs, "owed")] == ["RECEIPT"]
    assert said(desk, logs, "owed") == [], "once"
    logs.circulate(logs.deliver(("aa",)))
    first = desk.step(logs.now_ms)
    assert [(c["role"], c["precedence"]) for c in first if c["event"] == "call"] == [("officer", "ROUTINE")]
    assert [o["what"] for o in first if o["event"] == "owed"] == ["SILENCE_ENDS"]
    logs.wait(DAY_MS - 6 * HOUR_MS - MINUTE_MS)
    before = said(desk, logs, "call")
    assert {c["precedence"] for c in before} <= {"ROUTINE"}
    logs.wait(2 * MINUTE_MS)
    assert [(c["role"], c["precedence"]) for c in said(desk, logs, "call") if c["precedence"] == "IMMEDIATE"] == [
        ("officer", "IMMEDIATE")
    ]
    logs.wait(10 * MINUTE_MS)
    assert ("head", "telephone") in [(c["role"], c["transport"]) for c in said(desk, logs, "call")]
    logs.say("aa", Stance.FOR)
    logs.wait(HOUR_MS)
    assert said(desk, logs, "call") == [], "nobody is called for what is done"


def test_a_body_that_speaks_of_us_is_to_be_accepted() -> None:
    logs = Logs(council(), accepted=("bb",))
    desk = desk_of(logs)
    assert [one["what"] for one in said(desk, logs, "owed")] == ["ACCEPT"]
    assert said(desk, logs, "owed") == []
    assert unaccepted(logs.docket(), "bb") == ()


def test_the_secretary_receives_everything_once_and_nothing_of_strangers() -> None:
    logs = Logs(council())
    logs.table(by="aa", proposal="P-AA-2026-0001")
    logs.table()
    logs.circulate(logs.deliver(("aa", "bb")))
    spoken = [logs.say("aa", Stance.FOR, register=False), logs.say("bb", Stance.AGAINST, register=False)]
    logs.say("dd", Stance.FOR, register=False)
    withdrawn = logs.write("aa", Withdraw(proposal="P-AA-2026-0001"))
    desk = desk_of(logs, "hub")
    desk.step(logs.now_ms)
    acts = desk.to_register()
    assert [[(one.member, one.reference) for one in act.positions] for act in acts] == [
        [(None, withdrawn)], [("aa", spoken[0]), ("bb", spoken[1])]
    ]  # fmt: skip
    for act in acts:
        logs.write("hub", act)
    desk.step(logs.now_ms)
    assert desk.to_register() == ()
    assert logs.status().round is not None
    assert {one.member for one in logs.status().round.counted} == {"aa", "bb"}  # type: ignore[union-attr]
    assert register_acts(logs.docket(), "aa") == (), "only the secretary's log is the register"


def test_a_large_register_is_split_into_acts_that_fit_an_entry() -> None:
    names = [f"m{number:03d}" for number in range(300)]
    logs = Logs(council(names))
    logs.table()
    logs.circulate()
    for name in names:
        logs.say(name, Stance.FOR, register=False)
    acts = register_acts(logs.docket(), "hub")
    assert [len(act.positions) for act in acts] == [250, 50]
    for act in acts:
        assert isinstance(act, Register)
        logs.write("hub", act)


def test_a_deadline_keeps_its_name_and_its_number_grows_with_every_change() -> None:
    logs = Logs(council())
    logs.table()
    logs.circulate(logs.deliver(("aa",)))
    [first] = deadlines(logs.docket())
    logs.say("aa", Stance.BREAK_SILENCE)
    [broken] = deadlines(logs.docket())
    logs.write("hub", Amend(proposal=P, version=2, title=TITLE, text="Another.", language="en"))
    logs.wait(HOUR_MS)
    logs.circulate(version=2, text="Another.")
    [again] = deadlines(logs.docket())
    logs.wait(DAY_MS + 1)
    logs.tick()
    [over] = deadlines(logs.docket())
    assert first.uid == broken.uid == again.uid == over.uid
    assert [(one.sequence, one.cancelled) for one in (first, broken, again, over)] == [
        (0, False), (1, True), (2, False), (2, False)
    ]  # fmt: skip
    assert again.at_ms > first.at_ms


def test_what_others_write_is_told_once_it_comes_and_not_after_a_restart() -> None:
    logs = Logs(council())
    logs.table()
    desk = desk_of(logs)
    assert said(desk, logs, "decision") == [], "what was there before is no news"
    reference: Reference = logs.write("bb", Received(proposal=P, version=1, text_hash=text_hash(TITLE, TEXT, "en")))
    [news] = said(desk, logs, "decision")
    assert (news["act"], news["id"], news["from"], news["entry"]) == ("received", P, "bb", reference.seq)
