"""A proof in one file that an entry is in a log whose head others have seen. Source: c2sp.org/tlog-proof."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from keepclear.channel.merkle import HASH_BYTES, PROOF_HASHES_MAX
from keepclear.channel.signed_note import NOTE_BYTES_MAX, Note, decode_base64
from keepclear.errors import InputError, LimitExceeded

__all__ = ["PROOF_FILE_BYTES_MAX", "ProofFile"]

PROOF_FILE_BYTES_MAX = NOTE_BYTES_MAX + 4_096
"""A note, 63 hashes of 45 bytes, and two lines."""
_HEAD = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,15})\Z")


@dataclass(frozen=True, slots=True)
class ProofFile:
    index: int
    path: tuple[bytes, ...]
    """from the leaf's sibling to the root's child"""
    checkpoint: Note

    def encode(self) -> bytes:
        lines = [_HEAD, f"index {self.index}", *(base64.b64encode(h).decode() for h in self.path), ""]
        return "\n".join(lines).encode() + b"\n" + self.checkpoint.encode()

    @classmethod
    def parse(cls, data: bytes) -> ProofFile:
        if len(data) > PROOF_FILE_BYTES_MAX:
            raise LimitExceeded(f"the proof has {len(data):,} bytes, more than {PROOF_FILE_BYTES_MAX:,}")
        head, blank, note = data.partition(b"\n\n")
        try:
            first, *lines = head.decode().split("\n")
        except UnicodeDecodeError:
            raise InputError("the proof is not UTF-8") from None
        if not blank or first != _HEAD:
            raise InputError(f"a proof begins with «{_HEAD}»")
        if lines and lines[0].startswith("extra "):
            raise InputError("the proof carries extra data, which nothing here vouches for")
        number = _INDEX.match(lines[0]) if lines else None
        if not number or len(lines) - 1 > PROOF_HASHES_MAX:
            raise InputError("the proof has no index line or too many hashes")
        path = tuple(decode_base64(line, what=f"hash {k + 1} of the proof") for k, line in enumerate(lines[1:]))
        if any(len(h) != HASH_BYTES for h in path):
            raise InputError(f"a hash of the proof has not {HASH_BYTES} bytes")
        return cls(int(number[1]), path, Note.parse(note))
