"""Requests to a DSS: every operation of F3548-21 and F3411 as method, path, scope and body, and when it may be resent.

The seven things that a DSS keeps under an id and a version work alike; what differs is in their entries here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from keepclear.dss.scopes import (
    AVAILABILITY_ARBITRATION,
    CONFORMANCE_MONITORING,
    CONSTRAINT_MANAGEMENT,
    CONSTRAINT_PROCESSING,
    DISPLAY_PROVIDER,
    READ_V19,
    SERVICE_PROVIDER,
    STRATEGIC_COORDINATION,
    WRITE_V19,
)
from keepclear.uss.entities import EntityKind

__all__ = [
    "AREA_SUBSCRIPTION_V19", "AREA_SUBSCRIPTION_V22A", "CONSTRAINT", "INTENT", "OF_KIND", "SERVICE_AREA_V19",
    "SERVICE_AREA_V22A", "SUBSCRIPTION", "Ask", "Kept", "area_text", "delete", "details", "get", "get_availability",
    "make_report", "notify", "put", "put_availability", "query", "search", "telemetry",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ask:
    """``safe``: asking twice changes nothing that asking once does not."""

    method: str
    path: str
    scopes: tuple[str, ...]
    body: Any = None
    safe: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """Something that a DSS keeps: where, the member that holds one or many of it, what its version is called."""

    path: str
    one: str
    many: str
    version: str
    owner: str
    reading: tuple[str, ...]
    writing: tuple[str, ...]
    querying: tuple[str, ...]


def _utm(path: str, one: str, version: str, owner: str, reading: str, writing: str) -> Kept:
    return Kept(f"/dss/v1/{path}", one, f"{one}s", version, owner, (reading,), (writing,), (reading,))


def _area(base: str, reading: str, writing: str) -> Kept:
    return Kept(
        f"{base}/identification_service_areas", "service_area", "service_areas", "version", "owner", (reading,),
        (writing,), (reading,),
    )  # fmt: skip


def _area_subscription(base: str, scope: str) -> Kept:
    path = f"{base}/subscriptions"
    return Kept(path, "subscription", "subscriptions", "version", "owner", (scope,), (scope,), (scope,))


INTENT = _utm(
    "operational_intent_references", "operational_intent_reference", "ovn", "manager", STRATEGIC_COORDINATION,
    STRATEGIC_COORDINATION,
)  # fmt: skip
CONSTRAINT = _utm(
    "constraint_references", "constraint_reference", "ovn", "manager", CONSTRAINT_PROCESSING, CONSTRAINT_MANAGEMENT
)
SUBSCRIPTION = _utm("subscriptions", "subscription", "version", "", CONSTRAINT_PROCESSING, CONSTRAINT_PROCESSING)
SERVICE_AREA_V22A = _area("/rid/v2/dss", DISPLAY_PROVIDER, SERVICE_PROVIDER)
SERVICE_AREA_V19 = _area("/v1/dss", READ_V19, WRITE_V19)
AREA_SUBSCRIPTION_V22A = _area_subscription("/rid/v2/dss", DISPLAY_PROVIDER)
AREA_SUBSCRIPTION_V19 = _area_subscription("/v1/dss", READ_V19)

OF_KIND = {EntityKind.INTENT: INTENT, EntityKind.CONSTRAINT: CONSTRAINT}
_USS_PATH = {EntityKind.INTENT: "/uss/v1/operational_intents", EntityKind.CONSTRAINT: "/uss/v1/constraints"}
_USS_READ = {EntityKind.INTENT: STRATEGIC_COORDINATION, EntityKind.CONSTRAINT: CONSTRAINT_PROCESSING}
_USS_TELL = {EntityKind.INTENT: STRATEGIC_COORDINATION, EntityKind.CONSTRAINT: CONSTRAINT_MANAGEMENT}


def get(kept: Kept, name: str) -> Ask:
    return Ask("GET", f"{kept.path}/{_segment(name)}", kept.reading, safe=True)


def put(kept: Kept, name: str, version: str | None, body: Mapping[str, Any], *, also: tuple[str, ...] = ()) -> Ask:
    """Create (``version`` None) or update. ``also``: scopes beyond those needed, e.g. to hear of constraints."""
    path = f"{kept.path}/{_segment(name)}" + ("" if version is None else f"/{_segment(version)}")
    return Ask("PUT", path, (*kept.writing, *also), body)


def delete(kept: Kept, name: str, version: str) -> Ask:
    return Ask("DELETE", f"{kept.path}/{_segment(name)}/{_segment(version)}", kept.writing)


def query(kept: Kept, area: Mapping[str, Any]) -> Ask:
    """Of F3548: whatever meets a Volume4D."""
    return Ask("POST", f"{kept.path}/query", kept.querying, {"area_of_interest": area}, safe=True)


def search(kept: Kept, area: str, *, earliest: str | None = None, latest: str | None = None) -> Ask:
    """Of F3411: ``area`` is ``lat,lng,lat,lng,…`` (:func:`area_text`), times are RFC 3339."""
    given = {"area": area, "earliest_time": earliest, "latest_time": latest}
    text = urlencode({name: value for name, value in given.items() if value is not None})
    return Ask("GET", f"{kept.path}?{text}", kept.querying, safe=True)


def area_text(vertices: list[tuple[float, float]]) -> str:
    """Of (longitude, latitude) in degrees."""
    return ",".join(f"{lat:.7f},{lon:.7f}" for lon, lat in vertices)


def get_availability(uss_id: str) -> Ask:
    scopes = (STRATEGIC_COORDINATION,)
    return Ask("GET", f"/dss/v1/uss_availability/{_segment(uss_id)}", scopes, safe=True)


def put_availability(uss_id: str, old_version: str, availability: str) -> Ask:
    """``old_version``: as last read, empty at first; a repetition is refused."""
    body = {"old_version": old_version, "availability": availability}
    return Ask("PUT", f"/dss/v1/uss_availability/{_segment(uss_id)}", (AVAILABILITY_ARBITRATION,), body)


def make_report(exchange: Mapping[str, Any]) -> Ask:
    return Ask("POST", "/dss/v1/reports", (STRATEGIC_COORDINATION,), {"exchange": exchange})


def details(kind: EntityKind, name: str) -> Ask:
    """To the managing USS."""
    return Ask("GET", f"{_USS_PATH[kind]}/{_segment(name)}", (_USS_READ[kind],), safe=True)


def telemetry(name: str) -> Ask:
    """To the managing USS, of an intent that is not nominal."""
    path = f"{_USS_PATH[EntityKind.INTENT]}/{_segment(name)}/telemetry"
    return Ask("GET", path, (CONFORMANCE_MONITORING,), safe=True)


def notify(kind: EntityKind, body: bytes) -> Ask:
    """To a subscriber's USS. The same notice twice says the same: the notification index tells."""
    return Ask("POST", _USS_PATH[kind], (_USS_TELL[kind],), body, safe=True)


def _segment(text: str) -> str:
    return quote(text, safe="")
