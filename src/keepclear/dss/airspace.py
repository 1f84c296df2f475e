"""The airspace as the DSS knows it now: every record, and the indexes over them.

Rules only read it. What a request does to it is a list of changes, applied by :meth:`Airspace.apply`; the same
changes go to the database and to the other servers of the pool, so that all hold the same airspace.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any, Protocol, TypeVar

from keepclear.dss.block_index import BlockIndex
from keepclear.dss.extent import Extent
from keepclear.dss.records import (
    AreaSubscription,
    Availability,
    Change,
    Constraint,
    Heartbeat,
    Kind,
    OperationalIntent,
    Record,
    Report,
    ServiceArea,
    Subscription,
    UssState,
)  # fmt: skip

__all__ = ["Airspace", "Table"]


class Placed(Protocol):
    """A record that is somewhere."""

    @property
    def id(self) -> str: ...

    @property
    def extent(self) -> Extent: ...


R = TypeVar("R", bound=Placed)


class Table(dict[str, R]):
    """Records of one kind by id, found by where and when they are."""

    def __init__(self) -> None:
        super().__init__()
        self.index = BlockIndex()

    def put(self, record_id: str, record: R) -> None:
        self[record_id] = record
        self.index.put(record_id, record.extent)

    def drop(self, record_id: str) -> None:
        del self[record_id]
        self.index.drop(record_id)

    def meeting(self, extent: Extent) -> list[R]:
        """The records whose cells, altitudes and times meet the extent's."""
        return [self[found] for found in self.index.meeting(extent)]


class Airspace:
    """``exact`` is the table for what F3548-21 matches, where it is not by cells alone."""

    def __init__(self, exact: type[Table[Any]] = Table) -> None:
        self.intents: Table[OperationalIntent] = exact()
        self.constraints: Table[Constraint] = exact()
        self.subscriptions: Table[Subscription] = exact()
        self.service_areas: Table[ServiceArea] = Table()
        self.area_subscriptions: Table[AreaSubscription] = Table()
        self.availabilities: dict[str, Availability] = {}
        self.heartbeats: dict[str, Heartbeat] = {}
        self.reports: dict[str, Report] = {}
        self.counts: Counter[str] = Counter()
        self._dependents: dict[str, set[str]] = defaultdict(set)
        self._subscriptions_of: dict[str, set[str]] = defaultdict(set)
        self._indexed: dict[Kind, Any] = {
            Kind.INTENT: self.intents,
            Kind.CONSTRAINT: self.constraints,
            Kind.SUBSCRIPTION: self.subscriptions,
            Kind.SERVICE_AREA: self.service_areas,
            Kind.AREA_SUBSCRIPTION: self.area_subscriptions,
        }
        self._plain: dict[Kind, Any] = {
            Kind.AVAILABILITY: self.availabilities,
            Kind.HEARTBEAT: self.heartbeats,
            Kind.REPORT: self.reports,
            Kind.COUNT: self.counts,
        }

    def dependents(self, subscription_id: str) -> list[str]:
        """Ids of the operational intents that rest on a subscription, ordered."""
        return sorted(self._dependents.get(subscription_id, ()))

    def area_subscriptions_of(self, owner: str) -> frozenset[str]:
        """Ids of one owner's F3411 subscriptions."""
        return frozenset(self._subscriptions_of.get(owner, ()))

    def uss_state(self, uss_id: str) -> UssState:
        known = self.availabilities.get(uss_id)
        return known.state if known else UssState.UNKNOWN

    def apply(self, changes: Iterable[Change]) -> list[Change]:
        """Carry the changes out. Returns what takes them back, in the order to apply it."""
        undo: list[Change] = []
        for change in changes:
            table = self._indexed.get(change.kind)
            before: Record | None
            if table is None:
                plain = self._plain[change.kind]
                before = plain.get(change.id)
                if change.record is None:
                    plain.pop(change.id, None)
                else:
                    plain[change.id] = change.record
            else:
                before = table.get(change.id)
                self._put(change, before)
            undo.append(Change(change.kind, change.id, before))
        undo.reverse()
        return undo

    def records(self) -> Iterable[Change]:
        """Everything there is, as changes from nothing."""
        for kind, table in (*self._indexed.items(), *self._plain.items()):
            for record_id, record in table.items():
                yield Change(kind, record_id, record)

    def _put(self, change: Change, before: Record | None) -> None:
        table, record = self._indexed[change.kind], change.record
        if record is not None:
            table.put(change.id, record)
        elif before is not None:
            table.drop(change.id)
        if change.kind is Kind.INTENT:
            self._link(self._dependents, before, record, "subscription_id")
        elif change.kind is Kind.AREA_SUBSCRIPTION:
            self._link(self._subscriptions_of, before, record, "owner")

    @staticmethod
    def _link(links: dict[str, set[str]], before: Record | None, after: Record | None, name: str) -> None:
        old = getattr(before, name, None)
        new = getattr(after, name, None)
        if old == new:
            return
        if old is not None:
            links[old].discard(before.id)  # type: ignore[union-attr]
            if not links[old]:
                del links[old]
        if new is not None:
            links[new].add(after.id)  # type: ignore[union-attr]
