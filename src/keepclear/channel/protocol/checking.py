"""The check: «are you there, and what do you hold?», answered under the entry key; heads are compared on both sides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from keepclear.channel.canonical import encode
from keepclear.channel.checkpoint import Checkpoint
from keepclear.channel.cosignature import find_cosignature
from keepclear.channel.entry import Head
from keepclear.channel.fork_proof import ForkProof
from keepclear.channel.protocol.evidence import (
    fork_hashes,
    known_head,
    log_signature_only,
    note_event,
    open_head,
    party_now,
)
from keepclear.channel.protocol.intake import take_head
from keepclear.channel.protocol.own_log import Node, raise_lock
from keepclear.channel.protocol.wire import CheckReply, CheckRequest, CheckStatement, parse
from keepclear.channel.signature import in_context, verifies
from keepclear.channel.signed_note import Note
from keepclear.channel.store import EventKind, Held, Store
from keepclear.errors import InputError

__all__ = ["Checked", "NotSigned", "answer_check", "log_ids", "make_check", "take_check", "take_cosignatures"]


@dataclass(frozen=True, slots=True)
class Checked:
    """A check that was answered: the four times are those of ``communications.Answered``."""

    statement: CheckStatement
    asked_ms: int
    received_ms: int
    """the answer, by our clock"""
    own_head: Checkpoint | None = None
    """of our own log, signed by us, as the peer holds it (for ``own_log.make_lock``)"""
    forks: tuple[ForkProof, ...] = ()
    """newly proved by it"""

    def holds(self, log: str) -> int:
        """How many entries of the log the peer says it holds: the cursor to push from."""
        return self.statement.held[log].size if log in self.statement.held else 0


def log_ids(store: Store) -> list[str]:
    return sorted({party_id for charter in store.charters() for party_id in charter.ids})


def make_check(node: Node, peer: str, nonce: bytes) -> CheckRequest:
    heads, held = _shown(node.store, peer)
    return CheckRequest(node.party, nonce.hex(), heads, held, _witnessed(node.store), fork_hashes(node.store))


def _shown(store: Store, peer: str) -> tuple[dict[str, str], dict[str, Head]]:
    """The peer sees of its own log whatever cosignatures we have; of the others the bare heads."""
    heads, held = {}, {}
    for log in log_ids(store):
        state = store.state(log)
        if state.size == 0:
            continue
        held[log] = state.head
        note = store.checkpoint(log)
        if note:
            heads[log] = (note if log == peer else log_signature_only(note, state.origin)).encode().decode()
    return heads, held


def _witnessed(store: Store) -> dict[str, str]:
    """By log, the newest head that a neutral witness has cosigned."""
    names = {witness.id for charter in store.charters() for witness in charter.witnesses}
    found = {}
    for log in log_ids(store) if names else ():
        size = max((h.size for h in store.newest_held(log) if h.cosigner in names), default=0)
        note = store.checkpoint(log, above=size - 1, up_to=size) if size else None
        if note:
            found[log] = note.encode().decode()
    return found


def answer_check(node: Node, peer: str, request: CheckRequest, received_ms: int, answered_ms: int) -> CheckReply:
    """Raises :class:`InputError` if the request is another party's than the transport says."""
    if request.party != peer:
        raise InputError(f"{peer} sent the check of {request.party}")
    _take_heads(node, peer, request.heads, received_ms)
    _take_witnessed(node, peer, request.witnessed, received_ms)
    heads, held = _shown(node.store, peer)
    statement = encode(
        CheckStatement(
            channel=node.store.channel, party=node.party, to=peer, nonce=request.nonce, received_ms=received_ms,
            answered_ms=max(answered_ms, received_ms), heads=heads, held=held, witnessed=_witnessed(node.store),
            forks=fork_hashes(node.store),
        )
    )  # fmt: skip
    return CheckReply(statement, node.keys.entry.sign(in_context("check", statement)))


class NotSigned(InputError):
    """By no key that is known here as the peer's: another's, or that of a charter that has not come here yet."""


def take_check(node: Node, peer: str, nonce: bytes, asked_ms: int, reply: CheckReply, received_ms: int) -> Checked:
    """Raises :class:`InputError` for an answer that is not the peer's, or not to this nonce."""
    store = node.store
    statement = parse(reply.statement, CheckStatement, what=f"the check answer of {peer}")
    keys = (party_now(store, peer).entry_key, store.state(peer).charter.party(peer).entry_key)
    if not any(verifies(bytes.fromhex(key), in_context("check", reply.statement), reply.signature) for key in keys):
        raise NotSigned(f"the check answer is not signed by {peer}")
    if (statement.channel, statement.party, statement.to) != (store.channel, peer, node.party):
        raise InputError(f"the check answer of {peer} is for somebody else")
    if statement.nonce != nonce.hex():
        raise InputError(f"the check answer of {peer} is to another question: an old one replayed?")
    forks, own_head = _take_heads(node, peer, statement.heads, received_ms)
    _take_witnessed(node, peer, statement.witnessed, received_ms)
    return Checked(statement, asked_ms, received_ms, own_head, tuple(forks))


def _take_heads(
    node: Node, peer: str, heads: Mapping[str, str], now_ms: int
) -> tuple[list[ForkProof], Checkpoint | None]:
    forks: list[ForkProof] = []
    own: Checkpoint | None = None
    known = set(log_ids(node.store))
    for log, text in heads.items():
        if log not in known:
            continue
        take_head(node, peer, log, text, now_ms, forks)
        if log == node.party:
            own = _own_head(node, peer, text, now_ms)
    return forks, own


def _take_witnessed(node: Node, peer: str, heads: Mapping[str, str], now_ms: int) -> None:
    known = set(log_ids(node.store))
    for log, text in heads.items():
        if log not in known:
            continue
        try:
            note = Note.parse(text.encode())
            head = Checkpoint.parse(note.text)
            take_cosignatures(node, log, note, head, now_ms)
        except InputError as error:
            note_event(node.store, EventKind.REFUSED, peer, log, str(error), now_ms)


def _own_head(node: Node, peer: str, text: str, now_ms: int) -> Checkpoint | None:
    try:
        note = Note.parse(text.encode())
        head = known_head(node.store, node.party, note)
    except InputError:
        return None
    raise_lock(node, log_signature_only(note, head.origin), head, peer, now_ms)
    take_cosignatures(node, node.party, note, head, now_ms)
    return head


def take_cosignatures(node: Node, log: str, note: Note, head: Checkpoint, now_ms: int) -> int:
    """Keeps the note's cosignatures of parties and witnesses, of a head that is of the entries held here. Returns how
    many were news."""
    store = node.store
    state = store.state(log)
    if head.origin != state.origin or not 0 < head.size <= state.size:
        return 0
    if head.root != (state.root if head.size == state.size else store.tree(log).root(head.size)):
        return 0
    charter = store.charters()[-1]
    keys = [*(p.mirror for p in charter.parties), *(w.note_key for w in charter.witnesses)]
    kept = store.checkpoint(log, above=head.size - 1, up_to=head.size)
    if kept is not None and kept.text != note.text:
        return 0
    have = {s.name for s in kept.signatures} if kept else set()
    new = 0
    for key in keys:
        signatures = tuple(s for s in note.signatures if s.is_of(key))
        if not signatures or key.name in have:
            continue
        found = find_cosignature(Note(note.text, signatures), key)
        if found is None:
            text = f"a cosignature of {key.name} does not verify"
            note_event(store, EventKind.REFUSED, "", log, text, now_ms)
            continue
        if kept is None:
            open_head(store, log, note)
            kept = log_signature_only(note, head.origin)
            store.keep_checkpoint(log, kept)
        signature = next(s for s in signatures if int.from_bytes(s.blob[:8], "big") == found.time_s)
        new += store.keep_cosignature(log, head, Held(key.name, head.size, found.time_s, now_ms, signature))
    return new
