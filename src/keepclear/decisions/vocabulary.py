"""The closed lists of words that acts and what is computed from them use; stances stand in :mod:`stance`."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Ballot", "Effect", "Request", "Stage", "State", "Under", "VoidReason"]


class Effect(StrEnum):
    BINDING = "BINDING"
    ADVISORY = "ADVISORY"
    """an opinion: it binds nobody and changes no status (practice R4.5)"""


class Under(StrEnum):
    """How a text is put to the members."""

    SILENCE = "SILENCE"
    VOTE = "VOTE"
    CONSENSUS = "CONSENSUS"


class Ballot(StrEnum):
    OPEN = "OPEN"
    SECRET = "SECRET"  # noqa: S105  a word of the field
    """commitments until the deadline, opened together after it; not anonymous once they are open"""


class Request(StrEnum):
    """What is applied for."""

    MEASURE = "MEASURE"
    """a zone, a corridor, assistance"""
    MEMBERSHIP = "MEMBERSHIP"
    CANDIDATE_STATUS = "CANDIDATE_STATUS"


class Stage(StrEnum):
    """Of an application."""

    RECEIVED = "RECEIVED"
    TRANSMITTED = "TRANSMITTED"
    OPINION_REQUESTED = "OPINION_REQUESTED"
    QUESTIONNAIRE = "QUESTIONNAIRE"
    OPINION_GIVEN = "OPINION_GIVEN"
    DECISION = "DECISION"
    GRANTED = "GRANTED"
    DEFERRED_WITH_CONDITIONS = "DEFERRED_WITH_CONDITIONS"
    REFUSED = "REFUSED"
    WITHDRAWN = "WITHDRAWN"


class State(StrEnum):
    """Of a proposal."""

    DRAFT = "DRAFT"
    """in no log yet"""
    TABLED = "TABLED"
    UNDER_SILENCE = "UNDER_SILENCE"
    VOTING = "VOTING"
    """a vote, or consensus in a meeting"""
    EXTENDED = "EXTENDED"
    """one of the two, with a deadline moved by the secretary"""
    RESERVED = "RESERVED"
    """a member is not yet able to agree: the text waits for it beyond the deadline"""
    BROKEN = "BROKEN"
    """the silence; what comes later does not mend it"""
    CONSULTATION = "CONSULTATION"
    """broken, and taken up at a meeting or closed"""
    RE_TABLED = "RE_TABLED"
    """amended, and not circulated again yet"""
    OPENING = "OPENING"
    """of a secret ballot: the commitments are in and are being opened"""
    ADOPTED = "ADOPTED"
    REJECTED = "REJECTED"
    LAPSED = "LAPSED"
    """no quorum, members whom the text did not reach, or its time ran out before it was decided"""
    MOVED = "MOVED"
    """to another body; what happened here stays (practice R4.8)"""
    WITHDRAWN = "WITHDRAWN"
    INCOMPLETE = "INCOMPLETE"
    """what decides is not all here: a log that is behind, an entry that was erased, a forked log"""

    @property
    def open(self) -> bool:
        """Whether positions can come in."""
        return self in _OPEN

    @property
    def decided(self) -> bool:
        return self in (State.ADOPTED, State.REJECTED, State.LAPSED)


_OPEN = frozenset({State.UNDER_SILENCE, State.VOTING, State.EXTENDED, State.RESERVED})


class VoidReason(StrEnum):
    """Why something that a party wrote has no effect; it is shown all the same."""

    NOT_A_MEMBER = "NOT_A_MEMBER"
    """it never was one, has left, or takes no part in this decision"""
    NOT_REPRESENTED = "NOT_REPRESENTED"
    """the party did not represent the member on that day"""
    OTHER_TEXT = "OTHER_TEXT"
    """another text hash than that of the version"""
    OTHER_VERSION = "OTHER_VERSION"
    LATE = "LATE"
    """by the secretary's receipt (practice R4.3)"""
    NOT_REGISTERED = "NOT_REGISTERED"
    """the secretary's log shows no receipt"""
    MISREGISTERED = "MISREGISTERED"
    """the receipt names another entry, member or proposal"""
    NOT_CIRCULATED = "NOT_CIRCULATED"
    """before the text was put to the members"""
    NOT_THE_SECRETARY = "NOT_THE_SECRETARY"
    NOT_ENTITLED = "NOT_ENTITLED"
    """to do this, by rule or as who it is"""
    AGAINST_THE_RULE = "AGAINST_THE_RULE"
    TOO_EARLY = "TOO_EARLY"
    """opened before the deadline of the commitments"""
    NOT_OPENED = "NOT_OPENED"
    """a commitment whose opening did not come in time"""
    OPENED_WRONGLY = "OPENED_WRONGLY"
    """what was opened is not what was committed to"""
    NO_COMMITMENT = "NO_COMMITMENT"
    BALLOT = "BALLOT"
    """an open position in a secret ballot, or a sealed one in an open ballot"""
    ERASED = "ERASED"
    AFTER_THE_END = "AFTER_THE_END"
    """the proposal was closed, moved or withdrawn"""
