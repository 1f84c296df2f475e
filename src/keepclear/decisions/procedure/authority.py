"""What follows from a decision for a zone or an order that cites it (practice R4.7).

A decision that cannot be shown carries nothing. Where it is in doubt, the more restrictive state stands: a closed zone
stays closed, a permission does not open (:attr:`Standing.carries`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from keepclear.decisions.acts import Table
from keepclear.decisions.procedure.docket import Docket
from keepclear.decisions.procedure.procedure import status
from keepclear.decisions.procedure.proposal import tabled
from keepclear.decisions.procedure.status import Status
from keepclear.decisions.vocabulary import Effect, State
from keepclear.errors import UsageError

__all__ = ["Authority", "Standing", "authority"]


class Authority(StrEnum):
    IN_FORCE = "IN_FORCE"
    SUSPENDED = "SUSPENDED"
    """reserved, being amended, without a quorum, or not recomputable here: the more restrictive state stands"""
    LAPSED = "LAPSED"
    """its time is over"""
    REVOKED = "REVOKED"
    """by a later decision of the same body"""
    NOT_SHOWN = "NOT_SHOWN"
    """nothing that is here shows that it was decided"""
    ONE_KEY_MISSING = "ONE_KEY_MISSING"
    """dual key: the other body has not adopted the same text"""


@dataclass(frozen=True, slots=True)
class Standing:
    authority: Authority
    decision: str
    reason: str
    """in words; empty where it is in force"""
    until_ms: int | None = None
    """when it lapses"""

    def carries(self, *, restricts: bool) -> bool:
        """Whether the zone or the order has effect. ``restricts``: it closes something (a zone); otherwise it opens
        or permits something (a corridor, an order, the lifting of a zone)."""
        if self.authority is Authority.SUSPENDED:
            return restricts
        return self.authority is Authority.IN_FORCE


_IN_DOUBT = {
    State.RESERVED: "a member has reserved its position", State.RE_TABLED: "its text was amended and is not decided",
    State.LAPSED: "it lapsed undecided", State.INCOMPLETE: "what decides on it is not all here",
}  # fmt: skip


def authority(docket: Docket, decision_ref: str, at_ms: int, *, subject: str = "") -> Standing:
    """Of a zone's ``decision_ref``, or an order's, at that instant; ``subject`` is the zone's or the order's id.

    Never raises for what a reference says: a reference that leads nowhere is NOT_SHOWN, and is to be flagged.
    """
    if not decision_ref:
        return Standing(Authority.NOT_SHOWN, "", "it cites no decision")
    try:
        found = status(docket, decision_ref)
        table = tabled(docket, decision_ref).act
    except UsageError as error:
        return Standing(Authority.NOT_SHOWN, decision_ref, str(error))
    assert isinstance(table, Table)
    why = _not_shown(found, table, at_ms, subject)
    if why is not None:
        return Standing(*why)
    if table.expires_ms is not None and at_ms > table.expires_ms:
        return Standing(Authority.LAPSED, decision_ref, "its time is over", table.expires_ms)
    revoked_by = _revoked_by(docket, decision_ref, table, at_ms)
    if revoked_by:
        return Standing(Authority.REVOKED, decision_ref, f"revoked by {revoked_by}")
    if table.key_of is not None:
        missing = _other_key(docket, found, table.key_of, at_ms)
        if missing:
            return Standing(Authority.ONE_KEY_MISSING, decision_ref, missing)
    return Standing(Authority.IN_FORCE, decision_ref, "", table.expires_ms)


def _not_shown(found: Status, table: Table, at_ms: int, subject: str) -> tuple[Authority, str, str] | None:
    number = found.proposal
    if found.effect is Effect.ADVISORY:
        return Authority.NOT_SHOWN, number, "it is advisory: nothing follows from it"
    if subject and table.authorises and subject not in table.authorises:
        return Authority.NOT_SHOWN, number, f"it authorises {', '.join(table.authorises)}, not {subject}"
    if found.state in _IN_DOUBT:
        return Authority.SUSPENDED, number, _IN_DOUBT[found.state]
    if found.state is not State.ADOPTED:
        return Authority.NOT_SHOWN, number, f"it is {found.state.value}"
    if found.adopted_ms is None or at_ms < found.adopted_ms:
        return Authority.NOT_SHOWN, number, "it was not adopted yet then"
    return None


def _revoked_by(docket: Docket, number: str, table: Table, at_ms: int) -> str:
    """The decision of the same body that ends it."""
    body = docket.body(table.body).id
    for other in docket.proposals():
        try:
            act = tabled(docket, other).act
            if isinstance(act, Table) and number in act.revokes and docket.body(act.body).id == body:
                found = status(docket, other)
                if found.effect is Effect.BINDING and found.adopted_ms is not None and found.adopted_ms <= at_ms:
                    return other
        except UsageError:
            continue
    return ""


def _other_key(docket: Docket, found: Status, number: str, at_ms: int) -> str:
    """What the other body's decision lacks; empty: nothing."""
    try:
        other = status(docket, number)
        table = tabled(docket, number).act
    except UsageError as error:
        return str(error)
    assert isinstance(table, Table)
    if found.body is not None and other.body is not None and other.body.id == found.body.id:
        return f"{number} is of the same body: two keys are two bodies'"
    if other.text_hash != found.text_hash:
        return f"{number} has another text"
    if other.adopted_ms is None or at_ms < other.adopted_ms:
        return f"{number} is {other.state.value}"
    if table.expires_ms is not None and at_ms > table.expires_ms:
        return f"{number} has lapsed"
    revoked_by = _revoked_by(docket, number, table, at_ms)
    return f"{number} was revoked by {revoked_by}" if revoked_by else ""
