"""Receipts and answers: what a recipient says about one message, which the entry names in ``re``."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from keepclear.errors import InputError
from keepclear.messages.fields import (
    Body,
    Instant,
    LanguageTag,
    Name,
    OptionalName,
    Translation,
    check_free_text,
    check_text,
)
from keepclear.messages.vocabulary import Answering, Shown

__all__ = ["FINAL", "REASON_MAX", "Answer", "Receipt"]

REASON_MAX = 1_000
"""Characters of a reason; what needs more is a message."""
_NEEDS_REASON = {Answering.UNABLE, Answering.OBJECT, Answering.CANNOT_COMPLY}
FINAL = frozenset(Answering) - {Answering.STAND_BY}
"""What ends the waiting for an answer."""


class Receipt(Body, frozen=True, kw_only=True):
    """It was shown, or passed on, by a role and not by a named person: who is on duty changes (practice R1.1)."""

    level: Shown
    by_role: Name
    at_ms: Instant
    """by the recipient's clock; the entry's own time says when it was written"""
    units: OptionalName = ""
    """with RELAYED_TO_UNITS: to whom, as far as the recipient wants to say"""

    def __post_init__(self) -> None:
        check_text(self.by_role, "by_role", lines=False)
        check_text(self.units, "units", lines=False)
        if self.units and self.level is not Shown.RELAYED_TO_UNITS:
            raise InputError("units belong to RELAYED_TO_UNITS", where="units")


class Answer(Body, frozen=True, kw_only=True):
    """What the recipient makes of it. None of these is inferred: no answer is neither consent nor refusal."""

    answer: Answering
    by_role: Name
    reason: Annotated[str, Meta(max_length=REASON_MAX)] = ""
    language: LanguageTag | None = None
    """of ``reason``"""
    translations: Annotated[tuple[Translation, ...], Meta(max_length=8)] = ()

    def __post_init__(self) -> None:
        check_text(self.by_role, "by_role", lines=False)
        check_free_text(self.reason, self.language, self.translations, where="reason")
        if self.answer in _NEEDS_REASON and not self.reason:
            raise InputError(f"{self.answer.value} needs a reason", where="reason")
