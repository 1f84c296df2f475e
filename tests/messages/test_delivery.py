"""How far a message got: only what the logs prove, recipient by recipient."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.channel.entry import Draft, seal
from keepclear.channel.signature import SigningKey
from keepclear.errors import InputError, UsageError
from keepclear.messages.bodies import AnyBody, encode_body
from keepclear.messages.delivery import (
    Currency,
    Delivery,
    Filed,
    Held,
    MessageState,
    currency,
    expected,
    filed,
    follow,
    in_order,
)
from keepclear.messages.fields import Position
from keepclear.messages.message import Message
from keepclear.messages.read_back import CriticalField, draft_read_back
from keepclear.messages.receipt import Answer, Receipt
from keepclear.messages.timers import Timers
from keepclear.messages.vocabulary import Answering, Kind, Precedence, Shown

NOW_MS = 1_795_860_000_000
SECOND_MS, MINUTE_MS = 1_000, 60_000
PARTIES = ("alpha", "bravo", "charlie")
File = Callable[..., Filed]
MakeMessage = Callable[..., Message]
SHOWN = Receipt(level=Shown.SHOWN, by_role="duty officer", at_ms=NOW_MS)
RELAYED = Receipt(level=Shown.RELAYED_TO_UNITS, by_role="duty officer", at_ms=NOW_MS)
COMPLY = Answer(answer=Answering.WILL_COMPLY, by_role="duty officer")
STAND_BY = Answer(answer=Answering.STAND_BY, by_role="duty officer")


def held(by: str, at_ms: int, size: int = 8) -> Held:
    return Held(by, "alpha", size, at_ms)


def test_each_level_is_reached_only_when_it_is_proved(message: Message, file: File) -> None:
    sent = file("alpha", 7, message, to=("bravo",))
    cosigned = [held("bravo", NOW_MS + SECOND_MS)]
    shown = file("bravo", 0, SHOWN, re=(sent,), at_ms=NOW_MS + 2 * SECOND_MS)
    back = file("bravo", 1, draft_read_back(message, "x"), re=(sent,), at_ms=NOW_MS + 3 * SECOND_MS)
    answered = file("bravo", 2, COMPLY, re=(sent,), at_ms=NOW_MS + 4 * SECOND_MS)
    steps: list[tuple[list[Held], list[Filed], MessageState]] = [
        ([], [], MessageState.SENT), (cosigned, [], MessageState.DELIVERED), (cosigned, [shown], MessageState.READ),
        (cosigned, [shown, back], MessageState.READ_BACK), (cosigned, [shown, back, answered], MessageState.ANSWERED),
    ]  # fmt: skip
    for cosignatures, entries, reached in steps:
        found = follow(sent, PARTIES, cosignatures, entries, NOW_MS + 5 * SECOND_MS).recipients
        assert [(r.party, r.reached, r.state) for r in found] == [("bravo", reached, reached)]


def test_a_cosignature_of_a_smaller_tree_or_of_another_log_proves_nothing(message: Message, file: File) -> None:
    sent = file("alpha", 7, message, to=("bravo",))
    others = [held("bravo", NOW_MS, size=7), Held("bravo", "charlie", 8, NOW_MS), held("charlie", NOW_MS)]
    assert follow(sent, PARTIES, others, [], NOW_MS).weakest.reached is MessageState.SENT


def test_a_message_is_as_far_as_its_slowest_recipient(message: Message, file: File) -> None:
    sent = file("alpha", 7, message)
    found = follow(sent, PARTIES, [held("bravo", NOW_MS)], [file("bravo", 0, SHOWN, re=(sent,))], NOW_MS)
    assert [(r.party, r.reached) for r in found.recipients] == [
        ("bravo", MessageState.READ), ("charlie", MessageState.SENT),
    ]  # fmt: skip
    assert found.weakest.party == "charlie"


def test_a_read_back_that_differs_alarms_and_does_not_count(message: Message, file: File) -> None:
    sent = file("alpha", 7, message, to=("bravo",))
    wrong = msgspec.structs.replace(draft_read_back(message, "x"), positions=(Position.of(35.3643, 40.05),))
    entries = [file("bravo", 0, wrong, re=(sent,)), file("bravo", 1, COMPLY, re=(sent,))]
    (found,) = follow(sent, PARTIES, [held("bravo", NOW_MS)], entries, NOW_MS).recipients
    assert found.reached is MessageState.READ
    assert [mismatch.field for mismatch in found.mismatches] == [CriticalField.POSITIONS]
    assert found.answer == COMPLY
    right = file("bravo", 2, draft_read_back(message, "x"), re=(sent,))
    (found,) = follow(sent, PARTIES, [], [*entries, right], NOW_MS).recipients
    assert (found.reached, found.mismatches) == (MessageState.ANSWERED, ())


def test_relayed_to_units_is_a_thing_of_its_own(message: Message, file: File) -> None:
    sent = file("alpha", 7, message, to=("bravo",))
    entries = [file("bravo", 0, draft_read_back(message, "x"), re=(sent,)), file("bravo", 1, COMPLY, re=(sent,))]
    (found,) = follow(sent, PARTIES, [], entries, NOW_MS).recipients
    assert (found.reached, found.relayed_ms) == (MessageState.ANSWERED, None)
    (found,) = follow(sent, PARTIES, [], [*entries, file("bravo", 2, RELAYED, re=(sent,))], NOW_MS).recipients
    assert found.relayed_ms == NOW_MS


def test_what_is_not_done_in_time_is_overdue_then_escalated(message: Message, file: File) -> None:
    sent, timers = file("alpha", 7, message, to=("bravo",)), Timers().flash
    due_ms = NOW_MS + timers.held_s * SECOND_MS
    climbs_ms = due_ms + timers.escalated_s * SECOND_MS
    states = [follow(sent, PARTIES, [], [], t).weakest for t in (due_ms, due_ms + 1, climbs_ms, climbs_ms + 1)]
    assert [one.state for one in states] == [
        MessageState.SENT, MessageState.OVERDUE, MessageState.OVERDUE, MessageState.ESCALATED,
    ]  # fmt: skip
    assert {(one.awaited, one.due_ms) for one in states} == {(MessageState.DELIVERED, due_ms)}


def test_each_timer_begins_where_the_step_before_was_reached(message: Message, file: File) -> None:
    sent, timers = file("alpha", 7, message, to=("bravo",)), Timers().flash
    late_ms = NOW_MS + 600 * SECOND_MS
    (found,) = follow(sent, PARTIES, [held("bravo", late_ms)], [], late_ms + 1).recipients
    assert (found.awaited, found.due_ms) == (MessageState.READ, late_ms + timers.shown_s * SECOND_MS)
    shown = file("bravo", 0, SHOWN, re=(sent,), at_ms=late_ms + 5)
    (found,) = follow(sent, PARTIES, [held("bravo", late_ms)], [shown], late_ms + 6).recipients
    assert (found.awaited, found.due_ms) == (MessageState.READ_BACK, late_ms + 5 + timers.read_back_s * SECOND_MS)


def test_stand_by_is_no_answer_and_gives_time_once(make_message: MakeMessage, file: File) -> None:
    query = make_message(kind=Kind.QUERY, precedence=Precedence.PRIORITY)
    sent, answered_ms = file("alpha", 7, query, to=("bravo",)), Timers().priority.answered_s * SECOND_MS
    waits = [file("bravo", n, STAND_BY, re=(sent,), at_ms=NOW_MS + (n + 1) * MINUTE_MS) for n in range(3)]
    (found,) = follow(sent, PARTIES, [], waits, NOW_MS + 10 * MINUTE_MS).recipients
    assert (found.reached, found.awaited) == (MessageState.READ, MessageState.ANSWERED)
    assert found.due_ms == NOW_MS + MINUTE_MS + answered_ms


def test_a_question_is_answered_by_a_reply_as_well(make_message: MakeMessage, file: File) -> None:
    sent = file("alpha", 7, make_message(kind=Kind.QUERY), to=("bravo",))
    reply = make_message(id="BRAVO-2026-0001", kind=Kind.REPLY, refs=("ALPHA-2026-0007",))
    (found,) = follow(sent, PARTIES, [], [file("bravo", 0, reply, re=(sent,))], NOW_MS).recipients
    assert (found.reached, found.reply, found.awaited) == (MessageState.ANSWERED, reply, None)


def test_no_answer_is_never_an_answer(message: Message, file: File) -> None:
    sent = file("alpha", 7, message, to=("bravo",))
    found = follow(sent, PARTIES, [held("bravo", NOW_MS)], [], NOW_MS + 10**10).weakest
    assert (found.answer, found.answered_ms, found.reached) == (None, None, MessageState.DELIVERED)


def test_only_the_sender_cancels_or_corrects(make_message: MakeMessage, file: File) -> None:
    sent = file("alpha", 7, make_message(), to=("bravo",))
    refs = ("ALPHA-2026-0007",)
    cancel = make_message(id="ALPHA-2026-0008", kind=Kind.CANCELLATION, refs=refs)
    correct = make_message(id="ALPHA-2026-0008", kind=Kind.CORRECTION, refs=refs)
    mentions = make_message(id="ALPHA-2026-0008", kind=Kind.CORRECTION, refs=("ALPHA-2026-0001", *refs))
    cases = [
        ("alpha", cancel, MessageState.CANCELLED), ("alpha", correct, MessageState.SUPERSEDED),
        ("alpha", mentions, MessageState.SENT), ("bravo", cancel, MessageState.SENT),
    ]  # fmt: skip
    for party, later, state in cases:
        assert follow(sent, PARTIES, [], [file(party, 8, later)], NOW_MS).weakest.state is state


def test_r1_3_lead_time_runs_from_delivery_and_is_that_of_the_last_to_hold_it(message: Message, file: File) -> None:
    sent = file("alpha", 7, message)
    begins_ms = message.from_ms
    assert begins_ms is not None
    one = follow(sent, PARTIES, [held("bravo", NOW_MS + MINUTE_MS)], [], NOW_MS + MINUTE_MS)
    assert one.lead_ms is None, "charlie does not hold it: there is no lead time yet"
    both = [held("bravo", NOW_MS + MINUTE_MS), held("charlie", begins_ms + MINUTE_MS)]
    found = follow(sent, PARTIES, both, [], begins_ms + 2 * MINUTE_MS)
    assert [r.lead_ms for r in found.recipients] == [29 * MINUTE_MS, -MINUTE_MS]
    assert found.lead_ms == -MINUTE_MS
    assert found.sent_ms == NOW_MS, "sent half an hour before the start, and that is not the lead time"


def test_a_late_message_is_late_for_ever_and_an_old_one_expires(message: Message) -> None:
    end_ms = message.valid_until_ms
    assert currency(message, end_ms, end_ms) is Currency.CURRENT
    assert currency(message, end_ms, end_ms + 1) is Currency.EXPIRED
    assert currency(message, end_ms + 1, end_ms + 1) is Currency.LATE
    assert currency(message, end_ms + 1, NOW_MS) is Currency.LATE, "a clock set back makes nothing current"
    assert currency(message, None, end_ms + 1) is Currency.LATE


def test_queues_are_by_precedence_then_age(make_message: MakeMessage, file: File) -> None:
    order = [Precedence.ROUTINE, Precedence.FLASH, Precedence.PRIORITY, Precedence.FLASH, Precedence.IMMEDIATE]
    waiting = [file("alpha", n, make_message(precedence=p), at_ms=NOW_MS + n) for n, p in enumerate(order)]
    assert [item.seq for item in in_order([*waiting, file("bravo", 0, SHOWN)])] == [1, 3, 4, 2, 0]


def test_only_messages_are_followed_and_to_somebody(message: Message, file: File) -> None:
    with pytest.raises(UsageError, match="is no message"):
        follow(file("alpha", 0, SHOWN), PARTIES, [], [], NOW_MS)
    with pytest.raises(UsageError, match="to nobody"):
        follow(file("alpha", 0, message, to=("alpha",)), PARTIES, [], [], NOW_MS)


def test_every_kind_says_what_it_expects() -> None:
    asked = {kind: expected(kind) for kind in Kind}
    assert {kind for kind, ask in asked.items() if ask.answer} == {Kind.WARNING, Kind.CEASE_REQUEST, Kind.QUERY}
    assert not asked[Kind.TEST].read_back


def test_timers_come_from_the_charter_by_name() -> None:
    timers = Timers.from_charter({"flash.shown_s": 45, "routine.answered_s": 99, "incident.prompt_s": 30})
    assert timers.incident.prompt_s == 30
    assert (timers.flash.shown_s, timers.routine.answered_s) == (45, 99)
    assert timers.flash.held_s == Timers().flash.held_s
    for name, said in (("flash.seen_s", "no timer"), ("urgent.shown_s", "no timer"), ("flash", "no timer")):
        with pytest.raises(InputError, match=said):
            Timers.from_charter({name: 1})
    with pytest.raises(InputError, match="between a second and a year"):
        Timers.from_charter({"flash.shown_s": 0})


def test_more_urgent_timers_are_never_longer() -> None:
    timers = Timers()
    rows = [msgspec.structs.astuple(timers.of(precedence)) for precedence in Precedence]
    assert all(a <= b for upper, lower in pairwise(rows) for a, b in zip(upper, lower, strict=True))


def test_an_entry_is_filed_from_its_exact_bytes(message: Message) -> None:
    key = SigningKey(bytes(32))
    record = seal(
        Draft("message", encode_body(message), to=("bravo",)), channel="00" * 32, party="alpha", seq=4,
        prev=bytes(32), seen={}, at_ms=NOW_MS, salt=bytes(32), key=key,
    )  # fmt: skip
    found = filed(record)
    assert found is not None
    assert (found.party, found.seq, found.to, found.body) == ("alpha", 4, ("bravo",), message)
    assert found.leaf == record.leaf.hex()
    assert filed(record.without_body()) is None
    other = seal(
        Draft("message", b"{}", to=("bravo",)), channel="00" * 32, party="alpha", seq=4, prev=bytes(32), seen={},
        at_ms=NOW_MS, salt=bytes(32), key=key,
    )  # fmt: skip
    with pytest.raises(InputError, match="message"):
        filed(other)


replies: st.SearchStrategy[AnyBody] = st.sampled_from([SHOWN, RELAYED, COMPLY, STAND_BY])


@given(st.lists(st.tuples(st.sampled_from(["bravo", "charlie"]), replies, st.integers(0, 10**7)), max_size=8))
def test_more_evidence_never_takes_a_message_back(story: list[tuple[str, AnyBody, int]]) -> None:
    """Delivery only moves forward as entries come in, whatever their order in time."""
    fields: dict[str, Any] = {"precedence": Precedence.ROUTINE, "desk": "AIR", "valid_until_ms": NOW_MS, "by_role": "x"}
    message = msgspec.convert({"id": "ALPHA-2026-0001", "kind": "QUERY", **fields}, Message)
    sent = Filed("alpha", 0, "00", (), frozenset(), NOW_MS, message)
    entries = [Filed(p, n, f"{n:02x}", (), frozenset({"00"}), NOW_MS + t, b) for n, (p, b, t) in enumerate(story)]
    order = list(MessageState)
    before: Delivery | None = None
    for upto in range(len(entries) + 1):
        found = follow(sent, PARTIES, [], entries[:upto], NOW_MS)
        if before is not None:
            for old, new in zip(before.recipients, found.recipients, strict=True):
                assert order.index(new.reached) >= order.index(old.reached)
        before = found
