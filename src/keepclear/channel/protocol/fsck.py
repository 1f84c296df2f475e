"""A store looked through from the first entry to the last: signatures, trees, heads, cosignatures, proofs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from keepclear.channel.charter import Charter
from keepclear.channel.checkpoint import Checkpoint
from keepclear.channel.cosignature import find_cosignature
from keepclear.channel.fork_proof import verify_fork_proof
from keepclear.channel.log import LogState, follow
from keepclear.channel.merkle import Frontier
from keepclear.channel.protocol.checking import log_ids
from keepclear.channel.protocol.evidence import open_head
from keepclear.channel.protocol.own_log import Standing, standing
from keepclear.channel.signed_note import Note, NoteKey
from keepclear.channel.store import Kept, Lock, Store
from keepclear.errors import InputError, KeepclearError

__all__ = ["fsck"]


def fsck(store: Store, party: str, lock: Lock | None = None) -> Iterator[str]:
    """One line for everything that is not as it must be; nothing if all is well. Reads everything once."""
    for log in log_ids(store):
        try:
            yield from _log(store, log)
        except KeepclearError as error:
            yield f"the log of {log}: {error}"
    try:
        for proof in store.forks():
            verify_fork_proof(proof, store.channel, store.charters())
        store.events()
        if lock is not None:
            stands = standing(store.state(party).head, store.tree(party), lock.read())
            if stands is not Standing.READY:
                yield f"the lock file and the store do not agree: {stands}"
    except KeepclearError as error:
        yield str(error)


def _log(store: Store, log: str) -> Iterator[str]:
    state = store.state(log)
    if state.size == 0:
        return
    walked = _empty(store, log)
    wanted = set(store.wanted(log))
    while walked.size < state.size:
        kept = store.records(log, walked.size)
        before = walked
        walked, _ = follow(walked, [k.record for k in kept])
        for k in kept:
            if k.erased and k.record.body is not None:
                yield f"the log of {log}: the body of entry {k.seq} was erased and is here"
            if k.seq in wanted and k.record.body is not None:
                yield f"the log of {log}: entry {k.seq} is marked as without its body and has it"
        yield from _heads(store, log, before.frontier, kept)
        if store.tree(log).root(walked.size) != walked.root:
            yield f"the log of {log}: the tree's nodes do not give the root at {walked.size} entries"
    if walked != state:
        yield f"the log of {log}: the state kept is not the one that its {state.size} entries lead to"


def _empty(store: Store, log: str) -> LogState:
    """The log before its first entry."""
    first = next(c for c in store.charters() if log in c.ids)
    return replace(LogState.begin(first, log), channel=store.channel)


def _heads(store: Store, log: str, frontier: Frontier, kept: list[Kept]) -> Iterator[str]:
    """Every head kept within these entries, from the newest back."""
    start, up_to = frontier.size, frontier.size + len(kept)
    sizes: dict[int, Note] = {}
    while (note := store.checkpoint(log, above=start, up_to=up_to)) is not None:
        size = Checkpoint.parse(note.text).size
        sizes[size] = note
        up_to = size - 1
    at = frontier
    for size in sorted(sizes):
        at = at.extended(k.record.leaf for k in kept[at.size - start : size - start])
        yield from _head(store, log, sizes[size], at)


def _head(store: Store, log: str, note: Note, frontier: Frontier) -> Iterator[str]:
    try:
        head = open_head(store, log, note)
    except InputError as error:
        yield f"the log of {log}: the head at {frontier.size} entries: {error}"
        return
    if head.root != frontier.root:
        yield f"the log of {log}: the head at {head.size} entries is not of these entries"
    keys = [key for charter in store.charters() for key in _cosigners(charter)]
    for signature in note.signatures:
        if signature.name == head.origin:
            continue
        mine = [key for key in keys if signature.is_of(key)]
        if not any(find_cosignature(Note(note.text, (signature,)), key) for key in mine):
            yield f"the log of {log}: a cosignature of {signature.name} at {head.size} entries does not verify"


def _cosigners(charter: Charter) -> list[NoteKey]:
    return [*(p.mirror for p in charter.parties), *(w.note_key for w in charter.witnesses)]
