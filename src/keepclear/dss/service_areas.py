"""Identification service areas of F3411, one store for both versions (rules 26 to 32)."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from keepclear.dss.airspace import Airspace
from keepclear.dss.extent import Extent
from keepclear.dss.instants import CLOCK_SKEW_US, FOREVER_US, NEVER_US
from keepclear.dss.ovns import next_version, parse_version
from keepclear.dss.records import AreaSubscription, Change, Kind, ServiceArea
from keepclear.dss.refusal import Refusal, RefusalKind, bad
from keepclear.dss.request import Caller, Moment

__all__ = ["AreaOutcome", "PutArea", "check_version", "delete", "get", "put", "search"]


class PutArea(msgspec.Struct, frozen=True):
    """What both versions' messages say of an area or a subscription."""

    extent: Extent
    url: str
    v19: bool


class AreaOutcome(msgspec.Struct, frozen=True):
    """The area, whom to tell with the count after this change, and the changes."""

    area: ServiceArea
    subscribers: list[tuple[AreaSubscription, int]]
    changes: list[Change]

    @property
    def counts(self) -> dict[str, int]:
        return {subscription.id: count for subscription, count in self.subscribers}


def get(airspace: Airspace, area_id: str) -> ServiceArea:
    """Also one that has ended, while it is kept (rule 27)."""
    found = airspace.service_areas.get(area_id)
    if found is None:
        raise Refusal(RefusalKind.NOT_FOUND, f"there is no identification service area {area_id}")
    return found


def search(airspace: Airspace, now_us: int, extent: Extent) -> list[ServiceArea]:
    """Areas that have not ended; an earliest time before now is taken as now (rule 27)."""
    return airspace.service_areas.meeting(extent.from_now(now_us)) if extent.end_us >= now_us else []


def put(
    airspace: Airspace, caller: Caller, moment: Moment, area_id: str, version: str | None, wanted: PutArea
) -> AreaOutcome:
    """Create (``version`` None) or update."""
    old = airspace.service_areas.get(area_id)
    extent = _times(wanted.extent, old.extent if old else None, moment.now_us)
    check_version("identification service area", old, area_id, version, caller)
    new = ServiceArea(
        area_id, caller.subject, next_version(moment.now_us, old.version if old else None), wanted.url, wanted.v19,
        extent,
    )  # fmt: skip
    subscribers = _subscribers(airspace, [extent] if old is None else [extent, old.extent], moment.now_us)
    return AreaOutcome(new, subscribers, [Change(Kind.SERVICE_AREA, area_id, new)])


def delete(airspace: Airspace, caller: Caller, moment: Moment, area_id: str, version: str) -> AreaOutcome:
    parse_version(version)
    old = get(airspace, area_id)
    check_version("identification service area", old, area_id, version, caller)
    subscribers = _subscribers(airspace, [old.extent], moment.now_us)
    return AreaOutcome(old, subscribers, [Change(Kind.SERVICE_AREA, area_id, None)])


def _times(extent: Extent, old: Extent | None, now_us: int) -> Extent:
    start_us, end_us = extent.start_us, extent.end_us
    if start_us == NEVER_US:
        start_us = old.start_us if old else now_us
    elif start_us < now_us - CLOCK_SKEW_US:
        raise bad("an identification service area may not start more than five minutes in the past")
    if end_us == FOREVER_US:
        if old is None:
            raise bad("an identification service area needs an end")
        end_us = old.end_us
    if end_us < start_us:
        raise bad("the identification service area ends before it starts")
    return msgspec.structs.replace(extent, start_us=start_us, end_us=end_us)


def check_version(
    what: str, old: ServiceArea | AreaSubscription | None, entity_id: str, version: str | None, caller: Caller
) -> None:
    if version is not None:
        parse_version(version)
    if old is None:
        if version is not None:
            raise bad(f"there is no {what} {entity_id} that could be changed")
        return
    if version is None:
        raise Refusal(RefusalKind.CONFLICT, f"{what} {entity_id} exists: name its version to change it")
    if version.lower() != old.version:
        raise Refusal(RefusalKind.CONFLICT, f"{what} {entity_id} has changed since that version")
    if old.owner != caller.subject:
        raise Refusal(RefusalKind.NOT_ALLOWED, f"{what} {entity_id} belongs to {old.owner}")


def _subscribers(airspace: Airspace, extents: Iterable[Extent], now_us: int) -> list[tuple[AreaSubscription, int]]:
    """Subscriptions in the old or the new area, with their counts raised (rule 30)."""
    found: dict[str, AreaSubscription] = {}
    for extent in extents:
        if extent.end_us >= now_us:
            found.update((s.id, s) for s in airspace.area_subscriptions.meeting(extent.from_now(now_us)))
    return [(subscription, airspace.counts[subscription.id] + 1) for subscription in found.values()]
