"""A neutral witness, and what is said to one: it cosigns a head only if the log has done nothing but grow.

Source: c2sp.org/tlog-witness, both sides. Any witness that speaks it can be named in a charter; this one can witness
any such log. It sees sizes and roots, never an entry.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from keepclear.channel.checkpoint import Checkpoint, open_checkpoint
from keepclear.channel.cosignature import cosign
from keepclear.channel.merkle import HASH_BYTES, PROOF_HASHES_MAX, verify_consistency
from keepclear.channel.protocol.checking import take_cosignatures
from keepclear.channel.protocol.evidence import log_signature_only
from keepclear.channel.protocol.own_log import Node
from keepclear.channel.signature import SigningKey
from keepclear.channel.signed_note import NOTE_BYTES_MAX, Note, decode_base64, parse_lines
from keepclear.errors import InputError, LimitExceeded

__all__ = ["REQUEST_BYTES_MAX", "Submission", "WitnessAnswer", "WitnessMemory", "compose_submission",
           "take_witness_answer", "witness_head"]  # fmt: skip

REQUEST_BYTES_MAX = NOTE_BYTES_MAX + 45 * (PROOF_HASHES_MAX + 1)
SIZE_TYPE = "text/x.tlog.size"
_OLD = re.compile(r"old (0|[1-9][0-9]{0,15})\Z")


@dataclass(frozen=True, slots=True)
class Submission:
    """The body of a POST to ``add-checkpoint``."""

    old_size: int
    path: tuple[bytes, ...]
    note: Note

    def encode(self) -> bytes:
        hashes = "".join(base64.b64encode(h).decode() + "\n" for h in self.path)
        return f"old {self.old_size}\n{hashes}\n".encode() + self.note.encode()

    @classmethod
    def parse(cls, data: bytes) -> Submission:
        if len(data) > REQUEST_BYTES_MAX:
            raise LimitExceeded(f"the request has {len(data):,} bytes, more than {REQUEST_BYTES_MAX:,}")
        head, blank, rest = data.partition(b"\n\n")
        try:
            first, *lines = head.decode().split("\n")
        except UnicodeDecodeError:
            raise InputError("the request is not UTF-8") from None
        old = _OLD.match(first)
        if not old or not blank:
            raise InputError("the request does not begin with «old SIZE», a proof and an empty line")
        if len(lines) > PROOF_HASHES_MAX:
            raise InputError(f"the proof has {len(lines)} hashes, more than {PROOF_HASHES_MAX}")
        path = tuple(decode_base64(line, what=f"hash {k + 1} of the proof") for k, line in enumerate(lines))
        if any(len(h) != HASH_BYTES for h in path):
            raise InputError(f"a hash of the proof has not {HASH_BYTES} bytes")
        return cls(int(old[1]), path, Note.parse(rest))


@dataclass(frozen=True, slots=True)
class WitnessAnswer:
    status: int
    body: str
    media_type: str = "text/plain; charset=utf-8"


class WitnessMemory(Protocol):
    """The newest head cosigned of every log."""

    def newest(self, origin: str) -> Checkpoint | None: ...

    def swap(self, before: Checkpoint | None, after: Checkpoint) -> bool:
        """Stores ``after`` if ``before`` is still the newest of its log; durable when it returns. Whether it was."""


def witness_head(
    data: bytes, logs: Mapping[str, Sequence[bytes]], memory: WitnessMemory, name: str, key: SigningKey, time_s: int
) -> WitnessAnswer:
    """The answer to a submission. ``logs``: by origin, the public log keys that are believed for it."""
    try:
        request = Submission.parse(data)
        head = Checkpoint.parse(request.note.text)
    except InputError as error:
        return WitnessAnswer(400, f"{error}\n")
    if head.origin not in logs:
        return WitnessAnswer(404, "this log is not known here\n")
    if not _is_signed(request.note, head.origin, logs[head.origin]):
        return WitnessAnswer(403, "no signature of the log verifies\n")
    if request.old_size > head.size:
        return WitnessAnswer(400, "the old size is beyond the head's\n")
    known = memory.newest(head.origin)
    size = known.size if known else 0
    if request.old_size != size:
        return WitnessAnswer(409, f"{size}\n", SIZE_TYPE)
    if known and size == head.size and known.root != head.root:
        return WitnessAnswer(409, f"{size}\n", SIZE_TYPE)
    grew = not request.path if size == 0 else bool(
        known and verify_consistency(size, known.root, head.size, head.root, request.path)
    )  # fmt: skip
    if not grew:
        return WitnessAnswer(422, "the proof does not lead from the old head to this one\n")
    # Stored before it is said, and only if nobody else was quicker: or two heads would be cosigned at once.
    if not memory.swap(known, head):
        newest = memory.newest(head.origin)
        return WitnessAnswer(409, f"{newest.size if newest else 0}\n", SIZE_TYPE)
    return WitnessAnswer(200, cosign(request.note.text, name, key, time_s).line)


def _is_signed(note: Note, origin: str, keys: Iterable[bytes]) -> bool:
    for public in keys:
        try:
            open_checkpoint(note, origin, public)
        except InputError:
            continue
        return True
    return False


def compose_submission(node: Node, old_size: int) -> Submission | None:
    """Our newest head for a witness that has seen ``old_size`` entries; nothing where it has seen them all."""
    note = node.store.checkpoint(node.party)
    if note is None:
        return None
    head, tree = Checkpoint.parse(note.text), node.store.tree(node.party)
    if not 0 <= old_size < head.size:
        return None
    path = tuple(tree.consistency_proof(old_size, head.size)) if old_size else ()
    return Submission(old_size, path, log_signature_only(note, head.origin))


def take_witness_answer(node: Node, sent: Submission, status: int, body: bytes, now_ms: int) -> int | None:
    """How many entries the witness has now seen; nothing where the answer is no use. Its cosignature is kept.

    After a 409 the number is what it says it has seen: submit again from there. Raises :class:`InputError` for an
    answer that is none.
    """
    if len(body) > NOTE_BYTES_MAX:
        raise LimitExceeded(f"the witness answers with {len(body):,} bytes")
    text = body.decode("utf-8", "replace")
    if status == 409:
        digits = text.strip()
        return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 16 else None
    if status != 200:
        raise InputError(f"the witness answers {status}: {' '.join(text.split())[:200]}")
    head = Checkpoint.parse(sent.note.text)
    note = sent.note.with_signatures(parse_lines(text))
    return head.size if take_cosignatures(node, node.party, note, head, now_ms) else None
