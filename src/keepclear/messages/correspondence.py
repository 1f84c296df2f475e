"""All messages of a channel and what was said about each, folded entry by entry as the logs grow."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from keepclear.channel.charter import Charter, SignedCharter
from keepclear.channel.entry import CHARTER_KIND, Entry, Record, Reference
from keepclear.errors import InputError, UsageError
from keepclear.messages.delivery import Delivery, Filed, Held, filed, follow, in_order
from keepclear.messages.denial import Denial, in_force
from keepclear.messages.incident import Incident, Prompt, prompts
from keepclear.messages.message import Message, format_id, parse_id
from keepclear.messages.state import CommunicationsState
from keepclear.messages.suspension import Resumption, Suspension, suspended
from keepclear.messages.timers import Timers
from keepclear.messages.vocabulary import Desk

__all__ = ["Correspondence"]

DENIALS_MAX = 1_000
"""The newest: one speaks for a week at most."""


@dataclass(slots=True)
class Correspondence:
    """What one party can read of a channel: begin empty, :meth:`take` the records of every log in order.

    ``charters``: all versions, the first first, where there was more than one. Who left is still read, and a message to
    all went to those who were on the channel when it was written.
    """

    charter: Charter
    party: str
    charters: tuple[Charter, ...] = ()
    taken: dict[str, int] = field(default_factory=dict)
    """by log: how many entries were looked at"""
    unread: list[str] = field(default_factory=list)
    """entries whose body is here and is not what its kind says: one line each, shown and not hidden"""
    _in_force: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """by log: the parties under the charter in force at its end"""
    _all: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """by the leaf of a message to all: who that was"""
    _messages: dict[str, Filed] = field(default_factory=dict)
    _about: dict[str, list[Filed]] = field(default_factory=dict)
    """by the leaf of the message that they answer"""
    _withdrawing: list[Filed] = field(default_factory=list)
    _serials: dict[int, int] = field(default_factory=dict)
    _declared: dict[str, list[Suspension | Resumption]] = field(default_factory=dict)
    _incidents: list[tuple[Incident, int]] = field(default_factory=list)
    _denials: deque[Filed] = field(default_factory=lambda: deque(maxlen=DENIALS_MAX))
    _lines: dict[tuple[str, str], CommunicationsState] = field(default_factory=dict)
    """by writer and the party at the other end: the newest that was written down"""

    def take(self, log: str, records: Iterable[Record]) -> list[Filed]:
        """Consecutive records of a log from where it was left off; those that could be read here."""
        read = []
        for record in records:
            self.taken[log] = self.taken.get(log, 0) + 1
            try:
                self._enact(log, record)
                entry = filed(record)
            except InputError as error:
                self.unread.append(f"entry {self.taken[log] - 1} of {log}: {error}")
                continue
            if entry is not None:
                self._file(entry)
                read.append(entry)
        return read

    @property
    def parties(self) -> tuple[str, ...]:
        """All that any version of the charter names."""
        return tuple(sorted({party for charter in (*self.charters, self.charter) for party in charter.ids}))

    def _enact(self, log: str, record: Record) -> None:
        """A later charter as an entry: from here on it says who is on the channel."""
        perhaps = b'"kind":"charter"' in record.payload
        if perhaps and record.body is not None and Entry.parse(record.payload).kind == CHARTER_KIND:
            self._in_force[log] = SignedCharter.parse(record.body).charter.ids

    def _everybody(self, log: str) -> tuple[str, ...]:
        first = next((charter.ids for charter in self.charters if log in charter.ids), self.charter.ids)
        return self._in_force.get(log, first)

    def _file(self, entry: Filed) -> None:
        for leaf in entry.re:
            self._about.setdefault(leaf, []).append(entry)
        if isinstance(entry.body, Suspension | Resumption):
            self._declared.setdefault(entry.party, []).append(entry.body)
        if isinstance(entry.body, CommunicationsState):
            self._lines[entry.party, entry.body.party] = entry.body
        if isinstance(entry.body, Denial):
            self._denials.append(entry)
        if isinstance(entry.body, Incident):
            self._incidents.append((entry.body, entry.at_ms))
            self._count(entry.body.id)
        message = entry.body
        if not isinstance(message, Message):
            return
        try:
            origin = parse_id(message.id)[0]
        except InputError:
            origin = ""
        if origin != entry.party or message.id in self._messages:
            # Another party's number, or one given twice: kept under a name that shows it.
            self.unread.append(f"entry {entry.seq} of {entry.party} calls itself {message.id}, which it cannot be")
            return
        self._messages[message.id] = entry
        if not entry.to:
            self._all[entry.leaf] = self._everybody(entry.party)
        if message.refs:
            self._withdrawing.append(entry)
        self._count(message.id)

    def _count(self, number: str) -> None:
        """Incidents and messages are numbered in one series."""
        origin, year, serial = parse_id(number)
        if origin == self.party:
            self._serials[year] = max(self._serials.get(year, 0), serial)

    def next_id(self, at_ms: int) -> str:
        """The number of our next message."""
        year = parse_id(format_id(self.party, at_ms, 1))[1]
        return format_id(self.party, at_ms, self._serials.get(year, 0) + 1)

    def message(self, message_id: str) -> Filed:
        found = self._messages.get(message_id.upper())
        if found is None:
            raise UsageError(f"there is no message {message_id} here; «keepclear channel inbox --all» lists them")
        return found

    def reference(self, message_id: str) -> Reference:
        found = self.message(message_id)
        return Reference(found.party, found.seq, found.leaf)

    def inbox(self) -> list[Filed]:
        """Messages to us, the most urgent first, then the oldest; those from before we joined are not."""
        return in_order(m for m in self._messages.values() if m.party != self.party and self._is_to_us(m))

    def outbox(self) -> list[Filed]:
        return in_order(m for m in self._messages.values() if m.party == self.party)

    def _is_to_us(self, message: Filed) -> bool:
        return self.party in (message.to or self._all.get(message.leaf, self.charter.ids))

    def about(self, message_id: str) -> Sequence[Filed]:
        """What was said about a message, in the order in which it came here."""
        return self._about.get(self.message(message_id).leaf, [])

    def line(self, writer: str, peer: str) -> CommunicationsState | None:
        """How a party last wrote down its line to another."""
        return self._lines.get((writer, peer))

    def suspended(self, party: str, now_ms: int) -> frozenset[Desk]:
        """The desks of a party that it has declared suspended."""
        return suspended(self._declared.get(party, ()), now_ms)

    def denials(self, now_ms: int) -> list[tuple[Filed, Denial]]:
        """What parties claim not to have where, now: claims, never clearance (practice R1.4)."""
        return [(d, d.body) for d in self._denials if isinstance(d.body, Denial) and in_force(d.body, now_ms)]

    def prompts(self, now_ms: int) -> tuple[Prompt, ...]:
        """Incidents that stand without a message for too long, and whom to prompt."""
        messages = [m.body for m in self._messages.values() if isinstance(m.body, Message)]
        return prompts(self._incidents, messages, now_ms) if self._incidents else ()

    def delivery(self, message: Filed, held: Iterable[Held], now_ms: int) -> Delivery:
        """How far a message got; ``held`` are the cosignatures of its log."""
        entries = [*self._about.get(message.leaf, []), *self._withdrawing]
        timers = Timers.from_charter(self.charter.timers.messages)
        parties = self._all.get(message.leaf, self.charter.ids)
        return follow(message, parties, held, entries, now_ms, timers=timers)

    def __iter__(self) -> Iterator[Filed]:
        yield from in_order(self._messages.values())

    @property
    def messages(self) -> Mapping[str, Filed]:
        return self._messages
