"""A change of the line to one party, as it goes on the record: only changes are logged (practice R1.6)."""

from __future__ import annotations

from keepclear.channel.canonical import PartyId
from keepclear.channel.communications import Cause, LineStatus
from keepclear.errors import InputError
from keepclear.messages.fields import Body, Instant, OptionalName, check_text

__all__ = ["CommunicationsState"]

_WITH_CAUSE = {LineStatus.TEST_MISSED, LineStatus.DEGRADED, LineStatus.SILENT}


class CommunicationsState(Body, frozen=True, kw_only=True):
    """How the writer sees its line to ``party``. The cause is UNKNOWN until a role states one."""

    party: PartyId
    before: LineStatus
    after: LineStatus
    at_ms: Instant
    cause: Cause = Cause.NONE
    by_role: OptionalName = ""
    """who stated the cause; empty while it is UNKNOWN, because the software states none"""

    def __post_init__(self) -> None:
        check_text(self.by_role, "by_role", lines=False)
        if (self.after in _WITH_CAUSE) != (self.cause is not Cause.NONE):
            raise InputError("a line that does not answer has a cause, if only UNKNOWN; no other has", where="cause")
        if bool(self.by_role) != (self.cause not in (Cause.NONE, Cause.UNKNOWN)):
            raise InputError("a cause is stated by a role; UNKNOWN is stated by nobody", where="by_role")
