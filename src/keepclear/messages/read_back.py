"""The read-back: the recipient repeats the critical fields, the sender compares them one by one (practice R1.2).

A mismatch is an alarm, and the message does not count as read back. What is compared are the numbers: 9 km between
what was meant and what was understood once cost lives.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from keepclear.messages.fields import (
    AREA_POSITIONS_MAX,
    Addressee,
    AltitudeLimit,
    Area,
    Body,
    Instant,
    MessageId,
    Name,
    OptionalName,
    Position,
    check_text,
)
from keepclear.messages.message import Message
from keepclear.messages.vocabulary import Action, Kind

__all__ = ["CriticalField", "Mismatch", "ReadBack", "compare_read_back", "draft_read_back"]


class CriticalField(StrEnum):
    MESSAGE = "MESSAGE"
    KIND = "KIND"
    ZONE = "ZONE"
    POSITIONS = "POSITIONS"
    AREA = "AREA"
    TIMES = "TIMES"
    LIMITS = "LIMITS"
    ACTION = "ACTION"
    ADDRESSEE = "ADDRESSEE"


class ReadBack(Body, frozen=True, kw_only=True):
    """The critical fields as the recipient has them, typed or confirmed one by one by a role on duty."""

    message: MessageId
    kind: Kind
    by_role: Name
    zone: OptionalName = ""
    zone_version: OptionalName = ""
    positions: Annotated[tuple[Position, ...], msgspec.Meta(max_length=AREA_POSITIONS_MAX)] = ()
    area: Area | None = None
    from_ms: Instant | None = None
    to_ms: Instant | None = None
    lower: AltitudeLimit | None = None
    upper: AltitudeLimit | None = None
    action: Action = Action.NONE
    addressee: Addressee | None = None

    def __post_init__(self) -> None:
        for name in ("by_role", "zone", "zone_version"):
            check_text(getattr(self, name), name, lines=False)


class Mismatch(msgspec.Struct, frozen=True):
    """One field that came back different. ``apart_m`` is the largest distance between two positions of it."""

    field: CriticalField
    sent: object
    read_back: object
    apart_m: float | None = None


def draft_read_back(message: Message, by_role: str) -> ReadBack:
    """The read-back of a message that arrived as it was sent; people confirm its fields before it goes out."""
    return ReadBack(
        message=message.id, kind=message.kind, by_role=by_role, zone=message.zone, zone_version=message.zone_version,
        positions=tuple(_bare(position) for position in message.positions), area=_bare_area(message.area),
        from_ms=message.from_ms, to_ms=message.to_ms, lower=message.lower, upper=message.upper, action=message.action,
        addressee=message.addressee,
    )  # fmt: skip


def compare_read_back(message: Message, read_back: ReadBack, *, tolerance_m: float = 0.0) -> tuple[Mismatch, ...]:
    """Every critical field that differs; empty means that it was read back correctly.

    Positions are compared by distance on WGS84 (``tolerance_m``, metres, for read-backs typed from degrees and
    minutes), all else exactly; names and remarks of positions are not compared, and no field is ever skipped.
    """
    pairs: list[tuple[CriticalField, object, object]] = [
        (CriticalField.MESSAGE, message.id, read_back.message),
        (CriticalField.KIND, message.kind, read_back.kind),
        (CriticalField.ZONE, (message.zone, message.zone_version), (read_back.zone, read_back.zone_version)),
        (CriticalField.TIMES, (message.from_ms, message.to_ms), (read_back.from_ms, read_back.to_ms)),
        (CriticalField.LIMITS, (message.lower, message.upper), (read_back.lower, read_back.upper)),
        (CriticalField.ACTION, message.action, read_back.action),
        (CriticalField.ADDRESSEE, _bare_addressee(message.addressee), _bare_addressee(read_back.addressee)),
    ]  # fmt: skip
    found = [Mismatch(field, sent, heard) for field, sent, heard in pairs if sent != heard]
    sent_area, heard_area = message.area, read_back.area
    for field, sent, heard, alike in (
        (CriticalField.POSITIONS, message.positions, read_back.positions, True),
        (
            CriticalField.AREA,
            sent_area.positions if sent_area else (),
            heard_area.positions if heard_area else (),
            (sent_area and sent_area.radius_m) == (heard_area and heard_area.radius_m),
        ),
    ):
        apart_m = _farthest_m(sent, heard)
        if not alike or apart_m is None or apart_m > tolerance_m:
            found.append(Mismatch(field, sent, heard, apart_m))
    order = list(CriticalField)
    return tuple(sorted(found, key=lambda mismatch: order.index(mismatch.field)))


def _farthest_m(sent: tuple[Position, ...], heard: tuple[Position, ...]) -> float | None:
    """The largest distance between positions of the same number; None where there are more of one than of the other."""
    if len(sent) != len(heard):
        return None
    if [(p.lat_deg_e7, p.lon_deg_e7) for p in sent] == [(p.lat_deg_e7, p.lon_deg_e7) for p in heard]:
        return 0.0
    from keepclear.space.geodesy import geodesic_m

    return max(geodesic_m(a.lon_deg, a.lat_deg, b.lon_deg, b.lat_deg) for a, b in zip(sent, heard, strict=True))


def _bare(position: Position) -> Position:
    return Position(lat_deg_e7=position.lat_deg_e7, lon_deg_e7=position.lon_deg_e7)


def _bare_area(area: Area | None) -> Area | None:
    if area is None:
        return None
    return Area(positions=tuple(_bare(position) for position in area.positions), radius_m=area.radius_m)


def _bare_addressee(addressee: Addressee | None) -> Addressee | None:
    if addressee is None or addressee.position is None:
        return addressee
    return msgspec.structs.replace(addressee, position=_bare(addressee.position))
