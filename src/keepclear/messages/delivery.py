"""How far a message got, recipient by recipient, from what the logs show: nothing is assumed, silence least of all.

DRAFT → VERIFIED → SENT → DELIVERED (held) → READ (shown) → READ_BACK → ANSWERED; OVERDUE → ESCALATED where a timer ran
out; CANCELLED and SUPERSEDED where a later message of the same party says so. A message is as far as its slowest
recipient (practice R3.2). No answer is never taken for consent or refusal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from keepclear.channel.entry import Entry, Record
from keepclear.errors import UsageError
from keepclear.messages.bodies import BODIES, AnyBody, decode_body
from keepclear.messages.message import Message
from keepclear.messages.read_back import Mismatch, ReadBack, compare_read_back
from keepclear.messages.receipt import FINAL, Answer, Receipt
from keepclear.messages.timers import StepTimers, Timers
from keepclear.messages.vocabulary import Answering, Kind, Shown

__all__ = [
    "Currency", "Delivery", "Expected", "Filed", "Held", "MessageState", "ToRecipient", "currency", "expected", "filed",
    "follow", "in_order",
]  # fmt: skip


class MessageState(StrEnum):
    DRAFT = "DRAFT"
    VERIFIED = "VERIFIED"
    """all checks before sending passed"""
    SENT = "SENT"
    """in the sender's log"""
    DELIVERED = "DELIVERED"
    """held: the recipient's mirror has cosigned it"""
    READ = "READ"
    """shown to a person on duty"""
    READ_BACK = "READ_BACK"
    """the critical fields came back as they were sent"""
    ANSWERED = "ANSWERED"
    OVERDUE = "OVERDUE"
    ESCALATED = "ESCALATED"
    CANCELLED = "CANCELLED"
    SUPERSEDED = "SUPERSEDED"


_LADDER = (
    MessageState.SENT, MessageState.DELIVERED, MessageState.READ, MessageState.READ_BACK, MessageState.ANSWERED,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Filed:
    """An entry with its body, as this node has it."""

    party: str
    seq: int
    leaf: str
    to: tuple[str, ...]
    re: frozenset[str]
    """leaves of the entries that it answers"""
    at_ms: int
    body: AnyBody


@dataclass(frozen=True, slots=True)
class Held:
    """A mirror cosignature: ``by`` durably held the first ``size`` entries of ``log`` by ``at_ms``."""

    by: str
    log: str
    size: int
    at_ms: int


class Currency(StrEnum):
    CURRENT = "CURRENT"
    LATE = "LATE"
    """it arrived after its validity: never shown as current, whatever it says"""
    EXPIRED = "EXPIRED"
    """it arrived in time, and its validity is over"""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a kind of message asks of its recipient, beyond being shown to a person."""

    read_back: bool = False
    answer: bool = False


_EXPECTED = {
    Kind.TEST: Expected(), Kind.NOTIFICATION: Expected(read_back=True), Kind.WARNING: Expected(True, True),
    Kind.CEASE_REQUEST: Expected(True, True), Kind.QUERY: Expected(answer=True), Kind.REPLY: Expected(),
    Kind.CLARIFICATION: Expected(read_back=True), Kind.CORRECTION: Expected(read_back=True),
    Kind.CANCELLATION: Expected(read_back=True), Kind.PROTEST: Expected(),
}  # fmt: skip


def expected(kind: Kind) -> Expected:
    return _EXPECTED[kind]


@dataclass(frozen=True, slots=True)
class ToRecipient:
    """One recipient. Instants are None where that step was not reached."""

    party: str
    reached: MessageState
    """the furthest step that is proved, SENT … ANSWERED"""
    state: MessageState
    """what to show: ``reached``, or OVERDUE, ESCALATED, CANCELLED, SUPERSEDED"""
    delivered_ms: int | None = None
    read_ms: int | None = None
    relayed_ms: int | None = None
    """RELAYED_TO_UNITS: a thing of its own, never implied by an answer"""
    read_back_ms: int | None = None
    answered_ms: int | None = None
    answer: Answer | None = None
    """the newest one, also STAND_BY and also before a read-back that is still due"""
    reply: Message | None = None
    mismatches: tuple[Mismatch, ...] = ()
    """of the newest read-back: an alarm while there are any"""
    awaited: MessageState | None = None
    """the step that is waited for; None: none"""
    due_ms: int | None = None
    """when that step is, or was, due"""
    lead_ms: int | None = None
    """event start − DELIVERED (practice R1.3); negative = it came after the start"""
    currency: Currency = Currency.CURRENT


@dataclass(frozen=True, slots=True)
class Delivery:
    message: Message
    sent_ms: int
    recipients: tuple[ToRecipient, ...]
    weakest: ToRecipient
    lead_ms: int | None
    """the shortest of all recipients; None while one of them does not hold it"""


def filed(record: Record) -> Filed | None:
    """The record as it is followed here; None for kinds that are not messages' and for bodies that are not here.

    Raises :class:`~keepclear.errors.InputError` where the entry or its body is not what it claims to be.
    """
    entry = Entry.parse(record.payload)
    if entry.kind not in BODIES or record.body is None:
        return None
    record.check_body(entry)
    body = decode_body(entry.kind, record.body)
    leaves = frozenset(reference.leaf for reference in entry.re)
    return Filed(entry.party, entry.seq, record.leaf.hex(), entry.to, leaves, entry.at_ms, body)


def currency(message: Message, arrived_ms: int | None, now_ms: int) -> Currency:
    """Whether a message may be shown as current. Where it is not known to have arrived in time, the present decides."""
    if (arrived_ms if arrived_ms is not None else now_ms) > message.valid_until_ms:
        return Currency.LATE
    return Currency.EXPIRED if now_ms > message.valid_until_ms else Currency.CURRENT


def in_order(waiting: Iterable[Filed]) -> list[Filed]:
    """A queue's order: the more urgent first, then the older, then by log and number. Only messages wait in queues."""
    messages = [(item.body, item) for item in waiting if isinstance(item.body, Message)]
    messages.sort(key=lambda pair: (pair[0].precedence.rank, pair[1].at_ms, pair[1].party, pair[1].seq))
    return [item for _, item in messages]


def follow(
    sent: Filed,
    parties: Sequence[str],
    held: Iterable[Held],
    entries: Iterable[Filed],
    now_ms: int,
    *,
    timers: Timers | None = None,
    tolerance_m: float = 0.0,
) -> Delivery:
    """How far ``sent`` (a message) got at ``now_ms``. ``parties`` are the channel's; ``held`` and ``entries`` what the
    logs show, in each log's order; ``tolerance_m`` is the read-backs'. Raises :class:`UsageError` if it is none.
    """  # fmt: skip
    message = sent.body
    if not isinstance(message, Message):
        raise UsageError(f"entry {sent.seq} of {sent.party} is no message; only messages are delivered and answered")
    steps = (timers or Timers()).of(message.precedence)
    replies: dict[str, list[Filed]] = {}
    withdrawn: MessageState | None = None
    for entry in entries:
        if sent.leaf in entry.re:
            replies.setdefault(entry.party, []).append(entry)
        if entry.party == sent.party and isinstance(entry.body, Message):
            withdrawn = _withdrawn(message, entry.body) or withdrawn
    delivered: dict[str, int] = {}
    for cosignature in held:
        if cosignature.log == sent.party and cosignature.size > sent.seq:
            before = delivered.get(cosignature.by, cosignature.at_ms)
            delivered[cosignature.by] = min(before, cosignature.at_ms)
    recipients = tuple(
        _to_recipient(
            party, sent, message, delivered.get(party), replies.get(party, []), withdrawn, steps, now_ms, tolerance_m
        )
        for party in (sent.to or parties)
        if party != sent.party
    )
    if not recipients:
        raise UsageError("a message to nobody is not delivered")
    leads = [recipient.lead_ms for recipient in recipients]
    known = [lead for lead in leads if lead is not None]
    lead_ms = min(known) if len(known) == len(leads) else None
    return Delivery(message, sent.at_ms, recipients, min(recipients, key=_strength), lead_ms)


def _strength(recipient: ToRecipient) -> tuple[int, int]:
    """Least first: what is proved, then whether it is overdue."""
    return _LADDER.index(recipient.reached), 0 if recipient.state is not recipient.reached else 1


def _withdrawn(message: Message, later: Message) -> MessageState | None:
    if later.kind is Kind.CANCELLATION and message.id in later.refs:
        return MessageState.CANCELLED
    if later.kind is Kind.CORRECTION and later.refs[0] == message.id:
        return MessageState.SUPERSEDED
    return None


def _to_recipient(
    party: str, sent: Filed, message: Message, held_ms: int | None, replies: Sequence[Filed],
    withdrawn: MessageState | None, steps: StepTimers, now_ms: int, tolerance_m: float,
) -> ToRecipient:  # fmt: skip
    ask = expected(message.kind)
    relayed = [r.at_ms for r in replies if isinstance(r.body, Receipt) and r.body.level is Shown.RELAYED_TO_UNITS]
    backs = [(r.at_ms, r.body) for r in replies if isinstance(r.body, ReadBack)]
    answers = [(r.at_ms, r.body) for r in replies if isinstance(r.body, Answer)]
    written = [(r.at_ms, r.body) for r in replies if isinstance(r.body, Message) and r.body.kind is Kind.REPLY]
    mismatches = compare_read_back(message, backs[-1][1], tolerance_m=tolerance_m) if backs else ()
    read_back_ms = backs[-1][0] if backs and not mismatches else None
    final = [at_ms for at_ms, answer in answers if answer.answer in FINAL] + [at_ms for at_ms, _ in written]
    answered_ms = min(final, default=None)
    # Whoever replies has it before him, even where the cosignature that proves holding has not come through yet.
    read_ms = min((r.at_ms for r in replies), default=None)
    delivered_ms = held_ms if held_ms is not None else read_ms
    reached = MessageState.SENT
    if answered_ms is not None and (read_back_ms is not None or not ask.read_back):
        reached = MessageState.ANSWERED
    elif read_back_ms is not None:
        reached = MessageState.READ_BACK
    elif read_ms is not None:
        reached = MessageState.READ
    elif delivered_ms is not None:
        reached = MessageState.DELIVERED
    stood_by = [at_ms for at_ms, answer in answers if answer.answer is Answering.STAND_BY][:1]
    awaited, begins_ms, allowed_s = None, 0, 0
    if delivered_ms is None:
        awaited, begins_ms, allowed_s = MessageState.DELIVERED, sent.at_ms, steps.held_s
    elif read_ms is None:
        awaited, begins_ms, allowed_s = MessageState.READ, delivered_ms, steps.shown_s
    elif ask.read_back and read_back_ms is None:
        awaited, begins_ms, allowed_s = MessageState.READ_BACK, read_ms, steps.read_back_s
    elif ask.answer and answered_ms is None:
        last_ms = max([read_ms, *([read_back_ms] if read_back_ms is not None and ask.read_back else []), *stood_by])
        awaited, begins_ms, allowed_s = MessageState.ANSWERED, last_ms, steps.answered_s
    due_ms = begins_ms + 1_000 * allowed_s if awaited else None
    state = reached
    if withdrawn is not None:
        state, awaited, due_ms = withdrawn, None, None
    elif due_ms is not None and now_ms > due_ms:
        escalated = now_ms > due_ms + 1_000 * steps.escalated_s
        state = MessageState.ESCALATED if escalated else MessageState.OVERDUE
    lead_ms = message.from_ms - delivered_ms if message.from_ms is not None and delivered_ms is not None else None
    return ToRecipient(
        party, reached, state, delivered_ms, read_ms, min(relayed, default=None), read_back_ms, answered_ms,
        answers[-1][1] if answers else None, written[-1][1] if written else None, mismatches, awaited, due_ms, lead_ms,
        currency(message, delivered_ms, now_ms),
    )  # fmt: skip
