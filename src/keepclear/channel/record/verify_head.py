"""A head as the record holds it: the log's signature first, then cosignatures of keys that the charter names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from keepclear.channel.charter import Charter
from keepclear.channel.checkpoint import Checkpoint, log_key
from keepclear.channel.cosignature import find_cosignature
from keepclear.channel.signed_note import Note, NoteKey, NoteSignature
from keepclear.errors import InputError

__all__ = ["Cosigner", "SignedHead", "cosigners_of", "open_head", "ordered_note"]

NEVER_MS = 2**63


@dataclass(frozen=True, slots=True)
class Cosigner:
    owner: str
    witness: bool
    key: NoteKey
    until_serial: int
    """the newest version of the charter that names this key"""


Cosigners = Mapping[tuple[str, bytes], Cosigner]


@dataclass(frozen=True, slots=True)
class SignedHead:
    checkpoint: Checkpoint
    public: bytes
    """the log key that signed it"""
    cosigned: tuple[tuple[Cosigner, int], ...]
    """with the time each states, POSIX seconds"""

    @property
    def existed_ms(self) -> int:
        """When, by a cosigner's clock, the entries below existed at the latest."""
        return min((time_s * 1000 for _, time_s in self.cosigned), default=NEVER_MS)

    def holders(self, serial: int) -> dict[str, int]:
        """The parties whose mirror vouches for the entries below, by a key of that version of the charter or later."""
        return {c.owner: time_s for c, time_s in self.cosigned if not c.witness and c.until_serial >= serial}

    def witnesses(self, serial: int) -> dict[str, int]:
        return {c.owner: time_s for c, time_s in self.cosigned if c.witness and c.until_serial >= serial}


def cosigners_of(charters: Iterable[Charter]) -> dict[tuple[str, bytes], Cosigner]:
    """All keys that ever cosigned for somebody of the charter, by name and key id."""
    found = {}
    for charter in charters:
        for party in charter.parties:
            key = party.mirror
            found[key.name, key.id] = Cosigner(party.id, False, key, charter.serial)
        for witness in charter.witnesses:
            key = witness.note_key
            found[key.name, key.id] = Cosigner(witness.id, True, key, charter.serial)
    return found


def open_head(data: bytes, origin: str, publics: Sequence[bytes], cosigners: Cosigners) -> SignedHead:
    """The head, if one of the log keys signed it and every further line is a known key's, valid, and in its place.

    Stricter than a note need be: a line that nobody here can judge has no place in evidence, and one sequence of lines
    leaves nothing that could be changed unseen. Raises :class:`InputError`.
    """
    note = Note.parse(data)
    checkpoint = Checkpoint.parse(note.text)
    if checkpoint.origin != origin:
        raise InputError(f"the checkpoint is of {checkpoint.origin}, not of {origin}")
    if note.encode() != data:
        raise InputError("the checkpoint is not written in its one form")
    first, rest = note.signatures[0], note.signatures[1:]
    keys = [key for public in publics if first.is_of(key := log_key(origin, public))]
    if not keys or not Note(note.text, (first,)).verified(keys[0]):
        raise InputError(f"the first signature is not by the log key of {origin}")
    places = [_place(line) for line in rest]
    if any(one >= other for one, other in pairwise(places)):
        raise InputError("the cosignatures do not stand in order, or one stands twice")
    return SignedHead(checkpoint, keys[0].public, tuple(_judge(note, line, cosigners) for line in rest))


def ordered_note(note: Note, origin: str, publics: Sequence[bytes], cosigners: Cosigners) -> Note:
    """The note as :func:`open_head` wants it: unknown and invalid lines dropped, of each key the newest kept."""
    keys = [log_key(origin, public) for public in publics]
    signature = next((s for s in note.signatures for key in keys if s.is_of(key)), None)
    if signature is None:
        raise InputError(f"the checkpoint of {origin} is not signed by its log key")
    lines: dict[tuple[str, bytes], NoteSignature] = {}
    for line in note.signatures:
        cosigner = cosigners.get((line.name, line.key_id))
        newest = cosigner and find_cosignature(note, cosigner.key)
        if newest and line.blob[:8] == newest.time_s.to_bytes(8, "big"):
            lines.setdefault(_place(line), line)
    return Note(note.text, (signature, *(lines[place] for place in sorted(lines))))


def _place(line: NoteSignature) -> tuple[str, bytes]:
    return line.name, line.key_id


def _judge(note: Note, line: NoteSignature, cosigners: Cosigners) -> tuple[Cosigner, int]:
    cosigner = cosigners.get(_place(line))
    if cosigner is None:
        raise InputError(f"the charter knows no key {line.name} {line.key_id.hex()}, whose signature stands here")
    found = find_cosignature(Note(note.text, (line,)), cosigner.key)
    if found is None:
        raise InputError(f"the cosignature of {line.name} does not verify")
    return cosigner, found.time_s
