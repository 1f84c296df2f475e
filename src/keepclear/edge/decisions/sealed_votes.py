"""The keys of our sealed votes, in the node's folder for its owner's eyes only, until they are opened.

A line is added and none is changed: whoever seals twice keeps both keys.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import msgspec

from keepclear.channel.canonical import Hash
from keepclear.decisions.acts.base import ProposalId, Version
from keepclear.decisions.rules.rule import Identifier
from keepclear.decisions.rules.stance import Stance
from keepclear.edge.channel.node_folder import NodeFolder, read_bounded
from keepclear.errors import InputError

__all__ = ["SealedVote", "keep_sealed", "parse_sealed", "sealed_votes"]

BYTES_MAX = 1 << 20
"""Some three thousand votes."""


@dataclass(frozen=True, slots=True)
class SealedVote:
    proposal: ProposalId
    version: Version
    member: Identifier
    stance: Stance
    nonce: Hash
    """32 random bytes in hexadecimal: whoever has it can read the vote"""


def keep_sealed(folder: NodeFolder, vote: SealedVote) -> None:
    """On the disk when it returns. Raises :class:`InputError` where the disk refuses."""
    path = folder.path / "sealed-votes.jsonl"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            torn = path.stat().st_size and not path.read_bytes().endswith(b"\n")
            file.write((b"\n" if torn else b"") + msgspec.json.encode(vote) + b"\n")
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
        return parse_sealed(read_bounded(path, BYTES_MAX))
    except InputError as error:
        raise InputError(error.message, where=error.where, source=str(path)) from None


def parse_sealed(data: bytes) -> list[SealedVote]:
    """The last line may be torn: a crash cut it before the vote was sealed with it. Raises :class:`InputError`."""
    *lines, torn = data.split(b"\n")
    votes = []
    for number, line in enumerate([*lines, torn] if torn.endswith(b"}") else lines, 1):
        if not line:
            continue  # after a torn one
        try:
            votes.append(msgspec.json.decode(line, type=SealedVote))
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            if line.endswith(b"}"):
                raise InputError(f"is damaged ({error})", where=f"line {number}") from None
    return votes
