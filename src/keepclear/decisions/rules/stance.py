"""What a member says to a text, and what comes of it.

An interpretative statement is a text beside a position and no stance: it changes no count.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = ["OBJECTIONS", "Outcome", "Stance"]


class Stance(StrEnum):
    FOR = "FOR"
    AGAINST = "AGAINST"
    ABSTAIN = "ABSTAIN"
    QUALIFIED_ABSTAIN = "QUALIFIED_ABSTAIN"
    """constructive: with a formal declaration (TEU 31(1)); elsewhere the same as ABSTAIN"""
    BREAK_SILENCE = "BREAK_SILENCE"
    AMEND = "AMEND"
    """asks for another text, and so does not agree to this one"""
    RESERVE = "RESERVE"
    """not yet able to agree: it pauses the text and is no objection"""
    ABSENT = "ABSENT"
    """known to be away, and not represented"""


OBJECTIONS = frozenset({Stance.AGAINST, Stance.BREAK_SILENCE, Stance.AMEND})
"""What keeps a text from consensus, silence and unanimity. In a vote only AGAINST is cast; the others are not."""


class Outcome(StrEnum):
    """Of a tally. Whether more positions could still change it is the procedure's affair."""

    ADOPTED = "ADOPTED"
    REJECTED = "REJECTED"
