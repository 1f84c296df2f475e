"""What a USS publishes at the DSS and keeps the details of, and what it tells its peers (F3548-21 Annex A4)."""

from __future__ import annotations

import uuid
from enum import StrEnum
from typing import Annotated, Any

import msgspec

from keepclear.dss.utm_messages import NO_OVN_PHRASE, SubscriberToNotify, SubscriptionState, Text
from keepclear.dss.volumes import Volume4D
from keepclear.errors import InputError

__all__ = [
    "Details", "Entity", "EntityKind", "Notice", "Planned", "Reference", "entity_id", "notices_of", "read_details",
    "read_notice", "read_reference",
]  # fmt: skip

DETAILS_VOLUMES_MAX = 10_000
SUBSCRIPTIONS_MAX = 10_000
_NAMES = uuid.UUID("0f2c1a52-6f9e-5c0b-9f0e-6b1f6f2b8a51")
"""Names of ours become the same UUID every time, so that publishing again changes and never doubles."""


class EntityKind(StrEnum):
    """``word`` is the member that F3548 keeps it under."""

    INTENT = "operational_intent"
    CONSTRAINT = "constraint"


class Reference(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the DSS says of an operational intent or a constraint."""

    id: Text
    manager: Text
    version: int
    uss_base_url: Text
    time_start: Any
    time_end: Any
    uss_availability: Text = "Unknown"
    ovn: Text | None = None
    state: Text | None = None
    subscription_id: Text | None = None

    @property
    def known_ovn(self) -> str | None:
        """None where the DSS leaves telling it to the manager (rule 14)."""
        return None if self.ovn in (None, "", NO_OVN_PHRASE) else self.ovn


class Details(msgspec.Struct, frozen=True, omit_defaults=True):
    """What only its manager's USS knows of it."""

    volumes: Annotated[list[Volume4D], msgspec.Meta(max_length=DETAILS_VOLUMES_MAX)] = []
    off_nominal_volumes: Annotated[list[Volume4D], msgspec.Meta(max_length=DETAILS_VOLUMES_MAX)] = []
    priority: int | None = None
    type: Text | None = None
    geozone: dict[str, Any] | None = None


class Entity(msgspec.Struct, frozen=True):
    reference: Reference
    details: Details


class Notice(msgspec.Struct, frozen=True):
    """A peer's word that something changed or, without ``entity``, is gone."""

    kind: EntityKind
    entity_id: str
    entity: Entity | None
    subscriptions: list[SubscriptionState]


class Planned(msgspec.Struct, frozen=True):
    """What is to be published under this id. ``label`` says what it comes from; ``details`` is JSON as peers get it."""

    id: str
    kind: EntityKind
    label: str
    details: dict[str, Any]
    from_s: float
    to_s: float


def entity_id(manager: str, *parts: str) -> str:
    """A UUID made from names."""
    return str(uuid.uuid5(_NAMES, "\x1f".join((manager, *parts))))


def read_reference(document: Any, where: str = "") -> Reference:
    reference: Reference = _convert(document, Reference, where)
    return reference


def read_details(document: Any, kind: EntityKind, where: str = "") -> Entity:
    """Of the answer of ``GET /uss/v1/…/{id}``. Raises :class:`InputError`."""
    inside = document.get(kind.value) if isinstance(document, dict) else None
    if inside is None:
        raise InputError(f"the answer has no member «{kind.value}»", where=where)
    entity: Entity = _convert(inside, Entity, where)
    return entity


def read_notice(body: bytes, kind: EntityKind) -> Notice:
    """Of the body of ``POST /uss/v1/…``. Raises :class:`InputError`."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"the body is no JSON ({str(error)[:100]})") from None
    if not isinstance(document, dict):
        raise InputError("the body must be an object")
    name = document.get(f"{kind.value}_id")
    states = _convert(document.get("subscriptions"), _Subscriptions, "subscriptions")
    inside = document.get(kind.value)
    entity = None if inside is None else _convert(inside, Entity, kind.value)
    if not isinstance(name, str) or len(name) != 36:
        raise InputError("a UUID is expected", where=f"{kind.value}_id")
    if entity is not None and entity.reference.id != name:
        raise InputError("the reference has another id than the notice", where=kind.value)
    return Notice(kind, name, entity, states)


def notices_of(
    kind: EntityKind, entity_name: str, document: dict[str, Any] | None, subscribers: list[SubscriberToNotify]
) -> list[tuple[str, bytes]]:
    """(base URL, body) for each subscriber; ``document``: reference and details, None where it is gone."""
    told = []
    for subscriber in subscribers:
        body: dict[str, Any] = {
            f"{kind.value}_id": entity_name, "subscriptions": msgspec.to_builtins(subscriber.subscriptions)
        }  # fmt: skip
        if document is not None:
            body[kind.value] = document
        told.append((subscriber.uss_base_url, msgspec.json.encode(body)))
    return told


_Subscriptions = Annotated[list[SubscriptionState], msgspec.Meta(min_length=1, max_length=SUBSCRIPTIONS_MAX)]


def _convert(document: Any, kind: Any, where: str) -> Any:
    try:
        return msgspec.convert(document, kind)
    except msgspec.MsgspecError as error:
        raise InputError(" ".join(str(error).split())[:300], where=where) from None
