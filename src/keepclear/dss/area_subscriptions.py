"""Subscriptions of F3411, one store for both versions (rules 20, 28 to 30)."""

from __future__ import annotations

import msgspec

from keepclear.dss.airspace import Airspace
from keepclear.dss.extent import HIGHEST_M, LOWEST_M, Extent
from keepclear.dss.instants import FOREVER_US
from keepclear.dss.ovns import next_version, parse_version
from keepclear.dss.records import AreaSubscription, Change, Kind, ServiceArea
from keepclear.dss.refusal import Refusal, RefusalKind
from keepclear.dss.request import Caller, Moment
from keepclear.dss.service_areas import PutArea, check_version
from keepclear.dss.subscriptions import subscription_times

__all__ = ["PER_CELL_MAX", "SubscriptionOutcome", "delete", "get", "put", "search"]

PER_CELL_MAX = 10
"""Subscriptions of one owner in any cell (F3411-22a, DSS0030 with NetDSSMaxSubscriptionPerArea)."""


class SubscriptionOutcome(msgspec.Struct, frozen=True):
    """The subscription, its count, the areas it meets, and the changes."""

    subscription: AreaSubscription
    count: int
    areas: list[ServiceArea]
    changes: list[Change]
    counts: dict[str, int] = {}


def get(airspace: Airspace, subscription_id: str) -> AreaSubscription:
    found = airspace.area_subscriptions.get(subscription_id)
    if found is None:
        raise Refusal(RefusalKind.NOT_FOUND, f"there is no subscription {subscription_id}")
    return found


def search(airspace: Airspace, caller: Caller, now_us: int, extent: Extent) -> list[AreaSubscription]:
    """The caller's own in the area that have not ended."""
    mine = airspace.area_subscriptions_of(caller.subject)
    return [s for s in airspace.area_subscriptions.meeting(extent.from_now(now_us)) if s.id in mine]


def put(
    airspace: Airspace, caller: Caller, moment: Moment, subscription_id: str, version: str | None, wanted: PutArea
) -> SubscriptionOutcome:
    """Create (``version`` None) or update. The duration is judged before the version (rule 29)."""
    now_us = moment.now_us
    old = airspace.area_subscriptions.get(subscription_id)
    extent = subscription_times(wanted.extent, old.extent if old else None, now_us)
    check_version("subscription", old, subscription_id, version, caller)
    others = airspace.area_subscriptions_of(caller.subject) - {subscription_id}
    if airspace.area_subscriptions.index.densest_cell(_until_its_end(extent, now_us), others) >= PER_CELL_MAX:
        raise Refusal(RefusalKind.TOO_MANY, f"{caller.subject} has {PER_CELL_MAX} subscriptions in a cell of this area")
    new = AreaSubscription(
        subscription_id, caller.subject, next_version(now_us, old.version if old else None), wanted.url, wanted.v19,
        extent,
    )  # fmt: skip
    changes: list[Change] = [Change(Kind.AREA_SUBSCRIPTION, subscription_id, new)]
    if old is None:
        changes.append(Change(Kind.COUNT, subscription_id, 0))
    areas = airspace.service_areas.meeting(extent.from_now(now_us))
    return SubscriptionOutcome(new, airspace.counts[subscription_id] if old else 0, areas, changes)


def delete(airspace: Airspace, caller: Caller, subscription_id: str, version: str) -> SubscriptionOutcome:
    parse_version(version)
    old = get(airspace, subscription_id)
    check_version("subscription", old, subscription_id, version, caller)
    changes: list[Change] = [
        Change(Kind.AREA_SUBSCRIPTION, subscription_id, None), Change(Kind.COUNT, subscription_id, None)
    ]  # fmt: skip
    return SubscriptionOutcome(old, airspace.counts[subscription_id], [], changes)


def _until_its_end(extent: Extent, now_us: int) -> Extent:
    """Whatever has not ended counts, also what begins later than this."""
    return Extent(extent.cells, LOWEST_M, HIGHEST_M, now_us, FOREVER_US)
