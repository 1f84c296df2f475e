"""Signed notes: text with signature lines. Source: c2sp.org/signed-note."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from keepclear.channel.signature import screen_public_key, verifies
from keepclear.errors import InputError, LimitExceeded

__all__ = ["ED25519", "ED25519_COSIGNATURE", "Note", "NoteKey", "NoteSignature", "decode_base64", "parse_lines"]

ED25519, ED25519_COSIGNATURE = 0x01, 0x04
NOTE_BYTES_MAX = 65_536
"""A checkpoint with 100 cosignatures has some 15 KiB."""
_PARSED_MAX = 64
"""The same few heads are looked at again and again; 4 MiB at most."""
_KNOWN_KEYS_MAX = 2048
"""As in :mod:`keepclear.channel.signature`."""
SIGNATURES_MAX = 320
"""The specification asks for at least 16; a charter has at most 288 parties and witnesses, whose lines, with the
longest names, take 52 kB."""
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_SIGNATURE_BLOB_BYTES_MAX = 5_120
"""Post-quantum signatures of unknown keys are carried along; theirs are below 5 kB."""


def decode_base64(text: str, *, what: str) -> bytes:
    """RFC 4648 §4, accepted only as it would be printed again."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InputError(f"{what} is not base64") from None
    if base64.b64encode(data).decode() != text:
        raise InputError(f"{what} is not base64 in its one form")
    return data


@lru_cache(_KNOWN_KEYS_MAX)
def _key_id(name: str, kind: int, public: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A public key as notes know it: by a name and four bytes."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        return _key_id(self.name, self.kind, self.public)

    @property
    def vkey(self) -> str:
        """``name+id+key``, as other verifiers and witnesses are configured."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(bytes([self.kind]) + self.public).decode()}"

    @classmethod
    def parse(cls, vkey: str) -> NoteKey:
        name, _, rest = vkey.strip().partition("+")
        identifier, _, text = rest.partition("+")
        blob = decode_base64(text, what="the key in the vkey")
        if not name or len(blob) != 33 or blob[0] not in (ED25519, ED25519_COSIGNATURE):
            raise InputError("a vkey reads NAME+ID+KEY with an Ed25519 key of type 01 or 04")
        key = cls(name, blob[0], screen_public_key(blob[1:], what=f"the key of {name}"))
        if key.id.hex() != identifier:
            raise InputError(f"the vkey of {name} names the id {identifier}, its key has {key.id.hex()}: mistyped?")
        return key


@dataclass(frozen=True, slots=True)
class NoteSignature:
    name: str
    key_id: bytes
    blob: bytes
    """what follows the key id: 64 bytes of Ed25519, or time stamp and signature of a cosigner"""

    @property
    def line(self) -> str:
        return f"— {self.name} {base64.b64encode(self.key_id + self.blob).decode()}\n"

    def is_of(self, key: NoteKey) -> bool:
        return self.name == key.name and self.key_id == key.id


@dataclass(frozen=True, slots=True)
class Note:
    text: str
    """with its final newline"""
    signatures: tuple[NoteSignature, ...]

    def encode(self) -> bytes:
        return (self.text + "\n" + "".join(s.line for s in self.signatures)).encode()

    @classmethod
    def parse(cls, data: bytes) -> Note:
        """Raises :class:`InputError` unless ``data`` are exactly a note's bytes."""
        if len(data) > NOTE_BYTES_MAX:
            raise LimitExceeded(f"the note has {len(data):,} bytes, more than {NOTE_BYTES_MAX:,}")
        return _parse(data)

    def verified(self, key: NoteKey) -> bool:
        """Whether the key signed the text; raises :class:`InputError` if it claims to have and has not."""
        mine = [s for s in self.signatures if s.is_of(key)]
        if any(not verifies(key.public, self.text.encode(), s.blob) for s in mine):
            raise InputError(f"the note carries a signature of {key.name} that does not verify")
        return bool(mine)

    def with_signatures(self, added: Iterable[NoteSignature]) -> Note:
        return Note(self.text, (*self.signatures, *(s for s in added if s not in self.signatures)))


@lru_cache(_PARSED_MAX)
def _parse(data: bytes) -> Note:
    try:
        whole = data.decode()
    except UnicodeDecodeError as error:
        raise InputError("the note is not UTF-8", where=f"byte {error.start}") from None
    if _CONTROL.search(whole):
        raise InputError("the note has control characters")
    text, blank, tail = whole.rpartition("\n\n")
    if not blank or not text or not tail:
        raise InputError("the note has no signature lines after an empty line; was it cut?")
    return Note(text + "\n", parse_lines(tail))


def parse_lines(text: str) -> tuple[NoteSignature, ...]:
    """Signature lines, each ended by a newline (a note's tail, a witness's answer)."""
    if not text.endswith("\n"):
        raise InputError("the last signature line has no end; was it cut?")
    lines = text[:-1].split("\n")
    if len(lines) > SIGNATURES_MAX:
        raise LimitExceeded(f"the note has {len(lines)} signatures, more than {SIGNATURES_MAX}")
    return tuple(_parse_line(line) for line in lines)


def _parse_line(line: str) -> NoteSignature:
    dash, _, rest = line.partition(" ")
    name, _, text = rest.partition(" ")
    if dash != "—" or not name or "+" in name or len(name.split()) != 1:
        raise InputError("a signature line reads «— NAME BASE64»")
    blob = decode_base64(text, what=f"the signature of {name}")
    if not 4 < len(blob) <= 4 + _SIGNATURE_BLOB_BYTES_MAX:
        raise InputError(f"the signature of {name} has {len(blob)} bytes")
    return NoteSignature(name, blob[:4], blob[4:])
