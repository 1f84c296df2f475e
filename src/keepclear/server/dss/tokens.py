"""Bearer tokens (RFC 6750): JSON Web Tokens signed by a key that we were told to trust (RFC 7519, RFC 8725)."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate

from keepclear.dss.request import Caller
from keepclear.errors import UsageError

__all__ = ["DEVELOPMENT_ISSUER", "BadToken", "FileKeys", "JwksKeys", "TokenCheck"]

ALGORITHMS = ("RS256", "ES256")
"""What the standards name and what is as common. The key decides which of them a token may use."""
RSA_BITS_MIN = 2048
TOKEN_CHARACTERS_MAX = 8_192
"""Servers and proxies cut longer headers."""
LEEWAY_S = 5.0
"""Clocks of parties who keep time at all agree this well."""
REMEMBERED_MAX = 4_096
"""Tokens whose signature need not be checked again; each is held until it expires or room is needed."""
DEVELOPMENT_ISSUER = "keepclear-development"
"""Signs itself as what it is: a server takes its tokens only when told that it is a development server."""
JWKS_BYTES_MAX = 1 << 20
JWKS_FETCH_S = 5.0
JWKS_KEEP_S = 600.0
"""Keys withdrawn by the issuer are believed no longer than this."""
JWKS_PAUSE_S = 15.0
"""Between two fetches, so that tokens with invented key ids are no load for the issuer."""
SUBJECT_CHARACTERS_MAX = 256

Key = RSAPublicKey | EllipticCurvePublicKey


class BadToken(Exception):
    """Not a token that we take, and why; never the token itself."""


class Keys(Protocol):
    """The issuer's public keys."""

    async def candidates(self, key_id: str | None) -> Sequence[Key]: ...


class FileKeys:
    """Keys or certificates in PEM files. Raises :class:`UsageError`."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._keys = [_load(path) for path in paths]

    async def candidates(self, key_id: str | None) -> Sequence[Key]:
        return self._keys


class JwksKeys:
    """A key set behind a URL (RFC 7517), fetched when needed and not too often."""

    def __init__(self, url: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        parts = urlsplit(url)
        local = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")
        if not (parts.scheme == "https" and parts.hostname) and not local:
            raise UsageError(f"--jwks {url}: keys come over https, or from this machine")
        self._url = url
        self._clock = clock
        self._keys: dict[str | None, list[Key]] = {}
        self._fetched_s = -JWKS_KEEP_S
        self._tried_s = -JWKS_PAUSE_S
        self._fetching = asyncio.Lock()

    async def candidates(self, key_id: str | None) -> Sequence[Key]:
        async with self._fetching:
            now_s = self._clock()
            old = now_s - self._fetched_s > JWKS_KEEP_S
            if (old or key_id not in self._keys) and now_s - self._tried_s >= JWKS_PAUSE_S:
                self._tried_s = now_s
                try:
                    self._keys = await asyncio.to_thread(_fetch, self._url)
                    self._fetched_s = now_s
                except (OSError, ValueError, urllib.error.URLError):
                    if old:
                        self._keys = {}
        if key_id is None:
            return [key for keys in self._keys.values() for key in keys]
        return self._keys.get(key_id, ())


class TokenCheck:
    """Who bears the token, and with which scopes."""

    def __init__(
        self,
        keys: Keys,
        audiences: Sequence[str],
        *,
        issuer: str | None = None,
        development: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not audiences:
            raise UsageError("name the host names that tokens for this server carry: --jwt-audience HOST")
        self._keys = keys
        self._audiences = list(audiences)
        self._issuer = issuer
        self._development = development
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, Caller]] = OrderedDict()

    async def caller(self, authorization: str | None) -> Caller:
        """Of an Authorization header. Raises :class:`BadToken`."""
        if authorization is None:
            raise BadToken("no bearer token was given")
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise BadToken("the Authorization header must be «Bearer <token>»")
        known = self._known.get(token)
        if known is not None and self._clock() < known[0]:
            return known[1]
        claims = await self._claims(token)
        caller = Caller(_subject(claims), frozenset(_scopes(claims)))
        self._known[token] = (float(claims["exp"]) + LEEWAY_S, caller)
        if len(self._known) > REMEMBERED_MAX:
            self._known.popitem(last=False)
        return caller

    async def _claims(self, token: str) -> dict[str, Any]:
        if len(token) > TOKEN_CHARACTERS_MAX:
            raise BadToken("the token is too long")
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError:
            raise BadToken("the token is no JSON Web Token") from None
        algorithm, key_id = header.get("alg"), header.get("kid")
        if algorithm not in ALGORITHMS:
            raise BadToken(f"the token's algorithm must be one of {', '.join(ALGORITHMS)}")
        if "crit" in header or not isinstance(key_id, str | None):
            raise BadToken("the token's header asks for something unknown")
        wanted = RSAPublicKey if algorithm == "RS256" else EllipticCurvePublicKey
        keys = [key for key in await self._keys.candidates(key_id) if isinstance(key, wanted)]
        said = "no key that we trust has signed the token"
        for key in keys:
            try:
                claims: dict[str, Any] = jwt.decode(
                    token, key, algorithms=[algorithm], audience=self._audiences, issuer=self._issuer,
                    leeway=LEEWAY_S, options={"require": ["exp", "sub", "aud"]},
                )  # fmt: skip
            except jwt.InvalidSignatureError:
                continue
            except jwt.InvalidAudienceError:
                said = f"the token's audience is none of {', '.join(self._audiences)}"
            except jwt.ExpiredSignatureError:
                said = "the token has expired"
            except (jwt.PyJWTError, ValueError, TypeError) as error:
                said = f"the token is not acceptable: {' '.join(str(error).split())[:120]}"
            else:
                if claims.get("iss") == DEVELOPMENT_ISSUER and not self._development:
                    raise BadToken("the token comes from the development issuer")
                return claims
            break
        raise BadToken(said)


def _subject(claims: dict[str, Any]) -> str:
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= SUBJECT_CHARACTERS_MAX or not subject.isprintable():
        raise BadToken("the token's subject is not a name")
    return subject


def _scopes(claims: dict[str, Any]) -> list[str]:
    scope = claims.get("scope", "")
    return scope.split() if isinstance(scope, str) else []


def _load(path: Path) -> Key:
    try:
        text = path.read_bytes()
        key = (
            load_pem_x509_certificate(text).public_key() if b"BEGIN CERTIFICATE" in text else load_pem_public_key(text)
        )
    except (ValueError, TypeError) as error:
        raise UsageError(f"{path}: no public key or certificate in PEM ({error})") from None
    return _usable(key, str(path))


def _usable(key: object, source: str) -> Key:
    if isinstance(key, RSAPublicKey) and key.key_size >= RSA_BITS_MIN:
        return key
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return key
    raise UsageError(f"{source}: a key must be RSA of at least {RSA_BITS_MIN} bits, or EC on P-256")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Where keys come from is configured, not told by whoever answers."""

    def redirect_request(self, *arguments: Any, **named: Any) -> None:
        return None


def _fetch(url: str) -> dict[str | None, list[Key]]:
    opener = urllib.request.build_opener(_NoRedirect)
    with opener.open(url, timeout=JWKS_FETCH_S) as answer:
        body = answer.read(JWKS_BYTES_MAX + 1)
    if len(body) > JWKS_BYTES_MAX:
        raise ValueError("the key set is too large")
    return read_key_set(body)


def read_key_set(body: bytes) -> dict[str | None, list[Key]]:
    """The usable keys of an RFC 7517 key set by their names; others are passed over. Raises ``ValueError``."""
    try:
        document = json.loads(body)
    except RecursionError:
        raise ValueError("brackets nested without end") from None
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise ValueError("no key set")
    keys: dict[str | None, list[Key]] = {}
    for described in listed:
        if not isinstance(described, dict) or described.get("use", "sig") != "sig":
            continue
        name = described.get("kid")
        try:
            key = _usable(jwt.PyJWK(described).key, "the key set")
        except (jwt.PyJWTError, UsageError, LookupError, ValueError, TypeError, AttributeError):
            continue  # a key of another kind beside ours, or none
        if isinstance(name, str | None):
            keys.setdefault(name, []).append(key)
    return keys
