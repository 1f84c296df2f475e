"""One file of a record by itself: a proof of an entry, a proof of a fork, a signed charter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from keepclear.channel.charter import (
    CHARTER_BYTES_MAX,
    Charter,
    SignedCharter,
    charter_digits,
    charter_hash,
    verify_charter,
)
from keepclear.channel.entry import PAYLOAD_BYTES_MAX
from keepclear.channel.fork_proof import FORK_PROOF_BYTES_MAX, ForkProof, verify_fork_proof
from keepclear.channel.record.proof_file import PROOF_FILE_BYTES_MAX, ProofFile
from keepclear.channel.record.verify import Expected
from keepclear.channel.record.verify_proofs import verify_alone as verify_entry
from keepclear.errors import InputError, UsageError

__all__ = ["Statement", "kind_of", "verify_alone"]

_PROOF, _ZIP = b"c2sp.org/tlog-proof@", b"PK"
_HEAD_BYTES = 64


@dataclass(frozen=True, slots=True)
class Statement:
    verdict: str
    what: str
    exit_code: int
    not_proved: list[str] = field(default_factory=list)


def kind_of(path: Path) -> str:
    """What a file is by its first bytes: ``record`` (a zip), ``proof``, ``fork`` or ``charter``."""
    with open(path, "rb") as file:
        head = file.read(_HEAD_BYTES)
    if head.startswith(_ZIP):
        return "record"
    if head.startswith(_PROOF):
        return "proof"
    if head.startswith((b'{"approvals":', b'{"charter":')):
        return "charter"
    if head.startswith((b'{"entries":', b'{"heads":', b'{"party":')):
        return "fork"
    raise InputError(
        "neither a record (folder or zip) nor a .tlog-proof, a proof of a fork or a signed charter", source=str(path)
    )


def verify_alone(
    path: Path, kind: str, charters: Sequence[Charter], expected: Expected, entry: Path | None
) -> Statement:
    """What the file shows by itself. Raises :class:`UsageError` where something is needed beside it."""
    if (kind == "proof") != (entry is not None):
        raise UsageError(
            "a .tlog-proof needs --entry FILE, the exact bytes that it is a proof of; nothing else takes it"
        )
    try:
        if kind == "charter":
            return _charter(_read(path, CHARTER_BYTES_MAX), charters, expected)
        chain = _chain(charters, expected)
        if kind == "fork":
            return _fork(_read(path, FORK_PROOF_BYTES_MAX), chain)
        payload = _read(entry, PAYLOAD_BYTES_MAX) if entry else b""
        return _entry(_read(path, PROOF_FILE_BYTES_MAX), payload, chain)
    except InputError as error:
        return Statement("NOT VERIFIED", str(error), 1)


def _chain(charters: Sequence[Charter], expected: Expected) -> list[Charter]:
    chain = sorted(charters, key=lambda charter: charter.serial)
    if not chain or chain[0].serial:
        raise UsageError("give the channel's first charter, and every later one that matters, with --charter FILE")
    expected.check(chain)
    return chain


def _charter(data: bytes, charters: Sequence[Charter], expected: Expected) -> Statement:
    signed = SignedCharter.parse(data)
    before = next((c for c in charters if c.serial == signed.charter.serial - 1), None)
    if before is None and signed.charter.serial:
        raise UsageError(f"give the version before it, number {signed.charter.serial - 1}, with --charter FILE")
    charter = verify_charter(signed, before)
    if not charter.serial:
        Expected(expected.channel, expected.digits).check([charter])
    parties = ", ".join(charter.ids)
    return Statement(
        "VERIFIED",
        f"version {charter.serial} of the charter «{charter.name}», hash {charter_hash(charter).hex()}, digits "
        f"{charter_digits(charter)}, is signed by all its parties: {parties}",
        0,
        ["that these keys are those parties': compare the digits with each of them over another medium"],
    )


def _fork(data: bytes, chain: Sequence[Charter]) -> Statement:
    shown = verify_fork_proof(ForkProof.parse(data), charter_hash(chain[0]).hex(), chain)
    return Statement("FORK PROVED", shown, 1, ["which of the two is the true one, or who used the key, and why"])


def _entry(data: bytes, payload: bytes, chain: Sequence[Charter]) -> Statement:
    entry, head = verify_entry(ProofFile.parse(data), payload, chain)
    serial = chain[-1].serial
    by = sorted({*head.holders(serial), *head.witnesses(serial)})
    seen = f"cosigned by {', '.join(by)}" if by else "cosigned by nobody"
    return Statement(
        "VERIFIED",
        f"the entry is number {entry.seq} of {entry.party}'s log, under its signed head of {head.checkpoint.size} "
        f"entries, {seen}",
        0,
        ["what else the log holds, or that its party told nobody another history", "the entry's own signature and body:"
         " they stand in the record"],
    )  # fmt: skip


def _read(path: Path, limit: int) -> bytes:
    file: IO[bytes]
    with open(path, "rb") as file:
        return file.read(limit + 1)
