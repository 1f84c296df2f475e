"""A log's head, signed by its log key. Source: c2sp.org/tlog-checkpoint."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from functools import lru_cache

from keepclear.channel.merkle import HASH_BYTES
from keepclear.channel.signature import SigningKey
from keepclear.channel.signed_note import ED25519, Note, NoteKey, NoteSignature, decode_base64
from keepclear.errors import InputError

__all__ = ["Checkpoint", "open_checkpoint", "sign_checkpoint"]

TEXT_MAX = 4_096
_PARSED_MAX = 256
"""The same few heads are looked at again and again; 1 MiB at most."""
_SIZE = re.compile(r"(?:0|[1-9][0-9]{0,15})\Z")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Extension lines are refused: no log of a channel writes any, and a mirror could not vouch for them."""
        return _parse(text)


@lru_cache(_PARSED_MAX)
def _parse(text: str) -> Checkpoint:
    if len(text) > TEXT_MAX:
        raise InputError(f"a checkpoint has at most {TEXT_MAX} characters")
    lines = text.split("\n")
    if len(lines) != 4 or lines[3]:
        raise InputError(f"a checkpoint has three lines, this one {max(len(lines) - 1, 0)}")
    origin, size, root = lines[:3]
    if not origin or not _SIZE.match(size):
        raise InputError("the checkpoint's origin or size is not one")
    digest = decode_base64(root, what="the checkpoint's root")
    if len(digest) != HASH_BYTES:
        raise InputError(f"the checkpoint's root has {len(digest)} bytes, not {HASH_BYTES}")
    return Checkpoint(origin, int(size), digest)


def log_key(origin: str, public: bytes) -> NoteKey:
    return NoteKey(origin, ED25519, public)


def sign_checkpoint(checkpoint: Checkpoint, key: SigningKey) -> Note:
    text = checkpoint.text
    name = log_key(checkpoint.origin, key.public)
    return Note(text, (NoteSignature(name.name, name.id, key.sign(text.encode())),))


def open_checkpoint(note: Note, origin: str, public: bytes) -> Checkpoint:
    """The head, if the log key with that origin signed it; :class:`InputError` says what is wrong otherwise."""
    checkpoint = Checkpoint.parse(note.text)
    if checkpoint.origin != origin:
        raise InputError(f"the checkpoint is of {checkpoint.origin}, not of {origin}")
    if not note.verified(log_key(origin, public)):
        raise InputError(f"the checkpoint is not signed by the log key of {origin}")
    return checkpoint
