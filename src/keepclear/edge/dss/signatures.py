"""HTTP message signatures (RFC 9421) on calls between USSs and a DSS: that a request is the token bearer's own, whole.

A bearer token alone lets whoever has seen it ask for anything that it allows. A signature binds method, path, query,
token and body to a key that only the bearer has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate

from keepclear.errors import MissingExtra, UsageError

__all__ = ["ACCEPT_SIGNATURE", "BadSignature", "MessageSigner", "SignatureCheck", "covered_by", "read_signature_keys"]

AGE_MAX = timedelta(minutes=5)
CLOCK_SKEW = timedelta(seconds=30)
RSA_BITS_MIN = 2048
FIELD_CHARACTERS_MAX = 4_096
"""One signature with a dozen components takes a few hundred."""
LABEL = "keepclear"
ACCEPT_SIGNATURE = f'{LABEL}=("@method" "@path" "@query" "authorization" "content-digest");created;keyid'
"""What a refusal asks for (RFC 9421 §5.1)."""

PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey
PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
Fields = Sequence[tuple[str, str]]


class BadSignature(Exception):
    """No signature that we take, and why."""


class SignatureCheck:
    """``keys``: the public keys of each subject by key id. ``required``: a request without a signature is refused."""

    def __init__(self, keys: Mapping[str, Mapping[str, PublicKey]], *, required: bool) -> None:
        _library()
        self._keys, self._required = keys, required

    def check(self, subject: str, method: str, url: str, fields: Fields, body: bytes) -> None:
        """Of a request whose token names ``subject``; ``url`` as it was asked for. Raises :class:`BadSignature`."""
        given = {name: value for name, value in fields if name.lower() in ("signature", "signature-input")}
        if not given:
            if self._required:
                raise BadSignature("the request carries no signature (RFC 9421)")
            return
        if any(len(value) > FIELD_CHARACTERS_MAX for value in given.values()):
            raise BadSignature("the signature's fields are too long")
        covered = covered_by(method, url, fields, body, self._keys.get(subject, {}))
        needed = {'"@method"', '"authorization"'} | ({'"content-digest"'} if body else set())
        if '"@target-uri"' not in covered:
            needed |= {'"@path"'} | ({'"@query"'} if "?" in url else set())
        if missing := needed - covered:
            raise BadSignature(f"the signature does not cover {', '.join(sorted(missing))}")


def covered_by(
    method: str, url: str, fields: Fields, body: bytes, keys: Mapping[str, PublicKey], *,
    age_max: timedelta | None = AGE_MAX,
) -> set[str]:  # fmt: skip
    """What a request's one good signature covers, as RFC 9421 writes components. Raises :class:`BadSignature`."""
    library = _library()
    kinds: dict[Any, dict[str, PublicKey]] = {}
    for key_id, key in keys.items():
        kinds.setdefault(_algorithm(key), {})[key_id] = key
    said = "the token's bearer has no key here"
    for algorithm, of_kind in kinds.items():
        resolver = _Resolver(of_kind)
        verifier = library.HTTPMessageVerifier(signature_algorithm=algorithm, key_resolver=resolver)
        verifier.max_clock_skew = CLOCK_SKEW
        try:
            (result,) = verifier.verify(_Message(method.upper(), url, _Headers(fields)), max_age=age_max, body=body)
        except library.HTTPMessageSignaturesException as error:
            said = " ".join(str(error).split())[:160] or "it was made with another key or of another message"
            if resolver.found:
                break
            continue
        return set(result.covered_components) - {'"@signature-params"'}
    raise BadSignature(f"the signature does not hold: {said}")


@dataclass(frozen=True, slots=True)
class MessageSigner:
    """Signs our requests. ``key_id``: under which the other side knows the key."""

    key_id: str
    key: PrivateKey

    @classmethod
    def read(cls, path: Path, key_id: str) -> MessageSigner:
        """From a PEM file. Raises :class:`UsageError`."""
        try:
            key = load_pem_private_key(path.read_bytes(), None)
        except (OSError, ValueError, TypeError) as error:
            raise UsageError(f"{path}: no private key in PEM ({error})") from None
        if not isinstance(key, PrivateKey):
            raise UsageError(f"{path}: keys of this kind do not sign messages here")
        _algorithm(key.public_key(), str(path))
        return cls(key_id, key)

    def sign(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> dict[str, str]:
        """The headers with those of the signature."""
        library = _library()
        signer = library.HTTPMessageSigner(
            signature_algorithm=_algorithm(self.key.public_key()),
            key_resolver=library.MappingKeyResolver(public_keys={}, private_keys={self.key_id: self.key}),
        )
        message = _Message(method, url, dict(headers))
        signer.sign(
            message, key_id=self.key_id, label=LABEL, body=body or None,
            covered_component_ids=("@method", "@path", "@query", "authorization"),
        )  # fmt: skip
        return {name.lower(): value for name, value in message.headers.items()}


def read_signature_keys(folder: Path) -> dict[str, dict[str, PublicKey]]:
    """``FOLDER/SUBJECT/KEYID.pem``: public keys or certificates. Raises :class:`UsageError`."""
    keys: dict[str, dict[str, PublicKey]] = {}
    try:
        for path in sorted(folder.glob("*/*.pem")):
            keys.setdefault(path.parent.name, {})[path.stem] = _read_public(path)
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror}") from None
    if not keys:
        raise UsageError(f"{folder}: there are no keys SUBJECT/KEYID.pem in it")
    return keys


def _read_public(path: Path) -> PublicKey:
    data = path.read_bytes()
    try:
        certificate = b"BEGIN CERTIFICATE" in data
        key = load_pem_x509_certificate(data).public_key() if certificate else load_pem_public_key(data)
    except (ValueError, TypeError) as error:
        raise UsageError(f"{path}: no public key or certificate in PEM ({error})") from None
    if not isinstance(key, PublicKey):
        raise UsageError(f"{path}: keys of this kind do not sign messages here")
    _algorithm(key, str(path))
    return key


def _algorithm(key: PublicKey, where: str = "") -> Any:
    """The key alone decides, never what a message says (RFC 9421 §3.2, §7.3.6)."""
    algorithms = _library().algorithms
    if isinstance(key, ed25519.Ed25519PublicKey):
        return algorithms.ED25519
    if isinstance(key, ec.EllipticCurvePublicKey):
        for curve, algorithm in (
            (ec.SECP256R1, algorithms.ECDSA_P256_SHA256), (ec.SECP384R1, algorithms.ECDSA_P384_SHA384)
        ):  # fmt: skip
            if isinstance(key.curve, curve):
                return algorithm
        raise UsageError(f"{where}: of elliptic curves, P-256, P-384 and Ed25519 are taken")
    if key.key_size < RSA_BITS_MIN:
        raise UsageError(f"{where}: RSA keys need {RSA_BITS_MIN} bits")
    return algorithms.RSA_PSS_SHA512


@dataclass(slots=True)
class _Resolver:
    keys: Mapping[str, PublicKey]
    found: bool = False

    def resolve_public_key(self, key_id: str) -> PublicKey | None:
        self.found = key_id in self.keys
        return self.keys.get(key_id)


class _Headers(dict[str, str]):
    """Field lines as they came: of several with one name all count."""

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self._fields = list(fields)

    def items(self) -> Any:
        return self._fields


@dataclass(frozen=True, slots=True)
class _Message:
    method: str
    url: str
    headers: dict[str, str]


def _library() -> Any:
    try:
        import http_message_signatures
    except ImportError:
        raise MissingExtra("message signatures", "signatures") from None
    return http_message_signatures
