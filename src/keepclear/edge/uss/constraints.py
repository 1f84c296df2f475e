"""Others' constraints in an area, as zones, kept up to date: by looking, and by what peers tell us.

A notice is not believed by itself: it makes us look at once, at the DSS and at the USS that manages what it names. Only
where that USS does not answer, the details that it sent along are taken.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from keepclear.edge.dss.client import DssClient
from keepclear.edge.uss.store import Heard, UssStore
from keepclear.errors import InputError, KeepclearError
from keepclear.uss.constraint_zones import withdrawn, zones_of
from keepclear.uss.entities import Entity, EntityKind, Reference, entity_id, read_notice
from keepclear.uss.requests import SUBSCRIPTION, delete
from keepclear.zones.model import Zone, ZoneStatus

__all__ = ["AreaSubscription", "OthersConstraints"]

TOLD_MAX = 10_000
"""Details that notices brought and that are kept for when their USS does not answer."""


class OthersConstraints:
    """``manager`` is us, whose constraints are left out. ``store``: where our ``keepclear dss uss`` keeps notices."""

    def __init__(
        self, client: DssClient, manager: str, store: UssStore | None = None, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._client, self._manager, self._store, self._clock = client, manager, store, clock
        self._known: dict[str, list[Zone]] = {}
        self._stale: set[str] = set()
        self._told: dict[str, Entity] = {}
        self._counts: dict[str, int] = {}
        self._heard = store.last_heard() if store else 0

    def zones(self) -> list[Zone]:
        return [zone for name in sorted(self._known) for zone in self._known[name]]

    def look(self, area: Mapping[str, Any]) -> list[str]:
        """Bring it up to date within a Volume4D. Returns what could not be, in words; raises where the DSS fails."""
        found = [one for one in self._client.query(EntityKind.CONSTRAINT, area) if one.manager != self._manager]
        troubles: list[str] = []
        for reference in found:
            if reference.id in self._stale or not self._is_current(reference):
                troubles += self._read(reference)
        for name in self._known.keys() - {one.id for one in found}:
            self._take_back(name)
        return troubles

    def hear(self) -> bool:
        """Take in the notices that have come. True: there is reason to look."""
        news = self._store.heard(self._heard) if self._store else []
        for notice in news:
            self._heard = notice.n
            if notice.kind is EntityKind.CONSTRAINT and notice.sender != self._manager:
                self._heed(notice)
        return bool(news)

    def _heed(self, heard: Heard) -> None:
        try:
            notice = read_notice(heard.body, EntityKind.CONSTRAINT)
        except InputError:
            return  # our server takes none that cannot be read
        self._stale.add(notice.entity_id)
        if notice.entity is not None and len(self._told) < TOLD_MAX:
            self._told[notice.entity_id] = notice.entity
        for state in notice.subscriptions:
            expected = self._counts.get(state.subscription_id, state.notification_index - 1) + 1
            if state.notification_index > expected:
                self._stale |= self._known.keys()  # one that we were not told of: look at all anew
            self._counts[state.subscription_id] = max(expected, state.notification_index)

    def _is_current(self, reference: Reference) -> bool:
        zones = self._known.get(reference.id)
        return zones is not None and zones[0].version == str(reference.version) and not _is_gone(zones)

    def _read(self, reference: Reference) -> list[str]:
        told = self._told.get(reference.id)
        try:
            entity = self._client.details(EntityKind.CONSTRAINT, reference)
        except KeepclearError as error:
            if told is None or (told.reference.version, told.reference.manager) != (
                reference.version,
                reference.manager,
            ):
                return [f"constraint {reference.id} of {reference.manager} is not known as it is now: {error}"]
            entity = told
        try:
            self._known[reference.id], warnings = zones_of(entity, self._client.url)
        except KeepclearError as error:
            return [f"constraint {reference.id} of {reference.manager} is not known as it is now: {error}"]
        self._stale.discard(reference.id)
        self._told.pop(reference.id, None)
        return warnings

    def _take_back(self, name: str) -> None:
        zones, now_s = self._known[name], self._clock()
        if max(period.to_s for zone in zones for period in zone.applicability) < now_s:
            del self._known[name]
            self._stale.discard(name)
        elif not _is_gone(zones):
            self._known[name] = withdrawn(zones, now_s)


class AreaSubscription:
    """A subscription to constraints in an area; renewed in time, given up at the end. A context manager."""

    RENEW_SHARE = 0.5
    """of its life that may be over before it is renewed: there is time left for a DSS that is away for hours"""

    def __init__(
        self, client: DssClient, manager: str, base_url: str, area: str, *, clock: Callable[[], float] = time.time
    ) -> None:
        """The same ``area`` (any words for it) is the same subscription, also after a restart."""
        self._client, self._base_url, self._clock = client, base_url, clock
        self.id = entity_id(manager, "subscription", area)
        self._renew_s = 0.0

    def keep(self, volume: Mapping[str, Any], lasts_s: float) -> None:
        """Make or renew it where that is due, over a Volume4D that begins now. Raises what the DSS says."""
        now_s = self._clock()
        if now_s < self._renew_s:
            return
        found = self._client.find(SUBSCRIPTION, self.id)
        body = {"extents": volume, "uss_base_url": self._base_url, "notify_for_constraints": True}
        self._client.put(SUBSCRIPTION, self.id, None if found is None else str(found["version"]), body)
        self._renew_s = now_s + lasts_s * self.RENEW_SHARE

    def __enter__(self) -> AreaSubscription:
        return self

    def __exit__(self, *_: object) -> None:
        """A subscription that cannot be given up ends by itself within a day."""
        try:
            found = self._client.find(SUBSCRIPTION, self.id)
            if found is not None:
                self._client.ask(delete(SUBSCRIPTION, self.id, str(found["version"])))
        except KeepclearError:
            return


def _is_gone(zones: Sequence[Zone]) -> bool:
    return zones[0].status is ZoneStatus.WITHDRAWN
