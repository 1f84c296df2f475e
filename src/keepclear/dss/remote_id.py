"""The messages of F3411-19 and F3411-22a. They differ in shape only; both become a :class:`PutArea` and come from
one store, so that what is made through one is seen through the other."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import Annotated, Any

import msgspec

from keepclear.dss.airspace import Airspace
from keepclear.dss.area_subscriptions import SubscriptionOutcome
from keepclear.dss.extent import HIGHEST_M, LOWEST_M, Extent
from keepclear.dss.instants import FOREVER_US, NEVER_US, Instant, microseconds, parse_instant, rfc3339
from keepclear.dss.records import AreaSubscription, ServiceArea
from keepclear.dss.refusal import RefusalKind, bad
from keepclear.dss.request import Rules, check_url, parse
from keepclear.dss.service_areas import AreaOutcome, PutArea
from keepclear.dss.volumes import VERTICES_MAX, Vertices, Volume4D, extent_of, make_extent, time_of
from keepclear.space.geometry import LonLat

__all__ = ["SHAPES", "V19", "V22A", "Shape", "parse_area"]

FLIGHTS = "/uss/flights"
"""Behind a USS's base URL (F3411-22a); F3411-19 names the whole URL."""
NOTIFICATIONS = "/uss/identification_service_areas"
AREA_CHARACTERS_MAX = 400_000
"""The longest list of vertices that a query may carry, at 40 characters each."""


class Shape(ABC):
    """How one version writes things. The names of methods are the messages'."""

    prefix: str
    v19: bool

    @abstractmethod
    def put_area(self, body: bytes, rules: Rules) -> PutArea:
        """Of a request to create or update an identification service area."""

    @abstractmethod
    def put_subscription(self, body: bytes, rules: Rules) -> PutArea: ...

    @abstractmethod
    def area(self, area: ServiceArea) -> dict[str, Any]: ...

    @abstractmethod
    def subscription(self, subscription: AreaSubscription, count: int) -> dict[str, Any]: ...

    @abstractmethod
    def notification_url(self, subscription: AreaSubscription) -> str: ...

    def state(self, subscription_id: str, count: int) -> dict[str, Any]:
        return {"subscription_id": subscription_id, "notification_index": count}

    def changed_area(self, outcome: AreaOutcome) -> dict[str, Any]:
        urls: dict[str, list[dict[str, Any]]] = {}
        for subscription, count in outcome.subscribers:
            urls.setdefault(self.notification_url(subscription), []).append(self.state(subscription.id, count))
        subscribers = [{"url": url, "subscriptions": states} for url, states in urls.items()]
        return {"service_area": self.area(outcome.area), "subscribers": subscribers}

    def changed_subscription(self, outcome: SubscriptionOutcome) -> dict[str, Any]:
        return {
            "subscription": self.subscription(outcome.subscription, outcome.count),
            "service_areas": [self.area(area) for area in outcome.areas],
        }

    def areas(self, areas: list[ServiceArea]) -> dict[str, Any]:
        return {"service_areas": [self.area(area) for area in areas]}

    def subscriptions(self, subscriptions: list[AreaSubscription], airspace: Airspace) -> dict[str, Any]:
        return {"subscriptions": [self.subscription(s, airspace.counts[s.id]) for s in subscriptions]}


Text = Annotated[str, msgspec.Meta(max_length=2_048)]


class PutV22A(msgspec.Struct, frozen=True):
    extents: Volume4D
    uss_base_url: Text


class ShapeV22A(Shape):
    prefix = "v22a"
    v19 = False

    def put_area(self, body: bytes, rules: Rules) -> PutArea:
        message = parse(_PUT_V22A, body)
        return PutArea(_flat(extent_of(message.extents, rules)), check_url(message.uss_base_url, rules), False)

    put_subscription = put_area

    def area(self, area: ServiceArea) -> dict[str, Any]:
        return {
            "id": area.id, "owner": area.owner, "version": area.version,
            "uss_base_url": area.url.removesuffix(FLIGHTS) if area.v19 else area.url,
            "time_start": time_of(area.extent.start_us), "time_end": time_of(area.extent.end_us),
        }  # fmt: skip

    def subscription(self, subscription: AreaSubscription, count: int) -> dict[str, Any]:
        return {
            "id": subscription.id, "owner": subscription.owner, "version": subscription.version,
            "uss_base_url": self.notification_url(subscription), "notification_index": count,
            "time_start": time_of(subscription.extent.start_us), "time_end": time_of(subscription.extent.end_us),
        }  # fmt: skip

    def notification_url(self, subscription: AreaSubscription) -> str:
        return subscription.url.removesuffix(NOTIFICATIONS) if subscription.v19 else subscription.url


class GeoPolygon(msgspec.Struct, frozen=True):
    vertices: Vertices


class Volume3DV19(msgspec.Struct, frozen=True):
    footprint: GeoPolygon
    altitude_lo: float | None = None
    altitude_hi: float | None = None


class Volume4DV19(msgspec.Struct, frozen=True):
    spatial_volume: Volume3DV19
    time_start: Instant | None = None
    time_end: Instant | None = None


class PutAreaV19(msgspec.Struct, frozen=True):
    extents: Volume4DV19
    flights_url: Text


class Callbacks(msgspec.Struct, frozen=True):
    identification_service_area_url: Text


class PutSubscriptionV19(msgspec.Struct, frozen=True):
    extents: Volume4DV19
    callbacks: Callbacks


class ShapeV19(Shape):
    prefix = "v19"
    v19 = True

    def put_area(self, body: bytes, rules: Rules) -> PutArea:
        message = parse(_PUT_AREA_V19, body)
        return PutArea(self._extent(message.extents, rules), check_url(message.flights_url, rules, "flights_url"), True)

    def put_subscription(self, body: bytes, rules: Rules) -> PutArea:
        message = parse(_PUT_SUBSCRIPTION_V19, body)
        url = message.callbacks.identification_service_area_url
        return PutArea(
            self._extent(message.extents, rules), check_url(url, rules, "identification_service_area_url"), True
        )

    def area(self, area: ServiceArea) -> dict[str, Any]:
        return {
            "id": area.id, "owner": area.owner, "version": area.version,
            "flights_url": area.url if area.v19 else area.url + FLIGHTS,
            "time_start": rfc3339(area.extent.start_us), "time_end": rfc3339(area.extent.end_us),
        }  # fmt: skip

    def subscription(self, subscription: AreaSubscription, count: int) -> dict[str, Any]:
        url = self.notification_url(subscription)
        return {
            "id": subscription.id, "owner": subscription.owner, "version": subscription.version, "url": url,
            "callbacks": {"identification_service_area_url": url}, "notification_index": count,
            "time_start": rfc3339(subscription.extent.start_us), "time_end": rfc3339(subscription.extent.end_us),
        }  # fmt: skip

    def notification_url(self, subscription: AreaSubscription) -> str:
        return subscription.url if subscription.v19 else subscription.url + NOTIFICATIONS

    def state(self, subscription_id: str, count: int) -> dict[str, Any]:
        """The interface file requires ``subscription`` and defines ``subscription_id`` (rule 30a): both are sent."""
        return {"subscription": subscription_id, **super().state(subscription_id, count)}

    @staticmethod
    def _extent(volume: Volume4DV19, rules: Rules) -> Extent:
        space = volume.spatial_volume
        if space.altitude_lo is not None and space.altitude_hi is not None and space.altitude_lo > space.altitude_hi:
            raise bad(f"the lower altitude {space.altitude_lo:g} m is above the upper {space.altitude_hi:g} m")
        ring = tuple((v.lng, v.lat) for v in space.footprint.vertices)
        start_us = NEVER_US if volume.time_start is None else microseconds(volume.time_start)
        end_us = FOREVER_US if volume.time_end is None else microseconds(volume.time_end)
        extent = make_extent(ring, rules, RefusalKind.BAD_REQUEST, start_us=start_us, end_us=end_us)
        return _flat(extent)


V19, V22A = ShapeV19(), ShapeV22A()
SHAPES: tuple[Shape, ...] = (V19, V22A)

_PUT_V22A = msgspec.json.Decoder(PutV22A)
_PUT_AREA_V19 = msgspec.json.Decoder(PutAreaV19)
_PUT_SUBSCRIPTION_V19 = msgspec.json.Decoder(PutSubscriptionV19)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")


def parse_area(area: str | None, rules: Rules, earliest: str | None = None, latest: str | None = None) -> Extent:
    """The extent of a search's query: ``lat,lng,lat,lng,…`` (rule 32). Too large an area is refused as such."""
    if not area:
        raise bad("the search needs area=lat,lng,lat,lng,…")
    numbers = [number.strip(" ") for number in area.split(",")]
    if len(area) > AREA_CHARACTERS_MAX or len(numbers) > 2 * VERTICES_MAX:
        raise bad(f"area has more than {VERTICES_MAX:,} vertices")
    if len(numbers) % 2 or len(numbers) < 6 or not all(_NUMBER.fullmatch(n) for n in numbers):
        raise bad("area must be an even count of numbers, at least three vertices: lat,lng,lat,lng,…")
    values = [float(n) for n in numbers]
    ring: tuple[LonLat, ...] = tuple(zip(values[1::2], values[::2]))
    if not all(-90.0 <= lat <= 90.0 and -180.0 <= lon <= 180.0 for lon, lat in ring):
        raise bad("area has a latitude beyond ±90° or a longitude beyond ±180°")
    start_us = NEVER_US if earliest is None else parse_instant(earliest, "earliest_time")
    end_us = FOREVER_US if latest is None else parse_instant(latest, "latest_time")
    return _flat(make_extent(ring, rules, RefusalKind.TOO_LARGE, start_us=start_us, end_us=end_us))


def _flat(extent: Extent) -> Extent:
    """Remote ID ignores altitudes in matching, and is never strict (rule 30)."""
    return Extent(extent.cells, LOWEST_M, HIGHEST_M, extent.start_us, extent.end_us)
