"""Parties of an exercise: keys made from names, a charter signed by all. For tests, simulations and demonstrations;
never for a real channel, since whoever knows the name knows the key."""

from __future__ import annotations

from base64 import b64encode
from functools import lru_cache
from hashlib import sha256

from keepclear.channel.charter import Charter, Limits, Party, SignedCharter, Timers, Witness, sign_charter
from keepclear.channel.signature import SigningKey

__all__ = ["exercise_charter", "exercise_key", "exercise_party", "signed_by_all"]

CREATED_MS = 1_700_000_000_000
_KEYS_KEPT = 1024
"""Making a key takes as long as a signature."""


@lru_cache(_KEYS_KEPT)
def exercise_key(owner: str, purpose: str, generation: int = 0) -> SigningKey:
    return SigningKey(sha256(f"exercise {owner} {purpose} {generation}".encode()).digest())


def exercise_party(party_id: str, generation: int = 0) -> Party:
    keys = {p: exercise_key(party_id, p, generation).public.hex() for p in ("entry", "log", "mirror")}
    return Party(
        id=party_id, name=f"{party_id.title()} (exercise)", languages=("en",), entry_key=keys["entry"],
        log_key=keys["log"], mirror_key=keys["mirror"], tls_certificate=b64encode(b"no certificate").decode(),
        urls=(f"https://{party_id}.example:8443",),
    )  # fmt: skip


def exercise_charter(
    *ids: str, witnesses: tuple[str, ...] = (), timers: Timers | None = None, limits: Limits | None = None
) -> Charter:
    return Charter(
        name="Exercise", created_ms=CREATED_MS, parties=tuple(exercise_party(i) for i in sorted(ids)),
        witnesses=tuple(Witness(w, exercise_key(w, "witness").public.hex(), f"https://{w}") for w in witnesses),
        witnesses_needed=len(witnesses), timers=timers or Timers(), limits=limits or Limits(),
    )  # fmt: skip


def signed_by_all(charter: Charter, previous: Charter | None = None, generations: int = 2) -> SignedCharter:
    """Signed with whichever generation of each party's key the charter names, and approved by all of ``previous``."""
    signed = SignedCharter(charter)
    for party_id in sorted({*charter.ids, *(previous.ids if previous else ())}):
        named = {c.party(party_id).entry_key for c in (charter, previous) if c and party_id in c.ids}
        for generation in range(generations):
            key = exercise_key(party_id, "entry", generation)
            if key.public.hex() in named:
                signed = sign_charter(signed, party_id, key, previous)
    return signed
