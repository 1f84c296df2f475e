"""What a party can owe to a decision, as a record."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Duty", "Owed"]


class Owed(StrEnum):
    RECEIPT = "RECEIPT"
    """proof of delivery: without it a member's silence says nothing"""
    POSITION = "POSITION"
    SILENCE_ENDS = "SILENCE_ENDS"
    """not a duty to speak: from the deadline on, the silence of these members is read"""
    OPENING = "OPENING"
    """of a sealed vote: unopened it does not count"""
    CIRCULATE = "CIRCULATE"
    """of the secretary: a text was tabled or amended, and is not before the members"""
    REGISTER = "REGISTER"
    """of the secretary: something has come, and only its receipt dates it"""
    CLOSE = "CLOSE"
    """of the secretary: it is over, and nobody was told in writing what came of it"""
    MEETING = "MEETING"
    """to be there"""
    MINUTES = "MINUTES"
    """of the secretary: a meeting has begun, and nothing is recorded of it"""
    STAGE = "STAGE"
    """of whoever has an application: the next stage, be it only that it is received"""


@dataclass(frozen=True, slots=True)
class Duty:
    about: str
    """the proposal, the meeting or the application"""
    version: int | None
    """of a proposal's text"""
    what: Owed
    members: tuple[str, ...]
    """for whom; empty where it is the party's own affair"""
    since_ms: int
    due_ms: int | None
    late: bool = False

    @property
    def urgent_ms(self) -> int | None:
        """When the last quarter of its time begins."""
        return None if self.due_ms is None else self.due_ms - (self.due_ms - self.since_ms) // 4
