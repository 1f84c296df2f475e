"""The checks between DRAFT and VERIFIED: what must be right before a message goes into the log (practice R1.2, R1.5).

The one that matters most compares each position with the place that it is said to be at: in 2016 a position 9 km off
was passed on by telephone, and strikes went on for 27 minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from keepclear.errors import InputError
from keepclear.messages.fields import Position
from keepclear.messages.gazetteer import Gazetteer, Place, normal_name
from keepclear.messages.message import Message, parse_id
from keepclear.messages.vocabulary import Kind

__all__ = [
    "PLACE_LIMIT_M", "AsGivenReader", "PlaceFinding", "PlaceMatch", "Verified", "check_places", "verify_draft",
]  # fmt: skip

PLACE_LIMIT_M = 5_000.0
"""How far outside the named place a position may lie. The known error was 9 km."""
AS_GIVEN_LIMIT_M = 100.0
"""How far the position may lie from the coordinates as given: rounding to whole seconds of arc moves it by 22 m."""
AsGivenReader = Callable[[str], tuple[float, float]]
"""Reads coordinates as people write them: longitude and latitude in degrees, or :class:`InputError`."""
_TELLS_OTHERS = {Kind.NOTIFICATION, Kind.WARNING, Kind.CEASE_REQUEST}


class PlaceMatch(StrEnum):
    AGREES = "AGREES"
    DISAGREES = "DISAGREES"
    NOT_FOUND = "NOT_FOUND"
    """no place of that name is known here: said, and blocking only where asked for"""


@dataclass(frozen=True, slots=True)
class PlaceFinding:
    """One position that names a place. ``beyond_m`` is how far outside the nearest place of that name it lies."""

    where: str
    position: Position
    match: PlaceMatch
    nearest: Place | None = None
    beyond_m: float = 0.0


@dataclass(frozen=True, slots=True)
class Verified:
    """A message that may be sent. ``remarks`` are for its sender: what could not be checked, and what is unusual."""

    message: Message
    places: tuple[PlaceFinding, ...]
    remarks: tuple[str, ...]


def check_places(message: Message, gazetteer: Gazetteer, *, limit_m: float = PLACE_LIMIT_M) -> tuple[PlaceFinding, ...]:
    """Every position of the message that names a place, held against all places of that name.

    A position agrees if one of them is within its radius and ``limit_m``, on WGS84. A stated uncertainty excuses
    nothing: it would let the vaguest position pass.
    """
    from keepclear.space.geodesy import geodesic_m

    found = []
    for where, position in _positions(message):
        if not position.place_name:
            continue
        places = list(gazetteer.find(position.place_name))
        if not places:
            found.append(PlaceFinding(where, position, PlaceMatch.NOT_FOUND))
            continue
        apart_m = [geodesic_m(position.lon_deg, position.lat_deg, place.lon_deg, place.lat_deg) for place in places]
        beyond = [max(0.0, m - place.radius_m) for m, place in zip(apart_m, places, strict=True)]
        nearest = min(range(len(places)), key=beyond.__getitem__)
        match = PlaceMatch.AGREES if beyond[nearest] <= limit_m else PlaceMatch.DISAGREES
        found.append(PlaceFinding(where, position, match, places[nearest], beyond[nearest]))
    return tuple(found)


def verify_draft(
    message: Message,
    now_ms: int,
    party: str,
    on_channel: Iterable[str],
    *,
    gazetteer: Gazetteer | None = None,
    strict: bool = False,
    limit_m: float = PLACE_LIMIT_M,
    read_as_given: AsGivenReader | None = None,
    two_roles: bool = False,
) -> Verified:
    """The message, checked as its sender must check it before it is sent; raises :class:`InputError` where it must
    not be. ``on_channel`` are the ids and names of the parties; ``strict`` blocks names that are not known.
    """  # fmt: skip
    origin, year, _ = parse_id(message.id)
    if origin != party:
        raise InputError(f"the message's number is of {origin}, and the sender is {party}", where="id")
    if year != datetime.fromtimestamp(now_ms / 1000.0, UTC).year:
        raise InputError(f"the number is of {year}, which is not this year", where="id")
    if message.valid_until_ms <= now_ms:
        raise InputError("its validity is over before it is sent", where="valid_until_ms")
    if two_roles and message.verified_by_role in ("", message.by_role):
        raise InputError(
            "a second role, other than the one that releases it, has to verify it", where="verified_by_role"
        )
    if message.affected is None and message.kind in _TELLS_OTHERS:
        raise InputError(
            "say which affected parties are not on the channel; an empty list says that none is known", where="affected"
        )
    known = {normal_name(name) for name in on_channel}
    for name in message.affected or ():
        if normal_name(name) in known:
            raise InputError(f"{name} is on the channel: make it a recipient", where="affected")
    remarks = _check_as_given(message, read_as_given)
    places = check_places(message, gazetteer, limit_m=limit_m) if gazetteer else ()
    for finding in places:
        name = finding.position.place_name
        if finding.match is PlaceMatch.DISAGREES and finding.nearest:
            raise InputError(
                f"the position is {finding.beyond_m / 1000.0:.1f} km outside {name} "
                f"(as {finding.nearest.name} is known here): one of the two is wrong",
                where=finding.where,
            )
        if finding.match is PlaceMatch.NOT_FOUND:
            if strict:
                raise InputError(f"no place called {name} is known here, so it cannot be checked", where=finding.where)
            remarks.append(f"{finding.where}: no place called {name} is known here; the position was not checked")
    if gazetteer is None and any(position.place_name for _, position in _positions(message)):
        if strict:
            raise InputError("there is no gazetteer, so named places cannot be checked", where="positions")
        remarks.append("there is no gazetteer: named places were not checked")
    if message.from_ms is not None and message.from_ms <= now_ms:
        remarks.append("the event has already begun: there is no lead time")
    return Verified(message, places, tuple(remarks))


def _positions(message: Message) -> list[tuple[str, Position]]:
    found = [(f"positions[{number}]", position) for number, position in enumerate(message.positions)]
    if message.area:
        found += [(f"area.positions[{number}]", position) for number, position in enumerate(message.area.positions)]
    if message.addressee and message.addressee.position:
        found.append(("addressee.position", message.addressee.position))
    return found


def _check_as_given(message: Message, read: AsGivenReader | None) -> list[str]:
    from keepclear.space.geodesy import geodesic_m

    remarks = []
    for where, position in _positions(message):
        if not position.as_given:
            continue
        try:
            given = read(position.as_given) if read else None
        except InputError:
            given = None
        if given is None:
            remarks.append(f"{where}: {position.as_given!r} was not compared with the position; check it by eye")
            continue
        apart_m = geodesic_m(position.lon_deg, position.lat_deg, *given)
        if apart_m > AS_GIVEN_LIMIT_M:
            raise InputError(
                f"the position is {apart_m / 1000.0:.1f} km from {position.as_given!r}, as it was given", where=where
            )
    return remarks
