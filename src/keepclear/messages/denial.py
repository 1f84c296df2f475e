"""A denial: «none of ours are there», for one area, one time and one class of forces (practice R1.4).

It is a claim of the party that makes it. It expires. It is never clearance: nothing here, and nothing that reads it,
may treat the area as free. Sightings that contradict it raise a question to the party, and no conclusion.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta

from keepclear.channel.canonical import PartyId
from keepclear.errors import InputError
from keepclear.messages.fields import (
    Area,
    Body,
    Instant,
    LanguageTag,
    MessageId,
    Name,
    Position,
    Text,
    Translation,
    check_free_text,
    check_text,
)
from keepclear.messages.message import Message
from keepclear.messages.vocabulary import Action, Desk, ForceClass, Kind, Precedence

__all__ = ["DENIAL_MAX_MS", "Denial", "Sighting", "contradicting", "draft_query", "in_force"]

DENIAL_MAX_MS = 7 * 86_400_000
"""The longest time that one denial may speak for. Forces move; who still means it says it again."""
SIGHTINGS_SHOWN = 20
"""Positions that a drafted question names: the rest is counted."""
QUERY_VALID_MS = 2 * 3_600_000
"""How long a drafted question stays current."""


class Denial(Body, frozen=True, kw_only=True):
    party: PartyId
    """whose claim it is"""
    forces: Annotated[tuple[ForceClass, ...], Meta(min_length=1, max_length=4)]
    """which classes it speaks of; the others are not denied"""
    area: Area
    from_ms: Instant
    to_ms: Instant
    by_role: Name
    about: MessageId | None = None
    """the question that it answers"""
    text: Text = ""
    language: LanguageTag | None = None
    translations: Annotated[tuple[Translation, ...], Meta(max_length=8)] = ()

    def __post_init__(self) -> None:
        check_text(self.by_role, "by_role", lines=False)
        check_free_text(self.text, self.language, self.translations)
        if len(set(self.forces)) < len(self.forces):
            raise InputError("it names one class of forces twice", where="forces")
        if not self.from_ms < self.to_ms <= self.from_ms + DENIAL_MAX_MS:
            raise InputError(f"a denial ends after it begins, within {DENIAL_MAX_MS // 86_400_000} days", where="to_ms")


@dataclass(frozen=True, slots=True)
class Sighting:
    """Where something was seen, by anybody's sensor; whose it is is not known from that."""

    lat_deg: float
    lon_deg: float
    at_ms: int
    label: str = ""
    """the track's id"""


def in_force(denial: Denial, now_ms: int) -> bool:
    """Whether the claim speaks for this instant. After its end it says nothing at all."""
    return denial.from_ms <= now_ms < denial.to_ms


def contradicting(denial: Denial, sightings: Sequence[Sighting]) -> tuple[Sighting, ...]:
    """The sightings inside the denied area (on WGS84, edges geodesic) while the denial speaks, in their order."""
    timely = [
        s for s in sightings if in_force(denial, s.at_ms) and math.isfinite(s.lat_deg) and math.isfinite(s.lon_deg)
    ]
    if not timely:
        return ()
    import numpy as np

    from keepclear.space.geometry import Circle, Polygon, check_position
    from keepclear.space.index import OutlineIndex
    from keepclear.space.outlines import build_outlines

    corners = tuple((p.lon_deg, p.lat_deg) for p in denial.area.positions)
    radius_m = denial.area.radius_m
    shape = Polygon(corners) if radius_m is None else Circle(*corners[0], float(radius_m))
    index = OutlineIndex(build_outlines((shape,)), np.array([[-np.inf, np.inf, -np.inf, np.inf]]))
    places = np.array([check_position(s.lon_deg, s.lat_deg) for s in timely], dtype=np.float64)
    nothing = np.zeros(len(timely))
    inside, _ = index.positions(places[:, 0].copy(), places[:, 1].copy(), nothing, nothing)
    return tuple(timely[number] for number in inside)


def draft_query(
    denial: Denial,
    denial_ref: MessageId | None,
    sightings: Sequence[Sighting],
    *,
    id: MessageId,
    now_ms: int,
    by_role: str,
    desk: Desk = Desk.AIR,
) -> Message | None:
    """The question that contradicting sightings raise, for a person to read and send; None where there are none.

    It asks and concludes nothing: whose the sightings are stays open. ``denial_ref`` is a message id that stands for
    the denial, where there is one.
    """  # fmt: skip
    found = contradicting(denial, sightings)
    if not found:
        return None
    shown = found[:SIGHTINGS_SHOWN]
    refs = tuple(ref for ref in (denial_ref, denial.about) if ref is not None)
    times = ", ".join(_time(sighting.at_ms) for sighting in shown)
    rest = f" and {len(found) - len(shown)} more" if len(found) > len(shown) else ""
    text = (
        f"{denial.party} denied the presence of {', '.join(f.value for f in denial.forces)} forces in the area. "
        f"Sightings inside it at {times}{rest}. Whose they are is not known here. Please check and inform."
    )
    return Message(
        id=id, kind=Kind.QUERY, precedence=Precedence.IMMEDIATE, desk=desk, valid_until_ms=now_ms + QUERY_VALID_MS,
        refs=tuple(dict.fromkeys(refs)), from_ms=min(s.at_ms for s in found), to_ms=max(s.at_ms for s in found),
        positions=tuple(Position.of(s.lat_deg, s.lon_deg) for s in shown), area=denial.area,
        action=Action.PROVIDE_INFORMATION, text=text, language="en", by_role=by_role,
    )  # fmt: skip


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000.0, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
