"""Subscriptions of F3548-21 (rules 17 to 24)."""

from __future__ import annotations

import msgspec

from keepclear.dss.airspace import Airspace
from keepclear.dss.extent import Extent
from keepclear.dss.instants import CLOCK_SKEW_US, FOREVER_US, HOUR_US, NEVER_US
from keepclear.dss.records import Change, Constraint, Kind, OperationalIntent, Subscription
from keepclear.dss.refusal import Refusal, RefusalKind, bad
from keepclear.dss.request import Caller, Moment, Outcome, Rules, check_url
from keepclear.dss.scopes import CONSTRAINT_PROCESSING, STRATEGIC_COORDINATION
from keepclear.dss.utm_messages import (
    ChangedSubscription,
    PutSubscription,
    constraint_reference,
    intent_reference,
    subscription_message,
)  # fmt: skip
from keepclear.dss.volumes import extent_of

__all__ = ["PreparedSubscription", "delete", "get", "prepare", "put", "query", "subscription_times"]

DURATION_MAX_US = 24 * HOUR_US
"""F3548-21 and F3411: a subscription lasts a day at most, and may be renewed."""


class PreparedSubscription(msgspec.Struct, frozen=True):
    """A request that is well-formed whatever the airspace looks like."""

    extent: Extent
    uss_base_url: str
    notify_for_operational_intents: bool
    notify_for_constraints: bool


def prepare(message: PutSubscription, caller: Caller, rules: Rules) -> PreparedSubscription:
    """Raises :class:`Refusal` for what no airspace could make right.

    Each trigger needs its own scope (F3548-21, PutSubscriptionParameters). For the subscription that comes with an
    intent the interface says the same, but those in service do not ask for it, so neither is it asked for here.
    """
    intents, constraints = bool(message.notify_for_operational_intents), bool(message.notify_for_constraints)
    url = check_url(message.uss_base_url, rules)
    if not (intents or constraints):
        raise bad("at least one of notify_for_operational_intents and notify_for_constraints must be true")
    for wanted, scope in ((intents, STRATEGIC_COORDINATION), (constraints, CONSTRAINT_PROCESSING)):
        if wanted and scope not in caller.scopes:
            raise Refusal(RefusalKind.NOT_ALLOWED, f"to be told of these the token needs the scope {scope}")
    return PreparedSubscription(extent_of(message.extents, rules), url, intents, constraints)


def get(airspace: Airspace, caller: Caller, subscription_id: str) -> Subscription:
    found = airspace.subscriptions.get(subscription_id)
    if found is None:
        raise Refusal(RefusalKind.NOT_FOUND, f"there is no subscription {subscription_id}")
    if found.manager != caller.subject:
        raise Refusal(RefusalKind.NOT_ALLOWED, f"subscription {subscription_id} belongs to {found.manager}")
    return found


def query(airspace: Airspace, caller: Caller, now_us: int, extent: Extent) -> list[Subscription]:
    """The caller's own subscriptions in the extent that have not ended (rule 21)."""
    return [
        s for s in airspace.subscriptions.meeting(extent)
        if s.manager == caller.subject and s.extent.end_us >= now_us
    ]  # fmt: skip


def put(
    airspace: Airspace, caller: Caller, moment: Moment, subscription_id: str, version: str | None,
    wanted: PreparedSubscription,
) -> Outcome:  # fmt: skip
    """Create (``version`` None) or update."""
    old = airspace.subscriptions.get(subscription_id)
    extent = subscription_times(wanted.extent, old.extent if old else None, moment.now_us)
    _check_version(old, subscription_id, version)
    if old is not None and old.manager != caller.subject:
        raise Refusal(RefusalKind.NOT_ALLOWED, f"subscription {subscription_id} belongs to {old.manager}")
    dependents = airspace.dependents(subscription_id)
    for intent_id in dependents:
        _check_covers(extent, airspace.intents[intent_id])
    if dependents and not wanted.notify_for_operational_intents:
        raise bad("operational intents rest on this subscription: it must notify for operational intents")
    new = Subscription(
        subscription_id, caller.subject, moment.new_ovn(), wanted.uss_base_url, wanted.notify_for_operational_intents,
        wanted.notify_for_constraints, False, extent,
    )  # fmt: skip
    changes: list[Change] = [Change(Kind.SUBSCRIPTION, new.id, new)]
    if old is None:
        changes.append(Change(Kind.COUNT, new.id, 0))
    ahead = extent.from_now(moment.now_us)
    intents = airspace.intents.meeting(ahead) if new.notify_for_operational_intents else []
    constraints = airspace.constraints.meeting(ahead) if new.notify_for_constraints else []
    answer = ChangedSubscription(
        subscription_message(new, airspace, count=airspace.counts[new.id] if old else 0),
        [intent_reference(i, airspace, caller.subject) for i in intents],
        [constraint_reference(c, airspace, caller.subject) for c in constraints],
    )
    return Outcome(answer, changes)


def delete(airspace: Airspace, caller: Caller, subscription_id: str, version: str) -> Outcome:
    old = get(airspace, caller, subscription_id)
    _check_version(old, subscription_id, version)
    dependents = airspace.dependents(subscription_id)
    if dependents:
        raise bad(f"{len(dependents)} operational intents rest on this subscription, for example {dependents[0]}")
    changes = [Change(Kind.SUBSCRIPTION, old.id, None), Change(Kind.COUNT, old.id, None)]
    return Outcome({"subscription": subscription_message(old, airspace)}, changes)


def subscription_times(extent: Extent, old: Extent | None, now_us: int) -> Extent:
    """The times that hold where some were left out, checked (rule 20; the same for F3411)."""
    start_us, end_us = extent.start_us, extent.end_us
    if start_us == NEVER_US:
        start_us = old.start_us if old else now_us
    elif start_us < now_us - CLOCK_SKEW_US:
        raise bad("a subscription may not start more than five minutes in the past")
    if end_us == FOREVER_US:
        end_us = old.end_us if old else start_us + DURATION_MAX_US
    if end_us < start_us:
        raise bad("the subscription ends before it starts")
    if end_us < now_us:
        raise bad("the subscription ends in the past")
    if end_us - start_us > DURATION_MAX_US:
        raise bad("a subscription lasts 24 hours at most")
    return msgspec.structs.replace(extent, start_us=start_us, end_us=end_us)


def _check_version(old: Subscription | None, subscription_id: str, version: str | None) -> None:
    if old is None:
        if version is not None:
            raise bad(f"there is no subscription {subscription_id} that could be changed")
    elif version is None:
        raise Refusal(RefusalKind.CONFLICT, f"subscription {subscription_id} exists: name its version to change it")
    elif version != old.version:
        raise Refusal(RefusalKind.CONFLICT, f"subscription {subscription_id} has changed since that version")


def check_attachable(subscription: Subscription, intent: Extent) -> None:
    """May an intent of this extent rest on the explicit subscription? (rule 18)"""
    if not subscription.notify_for_operational_intents:
        raise bad("the subscription does not notify for operational intents")
    s = subscription.extent
    if s.start_us > intent.start_us or s.end_us < intent.end_us:
        raise bad("the subscription does not cover the operational intent's time")
    if s.lower_m > intent.lower_m or s.upper_m < intent.upper_m:
        raise bad("the subscription does not cover the operational intent's altitudes")
    if not s.cells.covers(intent.cells):
        raise bad("the subscription does not cover the operational intent's area")


def _check_covers(extent: Extent, intent: OperationalIntent | Constraint) -> None:
    """A changed subscription must still cover what rests on it (rule 22)."""
    needed = intent.extent
    uncovered = (
        not extent.cells.covers(needed.cells)
        or extent.lower_m > needed.lower_m
        or extent.upper_m < needed.upper_m
        or extent.end_us < needed.end_us
        or extent.start_us > needed.start_us + CLOCK_SKEW_US
    )
    if uncovered:
        raise bad(f"the subscription would no longer cover operational intent {intent.id}, which rests on it")
