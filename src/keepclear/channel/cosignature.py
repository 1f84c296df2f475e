"""Cosignatures: a witness saw a head that only grew; a mirror, besides, holds every entry below it on its disk.

Source: c2sp.org/tlog-cosignature (Ed25519, v1). The mirror's further statement is known to whoever has the charter, and
it has a key of its own, as the specification asks (§ Additional statements). The ML-DSA-44 form, which new deployments
should use, is not offered yet.
"""

from __future__ import annotations

from dataclasses import dataclass

from keepclear.channel.signature import SIGNATURE_BYTES, SigningKey, verifies
from keepclear.channel.signed_note import ED25519_COSIGNATURE, Note, NoteKey, NoteSignature

__all__ = ["Cosignature", "cosign", "cosigner_key", "find_cosignature"]

_TIME_BYTES = 8


@dataclass(frozen=True, slots=True)
class Cosignature:
    name: str
    time_s: int
    """POSIX seconds by the cosigner's clock"""


def cosigner_key(name: str, public: bytes) -> NoteKey:
    return NoteKey(name, ED25519_COSIGNATURE, public)


def _message(time_s: int, text: str) -> bytes:
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()


def cosign(text: str, name: str, key: SigningKey, time_s: int) -> NoteSignature:
    """The cosigner's line for a checkpoint's text."""
    stamp = time_s.to_bytes(_TIME_BYTES, "big")
    return NoteSignature(name, cosigner_key(name, key.public).id, stamp + key.sign(_message(time_s, text)))


def find_cosignature(note: Note, key: NoteKey) -> Cosignature | None:
    """The key's newest valid cosignature on the note. One that does not verify counts for nothing: a note gathers
    lines from many hands, and a spoilt one must not take the others with it."""
    found = None
    for signature in note.signatures:
        if not signature.is_of(key) or len(signature.blob) != _TIME_BYTES + SIGNATURE_BYTES:
            continue
        time_s = int.from_bytes(signature.blob[:_TIME_BYTES], "big")
        if time_s >= 2**63 or not verifies(key.public, _message(time_s, note.text), signature.blob[_TIME_BYTES:]):
            continue
        if found is None or time_s > found.time_s:
            found = Cosignature(key.name, time_s)
    return found
