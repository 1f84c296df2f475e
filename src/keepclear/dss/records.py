"""What the DSS remembers. One record a row in the database; how many notifications went out is counted apart,
because it changes far more often."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from keepclear.dss.extent import Extent
from keepclear.errors import InputError

__all__ = [
    "AreaSubscription", "Availability", "Change", "Constraint", "Heartbeat", "IntentState", "Kind", "OperationalIntent",
    "Record", "Report", "ServiceArea", "Subscription", "UssState", "decode_record", "encode_record",
]  # fmt: skip


class Kind(StrEnum):
    """The families of records."""

    INTENT = "intent"
    CONSTRAINT = "constraint"
    SUBSCRIPTION = "subscription"
    SERVICE_AREA = "service_area"
    AREA_SUBSCRIPTION = "area_subscription"
    AVAILABILITY = "availability"
    HEARTBEAT = "heartbeat"
    REPORT = "report"
    COUNT = "count"
    """how many notifications a subscription has had; the record is a number"""


class IntentState(StrEnum):
    """F3548-21, OperationalIntentState. There is no Ended: that is a deletion."""

    ACCEPTED = "Accepted"
    ACTIVATED = "Activated"
    NONCONFORMING = "Nonconforming"
    CONTINGENT = "Contingent"

    @property
    def off_nominal(self) -> bool:
        return self in (IntentState.NONCONFORMING, IntentState.CONTINGENT)


class UssState(StrEnum):
    """F3548-21, UssAvailabilityState."""

    UNKNOWN = "Unknown"
    NORMAL = "Normal"
    DOWN = "Down"


class OperationalIntent(msgspec.Struct, frozen=True):
    id: str
    manager: str
    state: IntentState
    version: int
    ovn: str
    uss_base_url: str
    extent: Extent
    subscription_id: str | None = None


class Constraint(msgspec.Struct, frozen=True):
    id: str
    manager: str
    version: int
    ovn: str
    uss_base_url: str
    extent: Extent


class Subscription(msgspec.Struct, frozen=True):
    """F3548-21. Which intents depend on it is derived from the intents."""

    id: str
    manager: str
    version: str
    uss_base_url: str
    notify_for_operational_intents: bool
    notify_for_constraints: bool
    implicit: bool
    extent: Extent


class _Area(msgspec.Struct, frozen=True):
    """``url`` is what was given; ``v19``: to a URL as F3411-19 has it."""

    id: str
    owner: str
    version: str
    url: str
    v19: bool
    extent: Extent


class ServiceArea(_Area, frozen=True):
    """F3411 identification service area."""


class AreaSubscription(_Area, frozen=True):
    """F3411 subscription."""


class Availability(msgspec.Struct, frozen=True):
    id: str
    state: UssState
    version: str


class Heartbeat(msgspec.Struct, frozen=True):
    """The newest heartbeat of a DSS instance; ``id`` names the instance."""

    id: str
    public_endpoint: str
    timestamp_us: int
    reporter: str
    source: str
    index: int
    next_expected_us: int | None = None


class Report(msgspec.Struct, frozen=True):
    """What a USS reported about a peer (F3548-21, ErrorReport), as it came."""

    id: str
    reporter: str
    received_us: int
    document: str


Record = (
    OperationalIntent | Constraint | Subscription | ServiceArea | AreaSubscription | Availability | Heartbeat | Report
    | int
)  # fmt: skip

TYPES: dict[Kind, Any] = {
    Kind.INTENT: OperationalIntent,
    Kind.CONSTRAINT: Constraint,
    Kind.SUBSCRIPTION: Subscription,
    Kind.SERVICE_AREA: ServiceArea,
    Kind.AREA_SUBSCRIPTION: AreaSubscription,
    Kind.AVAILABILITY: Availability,
    Kind.HEARTBEAT: Heartbeat,
    Kind.REPORT: Report,
    Kind.COUNT: int,
}


class Change(NamedTuple):
    """A record's new state; ``None``: it is gone."""

    kind: Kind
    id: str
    record: Record | None


def encode_record(record: Record) -> bytes:
    """As JSON, readable with any database tool."""
    return _ENCODER.encode(record)


def decode_record(kind: Kind, document: bytes) -> Record:
    """Raises :class:`InputError` for a document that no version of Keepclear wrote."""
    try:
        record: Record = _DECODERS[kind].decode(document)
    except msgspec.MsgspecError as error:
        raise InputError(f"a stored {kind.value} is damaged ({error})") from None
    return record


_ENCODER = msgspec.json.Encoder()
_DECODERS = {kind: msgspec.json.Decoder(type_) for kind, type_ in TYPES.items()}
