"""Constraints of F3548-21: areas that bind everybody, kept by who has the right to set them."""

from __future__ import annotations

import msgspec

from keepclear.dss.airspace import Airspace
from keepclear.dss.extent import Extent
from keepclear.dss.instants import FOREVER_US, NEVER_US
from keepclear.dss.notification import subscribers_to_notify
from keepclear.dss.ovns import check_ovn
from keepclear.dss.records import Change, Constraint, Kind
from keepclear.dss.refusal import Refusal, RefusalKind, bad
from keepclear.dss.request import Caller, Moment, Outcome, Rules, check_url
from keepclear.dss.utm_messages import ChangedConstraint, PutConstraint, constraint_reference
from keepclear.dss.volumes import union_of

__all__ = ["PreparedConstraint", "delete", "get", "prepare", "put", "query"]


class PreparedConstraint(msgspec.Struct, frozen=True):
    """A request that is well-formed whatever the airspace looks like."""

    extent: Extent
    uss_base_url: str


def prepare(message: PutConstraint, rules: Rules) -> PreparedConstraint:
    """Raises :class:`Refusal` for what no airspace could make right. Altitudes may be open, times not (rule 6)."""
    url = check_url(message.uss_base_url, rules)
    extent = union_of(message.extents, rules)
    if extent.start_us == NEVER_US or extent.end_us == FOREVER_US:
        raise bad("a constraint needs time_start and time_end")
    return PreparedConstraint(extent, url)


def get(airspace: Airspace, constraint_id: str) -> Constraint:
    found = airspace.constraints.get(constraint_id)
    if found is None:
        raise Refusal(RefusalKind.NOT_FOUND, f"there is no constraint {constraint_id}")
    return found


def query(airspace: Airspace, extent: Extent) -> list[Constraint]:
    return airspace.constraints.meeting(extent)


def put(
    airspace: Airspace, caller: Caller, moment: Moment, constraint_id: str, ovn: str | None, wanted: PreparedConstraint
) -> Outcome:
    """Create (``ovn`` None) or update."""
    if wanted.extent.end_us < moment.now_us:
        raise bad("a constraint may not end in the past")
    if ovn == "":
        raise bad("the OVN is missing from the path")
    old = airspace.constraints.get(constraint_id)
    if old is None and ovn is not None:
        raise Refusal(RefusalKind.CONFLICT, f"there is no constraint {constraint_id} that could be changed")
    if old is not None:
        check_ovn(old, ovn, caller, "constraint")
    new = Constraint(
        constraint_id, caller.subject, old.version + 1 if old else 1, moment.new_ovn(), wanted.uss_base_url,
        wanted.extent,
    )  # fmt: skip
    extents = [new.extent] if old is None else [new.extent, old.extent]
    notified = subscribers_to_notify(airspace, extents, moment.now_us, constraints=True)
    answer = ChangedConstraint(notified.messages, constraint_reference(new, airspace, caller.subject))
    return Outcome(answer, [Change(Kind.CONSTRAINT, constraint_id, new)], notified.counts)


def delete(airspace: Airspace, caller: Caller, moment: Moment, constraint_id: str, ovn: str) -> Outcome:
    old = get(airspace, constraint_id)
    if ovn == "":
        raise bad("the OVN is missing from the path")
    check_ovn(old, ovn, caller, "constraint")
    notified = subscribers_to_notify(airspace, [old.extent], moment.now_us, constraints=True)
    answer = ChangedConstraint(notified.messages, constraint_reference(old, airspace, caller.subject))
    return Outcome(answer, [Change(Kind.CONSTRAINT, constraint_id, None)], notified.counts)
