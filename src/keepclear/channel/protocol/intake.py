"""Taking entries of a log from whoever brings them: verified, kept, answered with our mirror cosignature.

Nothing is believed of the bringer: entries and heads carry their owner's signatures. What is known already has no
effect; what does not fit is refused and noted, and where it shows a second history, the proof is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from keepclear.channel.checkpoint import Checkpoint
from keepclear.channel.cosignature import cosign
from keepclear.channel.dating import misdated
from keepclear.channel.entry import Entry, Head, Record
from keepclear.channel.fork_proof import ForkProof
from keepclear.channel.log import BrokenLog, LogState, follow
from keepclear.channel.protocol.evidence import (
    fork_hash,
    fork_in_entry,
    fork_in_head,
    keep_fork,
    log_signature_only,
    note_event,
    open_head,
    party_now,
)
from keepclear.channel.protocol.own_log import Node, erased_by, finish_own, may_refetch
from keepclear.channel.protocol.wire import Push, PushAnswer
from keepclear.channel.signed_note import Note
from keepclear.channel.store import Batch, EventKind, Held, Store, StoreConflict
from keepclear.errors import InputError

__all__ = ["cosigned_head", "take_head", "take_push"]

ATTEMPTS_MAX = 8
"""Two peers may bring the same entries at the same moment."""


def take_push(node: Node, peer: str, push: Push, now_ms: int) -> tuple[PushAnswer, list[ForkProof]]:
    """What was brought is on the disk as far as it is good; the answer says what is held now. Also the forks that it
    proved. Raises :class:`InputError` for a log of nobody on the channel."""
    store, log = node.store, push.log
    forks: list[ForkProof] = []
    taken = _Taken()
    if log == node.party:
        finish_own(node)
    for attempt in range(ATTEMPTS_MAX):
        state = store.state(log)
        if push.start > state.size:
            break
        try:
            taken = _take_records(node, peer, state, push, now_ms, forks)
            break
        except StoreConflict:
            if attempt == ATTEMPTS_MAX - 1:
                raise
    if taken.cosigned is None and push.checkpoint is not None:
        refused = take_head(node, peer, log, push.checkpoint, now_ms, forks) or taken.refused
        taken = _Taken(refused)
    return _answer(node, log, taken, now_ms), forks


@dataclass(frozen=True, slots=True)
class _Taken:
    """What became of the entries. What came before those refused is kept."""

    refused: str | None = None
    cosigned: tuple[Head, Note] | None = None
    """everything came, and went to the disk together with our cosignature of the head that came with it"""


def _take_records(node: Node, peer: str, state: LogState, push: Push, now_ms: int, forks: list[ForkProof]) -> _Taken:
    store, log = node.store, push.log
    records = [r.record for r in push.records]
    known = min(state.size - push.start, len(records))
    tree = store.tree(log) if known else None
    for k, record in enumerate(records[:known]):
        if tree is not None and record.leaf != tree.leaf(push.start + k):
            text = f"entry {push.start + k} is not the one held here"
            return _Taken(_refuse(node, peer, log, record, text, now_ms, forks))
    _take_bodies(node, log, push.start, records[:known])
    fresh = records[known:]
    if not fresh:
        return _Taken()
    if log == node.party and not may_refetch(node):
        if not fresh[0].signed_by(node.keys.entry.public):
            return _Taken(_refuse(node, peer, log, fresh[0], "the signature does not verify", now_ms, forks))
        text = f"an entry {state.size} is signed with our key and was not written here: a second instance?"
        note_event(store, EventKind.OWN_LOG_DIFFERS, peer, log, text, now_ms)
        return _Taken("we have not written this")
    return _extend(node, peer, state, fresh, push.checkpoint, now_ms, forks)


def _refuse(node: Node, peer: str, log: str, record: Record, text: str, now_ms: int, forks: list[ForkProof]) -> str:
    proof = fork_in_entry(node.store, log, record)
    if proof is None:
        note_event(node.store, EventKind.REFUSED, peer, log, text, now_ms)
    elif keep_fork(node.store, proof, node.party, peer, now_ms):
        forks.append(proof)
    return text


def _take_bodies(node: Node, log: str, start: int, known: Sequence[Record]) -> None:
    if not any(r.body is not None for r in known):
        return
    wanted = set(node.store.wanted(log))
    for seq, record in enumerate(known, start):
        if seq in wanted and record.body is not None and record.salt is not None:
            record.check_body(Entry.parse(record.payload))
            node.store.keep_body(log, seq, record.salt, record.body)


def _extend(
    node: Node, peer: str, state: LogState, fresh: Sequence[Record], checkpoint: str | None, now_ms: int,
    forks: list[ForkProof],
) -> _Taken:  # fmt: skip
    """Appends what follows, cut after each charter's entry (a batch ends with it) and before the first bad one."""
    log, at = state.party, 0
    cosigned = None
    while at < len(fresh):
        end = next((k + 1 for k in range(at, len(fresh)) if _is_charter(fresh[k])), len(fresh))
        run = fresh[at:end]
        try:
            after, entries = follow(state, run)
        except BrokenLog as error:
            good, after, entries = _good_part(state, run)
            if good:
                _append(node, peer, state, after, run[:good], entries, now_ms)
            return _Taken(_refuse(node, peer, log, run[good], str(error), now_ms, forks))
        cosigned = _append(node, peer, state, after, run, entries, now_ms, checkpoint)
        state, at = after, end
    return _Taken(None, cosigned)


def _is_charter(record: Record) -> bool:
    return b'"kind":"charter"' in record.payload


def _good_part(state: LogState, run: Sequence[Record]) -> tuple[int, LogState, list[Entry]]:
    """How many follow; found by halving, since verifying is what costs."""
    low, high = 0, len(run) - 1
    best: tuple[LogState, list[Entry]] = (state, [])
    while low < high:
        middle = (low + high + 1) // 2
        try:
            after, entries = follow(best[0], run[low:middle])
        except BrokenLog:
            high = middle - 1
        else:
            best, low = (after, best[1] + entries), middle
    return low, *best


def _append(
    node: Node, peer: str, before: LogState, after: LogState, run: Sequence[Record], entries: Sequence[Entry],
    now_ms: int, checkpoint: str | None = None,
) -> tuple[Head, Note] | None:  # fmt: skip
    """With the head that the peer brought and our cosignature in the same flush, where that can be said already."""
    me, log, store = node.party, before.party, node.store
    erased = _erased(store, before, run, entries)
    kept, wanted = [], []
    for entry, record in zip(entries, run, strict=True):
        ours = log == me or entry.is_to(me)
        kept.append(record if ours else record.without_body())
        if ours and record.body is None and entry.seq not in erased:
            wanted.append(entry.seq)
    note = None if wanted or checkpoint is None else _head_of(node, before, after, checkpoint)
    held = _cosigned(node, note, after.size, now_ms) if note else None
    store.append(
        Batch(before.head, after, tuple(kept), now_ms, note if held else None, held, tuple(wanted), tuple(erased))
    )
    if log != me:
        _look_at(node, peer, before, after, entries, now_ms)
    return (after.head, note.with_signatures([held.signature])) if note and held else None


def _erased(store: Store, before: LogState, run: Sequence[Record], entries: Sequence[Entry]) -> list[int]:
    """The entries whose bodies their owner takes back with this run, each named by its number and its leaf."""
    found: set[int] = set()
    for entry in entries:
        named = {r.seq: r.leaf for r in entry.re if r.party == entry.party}
        for seq in erased_by(entry):
            record = run[seq - before.size] if seq >= before.size else None
            leaf = record.leaf if record else store.tree(entry.party).leaf(seq)
            if leaf.hex() == named[seq] and not (record and _is_charter(record)):
                found.add(seq)
    return sorted(found)


def _head_of(node: Node, before: LogState, after: LogState, text: str) -> Note | None:
    """The head that came along, if it is signed, of exactly these entries, and nothing older is missing."""
    log, store = after.party, node.store
    if log == node.party or after.charter != before.charter or store.wanted(log, count_max=1):
        return None
    try:
        note = Note.parse(text.encode())
        if Checkpoint.parse(note.text) != after.checkpoint:
            return None
        return log_signature_only(note, open_head(store, log, note).origin)
    except InputError:
        return None  # looked at, and noted, once the entries are kept


def _look_at(node: Node, peer: str, before: LogState, state: LogState, entries: Sequence[Entry], now_ms: int) -> None:
    """Dates and what the entries say they have seen: noted where they cannot be true."""
    store, log = node.store, state.party
    looked: dict[tuple[str, int, str], int | None] = {}
    leaf, last_ms = node.dates.get(log, (b"", None))
    if leaf != before.last_leaf:
        last_ms = _date(store, log, before.size - 1) if before.size else None
    for entry in entries:
        seen_ms = None
        for other, head in entry.seen.items():
            key = (other, head.size, head.root)
            if key not in looked:
                looked[key] = _look_at_seen(node, peer, log, other, head, now_ms)
            if other == node.party:
                seen_ms = looked[key]
        wrong = misdated(entry, now_ms, state.charter.limits.clock_ahead_max_ms, seen_ms, last_ms)
        last_ms = entry.at_ms
        if wrong:
            text = f"entry {entry.seq} is dated {entry.at_ms} ({wrong}), received at {now_ms}"
            note_event(store, EventKind.MISDATED, peer, log, text, now_ms)
    node.dates[log] = (state.last_leaf, entries[-1].at_ms)


def _look_at_seen(node: Node, peer: str, log: str, other: str, head: Head, now_ms: int) -> int | None:
    """The date of the newest entry of our own log that was seen; what was seen of any log is compared."""
    store = node.store
    try:
        tree = store.tree(other)
    except InputError:
        return None
    if not 0 < head.size <= len(tree):
        return None
    if tree.root(head.size).hex() != head.root:
        text = f"{log} says it has seen another history of {other} at {head.size} entries than is held here"
        note_event(store, EventKind.HEAD_DIFFERS, peer, other, text, now_ms)
        return None
    if other != node.party:
        return None
    return _date(store, other, head.size - 1)


def _date(store: Store, log: str, seq: int) -> int:
    return Entry.parse(store.records(log, seq, count_max=1)[0].record.payload).at_ms


def take_head(node: Node, peer: str, log: str, text: str, now_ms: int, forks: list[ForkProof]) -> str | None:
    """A signed head: kept where it is of the entries held here; where it cannot be, that is proved or noted. Returns
    what is wrong with it."""
    store = node.store
    try:
        note = Note.parse(text.encode())
        if _is_kept(store, log, note):
            return None
        head = open_head(store, log, note)
    except InputError as error:
        note_event(store, EventKind.REFUSED, peer, log, str(error), now_ms)
        return str(error)
    tree = store.tree(log)
    if head.size > len(tree):
        return None
    if tree.root(head.size) == head.root:
        store.keep_checkpoint(log, log_signature_only(note, head.origin))
        return None
    said = f"the head at {head.size} entries is not of the entries held here"
    proof = fork_in_head(store, log, note, head)
    if proof is None:
        note_event(store, EventKind.HEAD_DIFFERS, peer, log, said, now_ms)
    elif keep_fork(store, proof, node.party, peer, now_ms):
        forks.append(proof)
    return said


def _is_kept(store: Store, log: str, note: Note) -> bool:
    """Verifying the same head again and again is what checks would spend their time on."""
    head = Checkpoint.parse(note.text)
    kept = store.checkpoint(log, above=head.size - 1, up_to=head.size)
    return kept is not None and kept.text == note.text


def cosigned_head(node: Node, log: str, now_ms: int) -> Note | None:
    """The newest head below which everything that is ours to have is on the disk, with our mirror cosignature."""
    store, me = node.store, node.party
    if log == me:
        return None
    wanted = store.wanted(log, count_max=1)
    note = store.checkpoint(log, up_to=wanted[0] if wanted else None)
    if note is None:
        return None
    head = Checkpoint.parse(note.text)
    bare = log_signature_only(note, head.origin)
    mirror = party_now(store, me).mirror
    kept = [s for s in note.signatures if s.is_of(mirror)]
    if not kept:
        held = _cosigned(node, bare, head.size, now_ms)
        if held is None:
            return None
        store.keep_cosignature(log, head, held)
        kept = [held.signature]
    return bare.with_signatures(kept)


def _cosigned(node: Node, note: Note, size: int, now_ms: int) -> Held | None:
    """Our mirror's cosignature, not yet kept; none while the charter names another key than we have."""
    mine = party_now(node.store, node.party)
    if mine.mirror_key != node.keys.mirror.public.hex():
        return None
    time_s = now_ms // 1000
    signature = cosign(note.text, mine.mirror.name, node.keys.mirror, time_s)
    return Held(mine.mirror.name, size, time_s, now_ms, signature)


def _answer(node: Node, log: str, taken: _Taken, now_ms: int) -> PushAnswer:
    store, refused = node.store, taken.refused
    forks = tuple(fork_hash(p) for p in store.forks(log))
    if taken.cosigned is not None:
        held, note = taken.cosigned
        return PushAnswer(log=log, held=held, cosigned=note.encode().decode(), forks=forks)
    cosigned = cosigned_head(node, log, now_ms)
    return PushAnswer(
        log=log, held=store.state(log).head, cosigned=cosigned.encode().decode() if cosigned else None,
        wanted=tuple(store.wanted(log)), refused=refused[:400] if refused else None, forks=forks,
    )  # fmt: skip
