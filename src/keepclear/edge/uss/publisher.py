"""Publishes what is planned, at the DSS and to the subscribers it names; withdraws it again.

The details are kept before the DSS knows the entity, so that no peer can ask for what we do not have.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec

from keepclear.dss.scopes import CONSTRAINT_PROCESSING
from keepclear.dss.utm_messages import SubscriberToNotify
from keepclear.edge.dss.client import Changed, DssClient, DssConflict
from keepclear.edge.uss.store import Published, UssStore
from keepclear.errors import KeepclearError
from keepclear.uss.declared_intents import clashes, declared
from keepclear.uss.entities import Entity, EntityKind, Planned, Reference, notices_of, read_details
from keepclear.uss.requests import OF_KIND

__all__ = ["Act", "Done", "Publisher"]

TRIES_MAX = 8
"""With pauses doubling from two seconds a notice is tried for some eight minutes, then given up."""
FIRST_PAUSE_S = 2.0
KEY_ROUNDS = 3
"""The airspace may change between looking and writing."""


class Act(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one entity, and in words where something is to be said."""

    id: str
    kind: EntityKind
    label: str
    act: Act
    said: str = ""


@dataclass(slots=True)
class Publisher:
    """``base_url`` is where peers reach ``keepclear dss uss`` over the same store."""

    client: DssClient
    store: UssStore
    base_url: str
    manager: str
    clock: Callable[[], float] = time.time
    _others: dict[str, Entity] = field(default_factory=dict)

    def publish(self, planned: Planned) -> Done:
        """Create or update one; what is the same already is left alone. Refusals become words, not errors."""
        try:
            if planned.kind is EntityKind.CONSTRAINT:
                return self._put(planned, {})
            return self._publish_intent(planned)
        except KeepclearError as error:
            return Done(planned.id, planned.kind, planned.label, Act.REFUSED, str(error))

    def withdraw(self, one: Published) -> Done:
        kept = OF_KIND[one.kind]
        try:
            found = self.client.find(kept, one.id)
            if found is not None:
                changed = self.client.delete(kept, one.id, str(found[kept.version]))
                self._tell(one.kind, one.id, None, changed.subscribers or [])
        except KeepclearError as error:
            return Done(one.id, one.kind, one.label, Act.REFUSED, str(error))
        self.store.drop(one.id)
        lost = found is not None and changed.subscribers is None
        said = "the DSS's answer was lost: whom to notify is not known" if lost else ""
        return Done(one.id, one.kind, one.label, Act.WITHDRAWN, said)

    def forget_ended(self) -> int:
        """Drop what ended; the DSS forgets it by itself."""
        ended = [one for one in self.store.all() if one.to_s < self.clock()]
        for one in ended:
            self.store.drop(one.id)
        return len(ended)

    def deliver(self) -> int:
        """Try the notices that are due, each once. Returns how many were given up now."""
        given_up = 0
        for notice in self.store.due(self.clock()):
            try:
                self.client.notify(notice.kind, notice.url, notice.body)
            except KeepclearError:
                if notice.tries + 1 >= TRIES_MAX:
                    self.store.told(notice)
                    given_up += 1
                else:
                    self.store.later(notice, self.clock() + FIRST_PAUSE_S * 2.0**notice.tries)
                continue
            self.store.told(notice)
        return given_up

    def _publish_intent(self, planned: Planned) -> Done:
        key, said = self._key(planned)
        subscription = {"uss_base_url": self.base_url, "notify_for_constraints": True}
        for _ in range(KEY_ROUNDS):
            body = {"state": "Accepted", "key": sorted(key), "new_subscription": subscription}
            try:
                done = self._put(planned, body, also=(CONSTRAINT_PROCESSING,))
                return _with_words(done, said)
            except DssConflict as conflict:
                known = len(key)
                for kind, reference in conflict.missing:
                    key |= self._ovn(kind, reference, planned)
                if len(key) == known:
                    raise
        raise KeepclearError(f"the airspace changed {KEY_ROUNDS} times while it was looked at: try again")

    def _key(self, planned: Planned) -> tuple[set[str], str]:
        """OVNs of all that is in the way. Raises for what truly intersects: an Accepted intent may not."""
        key: set[str] = set()
        met: set[str] = set()
        for volume in planned.details["volumes"]:
            for kind in (EntityKind.INTENT, EntityKind.CONSTRAINT):
                for reference in self.client.query(kind, volume):
                    if reference.id == planned.id or reference.id in met:
                        continue
                    met.add(reference.id)
                    key |= self._ovn(kind, reference, planned)
        constraints = [e for name in sorted(met) if (e := self._others.get(name)) and e.reference.state is None]
        touched = [e.reference.id for e in constraints if clashes(self._volumes(planned), declared(e))]
        return key, f"within constraint {', '.join(touched)}" if touched else ""

    def _ovn(self, kind: EntityKind, reference: Reference, planned: Planned) -> set[str]:
        entity = self._entity(kind, reference)
        self._others[reference.id] = entity
        if kind is EntityKind.INTENT and clashes(self._volumes(planned), declared(entity)):
            raise KeepclearError(f"it intersects operational intent {reference.id} of {reference.manager}")
        ovn = reference.known_ovn or entity.reference.known_ovn
        if ovn is None:
            raise KeepclearError(f"{reference.manager} does not tell the OVN of {kind.value} {reference.id}")
        return {ovn}

    def _entity(self, kind: EntityKind, reference: Reference) -> Entity:
        if reference.manager == self.manager and (ours := self.store.get(reference.id)):
            document = {kind.value: {"reference": msgspec.to_builtins(reference), "details": ours.details}}
            return read_details(document, kind, reference.id)
        return self.client.details(kind, reference)

    def _volumes(self, planned: Planned) -> list[Any]:
        reference = Reference(
            planned.id, self.manager, 0, self.base_url, planned.details["volumes"][0]["time_start"],
            planned.details["volumes"][0]["time_end"],
        )  # fmt: skip
        document = {"reference": msgspec.to_builtins(reference), "details": planned.details}
        return declared(read_details({planned.kind.value: document}, planned.kind))

    def _put(self, planned: Planned, more: Mapping[str, Any], *, also: tuple[str, ...] = ()) -> Done:
        kept, known = OF_KIND[planned.kind], self.store.get(planned.id)
        found = self.client.find(kept, planned.id)
        version = None if found is None else str(found[kept.version])
        if found and known and known.reference and known.details == planned.details:
            same = known.reference.get("ovn") == version and found.get("uss_base_url") == self.base_url
            if same:
                return Done(planned.id, planned.kind, planned.label, Act.UNCHANGED)
        if found is None:
            self._keep(planned, None)
        body = {"extents": planned.details["volumes"], "uss_base_url": self.base_url, **more}
        changed = self.client.put(kept, planned.id, version, body, also=also)
        reference = _reference(changed, kept.one)
        self._keep(planned, reference)
        self._tell(
            planned.kind, planned.id, {"reference": reference, "details": planned.details}, changed.subscribers or []
        )
        return Done(planned.id, planned.kind, planned.label, Act.UPDATED if found else Act.CREATED)

    def _keep(self, planned: Planned, reference: dict[str, Any] | None) -> None:
        one = Published(planned.id, planned.kind, planned.label, planned.to_s, planned.details, reference)
        self.store.keep(one)

    def _tell(
        self, kind: EntityKind, name: str, document: dict[str, Any] | None, subscribers: Sequence[SubscriberToNotify]
    ) -> None:
        others = [subscriber for subscriber in subscribers if subscriber.uss_base_url != self.base_url]
        for url, body in notices_of(kind, name, document, others):
            self.store.wait(kind, url, body)


def _with_words(done: Done, said: str) -> Done:
    return Done(done.id, done.kind, done.label, done.act, said or done.said)


def _reference(changed: Changed, member: str) -> dict[str, Any]:
    reference = changed.document.get(member)
    if not isinstance(reference, dict):
        raise KeepclearError(f"the DSS's answer has no {member}")
    return reference
