"""The side of the protocol that is asked: one request in, one answer out, whatever the peer sends."""

from __future__ import annotations

from keepclear.channel.canonical import encode
from keepclear.channel.fork_proof import ForkProof
from keepclear.channel.protocol.checking import answer_check
from keepclear.channel.protocol.composing import compose_push
from keepclear.channel.protocol.evidence import fork_hash, fork_hashes, keep_fork, note_event
from keepclear.channel.protocol.gate import TooMuch
from keepclear.channel.protocol.intake import take_push
from keepclear.channel.protocol.own_log import Node
from keepclear.channel.protocol.wire import (
    PROOFS_MAX,
    Ask,
    CheckRequest,
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
from keepclear.channel.store import EventKind
from keepclear.errors import InputError

__all__ = ["respond"]


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
