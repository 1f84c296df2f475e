"""The messages of ASTM F3548-21 between a USS and the DSS, as the interface file names them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from keepclear.dss.airspace import Airspace
from keepclear.dss.records import Constraint, OperationalIntent, Subscription, UssState
from keepclear.dss.volumes import TimeAnswer, Volume4D, Volumes, time_of

__all__ = ["constraint_reference", "intent_reference", "subscription_message", "written_reference"]

NO_OVN_PHRASE = "Available from USS"
"""Stands for the OVN of somebody else's entity (rule 14)."""
NULL_SUBSCRIPTION_ID = "00000000-0000-4000-8000-000000000000"
"""Stands for no subscription (rule 10)."""
WRITTEN_MAX = 100_000
"""References kept as they were written last: some 70 MB."""
KEY_MAX = 100_000
"""OVNs in one key: more cannot overlap one flight in any airspace that works."""

Text = Annotated[str, msgspec.Meta(max_length=2_048)]


class ImplicitSubscriptionParameters(msgspec.Struct, frozen=True):
    uss_base_url: Text
    notify_for_constraints: bool | None = False


class PutOperationalIntent(msgspec.Struct, frozen=True):
    extents: Volumes
    state: Text
    uss_base_url: Text
    key: Annotated[list[Annotated[str, msgspec.Meta(max_length=128)]], msgspec.Meta(max_length=KEY_MAX)] | None = None
    subscription_id: Text | None = None
    new_subscription: ImplicitSubscriptionParameters | None = None
    requested_ovn_suffix: Text | None = None


class PutConstraint(msgspec.Struct, frozen=True):
    extents: Volumes
    uss_base_url: Text


class PutSubscription(msgspec.Struct, frozen=True):
    extents: Volume4D
    uss_base_url: Text
    notify_for_operational_intents: bool | None = False
    notify_for_constraints: bool | None = False


class Query(msgspec.Struct, frozen=True):
    area_of_interest: Volume4D | None = None


class SetAvailability(msgspec.Struct, frozen=True):
    old_version: Text
    availability: Text


class IntentReference(msgspec.Struct, frozen=True):
    id: str
    manager: str
    uss_availability: str
    version: int
    state: str
    ovn: str
    time_start: TimeAnswer
    time_end: TimeAnswer
    uss_base_url: str
    subscription_id: str


class ConstraintReference(msgspec.Struct, frozen=True):
    id: str
    manager: str
    uss_availability: str
    version: int
    ovn: str
    time_start: TimeAnswer
    time_end: TimeAnswer
    uss_base_url: str


class SubscriptionMessage(msgspec.Struct, frozen=True):
    id: str
    version: str
    notification_index: int
    time_start: TimeAnswer
    time_end: TimeAnswer
    uss_base_url: str
    notify_for_operational_intents: bool
    notify_for_constraints: bool
    implicit_subscription: bool
    dependent_operational_intents: list[str]


class SubscriptionState(msgspec.Struct, frozen=True):
    subscription_id: str
    notification_index: int


class SubscriberToNotify(msgspec.Struct, frozen=True):
    subscriptions: list[SubscriptionState]
    uss_base_url: str


class ChangedIntent(msgspec.Struct, frozen=True):
    subscribers: list[SubscriberToNotify]
    operational_intent_reference: IntentReference


class ChangedConstraint(msgspec.Struct, frozen=True):
    subscribers: list[SubscriberToNotify]
    constraint_reference: ConstraintReference


class ChangedSubscription(msgspec.Struct, frozen=True):
    subscription: SubscriptionMessage
    operational_intent_references: list[IntentReference]
    constraint_references: list[ConstraintReference]


class AirspaceConflict(msgspec.Struct, frozen=True, omit_defaults=True):
    message: str
    missing_operational_intents: list[IntentReference]
    missing_constraints: list[ConstraintReference] | None = None


class UssAvailability(msgspec.Struct, frozen=True):
    uss: str
    availability: str


class AvailabilityAnswer(msgspec.Struct, frozen=True):
    version: str
    status: UssAvailability


class ExchangeRecord(msgspec.Struct, frozen=True):
    """Required fields of F3548-21's log record of one exchange."""

    url: Text
    method: Text
    recorder_role: Literal["Client", "Server"]
    request_time: Any
    request_source: Text | None = None


def intent_reference(intent: OperationalIntent, airspace: Airspace, viewer: str) -> IntentReference:
    """As the viewer may see it (rule 14)."""
    extent = intent.extent
    return IntentReference(
        intent.id, intent.manager, airspace.uss_state(intent.manager).value, intent.version, intent.state.value,
        intent.ovn if intent.manager == viewer else NO_OVN_PHRASE, time_of(extent.start_us), time_of(extent.end_us),
        intent.uss_base_url, intent.subscription_id or NULL_SUBSCRIPTION_ID,
    )  # fmt: skip


def written_reference(intent: OperationalIntent, airspace: Airspace, viewer: str) -> msgspec.Raw:
    """:func:`intent_reference` as JSON: a query shows many, and each is shown far more often than it changes."""
    key, state = (intent.id, intent.manager == viewer), airspace.uss_state(intent.manager)
    kept = _WRITTEN.get(key)
    if kept is not None and kept[0] is intent and kept[1] is state:
        return kept[2]
    if len(_WRITTEN) >= WRITTEN_MAX:
        _WRITTEN.clear()
    text = msgspec.Raw(_ENCODER.encode(intent_reference(intent, airspace, viewer)))
    _WRITTEN[key] = intent, state, text
    return text


_WRITTEN: dict[tuple[str, bool], tuple[OperationalIntent, UssState, msgspec.Raw]] = {}
_ENCODER = msgspec.json.Encoder()


def constraint_reference(constraint: Constraint, airspace: Airspace, viewer: str) -> ConstraintReference:
    """As the viewer may see it (rule 14)."""
    extent = constraint.extent
    return ConstraintReference(
        constraint.id, constraint.manager, airspace.uss_state(constraint.manager).value, constraint.version,
        constraint.ovn if constraint.manager == viewer else NO_OVN_PHRASE, time_of(extent.start_us),
        time_of(extent.end_us), constraint.uss_base_url,
    )  # fmt: skip


def subscription_message(
    subscription: Subscription, airspace: Airspace, *, count: int | None = None, dependents: list[str] | None = None
) -> SubscriptionMessage:
    """A subscription; ``count`` and ``dependents`` where they are about to change."""
    return SubscriptionMessage(
        subscription.id, subscription.version,
        airspace.counts[subscription.id] if count is None else count,
        time_of(subscription.extent.start_us), time_of(subscription.extent.end_us), subscription.uss_base_url,
        subscription.notify_for_operational_intents, subscription.notify_for_constraints, subscription.implicit,
        airspace.dependents(subscription.id) if dependents is None else dependents,
    )  # fmt: skip
