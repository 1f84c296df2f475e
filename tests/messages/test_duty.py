"""The duty ladder: roles, more than one transport, and no waiting for anybody in particular."""

from __future__ import annotations

import pytest

from keepclear.channel.charter import Desk as CharterDesk
from keepclear.channel.charter import DutyStep
from keepclear.messages.duty import Call, due_calls, ladder_gaps
from keepclear.messages.timers import Timers
from keepclear.messages.vocabulary import Desk, Precedence

NOW_MS = 1_795_860_000_000
SECOND_MS = 1_000
AIR = CharterDesk(
    "AIR",
    (
        DutyStep("air duty officer", 0, ("console", "telephone")),
        DutyStep("air shift leader", 60, ("telephone", "pager")),
        DutyStep("chief of operations", 300, ("telephone",)),
    ),
)  # fmt: skip
GROUND = CharterDesk("GROUND", (DutyStep("ground duty officer", 0, ("console", "radio")),))
DESKS = (AIR, GROUND)
EVERYBODY = {step.role for desk in DESKS for step in desk.steps}


def calls(seconds: float, precedence: Precedence = Precedence.FLASH, **given: object) -> list[tuple[str, str, int]]:
    on_duty = given.pop("on_duty", EVERYBODY)
    found = due_calls(
        DESKS, Desk.AIR, precedence, NOW_MS, NOW_MS + round(seconds * SECOND_MS), on_duty=on_duty, **given  # type: ignore[arg-type]
    )  # fmt: skip
    return [(call.role, call.transport, (call.at_ms - NOW_MS) // SECOND_MS) for call in found]


def test_r1_1_flash_is_told_at_once_over_every_transport_and_climbs_on_a_timer() -> None:
    assert calls(0) == [("air duty officer", "console", 0), ("air duty officer", "telephone", 0)]
    assert calls(59.9) == calls(0)
    assert calls(60)[2:] == [("air shift leader", "telephone", 60), ("air shift leader", "pager", 60)]
    assert calls(300)[-1] == ("chief of operations", "telephone", 300)


def test_r1_1_flash_waits_for_nobody_who_is_not_on_duty() -> None:
    assert calls(0, on_duty={"air shift leader"})[0][0] == "air shift leader"
    assert calls(0, on_duty={"ground duty officer"}) == [
        ("ground duty officer", "console", 0), ("ground duty officer", "radio", 0),
    ], "the desk is empty: any on-duty role takes it"  # fmt: skip


def test_r1_1_where_nobody_is_on_duty_everybody_is_told_at_once() -> None:
    assert {(role, at_s) for role, _, at_s in calls(0, on_duty=set())} == {(role, 0) for role in EVERYBODY}


def test_r1_1_the_ladder_ends_when_a_person_has_it_and_repeats_at_the_top_until_then() -> None:
    assert calls(10_000, had_ms=NOW_MS + 59 * SECOND_MS) == calls(0)
    assert calls(300 + 239) == calls(300)
    assert calls(300 + 240)[-1] == ("chief of operations", "telephone", 540)
    assert len(calls(10**7)) == len(calls(300)) + 1, "of the repeats only the newest"


def test_r1_1_repeats_are_told_apart() -> None:
    first, second = (
        due_calls(DESKS, Desk.AIR, Precedence.FLASH, NOW_MS, NOW_MS + s * SECOND_MS, on_duty=EVERYBODY)[-1]
        for s in (540, 780)
    )
    assert (first.round, second.round) == (1, 2)
    assert first != second
    assert isinstance(first, Call)


def test_less_urgent_messages_climb_only_when_they_are_overdue() -> None:
    shown_s = Timers().routine.shown_s
    assert [role for role, _, _ in calls(shown_s + 59, Precedence.ROUTINE)] == ["air duty officer"] * 2
    assert calls(shown_s + 60, Precedence.ROUTINE)[-1] == ("air shift leader", "pager", shown_s + 60)
    assert calls(0, Precedence.ROUTINE, on_duty={"ground duty officer"})[0][0] == "air duty officer", "not another desk"


def test_a_desk_without_a_ladder_falls_back_to_the_others() -> None:
    found = due_calls(DESKS, Desk.POLITICAL, Precedence.ROUTINE, NOW_MS, NOW_MS, on_duty=EVERYBODY)
    assert {call.role for call in found} == {"air duty officer", "ground duty officer"}
    assert due_calls((), Desk.AIR, Precedence.FLASH, NOW_MS, NOW_MS, on_duty=()) == ()


@pytest.mark.parametrize(
    ("desks", "said"),
    [
        (DESKS, ["no ladder for the desk MARITIME", "no ladder for the desk POLITICAL"]),
        (
            (CharterDesk("AIR", (DutyStep("x", 0, ("console",)),)),),
            ["the ladder of the desk AIR has one transport only"],
        ),
    ],
)
def test_weak_ladders_are_named(desks: tuple[CharterDesk, ...], said: list[str]) -> None:
    assert [gap for gap in ladder_gaps(desks) if gap in said] == said
