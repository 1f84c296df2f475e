"""Suspension: declared by a party for itself, and no end of the channel."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from keepclear.errors import InputError
from keepclear.messages.message import Message
from keepclear.messages.suspension import Handling, Resumption, Suspension, handling, suspended
from keepclear.messages.vocabulary import Action, Desk, Kind, Precedence, TestText

NOW_MS = 1_795_860_000_000
ALL = frozenset(Desk)


def test_r1_7_a_suspended_party_still_stores_tests_and_lets_flash_through(make_message: Callable[..., Message]) -> None:
    routine = make_message(precedence=Precedence.IMMEDIATE)
    flash = make_message(precedence=Precedence.FLASH)
    test = make_message(
        kind=Kind.TEST, precedence=Precedence.ROUTINE, test_text=TestText.T01, positions=(), area=None, lower=None,
        upper=None, from_ms=None, to_ms=None, action=Action.NONE, text="", language=None, affected=None,
    )  # fmt: skip
    assert handling(routine, ALL) is Handling.STORED
    assert handling(flash, ALL) is Handling.THROUGH
    assert handling(test, ALL) is Handling.THROUGH
    assert set(Handling) == {Handling.STORED, Handling.THROUGH}, "nothing is ever refused"


def test_only_the_suspended_desk_is_suspended(make_message: Callable[..., Message]) -> None:
    desks = suspended([Suspension(from_ms=NOW_MS, by_role="x", desks=(Desk.GROUND,))], NOW_MS)
    assert desks == {Desk.GROUND}
    assert handling(make_message(precedence=Precedence.ROUTINE), desks) is Handling.THROUGH


def test_a_suspension_ends_by_resumption_or_by_its_own_end() -> None:
    open_end = Suspension(from_ms=NOW_MS, by_role="x")
    until = Suspension(from_ms=NOW_MS, until_ms=NOW_MS + 10, by_role="x")
    back = Resumption(from_ms=NOW_MS + 5, by_role="x", desks=(Desk.AIR,))
    assert suspended([open_end], NOW_MS - 1) == frozenset()
    assert suspended([open_end], NOW_MS + 10**9) == ALL
    assert suspended([until], NOW_MS + 9) == ALL
    assert suspended([until], NOW_MS + 10) == frozenset()
    assert suspended([open_end, back], NOW_MS + 6) == ALL - {Desk.AIR}
    assert suspended([open_end, back, open_end], NOW_MS + 6) == ALL


def test_a_suspension_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(InputError, match="ends before"):
        Suspension(from_ms=NOW_MS, until_ms=NOW_MS, by_role="x")
    with pytest.raises(InputError, match="twice"):
        Resumption(from_ms=NOW_MS, by_role="x", desks=(Desk.AIR, Desk.AIR))
    with pytest.raises(InputError, match="language"):
        Suspension(from_ms=NOW_MS, by_role="x", reason="why")
