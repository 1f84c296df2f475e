"""The decisions' side of a node's desk: what came, what the node writes by itself, what its party owes and who is told.

It decides nothing for anybody. By itself it writes receipts alone: that a text has arrived, and, where its party is a
secretary, what others have said. A reminder says until when, never what to say; silence is read by the rule alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from keepclear.channel.charter import Charter
from keepclear.channel.store import Store
from keepclear.channel_desk import Happening
from keepclear.decisions.acts import Received, Register, Table
from keepclear.decisions.procedure.docket import Docket, Filed
from keepclear.decisions.procedure.duties import DutyBook, unaccepted
from keepclear.decisions.procedure.duty import Duty, Owed
from keepclear.decisions.procedure.procedure import status
from keepclear.decisions.procedure.reading import take_new
from keepclear.decisions.procedure.registering import register_acts
from keepclear.decisions.procedure.status import day_of
from keepclear.messages.duty import due_calls
from keepclear.messages.timers import Timers
from keepclear.messages.vocabulary import Desk, Precedence

__all__ = ["DecisionDesk", "TextReceipts"]

TOLD_MAX = 100_000
"""What was said is remembered, so that it is said once; the oldest is forgotten."""
AGAIN_MS = 8 * 3_600_000
"""A watch. Nobody says of a text that he has seen it; so whoever was told is left alone, and the next watch is told."""
RECEIPTS_MAX = 64
"""At once: what a flood of texts leaves over has its turn at the next step."""


class TextReceipts(StrEnum):
    """When the node proves by itself that a text has arrived (practice R4.1)."""

    LADDER = "ladder"
    """where its party's charter names whom to call, so that somebody is told of every text that was received"""
    ALWAYS = "always"
    NEVER = "never"
    """only people do, by ``decide receive``"""


@dataclass(slots=True)
class DecisionDesk:
    charter: Charter
    party: str
    store: Store
    on_duty: frozenset[str] = frozenset()
    """roles; empty: every role of the ladder"""
    receipts: TextReceipts = TextReceipts.LADDER
    docket: Docket = field(init=False)
    _book: DutyBook = field(init=False)
    _forks: int = 0
    """proofs of two histories that the duties were found with"""
    _begun: bool = False
    _touched: set[str] = field(default_factory=set)
    """proposals to which something has come that the register may not show"""
    _told: dict[tuple[object, ...], None] = field(default_factory=dict)
    _seen: tuple[object, ...] = ()
    """the heads and the day that the duties were found from"""
    _duties: tuple[Duty, ...] = ()
    _due: tuple[int, ...] = ()
    """instants at which what is owed changes by itself"""

    def __post_init__(self) -> None:
        self.docket = Docket(self.store.channel)
        self._book = DutyBook(self.docket, self.party)

    def step(self, now_ms: int) -> list[Happening]:
        """What is new at ``now_ms``, where nothing is written in between."""
        return [*self.take(), *self.remind(now_ms)]

    def take(self) -> list[Happening]:
        """Whatever the logs hold beyond what was taken: what others have written is news, but not after a restart."""
        happened: list[Happening] = []
        for filed in take_new(self.docket, self.store):
            number = getattr(filed.act, "proposal", None)
            if number is not None:
                self._touched.add(number)
                self._book.touch(number)
            if self._begun and filed.party != self.party:
                happened.append(_arrived(filed))
        self._begun = True
        forks = len(self.store.forks())
        if forks != self._forks:
            self._book.touch_all()
            self._forks, self._seen = forks, ()
        return happened

    def remind(self, now_ms: int) -> list[Happening]:
        """What is owed at ``now_ms``, each thing once, and whom the ladder calls for it."""
        happened: list[Happening] = []
        for duty in self._owed(now_ms):
            happened += self._reminders(duty, now_ms)
        for digest in unaccepted(self.docket, self.party):
            if self._first("accept", digest):
                happened.append({"event": "owed", "what": "ACCEPT", "id": self.docket.body(digest).id, "hash": digest})
        while len(self._told) > TOLD_MAX:
            del self._told[next(iter(self._told))]
        return happened

    def to_register(self) -> tuple[Register, ...]:
        """Where we are the secretary: the receipt for everything that has come (practice R4.3)."""
        acts = tuple(act for number in sorted(self._touched) for act in register_acts(self.docket, self.party, number))
        self._touched = {act.proposal for act in acts}  # until our own log shows them
        return acts

    def to_receive(self, now_ms: int) -> tuple[Received, ...]:
        """Proof that we have the texts of bodies that we have accepted (practice R4.1); it says nothing of agreeing."""
        desks = self.charter.party(self.party).desks
        ladder = self.receipts is TextReceipts.LADDER and any(desk.steps for desk in desks)
        if not ladder and self.receipts is not TextReceipts.ALWAYS:
            return ()
        owed = [one for one in self._owed(now_ms) if one.what is Owed.RECEIPT and self._accepted(one.about)]
        found = (status(self.docket, one.about) for one in owed[:RECEIPTS_MAX])
        return tuple(Received(proposal=f.proposal, version=f.version, text_hash=f.text_hash) for f in found)

    def _accepted(self, proposal: str) -> bool:
        tables = (filed.act for filed in self.docket.about(proposal))
        return any(isinstance(act, Table) and self.party in self.docket.accepted(act.body) for act in tables)

    def _owed(self, now_ms: int) -> tuple[Duty, ...]:
        """Found anew only when a log has grown, a deadline has passed or another day has begun."""
        passed = sum(due_ms < now_ms for due_ms in self._due)
        seen = (sum(self.docket.taken.values()), day_of(now_ms), passed)
        if seen != self._seen:
            self._duties = self._book.owed(now_ms)
            self._due = tuple(sorted(self._deadlines()))
            self._seen = (*seen[:2], sum(due_ms < now_ms for due_ms in self._due))
        return self._duties

    def _deadlines(self) -> Iterator[int]:
        docket = self.docket
        for number in (*docket.proposals(), *docket.meetings(), *docket.applications()):
            for filed in docket.about(number):
                for name in ("closes_ms", "open_by_ms", "expires_ms", "starts_ms", "due_ms"):
                    due_ms = getattr(filed.act, name, None)
                    if due_ms is not None:
                        yield due_ms

    def _reminders(self, duty: Duty, now_ms: int) -> Iterator[Happening]:
        about: dict[str, Any] = {
            "id": duty.about, **({"version": duty.version} if duty.version is not None else {}),
            "what": duty.what.value, "members": list(duty.members),
            **({"due_ms": duty.due_ms} if duty.due_ms is not None else {}), **({"late": True} if duty.late else {}),
        }  # fmt: skip
        if self._first("owed", duty.about, duty.version, duty.what, duty.members, duty.due_ms, duty.late):
            yield {"event": "owed", **about}
        series = [(Precedence.ROUTINE, duty.since_ms)]
        urgent_ms = duty.urgent_ms
        if urgent_ms is not None and urgent_ms <= now_ms:
            series.append((Precedence.IMMEDIATE, urgent_ms))
        desks = self.charter.party(self.party).desks
        roles = self.on_duty or frozenset(step.role for desk in desks for step in desk.steps)
        for precedence, since_ms in series:
            for call in due_calls(
                desks, Desk.POLITICAL, precedence, since_ms, now_ms, on_duty=roles,
                timers=Timers.from_charter(self.charter.timers.messages),
            ):  # fmt: skip
                again = (call.at_ms - since_ms) // AGAIN_MS if call.round else 0
                if again and precedence is Precedence.ROUTINE and urgent_ms is not None:
                    continue  # it becomes urgent in its time
                told = (precedence, call.role, call.transport, call.rung, again)
                if self._first("call", duty.about, duty.version, duty.what, duty.due_ms, *told):
                    yield {
                        "event": "call", **about, "role": call.role, "transport": call.transport,
                        "precedence": precedence.value, "rung": call.rung, "round": again,
                    }  # fmt: skip

    def _first(self, *what: object) -> bool:
        if what in self._told:
            return False
        self._told[what] = None
        return True


def _arrived(filed: Filed) -> Happening:
    act = filed.act
    about = next((value for name in ("proposal", "meeting", "application") if (value := getattr(act, name, None))), "")
    who = getattr(act, "member", None)
    member = {"member": who} if who else {}
    return {
        "event": "decision", "act": act.__struct_config__.tag, "id": about, "from": filed.party, "entry": filed.seq,
        **member, "sent_ms": filed.at_ms,
    }  # fmt: skip
