"""The duty desk of a node: what came, what is overdue, who is to be told next. One :meth:`Desk.step` a second.

It reads the logs as they grow and says each thing once. It decides nothing for anybody: silence is shown and climbs the
duty ladder, it is never taken for an answer (practice R1.1, R1.6).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from keepclear.channel.charter import Charter
from keepclear.channel.communications import Cause, LineChange, LineStatus
from keepclear.channel.entry import Draft
from keepclear.channel.store import Store
from keepclear.messages.bodies import encode_body, kind_of
from keepclear.messages.correspondence import Correspondence
from keepclear.messages.delivery import Filed, Held, MessageState, ToRecipient
from keepclear.messages.duty import Call, due_calls
from keepclear.messages.message import Message
from keepclear.messages.state import CommunicationsState
from keepclear.messages.suspension import Handling, handling
from keepclear.messages.timers import Timers
from keepclear.messages.vocabulary import Kind, Precedence

__all__ = ["Desk", "Happening", "held_of", "line_draft", "read_new"]

Happening = Mapping[str, Any]
"""What happened, as plain values for a line of JSON; ``event`` names it (docs/reference/channel-http.md)."""
TOLD_MAX = 100_000
"""What was said is remembered, so that it is said once; the oldest is forgotten."""


def read_new(store: Store, correspondence: Correspondence) -> list[Filed]:
    """Whatever the logs hold beyond what the correspondence has taken."""
    read: list[Filed] = []
    for log in correspondence.parties:
        while kept := store.records(log, correspondence.taken.get(log, 0)):
            read += correspondence.take(log, [k.record for k in kept])
    return read


def held_of(store: Store, message: Filed) -> list[Held]:
    """Who has cosigned the message, by our clock."""
    return [
        Held(h.cosigner.removesuffix("/mirror"), message.party, h.size, h.received_ms)
        for h in store.held(message.party, message.seq)
    ]


def line_draft(peer: str, change: LineChange, at_ms: int, stated_by: str = "") -> Draft:
    """The change of a line, for the record; ``stated_by`` is the role that stated its cause, where one did."""
    by_role = stated_by if change.cause not in (Cause.NONE, Cause.UNKNOWN) else ""
    state = CommunicationsState(
        party=peer, before=change.before, after=change.after, at_ms=at_ms, cause=change.cause, by_role=by_role
    )
    return Draft(kind_of(state), encode_body(state))


@dataclass(slots=True)
class Desk:
    charter: Charter
    party: str
    store: Store
    on_duty: frozenset[str] = frozenset()
    """roles; empty: every role of the ladder"""
    correspondence: Correspondence = field(init=False)
    _told: dict[tuple[object, ...], None] = field(default_factory=dict)
    _begun: bool = False
    """the logs have been read once"""
    _open: set[str] = field(default_factory=set)
    """ids of messages on which something may still be due"""

    def __post_init__(self) -> None:
        self.correspondence = Correspondence(self.charter, self.party, self.store.charters())

    def step(self, now_ms: int) -> list[Happening]:
        """What is new at ``now_ms``."""
        happened: list[Happening] = []
        for entry in read_new(self.store, self.correspondence):
            happened += self._arrived(entry, now_ms)
        self._begun = True
        for message_id in sorted(self._open):
            happened += self._followed(self.correspondence.message(message_id), now_ms)
        happened += self._prompts(now_ms)
        while len(self._told) > TOLD_MAX:
            del self._told[next(iter(self._told))]
        return happened

    def _arrived(self, entry: Filed, now_ms: int) -> Iterable[Happening]:
        body = entry.body
        if isinstance(body, Message) and self.correspondence.messages.get(body.id) is entry:
            self._open.add(body.id)
            if entry.party != self.party and self._waits(entry, now_ms):
                late = now_ms > body.valid_until_ms
                yield {
                    "event": "message", "id": body.id, "from": entry.party, "kind": body.kind.value,
                    "precedence": body.precedence.value, "desk": body.desk.value, "sent_ms": entry.at_ms, "late": late,
                }  # fmt: skip
        elif entry.party != self.party and self._begun:
            yield {"event": kind_of(body), "from": entry.party, "entry": entry.seq, "sent_ms": entry.at_ms}

    def _waits(self, message: Filed, now_ms: int) -> bool:
        """Whether anything of us is still due: after a restart, what is done is not told again."""
        delivery = self.correspondence.delivery(message, held_of(self.store, message), now_ms)
        return any(r.party == self.party and r.awaited is not None for r in delivery.recipients)

    def _followed(self, message: Filed, now_ms: int) -> Iterable[Happening]:
        assert isinstance(message.body, Message)
        delivery = self.correspondence.delivery(message, held_of(self.store, message), now_ms)
        mine = message.party == self.party
        waiting = False
        for recipient in delivery.recipients:
            waiting |= recipient.awaited is not None
            if mine:
                yield from self._progress(message.body, recipient)
            elif recipient.party == self.party:
                yield from self._calls(message.body, recipient, message, now_ms)
        if not waiting:
            self._open.discard(message.body.id)

    def _progress(self, message: Message, recipient: ToRecipient) -> Iterable[Happening]:
        about = {"id": message.id, "to": recipient.party, "state": recipient.state.value}
        if self._first("state", message.id, recipient.party, recipient.state):
            waiting = {"awaited": recipient.awaited.value, "due_ms": recipient.due_ms} if recipient.awaited else {}
            lead = {"lead_ms": recipient.lead_ms} if recipient.lead_ms is not None else {}
            answer = {"answer": recipient.answer.answer.value} if recipient.answer else {}
            yield {"event": "delivery", **about, **waiting, **lead, **answer}
        for mismatch in recipient.mismatches:
            if self._first("mismatch", message.id, recipient.party, mismatch.field, str(mismatch.read_back)):
                apart = {} if mismatch.apart_m is None else {"apart_m": round(mismatch.apart_m)}
                yield {"event": "mismatch", **about, "field": mismatch.field.value, **apart}

    def _calls(self, message: Message, recipient: ToRecipient, entry: Filed, now_ms: int) -> Iterable[Happening]:
        """Whom to tell here. FLASH climbs until it is read back, the rest until somebody has seen it."""
        if message.kind is Kind.TEST or recipient.state in (MessageState.CANCELLED, MessageState.SUPERSEDED):
            return
        if handling(message, self.correspondence.suspended(self.party, now_ms)) is Handling.STORED:
            return  # kept and acknowledged; FLASH and tests go through (practice R1.7)
        flash = message.precedence is Precedence.FLASH
        had_ms = recipient.read_back_ms or recipient.answered_ms if flash else recipient.read_ms
        desks = self.charter.party(self.party).desks
        roles = self.on_duty or frozenset(step.role for desk in desks for step in desk.steps)
        calls: tuple[Call, ...] = due_calls(
            desks, message.desk, message.precedence, recipient.delivered_ms or entry.at_ms, now_ms, on_duty=roles,
            had_ms=had_ms, timers=Timers.from_charter(self.charter.timers.messages),
        )  # fmt: skip
        for call in calls:
            if self._first("call", message.id, call.role, call.transport, call.rung, call.round):
                yield {
                    "event": "call", "id": message.id, "role": call.role, "transport": call.transport,
                    "precedence": message.precedence.value, "rung": call.rung, "round": call.round,
                }  # fmt: skip

    def _prompts(self, now_ms: int) -> Iterable[Happening]:
        """An incident about which nobody has said anything (practice R1.11)."""
        for prompt in self.correspondence.prompts(now_ms):
            if prompt.party == self.party and self._first("prompt", prompt.incident):
                yield {"event": "prompt", "incident": prompt.incident, "waited_ms": prompt.waited_ms}

    def _first(self, *what: object) -> bool:
        if what in self._told:
            return False
        self._told[what] = None
        return True


def is_alarm(change: LineChange) -> bool:
    """Whether a change of the line is to be told at once, and not only written down."""
    return change.after in (LineStatus.DEGRADED, LineStatus.SILENT, LineStatus.RESTORED)


Emit = Callable[[Happening], None]
