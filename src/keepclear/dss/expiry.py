"""Cleaning up: what has ended, and has been kept long enough to be asked about."""

from __future__ import annotations

from keepclear.dss.airspace import Airspace
from keepclear.dss.instants import HOUR_US
from keepclear.dss.records import Change, Kind

__all__ = ["KEEP_US", "expired"]

KEEP_US = 24 * HOUR_US
"""Ended entities can still be looked up this long (a day covers an operator's shift and a subscription's life)."""
AT_ONCE_MAX = 2_000
"""Removed in one go, so that cleaning never holds up the requests."""


def expired(airspace: Airspace, now_us: int, keep_us: int = KEEP_US) -> list[Change]:
    """What may go now. Subscriptions on which an intent rests stay as long as it does."""
    limit_us = now_us - keep_us
    changes: list[Change] = []
    leaving: set[str] = set()
    for intent in airspace.intents.values():
        if intent.extent.end_us < limit_us and len(changes) < AT_ONCE_MAX:
            changes.append(Change(Kind.INTENT, intent.id, None))
            leaving.add(intent.id)
    for constraint in airspace.constraints.values():
        if constraint.extent.end_us < limit_us and len(changes) < AT_ONCE_MAX:
            changes.append(Change(Kind.CONSTRAINT, constraint.id, None))
    for area in airspace.service_areas.values():
        if area.extent.end_us < limit_us and len(changes) < AT_ONCE_MAX:
            changes.append(Change(Kind.SERVICE_AREA, area.id, None))
    for kind, table in (
        (Kind.SUBSCRIPTION, airspace.subscriptions), (Kind.AREA_SUBSCRIPTION, airspace.area_subscriptions)
    ):  # fmt: skip
        for subscription in table.values():
            over = subscription.extent.end_us < limit_us and leaving.issuperset(airspace.dependents(subscription.id))
            if over and len(changes) < AT_ONCE_MAX:
                changes += [Change(kind, subscription.id, None), Change(Kind.COUNT, subscription.id, None)]
    for report in airspace.reports.values():
        if report.received_us < limit_us and len(changes) < AT_ONCE_MAX:
            changes.append(Change(Kind.REPORT, report.id, None))
    return changes
