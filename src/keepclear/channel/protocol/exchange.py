"""The protocol between two nodes, without any input or output: one side asks, the other responds.

:func:`check`, :func:`catch_up` and :func:`push_log` are generators: they yield an :class:`~.wire.Ask`,
are sent the bytes of the answer, and return what came of it. Whoever drives them brings the transport: HTTPS, a file, a
simulated network. :func:`respond` is the other side. A transport that fails simply drops the generator: what was stored
stays, and the next try goes on from there.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field

from keepclear.channel.canonical import encode
from keepclear.channel.checkpoint import Checkpoint
from keepclear.channel.fork_proof import ForkProof
from keepclear.channel.protocol.answering import respond
from keepclear.channel.protocol.checking import Checked, NotSigned, log_ids, make_check, take_check, take_cosignatures
from keepclear.channel.protocol.composing import compose_fresh, compose_push, runs, with_bodies
from keepclear.channel.protocol.evidence import (
    fork_hash,
    fork_hashes,
    fork_in_entry,
    keep_fork,
    note_event,
)
from keepclear.channel.protocol.intake import take_push
from keepclear.channel.protocol.own_log import Node, Written, finish_own, may_refetch
from keepclear.channel.protocol.wire import (
    PROOFS_MAX,
    ROOTS_MAX,
    Ask,
    CheckReply,
    Clock,
    ForkProofs,
    ForkRequest,
    Pull,
    Push,
    PushAnswer,
    RootsReply,
    RootsRequest,
    parse,
)
from keepclear.channel.signed_note import Note
from keepclear.channel.store import READ_COUNT_MAX, EventKind
from keepclear.errors import InputError

__all__ = ["CaughtUp", "Checked", "Clock", "Node", "catch_up", "check", "compose_push", "push_log", "respond"]

BATCHES_MAX = 64
"""Of one log in one go, up to 64 MiB: other logs and peers get their turn."""
RELAY_AFTER_MS = 5_000
"""What is not ours is brought to others only where it has not reached them by itself for so long."""
ENTRIES_MAX = 2**63
BISECTION_ROUNDS_MAX = 12
"""Each divides what is left by 65: enough for 2^63 entries with some to spare."""


@dataclass(frozen=True, slots=True)
class CaughtUp:
    sent: int = 0
    """entries"""
    received: int = 0
    forks: tuple[ForkProof, ...] = ()
    """newly proved"""
    later_ms: int | None = None
    """the peer asked to be left alone for so long"""
    cursors: dict[str, int] = field(default_factory=dict)
    """by log: how many entries the peer now holds"""


def check(node: Node, peer: str, nonce: bytes, clock: Clock) -> Generator[Ask, bytes, Checked]:
    """Raises :class:`InputError` for an answer that is not the peer's, or not to this nonce (32 random bytes).

    A node that was restored from before its peer's keys were replaced does not know them. The peer's own log tells of
    them, in a charter that we have signed as well: it is asked for before the answer is given up.
    """
    asked_ms = clock()
    data = yield Ask("check", encode(make_check(node, peer, nonce)))
    received_ms = clock()
    reply = parse(data, CheckReply, what=f"the check answer of {peer}")
    try:
        return take_check(node, peer, nonce, asked_ms, reply, received_ms)
    except NotSigned:
        data = yield Ask("pull", encode(Pull(peer, node.store.state(peer).size)))
        push = parse(data, Push, what=f"the entries that {peer} sent")
        if push.log != peer:
            raise
        take_push(node, peer, push, clock())
        return take_check(node, peer, nonce, asked_ms, reply, received_ms)


@dataclass(slots=True)
class _Tally:
    sent: int = 0
    received: int = 0
    forks: list[ForkProof] = field(default_factory=list)
    later_ms: int | None = None
    cursors: dict[str, int] = field(default_factory=dict)

    @property
    def result(self) -> CaughtUp:
        return CaughtUp(self.sent, self.received, tuple(self.forks), self.later_ms, dict(self.cursors))


def catch_up(node: Node, peer: str, checked: Checked, clock: Clock) -> Generator[Ask, bytes, CaughtUp]:
    """Everything either side lacks, as far as ``checked`` shows it: fork proofs, entries, bodies. Bounded."""
    tally = _Tally()
    yield from _swap_forks(node, peer, checked, clock, tally)
    me = node.party
    finish_own(node)
    for log in [me, *(log for log in log_ids(node.store) if log != me)]:
        theirs, ours = checked.holds(log), node.store.state(log).size
        tally.cursors[log] = theirs
        differs = 0 < theirs <= ours and node.store.tree(log).root(theirs).hex() != checked.statement.held[log].root
        if differs:
            yield from _find_fork(node, peer, log, theirs, clock, tally)
            continue
        if _is_to_be_pushed(node, peer, log, theirs, ours, clock()):
            yield from _push(node, peer, log, theirs, clock, tally)
        if theirs > ours and (log != me or may_refetch(node)):
            yield from _pull(node, peer, log, theirs, clock, tally)
        yield from _pull_bodies(node, peer, log, clock, tally)
    return tally.result


def push_log(
    node: Node, peer: str, log: str, cursor: int, clock: Clock, written: Written | None = None
) -> Generator[Ask, bytes, CaughtUp]:
    """The log's entries from ``cursor``, at once, without a check before: what a node does when it has written.
    ``written``: what it then has at hand, to be sent if it is what follows."""
    tally = _Tally(cursors={log: cursor})
    follows = written is not None and log == node.party and written.kept[0].seq == cursor
    fresh = compose_fresh(node, peer, written) if written is not None and follows else None
    if written is not None and fresh is None:
        written.settled()
    yield from _push(node, peer, log, cursor, clock, tally, fresh, written)
    return tally.result


def _is_to_be_pushed(node: Node, peer: str, log: str, theirs: int, ours: int, now_ms: int) -> bool:
    """Our own log whenever there is something to send or to be cosigned; others' where it is overdue."""
    if log == node.party:
        note = node.store.checkpoint(log)
        held = max((h.size for h in node.store.newest_held(log) if h.cosigner == f"{peer}/mirror"), default=0)
        return theirs < ours or (note is not None and held < ours)
    if theirs >= ours:
        return False
    since_ms = node.store.records(log, theirs, count_max=1)[0].received_ms
    return log == peer or not now_ms - RELAY_AFTER_MS < since_ms <= now_ms


def _push(
    node: Node, peer: str, log: str, cursor: int, clock: Clock, tally: _Tally, fresh: Push | None = None,
    written: Written | None = None,
) -> Generator[Ask, bytes, None]:  # fmt: skip
    store = node.store
    at_hand = fresh.start + len(fresh.records) if fresh else ENTRIES_MAX  # what is written meanwhile wakes us again
    for _ in range(BATCHES_MAX):
        push, fresh = fresh or compose_push(node, peer, log, cursor, READ_COUNT_MAX), None
        if not push.records and push.checkpoint is None:
            return
        data = yield Ask("push", encode(push))
        answer = parse(data, PushAnswer, what=f"the answer of {peer} to entries")
        if written is not None:
            written.settled()  # it is kept with what it acknowledges
        if not _take_answer(node, peer, log, answer, clock(), tally):
            return
        held = answer.held.size
        tally.sent += max(0, min(held, push.start + len(push.records)) - cursor)
        tally.cursors[log] = held
        for start, seqs in runs(answer.wanted[:READ_COUNT_MAX]):
            records = with_bodies(node, peer, log, start, len(seqs))
            if records:
                data = yield Ask("push", encode(Push(log, start, records, push.checkpoint)))
                answer = parse(data, PushAnswer, what=f"the answer of {peer} to bodies")
                if not _take_answer(node, peer, log, answer, clock(), tally):
                    return
        if held <= cursor or held >= at_hand or held >= store.state(log).size:
            return
        cursor = held


def _take_answer(node: Node, peer: str, log: str, answer: PushAnswer, now_ms: int, tally: _Tally) -> bool:
    """Keeps the cosignature; whether to go on."""
    if answer.log != log:
        raise InputError(f"{peer} answered for the log of {answer.log}, asked for that of {log}")
    if answer.cosigned is not None:
        note = Note.parse(answer.cosigned.encode())
        take_cosignatures(node, log, note, Checkpoint.parse(note.text), now_ms)
    if answer.later_ms is not None:
        tally.later_ms = max(tally.later_ms or 0, answer.later_ms)
        return False
    return answer.refused is None


def _pull(node: Node, peer: str, log: str, theirs: int, clock: Clock, tally: _Tally) -> Generator[Ask, bytes, None]:
    store = node.store
    for _ in range(BATCHES_MAX):
        ours = store.state(log).size
        if ours >= theirs:
            return
        data = yield Ask("pull", encode(Pull(log, ours)))
        push = parse(data, Push, what=f"the entries that {peer} sent")
        if push.log != log or push.start != ours:
            raise InputError(f"{peer} sent other entries than were asked for")
        _, forks = take_push(node, peer, push, clock())
        tally.forks += forks
        got = store.state(log).size - ours
        tally.received += got
        if not got:
            text = f"{peer} says it holds {theirs} entries of {log} and gave none from {ours} on that fit"
            note_event(store, EventKind.WITHHELD, peer, log, text, clock())
            return


def _pull_bodies(node: Node, peer: str, log: str, clock: Clock, tally: _Tally) -> Generator[Ask, bytes, None]:
    for start, seqs in list(runs(node.store.wanted(log))):
        data = yield Ask("pull", encode(Pull(log, start, len(seqs))))
        push = parse(data, Push, what=f"the bodies that {peer} sent")
        if push.log != log or push.start != start:
            raise InputError(f"{peer} sent other entries than were asked for")
        _, forks = take_push(node, peer, push, clock())
        tally.forks += forks


def _swap_forks(node: Node, peer: str, checked: Checked, clock: Clock, tally: _Tally) -> Generator[Ask, bytes, None]:
    """Proofs are gossip: whoever has one tells everybody. Also a second one of the same party: it may show that the
    histories parted earlier, and what is decided turns on where."""
    mine, theirs = fork_hashes(node.store), checked.statement.forks
    for party, hashes in theirs.items():
        if not set(hashes) <= set(mine.get(party, ())):
            data = yield Ask("fork-proofs", encode(ForkRequest(party)))
            for text in parse(data, ForkProofs, what=f"the fork proofs of {peer}").proofs:
                proof = ForkProof.parse(text)
                if keep_fork(node.store, proof, node.party, peer, clock()):
                    tally.forks.append(proof)
    for party in mine:
        known = set(theirs.get(party, ()))
        missing = [p.encode() for p in node.store.forks(party) if fork_hash(p) not in known][:PROOFS_MAX]
        if missing:
            yield Ask("fork-proofs/add", encode(ForkProofs(tuple(missing))))


def _find_fork(
    node: Node, peer: str, log: str, theirs: int, clock: Clock, tally: _Tally
) -> Generator[Ask, bytes, None]:
    """The peer's branch differs from ours: look for the first entry that does, and prove it with that."""
    tree = node.store.tree(log)
    low, high = 0, theirs
    for _ in range(BISECTION_ROUNDS_MAX):
        if high - low <= 1:
            break
        step = max(1, (high - low) // (ROOTS_MAX + 1))
        sizes = tuple(range(low + step, high, step))[:ROOTS_MAX]
        data = yield Ask("roots", encode(RootsRequest(log, sizes)))
        reply = parse(data, RootsReply, what=f"the roots of {peer}")
        if len(reply.roots) != len(sizes):
            raise InputError(f"{peer} gave {len(reply.roots)} roots, asked for {len(sizes)}")
        for size, root in zip(sizes, reply.roots, strict=True):
            if root != tree.root(size).hex():
                high = size
                break
            low = size
    data = yield Ask("pull", encode(Pull(log, low, 1)))
    push = parse(data, Push, what=f"the entry that {peer} sent")
    now_ms = clock()
    proof = fork_in_entry(node.store, log, push.records[0].record) if push.log == log and push.records else None
    if proof is None:
        text = f"{peer} holds another history of {log} from entry {low} on and does not show it"
        note_event(node.store, EventKind.HEAD_DIFFERS, peer, log, text, now_ms)
    elif keep_fork(node.store, proof, node.party, peer, now_ms):
        tally.forks.append(proof)
    if proof:
        yield Ask("fork-proofs/add", encode(ForkProofs((proof.encode(),))))
