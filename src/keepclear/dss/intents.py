"""Operational intents of F3548-21: states, keys, OVNs and the subscriptions they rest on (rules 8 to 19)."""

from __future__ import annotations

import msgspec

from keepclear.dss.airspace import Airspace
from keepclear.dss.extent import HIGHEST_M, LOWEST_M, Extent
from keepclear.dss.instants import FOREVER_US, NEVER_US
from keepclear.dss.notification import subscribers_to_notify
from keepclear.dss.ovns import check_ovn, requested_ovn
from keepclear.dss.records import Change, Constraint, IntentState, Kind, OperationalIntent, Subscription, UssState
from keepclear.dss.refusal import Refusal, RefusalKind, bad
from keepclear.dss.request import Caller, Moment, Outcome, Rules, check_id, check_url
from keepclear.dss.scopes import CONFORMANCE_MONITORING
from keepclear.dss.subscriptions import check_attachable
from keepclear.dss.utm_messages import (
    AirspaceConflict,
    ChangedIntent,
    ImplicitSubscriptionParameters,
    PutOperationalIntent,
    constraint_reference,
    intent_reference,
)  # fmt: skip
from keepclear.dss.volumes import union_of

__all__ = ["PreparedIntent", "delete", "get", "prepare", "put", "query"]

CONFLICT_LISTED_MAX = 150
"""Of the missing references an answer lists as many: each takes some 400 bytes, and an error answer stays below
64 KiB. Who knows these asks again, or queries the area."""


class PreparedIntent(msgspec.Struct, frozen=True):
    """A request that is well-formed whatever the airspace looks like."""

    extent: Extent
    state: IntentState
    uss_base_url: str
    key: frozenset[str]
    subscription_id: str | None
    new_subscription: ImplicitSubscriptionParameters | None
    ovn_suffix: str | None


def prepare(message: PutOperationalIntent, caller: Caller, ovn: str | None, rules: Rules) -> PreparedIntent:
    """Raises :class:`Refusal` for what no airspace could make right. ``ovn`` None: a creation."""
    try:
        state = IntentState(message.state)
    except ValueError:
        raise bad(f"{message.state[:40]!r} is no state that can be set: {', '.join(IntentState)}") from None
    if state.off_nominal and CONFORMANCE_MONITORING not in caller.scopes:
        raise Refusal(RefusalKind.NOT_ALLOWED, f"the state {state.value} needs the scope {CONFORMANCE_MONITORING}")
    url = check_url(message.uss_base_url, rules)
    if ovn is None and state is not IntentState.ACCEPTED:
        raise bad("an operational intent begins as Accepted")
    if message.subscription_id is not None and message.new_subscription is not None:
        raise bad("give subscription_id or new_subscription, not both")
    subscription_id = None if message.subscription_id is None else check_id(message.subscription_id)
    if state is not IntentState.ACCEPTED and subscription_id is None and message.new_subscription is None:
        raise bad(f"in the state {state.value} it needs subscription_id or new_subscription")
    if message.new_subscription is not None:
        check_url(message.new_subscription.uss_base_url, rules, "new_subscription.uss_base_url")
    extent = union_of(message.extents, rules)
    if extent.start_us == NEVER_US or extent.end_us == FOREVER_US:
        raise bad("an operational intent needs time_start and time_end")
    if extent.lower_m == LOWEST_M or extent.upper_m == HIGHEST_M:
        raise bad("an operational intent needs altitude_lower and altitude_upper")
    return PreparedIntent(
        extent, state, url, frozenset(message.key or ()), subscription_id, message.new_subscription,
        message.requested_ovn_suffix,
    )  # fmt: skip


def get(airspace: Airspace, intent_id: str) -> OperationalIntent:
    found = airspace.intents.get(intent_id)
    if found is None:
        raise Refusal(RefusalKind.NOT_FOUND, f"there is no operational intent {intent_id}")
    return found


def query(airspace: Airspace, extent: Extent) -> list[OperationalIntent]:
    """Those in the extent, ended ones too while they are kept (rule 7)."""
    return airspace.intents.meeting(extent)


def put(
    airspace: Airspace, caller: Caller, moment: Moment, intent_id: str, ovn: str | None, wanted: PreparedIntent
) -> Outcome:
    """Create (``ovn`` None) or update."""
    now_us = moment.now_us
    if wanted.extent.end_us < now_us:
        raise bad("an operational intent may not end in the past")
    old = airspace.intents.get(intent_id)
    new_ovn = moment.new_ovn()
    if wanted.ovn_suffix is not None:
        new_ovn = requested_ovn(intent_id, wanted.ovn_suffix, now_us, old.ovn if old else "")
    _check_ovn(old, intent_id, ovn, caller)
    if not wanted.state.off_nominal:
        _check_not_down(airspace, caller)
    subscription, changes = _subscription(airspace, caller, moment, intent_id, old, wanted)
    if not wanted.state.off_nominal:
        _check_key(airspace, caller, now_us, intent_id, wanted, subscription)
    new = OperationalIntent(
        intent_id, caller.subject, wanted.state, old.version + 1 if old else 1, new_ovn, wanted.uss_base_url,
        wanted.extent, subscription.id if subscription else None,
    )  # fmt: skip
    released = _released(airspace, old, new.subscription_id)
    extents = [wanted.extent] if old is None else [wanted.extent, old.extent]
    made = [change.record for change in changes if isinstance(change.record, Subscription)]
    notified = subscribers_to_notify(airspace, extents, now_us, constraints=False, gone=released, new=made)
    changes.append(Change(Kind.INTENT, intent_id, new))
    changes += _deletions(released)
    answer = ChangedIntent(notified.messages, intent_reference(new, airspace, caller.subject))
    return Outcome(answer, changes, notified.counts)


def delete(airspace: Airspace, caller: Caller, moment: Moment, intent_id: str, ovn: str) -> Outcome:
    old = get(airspace, intent_id)
    _check_ovn(old, intent_id, ovn, caller)
    _check_not_down(airspace, caller)
    released = _released(airspace, old, None)
    # The implicit subscription goes with its intent, and is told of it once more.
    notified = subscribers_to_notify(airspace, [old.extent], moment.now_us, constraints=False)
    counts = {name: count for name, count in notified.counts.items() if name not in released}
    answer = ChangedIntent(notified.messages, intent_reference(old, airspace, caller.subject))
    return Outcome(answer, [Change(Kind.INTENT, intent_id, None), *_deletions(released)], counts)


def _check_ovn(old: OperationalIntent | None, intent_id: str, ovn: str | None, caller: Caller) -> None:
    if ovn == "":
        raise bad("the OVN is missing from the path")
    if old is None:
        if ovn is not None:
            raise bad(f"there is no operational intent {intent_id} that could be changed")
        return
    check_ovn(old, ovn, caller, "operational intent")


def _check_not_down(airspace: Airspace, caller: Caller) -> None:
    if airspace.uss_state(caller.subject) is UssState.DOWN:
        raise Refusal(RefusalKind.USS_DOWN, f"{caller.subject} is marked as Down")


def _subscription(
    airspace: Airspace, caller: Caller, moment: Moment, intent_id: str, old: OperationalIntent | None,
    wanted: PreparedIntent,
) -> tuple[Subscription | None, list[Change]]:  # fmt: skip
    """What the intent will rest on, and the changes that make it so (rules 10, 17, 18)."""
    if wanted.new_subscription is not None:
        made = Subscription(
            moment.new_id(), caller.subject, moment.new_ovn(), wanted.new_subscription.uss_base_url, True,
            bool(wanted.new_subscription.notify_for_constraints), True, wanted.extent,
        )  # fmt: skip
        return made, [Change(Kind.SUBSCRIPTION, made.id, made), Change(Kind.COUNT, made.id, 0)]
    if wanted.subscription_id is None:
        return None, []
    found = airspace.subscriptions.get(wanted.subscription_id)
    if found is None:
        raise bad(f"there is no subscription {wanted.subscription_id}")
    if found.manager != caller.subject:
        raise Refusal(RefusalKind.NOT_ALLOWED, f"subscription {found.id} belongs to {found.manager}")
    if not found.implicit:
        check_attachable(found, wanted.extent)
        return found, []
    extended = _extended(found.extent, wanted.extent)
    if extended == found.extent:
        return found, []
    found = msgspec.structs.replace(found, extent=extended, version=moment.new_ovn())
    return found, [Change(Kind.SUBSCRIPTION, found.id, found)]


def _extended(subscription: Extent, intent: Extent) -> Extent:
    """An implicit subscription grows with its intent and never shrinks (rule 17)."""
    return Extent(
        subscription.cells if subscription.cells.covers(intent.cells) else subscription.cells | intent.cells,
        min(subscription.lower_m, intent.lower_m), max(subscription.upper_m, intent.upper_m),
        min(subscription.start_us, intent.start_us), max(subscription.end_us, intent.end_us),
        tuple(dict.fromkeys((*subscription.volumes, *intent.volumes))),
    )  # fmt: skip


def _released(airspace: Airspace, old: OperationalIntent | None, subscription_id: str | None) -> list[str]:
    """The implicit subscription on which nothing would rest any more, if there is one."""
    if old is None or old.subscription_id is None or old.subscription_id == subscription_id:
        return []
    left = airspace.subscriptions.get(old.subscription_id)
    if left is None or not left.implicit or airspace.dependents(left.id) != [old.id]:
        return []
    return [left.id]


def _deletions(subscription_ids: list[str]) -> list[Change]:
    return [Change(kind, gone, None) for gone in subscription_ids for kind in (Kind.SUBSCRIPTION, Kind.COUNT)]


def _check_key(
    airspace: Airspace, caller: Caller, now_us: int, intent_id: str, wanted: PreparedIntent,
    subscription: Subscription | None,
) -> None:  # fmt: skip
    """Does the key prove knowledge of all that is in the way? (rules 12, 13)"""
    ahead = wanted.extent.from_now(now_us)
    key = wanted.key
    missing = [i for i in airspace.intents.meeting(ahead) if i.ovn not in key and i.id != intent_id]
    constraints: list[Constraint] | None = None
    if subscription is not None and subscription.notify_for_constraints:
        constraints = [c for c in airspace.constraints.meeting(ahead) if c.ovn not in key]
    if not missing and not constraints:
        return
    said = f"the key lacks {len(missing)} operational intents and {len(constraints or ())} constraints"
    listed = [intent_reference(i, airspace, caller.subject) for i in missing[:CONFLICT_LISTED_MAX]]
    room = max(0, CONFLICT_LISTED_MAX - len(listed))
    body = AirspaceConflict(
        said, listed,
        None if constraints is None
        else [constraint_reference(c, airspace, caller.subject) for c in constraints[:room]],
    )  # fmt: skip
    raise Refusal(RefusalKind.CONFLICT, said, body)
