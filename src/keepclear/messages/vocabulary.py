"""Every word that a message can say outside its free text, as closed enumerations (practice §1).

The lists are closed on purpose: there is no member, and no field elsewhere, for targeting or intelligence, and a test
holds the list of words as it stands (practice R1.10). A word unknown here is refused with its message, never guessed.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = [
    "Action", "Answering", "Desk", "ForceClass", "IncidentCategory", "Kind", "Precedence", "Shown", "TestText",
]  # fmt: skip


class Kind(StrEnum):
    TEST = "TEST"
    """a communications test: an approved neutral text and nothing else (practice R1.9)"""
    NOTIFICATION = "NOTIFICATION"
    WARNING = "WARNING"
    CEASE_REQUEST = "CEASE_REQUEST"
    QUERY = "QUERY"
    REPLY = "REPLY"
    CLARIFICATION = "CLARIFICATION"
    CORRECTION = "CORRECTION"
    """takes the place of the message that it names first in ``refs``"""
    CANCELLATION = "CANCELLATION"
    """withdraws the messages that it names in ``refs``"""
    PROTEST = "PROTEST"


class Precedence(StrEnum):
    """From the most urgent down (ACP 121 words)."""

    FLASH = "FLASH"
    IMMEDIATE = "IMMEDIATE"
    PRIORITY = "PRIORITY"
    ROUTINE = "ROUTINE"

    @property
    def rank(self) -> int:
        """0 is the most urgent."""
        return _RANKS[self]


_RANKS = {precedence: rank for rank, precedence in enumerate(Precedence)}


class Desk(StrEnum):
    """Who deals with it. Air and ground are apart: an ultimatum was once left to a night shift of the air cell."""

    AIR = "AIR"
    GROUND = "GROUND"
    MARITIME = "MARITIME"
    POLITICAL = "POLITICAL"


class Action(StrEnum):
    """What the addressee is asked to do. Each keeps apart, stops or tells; none asks for anything against anyone."""

    NONE = "NONE"
    """for information"""
    KEEP_CLEAR = "KEEP_CLEAR"
    LEAVE_AREA = "LEAVE_AREA"
    HOLD_POSITION = "HOLD_POSITION"
    CEASE_ACTIVITY = "CEASE_ACTIVITY"
    DELAY_ACTIVITY = "DELAY_ACTIVITY"
    CONTACT_ON_FREQUENCY = "CONTACT_ON_FREQUENCY"
    CONFIRM_POSITION = "CONFIRM_POSITION"
    CONFIRM_IDENTITY = "CONFIRM_IDENTITY"
    INFORM_UNITS = "INFORM_UNITS"
    PROVIDE_INFORMATION = "PROVIDE_INFORMATION"
    INVESTIGATE_AND_REPORT = "INVESTIGATE_AND_REPORT"


class Shown(StrEnum):
    """How far a message got inside the recipient's organisation; *held* is the mirror's cosignature, not a receipt."""

    SHOWN = "SHOWN"
    """displayed to a person on duty"""
    RELAYED_TO_UNITS = "RELAYED_TO_UNITS"
    """passed on to those who act: a different thing (practice R3.2)"""


class Answering(StrEnum):
    WILL_COMPLY = "WILL_COMPLY"
    UNABLE = "UNABLE"
    """needs a reason"""
    STAND_BY = "STAND_BY"
    """not an answer yet: it resets the timer once, and says nothing of what the answer will be"""
    ACCEPT = "ACCEPT"
    OBJECT = "OBJECT"
    """needs a reason"""
    CANNOT_COMPLY = "CANNOT_COMPLY"
    """needs a reason"""
    NO_COMMENT = "NO_COMMENT"


class ForceClass(StrEnum):
    """Whose forces a denial speaks of: denying one class says nothing of the others (practice R1.4)."""

    OWN = "OWN"
    ALLIED = "ALLIED"
    PROXY = "PROXY"
    CONTRACTOR = "CONTRACTOR"


class IncidentCategory(StrEnum):
    """What happened, without saying why or who is to blame."""

    AIRPROX = "AIRPROX"
    COLLISION = "COLLISION"
    BORDER_CROSSED = "BORDER_CROSSED"
    ZONE_INFRINGED = "ZONE_INFRINGED"
    UNINTENDED_LAUNCH = "UNINTENDED_LAUNCH"
    OBJECT_FELL = "OBJECT_FELL"
    AIRCRAFT_IN_DISTRESS = "AIRCRAFT_IN_DISTRESS"
    UNSAFE_CONDUCT = "UNSAFE_CONDUCT"
    FREQUENCY_INTERFERENCE = "FREQUENCY_INTERFERENCE"
    OTHER = "OTHER"


class TestText(StrEnum):
    """The approved texts of tests, by number: what they say stands in the catalogues, in every language.

    They state what everybody knows, name no place, person, people or date, and can be taken for nothing else.
    """

    __test__ = False  # not a class of tests, whatever pytest makes of the name

    T01 = "T01"
    T02 = "T02"
    T03 = "T03"
    T04 = "T04"
    T05 = "T05"
    T06 = "T06"
    T07 = "T07"
    T08 = "T08"
    T09 = "T09"
    T10 = "T10"
    T11 = "T11"
    T12 = "T12"
