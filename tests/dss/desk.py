"""A DSS without HTTP, clock and database: the rules over one airspace, spoken to in the standards' own JSON."""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from keepclear.dss import area_subscriptions, availability, constraints, intents, service_areas, subscriptions
from keepclear.dss.airspace import Airspace
from keepclear.dss.instants import HOUR_US, MINUTE_US, SECOND_US, rfc3339
from keepclear.dss.records import Change, Kind
from keepclear.dss.refusal import Refusal, RefusalKind
from keepclear.dss.remote_id import V22A, Shape, parse_area
from keepclear.dss.request import Caller, Moment, Rules, parse
from keepclear.dss.utm_messages import (
    PutConstraint,
    PutOperationalIntent,
    PutSubscription,
    Query,
    SetAvailability,
    constraint_reference,
    intent_reference,
    subscription_message,
)
from keepclear.dss.volumes import extent_of

NOW_US = 1_800_000_000 * SECOND_US
SCOPES = frozenset({"utm.strategic_coordination", "utm.constraint_processing"})
MONITORING = frozenset({"utm.conformance_monitoring_sa"})
URL = "https://uss.example.org/utm"


def uid(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-000000000000"


def time(offset_us: int) -> dict[str, str]:
    return {"value": rfc3339(NOW_US + offset_us), "format": "RFC3339"}


def altitude(value_m: float) -> dict[str, Any]:
    return {"value": value_m, "reference": "W84", "units": "M"}


def circle(lat: float = 46.0, lng: float = 7.0, radius_m: float = 300.0) -> dict[str, Any]:
    return {"outline_circle": {"center": {"lat": lat, "lng": lng}, "radius": {"value": radius_m, "units": "M"}}}


def polygon(*vertices: tuple[float, float]) -> dict[str, Any]:
    """Of (lat, lng)."""
    return {"outline_polygon": {"vertices": [{"lat": lat, "lng": lng} for lat, lng in vertices]}}


def volume(
    shape: dict[str, Any] | None = None,
    *,
    low: float | None = 0.0,
    high: float | None = 100.0,
    start: int | None = 0,
    end: int | None = HOUR_US,
) -> dict[str, Any]:
    """A Volume4D; instants in µs from now."""
    v3: dict[str, Any] = dict(shape or circle())
    if low is not None:
        v3["altitude_lower"] = altitude(low)
    if high is not None:
        v3["altitude_upper"] = altitude(high)
    v4: dict[str, Any] = {"volume": v3}
    if start is not None:
        v4["time_start"] = time(start)
    if end is not None:
        v4["time_end"] = time(end)
    return v4


def _plain(answer: Any) -> Any:
    return json.loads(msgspec.json.encode(answer))


@dataclass
class Desk:
    """Carries requests out as a server would, one at a time."""

    rules: Rules = field(default_factory=Rules)
    airspace: Airspace = field(default_factory=Airspace)
    now_us: int = NOW_US
    changes: list[Change] = field(default_factory=list)
    _chance: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def moment(self) -> Moment:
        def token() -> str:
            return f"token-{next(self._chance):020}"

        return Moment(self.now_us, lambda: str(uuid.UUID(int=next(self._chance) | 4 << 76 | 8 << 60)), token)

    def decided(self, outcome: Any) -> Any:
        self.changes = outcome.changes
        self.airspace.apply(outcome.changes)
        self.airspace.apply(Change(Kind.COUNT, name, count) for name, count in outcome.counts.items())
        return outcome

    def put_intent(
        self, number: int = 1, *volumes: dict[str, Any], who: str = "uss1", ovn: str | None = None,
        scopes: frozenset[str] = SCOPES, **body: Any,
    ) -> Any:  # fmt: skip
        message = {"extents": list(volumes) or [volume()], "state": "Accepted", "uss_base_url": URL, **body}
        caller = Caller(who, scopes)
        decoder = msgspec.json.Decoder(PutOperationalIntent)
        wanted = intents.prepare(parse(decoder, json.dumps(message).encode()), caller, ovn, self.rules)
        return _plain(self.decided(intents.put(self.airspace, caller, self.moment(), uid(number), ovn, wanted)).answer)

    def delete_intent(self, number: int, ovn: str, who: str = "uss1") -> Any:
        caller = Caller(who, SCOPES)
        return _plain(self.decided(intents.delete(self.airspace, caller, self.moment(), uid(number), ovn)).answer)

    def get_intent(self, number: int, who: str = "uss1") -> Any:
        return _plain(intent_reference(intents.get(self.airspace, uid(number)), self.airspace, who))

    def query_intents(self, area: dict[str, Any], who: str = "uss1") -> list[Any]:
        extent = self._area(area)
        return [_plain(intent_reference(i, self.airspace, who)) for i in intents.query(self.airspace, extent)]

    def put_constraint(
        self, number: int = 1, *volumes: dict[str, Any], who: str = "uss1", ovn: str | None = None, **body: Any
    ) -> Any:
        message = {"extents": list(volumes) or [volume()], "uss_base_url": URL, **body}
        wanted = constraints.prepare(
            parse(msgspec.json.Decoder(PutConstraint), json.dumps(message).encode()), self.rules
        )
        caller = Caller(who, SCOPES)
        outcome = constraints.put(self.airspace, caller, self.moment(), uid(number), ovn, wanted)
        return _plain(self.decided(outcome).answer)

    def delete_constraint(self, number: int, ovn: str, who: str = "uss1") -> Any:
        caller = Caller(who, SCOPES)
        return _plain(self.decided(constraints.delete(self.airspace, caller, self.moment(), uid(number), ovn)).answer)

    def get_constraint(self, number: int, who: str = "uss1") -> Any:
        return _plain(constraint_reference(constraints.get(self.airspace, uid(number)), self.airspace, who))

    def put_subscription(
        self, number: int = 1, extents: dict[str, Any] | None = None, *, who: str = "uss1", version: str | None = None,
        scopes: frozenset[str] = SCOPES,
        **body: Any,
    ) -> Any:  # fmt: skip
        message = {
            "extents": extents or volume(circle(radius_m=2_000.0), low=None, high=None, end=2 * HOUR_US),
            "uss_base_url": URL, "notify_for_operational_intents": True, **body,
        }  # fmt: skip
        caller = Caller(who, scopes)
        decoder = msgspec.json.Decoder(PutSubscription)
        wanted = subscriptions.prepare(parse(decoder, json.dumps(message).encode()), caller, self.rules)
        outcome = subscriptions.put(self.airspace, caller, self.moment(), uid(number), version, wanted)
        return _plain(self.decided(outcome).answer)

    def delete_subscription(self, number: int, version: str, who: str = "uss1") -> Any:
        outcome = subscriptions.delete(self.airspace, Caller(who, SCOPES), uid(number), version)
        return _plain(self.decided(outcome).answer)

    def get_subscription(self, number: int | str, who: str = "uss1") -> Any:
        found = subscriptions.get(
            self.airspace, Caller(who, SCOPES), number if isinstance(number, str) else uid(number)
        )
        return _plain(subscription_message(found, self.airspace))

    def query_subscriptions(self, area: dict[str, Any], who: str = "uss1") -> list[str]:
        found = subscriptions.query(self.airspace, Caller(who, SCOPES), self.now_us, self._area(area))
        return [s.id for s in found]

    def put_availability(self, uss: str, state: str, old_version: str = "") -> Any:
        message = SetAvailability(old_version, state)
        return _plain(self.decided(availability.put(self.airspace, self.moment(), uss, message)).answer)

    def put_area(
        self, number: int = 1, extents: dict[str, Any] | None = None, *, who: str = "uss1", version: str | None = None,
        shape: Shape = V22A, body: dict[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        message = {"extents": extents or volume(), "uss_base_url": URL} if body is None else body
        wanted = shape.put_area(json.dumps(message).encode(), self.rules)
        outcome = service_areas.put(self.airspace, Caller(who, SCOPES), self.moment(), uid(number), version, wanted)
        return _plain(shape.changed_area(self.decided(outcome)))

    def delete_area(self, number: int, version: str, who: str = "uss1", shape: Shape = V22A) -> Any:
        outcome = service_areas.delete(self.airspace, Caller(who, SCOPES), self.moment(), uid(number), version)
        return _plain(shape.changed_area(self.decided(outcome)))

    def search_areas(self, area: str, earliest: str | None = None, latest: str | None = None) -> list[str]:
        found = service_areas.search(self.airspace, self.now_us, parse_area(area, self.rules, earliest, latest))
        return [a.id for a in found]

    def put_area_subscription(
        self, number: int = 1, extents: dict[str, Any] | None = None, *, who: str = "uss1", version: str | None = None,
        shape: Shape = V22A, body: dict[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        message = {"extents": extents or volume(), "uss_base_url": URL} if body is None else body
        wanted = shape.put_subscription(json.dumps(message).encode(), self.rules)
        outcome = area_subscriptions.put(
            self.airspace, Caller(who, SCOPES), self.moment(), uid(number), version, wanted
        )
        return _plain(shape.changed_subscription(self.decided(outcome)))

    def delete_area_subscription(self, number: int, version: str, who: str = "uss1") -> Any:
        outcome = area_subscriptions.delete(self.airspace, Caller(who, SCOPES), uid(number), version)
        self.decided(outcome)
        return _plain(V22A.subscription(outcome.subscription, outcome.count))

    def search_area_subscriptions(self, area: str, who: str = "uss1") -> list[str]:
        extent = parse_area(area, self.rules)
        found = area_subscriptions.search(self.airspace, Caller(who, SCOPES), self.now_us, extent)
        return [s.id for s in found]

    def _area(self, area: dict[str, Any]) -> Any:
        query = parse(msgspec.json.Decoder(Query), json.dumps({"area_of_interest": area}).encode())
        assert query.area_of_interest is not None
        return extent_of(query.area_of_interest, self.rules)


def refused(kind: RefusalKind, request: Callable[[], Any]) -> Refusal:
    """The refusal that the request meets; the airspace stays as it was."""
    with pytest.raises(Refusal) as caught:
        request()
    assert caught.value.kind is kind, caught.value.message
    return caught.value


BAD, FORBIDDEN, MISSING = RefusalKind.BAD_REQUEST, RefusalKind.NOT_ALLOWED, RefusalKind.NOT_FOUND
CONFLICT, TOO_LARGE, TOO_MANY, DOWN = (
    RefusalKind.CONFLICT, RefusalKind.TOO_LARGE, RefusalKind.TOO_MANY, RefusalKind.USS_DOWN,
)  # fmt: skip
MINUTES_6 = 6 * MINUTE_US
