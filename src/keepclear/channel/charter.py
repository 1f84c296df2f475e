"""The charter: who is on a channel, with which keys, under which rules. Its first version's hash is the channel's id.

Every party signs every version with its own entry key; a later version is, besides, approved by every party of the one
before with the keys it had there. So nobody is added, dropped or given another key behind anybody's back.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Literal

import msgspec

from keepclear.channel.canonical import Count, Hash, Milliseconds, PartyId, decode, encode
from keepclear.channel.checkpoint import log_key
from keepclear.channel.cosignature import cosigner_key
from keepclear.channel.signature import SigningKey, in_context, screen_public_key, verifies
from keepclear.channel.signed_note import NoteKey, decode_base64
from keepclear.errors import InputError, LimitExceeded

__all__ = ["CHARTER_BYTES_MAX", "PARTIES_MAX", "Charter", "Desk", "DutyStep", "Limits", "Party", "SignedCharter",
           "Timers", "Witness", "charter_digits", "charter_hash", "origin_of", "sign_charter",
           "verify_charter"]  # fmt: skip

CHARTER_BYTES_MAX = 1 << 20
"""It travels as an entry's body, the only one so large: 194 parties with certificates, signatures and approvals take
217 kB, and 359 kB with two desks and their duty ladders each."""
PARTIES_MAX, WITNESSES_MAX = 256, 32
"""All states and a few organisations; each party mirrors all logs and talks to all others."""
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Url = Annotated[str, msgspec.Meta(pattern=r"^https://[^\s]{1,500}\Z")]


class DutyStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rung of a duty ladder: who is told, over what, and how long after the message came."""

    role: Name
    after_s: Count
    transports: tuple[Name, ...]


class Desk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A desk (AIR, GROUND …) and its ladder, lowest first."""

    name: Name
    steps: Annotated[tuple[DutyStep, ...], msgspec.Meta(min_length=1, max_length=16)]


class Party(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: PartyId
    name: Name
    languages: Annotated[tuple[Name, ...], msgspec.Meta(min_length=1, max_length=8)]
    entry_key: Hash
    log_key: Hash
    mirror_key: Hash
    tls_certificate: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9+/]+={0,2}\Z", max_length=4096)]
    """base64 of the DER of the certificate that its node shows and is known by: self-signed, trusted as it is"""
    urls: Annotated[tuple[Url, ...], msgspec.Meta(min_length=1, max_length=4)]
    desks: Annotated[tuple[Desk, ...], msgspec.Meta(max_length=16)] = ()

    @property
    def mirror(self) -> NoteKey:
        return cosigner_key(f"{self.id}/mirror", bytes.fromhex(self.mirror_key))


class Witness(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A neutral witness (c2sp.org/tlog-witness): ``url`` is its submission prefix."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[^\s+]{1,200}\Z")]
    """the name in its signature lines"""
    key: Hash
    url: Annotated[str, msgspec.Meta(pattern=r"^https?://[^\s]{1,500}\Z")]

    @property
    def note_key(self) -> NoteKey:
        return cosigner_key(self.id, bytes.fromhex(self.key))


class Timers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of the channel itself, and by name those of messages (``flash.shown_s``), which the channel does not read."""

    check_every_ms: Annotated[int, msgspec.Meta(ge=100, le=3_600_000)] = 2_000
    degraded_after_misses: Annotated[int, msgspec.Meta(ge=1, le=100)] = 3
    silent_after_ms: Annotated[int, msgspec.Meta(ge=100, le=86_400_000)] = 10_000
    messages: dict[str, Count] = {}


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    clock_ahead_max_ms: Annotated[int, msgspec.Meta(ge=1_000, le=86_400_000)] = 60_000
    """an entry dated further ahead of its receiver is kept and shown as misdated"""
    entries_per_minute_max: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)] = 600_000
    """what a party accepts of another before it answers «later»"""


class Charter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    name: Name
    created_ms: Milliseconds
    parties: Annotated[tuple[Party, ...], msgspec.Meta(min_length=2, max_length=PARTIES_MAX)]
    witnesses: Annotated[tuple[Witness, ...], msgspec.Meta(max_length=WITNESSES_MAX)] = ()
    witnesses_needed: Count = 0
    timers: Timers = Timers()
    limits: Limits = Limits()
    in_doubt: Literal["restrictive", "unchanged"] = "restrictive"
    """which state stands where the record does not decide"""
    serial: Count = 0
    previous: Hash | None = None
    """hash of the version before"""
    v: Literal[1] = 1

    def party(self, party_id: str) -> Party:
        found = self._by_id.get(party_id)
        if found is None:
            raise InputError(f"{party_id} is not a party of the charter; there are: {', '.join(self.ids)}")
        return found

    @cached_property
    def ids(self) -> tuple[str, ...]:
        return tuple(party.id for party in self.parties)

    @cached_property
    def _by_id(self) -> dict[str, Party]:
        return {party.id: party for party in self.parties}

    def check(self) -> None:
        """Raises :class:`InputError` for what the types cannot say."""
        ids = [*self.ids]
        names = [*ids, *(w.id for w in self.witnesses)]
        if ids != sorted(set(ids)) or len(set(names)) < len(names):
            raise InputError("the charter's parties are not sorted by id, or an id occurs twice")
        if self.witnesses_needed > len(self.witnesses):
            raise InputError(f"the charter asks for {self.witnesses_needed} witnesses and names {len(self.witnesses)}")
        if (self.serial == 0) != (self.previous is None):
            raise InputError("the first charter has no previous one, every later one has")
        seen: dict[str, str] = {}
        for owner, key in self._keys():
            screen_public_key(bytes.fromhex(key), what=owner)
            if key in seen:
                raise InputError(f"{owner} and {seen[key]} are the same key; each purpose needs its own")
            seen[key] = owner

    def _keys(self) -> Iterator[tuple[str, str]]:
        for party in self.parties:
            yield f"the entry key of {party.id}", party.entry_key
            yield f"the log key of {party.id}", party.log_key
            yield f"the mirror key of {party.id}", party.mirror_key
        for witness in self.witnesses:
            yield f"the key of the witness {witness.id}", witness.key


class SignedCharter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    charter: Charter
    signatures: dict[str, str] = {}
    """by every party with its entry key of this charter: base64"""
    approvals: dict[str, str] = {}
    """by every party of the charter before, with its entry key there"""

    def encode(self) -> bytes:
        return encode(self)

    @classmethod
    def parse(cls, data: bytes) -> SignedCharter:
        """Well-formed; not yet verified. A final newline, as editors leave it, is no fault."""
        if len(data) > CHARTER_BYTES_MAX:
            raise LimitExceeded(f"the charter has {len(data):,} bytes, more than {CHARTER_BYTES_MAX:,}")
        signed = decode(data.removesuffix(b"\n"), cls, what="the charter")
        signed.charter.check()
        return signed


def charter_hash(charter: Charter) -> bytes:
    return sha256(encode(charter)).digest()


def origin_of(party_id: str, channel: str) -> str:
    """The origin line of a party's log; ``channel`` is the channel's id in hexadecimal."""
    return f"{party_id}/keepclear/{channel[:32]}"


def log_note_key(party: Party, channel: str) -> NoteKey:
    return log_key(origin_of(party.id, channel), bytes.fromhex(party.log_key))


def charter_digits(charter: Charter) -> str:
    """Thirty digits, to be compared over another medium (telephone, in person) before joining.

    Six groups carry 99 bits. Shorter strings are safe only where both sides commit first; a charter is a file that
    whoever hands it round may have tried out many keys for.
    """
    number = int.from_bytes(sha256(in_context("charter-digits", charter_hash(charter))).digest(), "big") % 10**30
    digits = f"{number:030d}"
    return " ".join(digits[k : k + 5] for k in range(0, 30, 5))


def sign_charter(
    signed: SignedCharter, party_id: str, key: SigningKey, previous: Charter | None = None
) -> SignedCharter:
    """With the party's signature added, and its approval where the key is the one it had in ``previous``."""
    message = in_context("charter", charter_hash(signed.charter))
    text = base64.b64encode(key.sign(message)).decode()
    signatures, approvals = dict(signed.signatures), dict(signed.approvals)
    mine = key.public.hex()
    used = False
    if party_id in signed.charter.ids and signed.charter.party(party_id).entry_key == mine:
        signatures[party_id], used = text, True
    if previous and party_id in previous.ids and previous.party(party_id).entry_key == mine:
        approvals[party_id], used = text, True
    if not used:
        raise InputError(f"this is not the entry key that the charter names for {party_id}; sign on that party's node")
    return SignedCharter(signed.charter, signatures, approvals)


def verify_charter(signed: SignedCharter, previous: Charter | None = None) -> Charter:
    """The charter, if all have signed it and it follows ``previous``; one line says what is missing otherwise."""
    charter = signed.charter
    charter.check()
    message = in_context("charter", charter_hash(charter))
    _all_signed(message, {p.id: p.entry_key for p in charter.parties}, signed.signatures, "signed")
    if previous is None:
        if charter.serial:
            raise InputError(f"this is version {charter.serial} of a charter, and the one before is not known")
        if signed.approvals:
            raise InputError("a first charter has nothing to be approved by")
        return charter
    if charter.serial != previous.serial + 1 or charter.previous != charter_hash(previous).hex():
        raise InputError(
            f"the charter's version {charter.serial} does not follow the version {previous.serial} in force"
        )
    _all_signed(message, {p.id: p.entry_key for p in previous.parties}, signed.approvals, "approved")
    return charter


def _all_signed(message: bytes, keys: Mapping[str, str], signatures: Mapping[str, str], verb: str) -> None:
    missing = sorted(set(keys) - set(signatures))
    if missing:
        raise InputError(f"the charter is not {verb} by {', '.join(missing)}; nothing is in force until all have")
    strange = sorted(set(signatures) - set(keys))
    if strange:
        raise InputError(f"the charter is {verb} by {', '.join(strange)}, who is no party to it")
    for party_id, key in keys.items():
        signature = decode_base64(signatures[party_id], what=f"the signature of {party_id}")
        if not verifies(bytes.fromhex(key), message, signature):
            raise InputError(f"the signature of {party_id} on the charter does not verify; was the charter changed?")
