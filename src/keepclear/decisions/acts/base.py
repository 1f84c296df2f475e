"""The base of all acts, and the types that their fields share."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from keepclear.decisions.rules.rule import TOTAL_MAX
from keepclear.errors import InputError
from keepclear.messages import fields

__all__ = ["REFERENCES_MAX", "TEXT_MAX", "Act", "ApplicationId", "LongText", "MeetingId", "OptionalText", "ProposalId",
           "Reason", "StatedReason", "Title", "Total", "Version"]  # fmt: skip

TEXT_MAX = 40_000
"""Characters of a proposal's text or of minutes, some ten pages; in bytes the entry's body is the limit."""
REFERENCES_MAX = 500
"""Of one act: as many as its 65,535 bytes hold. A larger body registers in several acts."""
REASON_MAX = 1_000
VERSIONS_MAX = 1_000

ProposalId = Annotated[str, Meta(pattern=r"^P-[A-Z0-9]([A-Z0-9.\-]{0,61}[A-Z0-9])?-[0-9]{4}-[0-9]{4,9}\Z")]
"""«P-ORIG-YYYY-serial»: who tabled it (its party id in capitals), the year in UTC, and its running number there."""
ApplicationId = Annotated[str, Meta(pattern=r"^A-[A-Z0-9]([A-Z0-9.\-]{0,61}[A-Z0-9])?-[0-9]{4}-[0-9]{4,9}\Z")]
MeetingId = Annotated[str, Meta(pattern=r"^M-[A-Z0-9]([A-Z0-9.\-]{0,61}[A-Z0-9])?-[0-9]{4}-[0-9]{4,9}\Z")]
Version = Annotated[int, Meta(ge=1, le=VERSIONS_MAX)]
Title = Annotated[str, Meta(min_length=1, max_length=fields.NAME_MAX)]
LongText = Annotated[str, Meta(min_length=1, max_length=TEXT_MAX)]
OptionalText = Annotated[str, Meta(max_length=fields.TEXT_MAX)]
Reason = Annotated[str, Meta(max_length=REASON_MAX)]
StatedReason = Annotated[str, Meta(min_length=1, max_length=REASON_MAX)]
Total = Annotated[int, Meta(ge=0, le=TOTAL_MAX)]
_TEXTS = {
    "text": True, "statement": True, "reason": True, "basis": True, "conditions": True,
    "title": False, "place": False, "authority_ref": False, "authorises": False, "applicant": False, "owner": False,
}  # fmt: skip
"""Fields that hold free text, and whether it may have several lines; all others have a pattern of their own."""


class Act(fields.Body, frozen=True, kw_only=True, tag_field="act", tag=str.lower):
    """The base of all acts: immutable, strict, canonical, and every text in it fit to be shown."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if name in _TEXTS:
                for text in (value,) if isinstance(value, str) else value:
                    fields.check_text(text, name, lines=_TEXTS[name])
            if value.__class__ is tuple and len(set(value)) < len(value):
                raise InputError("it names one thing twice", where=name)
