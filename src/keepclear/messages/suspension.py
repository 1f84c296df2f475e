"""Suspension: a party declares that it will not deal with messages. The channel stays (practice R1.7).

A declared suspension is a flag beside the state of the line, not a state of it: in 2017 one was declared while the
calls went on. Entries are still stored and acknowledged as held, tests still run, and FLASH still reaches a person.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from keepclear.errors import InputError
from keepclear.messages.fields import Body, Instant, LanguageTag, Name, check_free_text, check_text
from keepclear.messages.message import Message
from keepclear.messages.receipt import REASON_MAX
from keepclear.messages.vocabulary import Desk, Kind, Precedence

__all__ = ["Handling", "Resumption", "Suspension", "handling", "suspended"]


class Suspension(Body, frozen=True, kw_only=True):
    """Declared by a party for itself. ``desks`` = () means all of them."""

    from_ms: Instant
    by_role: Name
    until_ms: Instant | None = None
    """None = until it is resumed"""
    desks: Annotated[tuple[Desk, ...], Meta(max_length=4)] = ()
    reason: Annotated[str, Meta(max_length=REASON_MAX)] = ""
    language: LanguageTag | None = None

    def __post_init__(self) -> None:
        check_text(self.by_role, "by_role", lines=False)
        check_free_text(self.reason, self.language, where="reason")
        if len(set(self.desks)) < len(self.desks):
            raise InputError("it names one desk twice", where="desks")
        if self.until_ms is not None and self.until_ms <= self.from_ms:
            raise InputError("it ends before it begins", where="until_ms")


class Resumption(Body, frozen=True, kw_only=True):
    """Ends every suspension that the party declared before, on ``desks`` (() = all)."""

    from_ms: Instant
    by_role: Name
    desks: Annotated[tuple[Desk, ...], Meta(max_length=4)] = ()

    def __post_init__(self) -> None:
        check_text(self.by_role, "by_role", lines=False)
        if len(set(self.desks)) < len(self.desks):
            raise InputError("it names one desk twice", where="desks")


class Handling(StrEnum):
    """What a suspended recipient's node does with an arriving message. Refusing it is not among them."""

    THROUGH = "THROUGH"
    """stored, and put before the duty ladder at once"""
    STORED = "STORED"
    """stored and acknowledged as held; put before the duty ladder when the suspension ends"""


def suspended(declared: Iterable[Suspension | Resumption], now_ms: int) -> frozenset[Desk]:
    """The desks that are suspended at ``now_ms`` after one party's declarations, given in its log's order."""
    until: dict[Desk, int | None] = {}
    for act in declared:
        if act.from_ms > now_ms:
            continue
        for desk in act.desks or tuple(Desk):
            if isinstance(act, Resumption):
                until.pop(desk, None)
            else:
                until[desk] = act.until_ms
    return frozenset(desk for desk, end in until.items() if end is None or now_ms < end)


def handling(message: Message, desks: frozenset[Desk]) -> Handling:
    """What happens to a message to a party whose ``desks`` are suspended."""
    passes = message.precedence is Precedence.FLASH or message.kind is Kind.TEST
    return Handling.THROUGH if passes or message.desk not in desks else Handling.STORED
