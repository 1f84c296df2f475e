"""Whom a change in the airspace must be told to, and the count of what each has been told (rules 19, 25)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from keepclear.dss.airspace import Airspace
from keepclear.dss.extent import Extent
from keepclear.dss.records import Subscription
from keepclear.dss.utm_messages import SubscriberToNotify, SubscriptionState

__all__ = ["Notified", "subscribers_to_notify"]


class Notified(NamedTuple):
    """``counts``: the subscriptions told, each once, with the count after this change."""

    counts: dict[str, int]
    messages: list[SubscriberToNotify]


def subscribers_to_notify(
    airspace: Airspace,
    extents: Sequence[Extent],
    now_us: int,
    *,
    constraints: bool,
    gone: Sequence[str] = (),
    new: Sequence[Subscription] = (),
) -> Notified:
    """F3548-21 subscriptions to tell of a change within the extents (old and new ones of an update).

    ``new`` are subscriptions that begin or change with the change itself, ``gone`` those that end with it.
    """
    ahead = [extent.from_now(now_us) for extent in extents if extent.end_us >= now_us]
    if len(ahead) == 2 and ahead[0] == ahead[1]:
        ahead.pop()
    counted = airspace.counts
    counts: dict[str, int] = {}
    states: dict[str, list[SubscriptionState]] = {}
    for found in (new, *(airspace.subscriptions.meeting(extent) for extent in ahead)):
        for subscription in found:
            wanted = subscription.notify_for_constraints if constraints else subscription.notify_for_operational_intents
            name = subscription.id
            if wanted and name not in counts and name not in gone:
                counts[name] = count = counted.get(name, 0) + 1
                state = SubscriptionState(name, count)
                if (listed := states.get(subscription.uss_base_url)) is None:
                    states[subscription.uss_base_url] = [state]
                else:
                    listed.append(state)
    return Notified(counts, [SubscriberToNotify(told, url) for url, told in states.items()])
