"""Ed25519 with the edge cases pinned, so that two honest verifiers never disagree about evidence.

Sources: RFC 8032; Chalkias, Garillot, Nikolaenko, «Taming the many EdDSAs» (2020). Libraries differ on keys and
commitments of small order or in another encoding than the canonical one. The rule here: a public key A is screened
when it is enrolled, a signature's R when it is verified; what passes is then judged alike by OpenSSL and libsodium
(docs/decisions/0009-pinned-signatures.md).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from keepclear.errors import InputError

__all__ = ["KEY_BYTES", "SIGNATURE_BYTES", "SigningKey", "in_context", "screen_public_key", "verifies"]

KEY_BYTES, SIGNATURE_BYTES = 32, 64
_P = 2**255 - 19
_Y8 = int.from_bytes(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little")
_SMALL_ORDER_Y = frozenset({0, 1, _P - 1, _Y8, _P - _Y8})
"""The y of the eight points whose order divides 8 (a test multiplies them out)."""
_KNOWN_KEYS_MAX = 2048
"""A charter has at most 256 parties with three keys each, and 32 witnesses; rotation adds some."""


def _is_pinned_point(encoded: bytes) -> bool:
    """Canonical, and not of small order. Whether it lies on the curve is the library's to say."""
    y = int.from_bytes(encoded, "little") & (2**255 - 1)
    return y < _P and y not in _SMALL_ORDER_Y


def screen_public_key(key: bytes, *, what: str = "the public key") -> bytes:
    """``key`` if it may be enrolled; raises :class:`InputError` for wrong length, another encoding or small order."""
    if len(key) != KEY_BYTES:
        raise InputError(f"{what} has {len(key)} bytes; an Ed25519 key has {KEY_BYTES}")
    if not _is_pinned_point(key):
        raise InputError(f"{what} is a weak point (small order or not canonical); make a new key")
    return key


Judge = Callable[[bytes, bytes, bytes], bool]
"""Of a screened key, a message, and a signature whose R is screened."""


def judge_by_openssl(key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        _loaded(key).verify(signature, message)
    except (InvalidSignature, ValueError):  # or the key is no point of the curve
        return False
    return True


@lru_cache(_KNOWN_KEYS_MAX)
def _loaded(key: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(key)


def judge_by_libsodium() -> Judge | None:
    """Nothing where it is not installed."""
    try:
        from nacl.bindings import crypto_sign_open
        from nacl.exceptions import BadSignatureError
    except ImportError:
        return None

    def judge(key: bytes, message: bytes, signature: bytes) -> bool:
        try:
            crypto_sign_open(signature + message, key)
        except BadSignatureError:
            return False
        return True

    return judge


@cache
def _judge() -> Judge:
    """libsodium takes half of OpenSSL's time. The pinned rule leaves them nothing to disagree on."""
    return judge_by_libsodium() or judge_by_openssl


@lru_cache(_KNOWN_KEYS_MAX)
def _is_screened(key: bytes) -> bool:
    return len(key) == KEY_BYTES and _is_pinned_point(key)


def verifies(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether ``signature`` (64 bytes: R, S) is the key's over the message, by the pinned rule."""
    if not _is_screened(key) or len(signature) != SIGNATURE_BYTES or not _is_pinned_point(signature[:32]):
        return False
    return _judge()(key, message, signature)


def in_context(what: str, message: bytes) -> bytes:
    """The bytes to sign: a fixed context first, so that a signature of one purpose is worth nothing for another."""
    return b"keepclear/" + what.encode() + b"/v1\n" + message


class SigningKey:
    """A private key that shows its public half only."""

    __slots__ = ("_private", "public")

    def __init__(self, seed: bytes) -> None:
        if len(seed) != KEY_BYTES:
            raise InputError(f"a private key has {KEY_BYTES} bytes, not {len(seed)}")
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._private.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message)

    def __repr__(self) -> str:
        return f"SigningKey(public={self.public.hex()})"
