"""The keys of our sealed votes, in the node's folder for its owner's eyes only, until they are opened.

A line is added and none is changed: whoever seals twice keeps both keys.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import msgspec

from keepclear.decisions.rules.stance import Stance
from keepclear.edge.channel.node_folder import NodeFolder, read_bounded
from keepclear.errors import InputError

__all__ = ["SealedVote", "keep_sealed", "sealed_votes"]

BYTES_MAX = 1 << 20
"""Some three thousand votes."""


@dataclass(frozen=True, slots=True)
class SealedVote:
    proposal: str
    version: int
    member: str
    stance: Stance
    nonce: str
    """32 random bytes in hexadecimal: whoever has it can read the vote"""


def keep_sealed(folder: NodeFolder, vote: SealedVote) -> None:
    """On the disk when it returns. Raises :class:`InputError` where the disk refuses."""
    path = folder.path / "sealed-votes.jsonl"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write(msgspec.json.encode(vote) + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", source=str(path)) from None


def sealed_votes(folder: NodeFolder) -> list[SealedVote]:
    """In the order in which they were sealed."""
    path = folder.path / "sealed-votes.jsonl"
    if not path.exists():
        return []
    try:
        return [msgspec.json.decode(line, type=SealedVote) for line in read_bounded(path, BYTES_MAX).splitlines()]
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise InputError(f"is damaged ({error})", source=str(path)) from None
