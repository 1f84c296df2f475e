"""Whom a change in the airspace must be told to, and the count of what each has been told (rules 19, 25)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from keepclear.dss.airspace import Airspace
from keepclear.dss.extent import Extent
from keepclear.dss.records import AreaSubscription, Change, Kind, Subscription
from keepclear.dss.utm_messages import SubscriberToNotify, SubscriptionState

__all__ = ["Notified", "subscribers_to_notify"]


class Notified:
    """Subscriptions whose counts a change raises, each once, in the order found."""

    def __init__(self, airspace: Airspace) -> None:
        self._airspace = airspace
        self.counts: dict[str, int] = {}
        self.urls: dict[str, list[SubscriptionState]] = {}

    def add(self, subscription: Subscription | AreaSubscription, url: str, count: int | None = None) -> None:
        """``count`` is the one so far, where the subscription is not in the airspace yet."""
        if subscription.id in self.counts:
            return
        raised = (self._airspace.counts[subscription.id] if count is None else count) + 1
        self.counts[subscription.id] = raised
        self.urls.setdefault(url, []).append(SubscriptionState(subscription.id, raised))

    def changes(self) -> list[Change]:
        return [Change(Kind.COUNT, subscription_id, count) for subscription_id, count in self.counts.items()]

    def messages(self) -> list[SubscriberToNotify]:
        return [SubscriberToNotify(states, url) for url, states in self.urls.items()]


def subscribers_to_notify(
    airspace: Airspace,
    extents: Iterable[Extent],
    now_us: int,
    *,
    constraints: bool,
    gone: Sequence[str] = (),
    new: Sequence[Subscription] = (),
) -> Notified:
    """F3548-21 subscriptions to tell of a change within the extents (old and new ones of an update).

    ``new`` are subscriptions that begin or change with the change itself, ``gone`` those that end with it.
    """
    notified = Notified(airspace)
    for subscription in new:
        if subscription.notify_for_constraints if constraints else subscription.notify_for_operational_intents:
            notified.add(subscription, subscription.uss_base_url, airspace.counts[subscription.id])
    for extent in extents:
        if extent.end_us < now_us:
            continue
        for subscription in airspace.subscriptions.meeting(extent.from_now(now_us)):
            wanted = subscription.notify_for_constraints if constraints else subscription.notify_for_operational_intents
            if wanted and subscription.id not in gone:
                notified.add(subscription, subscription.uss_base_url)
    return notified
