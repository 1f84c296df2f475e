"""The protocol between two nodes, without any input or output: one side asks, the other responds.

:func:`check`, :func:`catch_up` and :func:`push_log` are generators: they yield an :class:`~keepclear.channel.wire.Ask`,
are sent the bytes of the answer, and return what came of it. Whoever drives them brings the transport: HTTPS, a file, a
simulated network. :func:`respond` is the other side. A transport that fails simply drops the generator: what was stored
stays, and the next try goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field

from keepclear.channel.canonical import encode
from keepclear.channel.checking import Checked, answer_check, log_ids, make_check, take_check, take_cosignatures
from keepclear.channel.entry import Entry
from keepclear.channel.evidence import (
    fork_hash,
    fork_hashes,
    fork_in_entry,
    keep_fork,
    known_head,
    log_signature_only,
    note_event,
)
from keepclear.channel.fork_proof import ForkProof
from keepclear.channel.gate import TooMuch
from keepclear.channel.intake import take_push
from keepclear.channel.own_log import Node, may_refetch
from keepclear.channel.signed_note import Note
from keepclear.channel.store import READ_BYTES_MAX, READ_COUNT_MAX, EventKind, Kept
from keepclear.channel.wire import (
    PROOFS_MAX,
    ROOTS_MAX,
    Ask,
    CheckReply,
    CheckRequest,
    ForkProofs,
    ForkRequest,
    Pull,
    Push,
    PushAnswer,
    RootsReply,
    RootsRequest,
    WireRecord,
    parse,
)
from keepclear.errors import InputError

__all__ = ["CaughtUp", "Checked", "Clock", "Node", "catch_up", "check", "compose_push", "push_log", "respond"]

BATCHES_MAX = 64
"""Of one log in one go, up to 64 MiB: other logs and peers get their turn."""
BODY_RUNS_MAX = 64
"""Requests for missing bodies in one go."""
RELAY_AFTER_MS = 5_000
"""What is not ours is brought to others only where it has not reached them by itself for so long."""
BISECTION_ROUNDS_MAX = 12
"""Each divides what is left by 65: enough for 2^63 entries with some to spare."""

Clock = Callable[[], int]
"""Wall clock, POSIX milliseconds UTC."""


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
    """Raises :class:`InputError` for an answer that is not the peer's, or not to this nonce (32 random bytes)."""
    asked_ms = clock()
    data = yield Ask("check", encode(make_check(node, peer, nonce)))
    received_ms = clock()
    reply = parse(data, CheckReply, what=f"the check answer of {peer}")
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


def push_log(node: Node, peer: str, log: str, cursor: int, clock: Clock) -> Generator[Ask, bytes, CaughtUp]:
    """The log's entries from ``cursor``, at once, without a check before: what a node does when it has written."""
    tally = _Tally(cursors={log: cursor})
    yield from _push(node, peer, log, cursor, clock, tally)
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


def _push(node: Node, peer: str, log: str, cursor: int, clock: Clock, tally: _Tally) -> Generator[Ask, bytes, None]:
    store = node.store
    for _ in range(BATCHES_MAX):
        push = compose_push(node, peer, log, cursor, READ_COUNT_MAX)
        if not push.records and push.checkpoint is None:
            return
        data = yield Ask("push", encode(push))
        answer = parse(data, PushAnswer, what=f"the answer of {peer} to entries")
        if not _take_answer(node, peer, log, answer, clock(), tally):
            return
        held = answer.held.size
        tally.sent += max(0, min(held, push.start + len(push.records)) - cursor)
        tally.cursors[log] = held
        for start, seqs in _runs(answer.wanted[:READ_COUNT_MAX]):
            records = _with_bodies(node, peer, log, start, len(seqs))
            if records:
                data = yield Ask("push", encode(Push(log, start, records, push.checkpoint)))
                answer = parse(data, PushAnswer, what=f"the answer of {peer} to bodies")
                if not _take_answer(node, peer, log, answer, clock(), tally):
                    return
        if held <= cursor or held >= store.state(log).size:
            return
        cursor = held


def compose_push(node: Node, peer: str, log: str, start: int, count_max: int) -> Push:
    """Entries for the peer, ending where a signed head is, if one is in reach: it can then be cosigned at once."""
    store = node.store
    kept = store.records(log, start, count_max=count_max, bytes_max=READ_BYTES_MAX)
    end = start + len(kept)
    note = store.checkpoint(log, above=start, up_to=end) or store.checkpoint(log, up_to=end)
    head = log_signature_only(note, store.state(log).origin).encode().decode() if note else None
    return Push(log, start, tuple(_wire(node, peer, log, k) for k in kept), head)


def _wire(node: Node, peer: str, log: str, kept: Kept) -> WireRecord:
    """Bodies go to those they are addressed to, and back to their writer."""
    record = kept.record
    if record.body is not None and peer != log and not Entry.parse(record.payload).is_to(peer):
        record = record.without_body()
    return WireRecord.of(record)


def _with_bodies(node: Node, peer: str, log: str, start: int, count: int) -> tuple[WireRecord, ...]:
    """The entries up to the first without a body for the peer."""
    found: list[WireRecord] = []
    for kept in node.store.records(log, start, count_max=count):
        wire = _wire(node, peer, log, kept)
        if wire.body is None:
            break
        found.append(wire)
    return tuple(found)


def _runs(seqs: Sequence[int]) -> Iterator[tuple[int, list[int]]]:
    """Consecutive numbers together, at most BODY_RUNS_MAX runs."""
    runs: list[list[int]] = []
    for seq in sorted(set(seqs)):
        if runs and runs[-1][-1] == seq - 1:
            runs[-1].append(seq)
        else:
            runs.append([seq])
    for run in runs[:BODY_RUNS_MAX]:
        yield run[0], run


def _take_answer(node: Node, peer: str, log: str, answer: PushAnswer, now_ms: int, tally: _Tally) -> bool:
    """Keeps the cosignature; whether to go on."""
    if answer.log != log:
        raise InputError(f"{peer} answered for the log of {answer.log}, asked for that of {log}")
    if answer.cosigned is not None:
        note = Note.parse(answer.cosigned.encode())
        head = known_head(node.store, log, note)
        take_cosignatures(node, log, note, head, now_ms)
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
    for start, seqs in list(_runs(node.store.wanted(log))):
        data = yield Ask("pull", encode(Pull(log, start, len(seqs))))
        push = parse(data, Push, what=f"the bodies that {peer} sent")
        if push.log != log or push.start != start:
            raise InputError(f"{peer} sent other entries than were asked for")
        _, forks = take_push(node, peer, push, clock())
        tally.forks += forks


def _swap_forks(node: Node, peer: str, checked: Checked, clock: Clock, tally: _Tally) -> Generator[Ask, bytes, None]:
    """Proofs are gossip: whoever has one tells everybody."""
    mine, theirs = fork_hashes(node.store), checked.statement.forks
    for party in theirs:
        if party not in mine:
            data = yield Ask("fork-proofs", encode(ForkRequest(party)))
            for text in parse(data, ForkProofs, what=f"the fork proofs of {peer}").proofs:
                proof = ForkProof.parse(text)
                if keep_fork(node.store, proof, node.party, peer, clock()):
                    tally.forks.append(proof)
    missing = [p.encode() for p in node.store.forks() if p.party not in theirs][:PROOFS_MAX]
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


def respond(node: Node, peer: str, ask: Ask, received_ms: int, clock: Clock) -> bytes:
    """The answer to a peer that the transport has authenticated.

    Raises :class:`InputError` for bytes that are no such request (HTTP 400),
    :class:`LimitExceeded` for too many bytes (413), :class:`TooMuch` for too many requests (429).
    """
    what = f"the {ask.path} of {peer}"
    limit = node.store.charters()[-1].limits.entries_per_minute_max
    if ask.path == "push":
        return encode(_respond_push(node, peer, parse(ask.body, Push, what=what), limit, clock()))
    wait_ms = node.gate.take(peer, 1, limit, received_ms)
    if wait_ms is not None:
        note_event(node.store, EventKind.FLOODED, peer, peer, f"more than {limit} a minute", received_ms)
        raise TooMuch(wait_ms)
    if ask.path == "check":
        request = parse(ask.body, CheckRequest, what=what)
        return encode(answer_check(node, peer, request, received_ms, clock()))
    if ask.path == "pull":
        pull = parse(ask.body, Pull, what=what)
        return encode(compose_push(node, peer, pull.log, pull.start, pull.count_max))
    if ask.path == "roots":
        return encode(_respond_roots(node, parse(ask.body, RootsRequest, what=what)))
    if ask.path == "fork-proofs":
        party = parse(ask.body, ForkRequest, what=what).party
        return encode(ForkProofs(tuple(p.encode() for p in node.store.forks(party))[:PROOFS_MAX]))
    if ask.path == "fork-proofs/add":
        known = {h for hashes in fork_hashes(node.store).values() for h in hashes}
        for text in parse(ask.body, ForkProofs, what=what).proofs:
            proof = ForkProof.parse(text)
            if fork_hash(proof) not in known:
                keep_fork(node.store, proof, node.party, peer, received_ms)
        return encode(ForkProofs(()))
    raise InputError(f"there is no request «{ask.path[:40]}»")


def _respond_push(node: Node, peer: str, push: Push, limit: int, now_ms: int) -> PushAnswer:
    wait_ms = node.gate.take(peer, max(1, len(push.records)), limit, now_ms)
    if wait_ms is not None:
        note_event(node.store, EventKind.FLOODED, peer, push.log, f"more than {limit} entries a minute", now_ms)
        return PushAnswer(push.log, node.store.state(push.log).head, later_ms=wait_ms)
    answer, _ = take_push(node, peer, push, now_ms)
    return answer


def _respond_roots(node: Node, request: RootsRequest) -> RootsReply:
    tree = node.store.tree(request.log)
    return RootsReply(request.log, tuple(tree.root(n).hex() if n <= len(tree) else None for n in request.sizes))
