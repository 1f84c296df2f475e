"""What a foreign entry or head tells about a log that is held here: nothing, more of it, or a second history."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from keepclear.channel.charter import Party, origin_of
from keepclear.channel.checkpoint import Checkpoint, open_checkpoint
from keepclear.channel.entry import Entry, Record
from keepclear.channel.fork_proof import ForkProof, prove_fork_by_entries, prove_fork_by_heads, verify_fork_proof
from keepclear.channel.signed_note import Note
from keepclear.channel.store import EVENT_TEXT_MAX, Event, EventKind, Store
from keepclear.errors import InputError

__all__ = ["fork_hash", "fork_hashes", "fork_in_entry", "fork_in_head", "keep_fork", "known_head",
           "log_signature_only", "note_event", "open_head", "party_now"]  # fmt: skip


def party_now(store: Store, party_id: str) -> Party:
    """The party with its keys of the newest charter that names it; a replaced key counts for nothing new."""
    for charter in reversed(store.charters()):
        if party_id in charter.ids:
            return charter.party(party_id)
    raise InputError(f"{party_id} is not a party of the channel")


def _versions(store: Store, party_id: str) -> Iterator[Party]:
    for charter in reversed(store.charters()):
        if party_id in charter.ids:
            yield charter.party(party_id)


def open_head(store: Store, log: str, note: Note) -> Checkpoint:
    """The head, if a log key that the party has had signed it; :class:`InputError` otherwise."""
    origin = origin_of(log, store.channel)
    refusal = InputError(f"{log} is not a party of the channel")
    for public in dict.fromkeys(party.log_key for party in _versions(store, log)):
        try:
            head = open_checkpoint(note, origin, bytes.fromhex(public))
        except InputError as error:
            refusal = error
            continue
        if head.size == 0:
            raise InputError("a head of no entries says nothing")
        return head
    raise refusal


def known_head(store: Store, log: str, note: Note) -> Checkpoint:
    """As :func:`open_head`, but one that is kept was verified when it came: checks would spend their time on that."""
    head = Checkpoint.parse(note.text)
    kept = store.checkpoint(log, above=head.size - 1, up_to=head.size)
    return head if kept is not None and kept.text == note.text else open_head(store, log, note)


def log_signature_only(note: Note, origin: str) -> Note:
    """The note without what others have added: smaller to carry, and nothing unverified is kept."""
    return Note(note.text, tuple(s for s in note.signatures if s.name == origin))


def fork_in_entry(store: Store, log: str, record: Record) -> ForkProof | None:
    """The proof, if the record is signed by the log's owner and cannot be in the log that is held here."""
    try:
        entry = Entry.parse(record.payload)
    except InputError:
        return None
    size = store.state(log).size
    if entry.party != log or entry.channel != store.channel or entry.seq > size:
        return None
    place = entry.seq
    if place == size or store.tree(log).leaf(place) == record.leaf:
        place -= 1
    if place < 0:
        return None
    ours = store.records(log, place, count_max=1)[0].record
    return _verified(store, prove_fork_by_entries(log, ours.without_body(), record.without_body()))


def fork_in_head(store: Store, log: str, note: Note, head: Checkpoint) -> ForkProof | None:
    """The proof, if the head (signed, no larger than what is held) is not one of the log that is held here."""
    tree, origin = store.tree(log), origin_of(log, store.channel)
    if head.size > len(tree) or tree.root(head.size) == head.root:
        return None
    own = store.checkpoint(log)
    ours = Checkpoint.parse(own.text) if own else None
    if own is None or ours is None or ours.size < head.size:
        return None
    path: list[bytes] = []
    if ours.size > head.size:
        path = tree.consistency_proof(head.size, ours.size)
        if head.size & (head.size - 1) == 0:
            path.insert(0, tree.root(head.size))
    one, other = log_signature_only(note, origin), log_signature_only(own, origin)
    return _verified(store, prove_fork_by_heads(log, one, other, path))


def _verified(store: Store, proof: ForkProof) -> ForkProof | None:
    """One judge for what we find and what others bring."""
    try:
        verify_fork_proof(proof, store.channel, store.charters())
    except InputError:
        return None
    return proof


def keep_fork(store: Store, proof: ForkProof, me: str, peer: str, now_ms: int) -> bool:
    """Stores a proof after verifying it, and notes it; whether it is news. :class:`InputError` if it proves nothing."""
    said = verify_fork_proof(proof, store.channel, store.charters())
    if not store.keep_fork(proof):
        return False
    kind = EventKind.OWN_LOG_DIFFERS if proof.party == me else EventKind.FORK
    note_event(store, kind, peer, proof.party, said, now_ms)
    return True


def fork_hash(proof: ForkProof) -> str:
    return sha256(proof.encode()).hexdigest()


def fork_hashes(store: Store) -> dict[str, tuple[str, ...]]:
    """What is told of the proofs in a check."""
    found: dict[str, tuple[str, ...]] = {}
    for proof in store.forks():
        found[proof.party] = (*found.get(proof.party, ()), fork_hash(proof))
    return found


def note_event(store: Store, kind: EventKind, peer: str, log: str, text: str, now_ms: int) -> None:
    """The text may quote what a peer sent: it is cut, and only what can be printed stays."""
    clean = "".join(c if c.isprintable() else "?" for c in text)[:EVENT_TEXT_MAX]
    store.note(Event(kind, peer, log, clean, now_ms, now_ms))
