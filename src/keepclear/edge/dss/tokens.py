"""Bearer tokens for calls to a DSS and to other USSs: each names the host it is for (F3548-21, ``aud``)."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import httpx

from keepclear.errors import InputError, KeepclearError, UsageError

__all__ = ["ClientCredentials", "GivenTokens", "MintedTokens", "TokenRefused", "Tokens", "subject_of"]

RENEW_BEFORE_S = 60.0
"""A token is asked for anew this long before it ends, so that none ends on the way."""
FETCH_S = 10.0
ANSWER_BYTES_MAX = 64 * 1024
TOKENS_KEPT_MAX = 1_000


class TokenRefused(KeepclearError):
    """No token for this host and these scopes is to be had."""


class Tokens(Protocol):
    """Where bearer tokens come from."""

    def bearer(self, url: str, scopes: Iterable[str]) -> str:
        """A token for the URL's host. Raises :class:`TokenRefused`."""


class GivenTokens:
    """Tokens in a file, one a line, or in a text. The file is read again each time, so that it may be renewed."""

    def __init__(self, *, path: Path | None = None, text: str = "") -> None:
        self._path, self._text = path, text

    def bearer(self, url: str, scopes: Iterable[str]) -> str:
        host = urlsplit(url).hostname or ""
        wanted = set(scopes)
        tokens = self._tokens()
        fitting = [token for token in tokens if host in _audiences(token)]
        for token in fitting:
            if wanted <= set(str(_claims(token).get("scope", "")).split()):
                return token
        if fitting:
            return fitting[0]  # the server says better than we what is missing
        audiences = sorted({audience for token in tokens for audience in _audiences(token)})
        raise TokenRefused(f"no token given is for {host}; they are for {', '.join(audiences) or 'nobody'}")

    def subject(self) -> str:
        return subject_of(self._tokens()[0])

    def _tokens(self) -> list[str]:
        text = self._text
        if self._path is not None:
            try:
                text = self._path.read_text("ascii")
            except (OSError, UnicodeDecodeError) as error:
                raise InputError(f"no token can be read ({error})", source=str(self._path)) from None
        tokens = text.split()
        if not tokens:
            raise UsageError("there is no token")
        return tokens


class MintedTokens:
    """Tokens that this process makes itself, for a development server (``keepclear dss token``)."""

    def __init__(self, mint: Callable[[str, tuple[str, ...]], str]) -> None:
        self._mint = mint

    def bearer(self, url: str, scopes: Iterable[str]) -> str:
        return self._mint(urlsplit(url).hostname or "", tuple(sorted(set(scopes))))


class ClientCredentials:
    """RFC 6749 §4.4 at an authorization server. ``intended_audience`` is what UTM's servers call the audience."""

    def __init__(
        self,
        url: str,
        client_id: str,
        secret: str,
        *,
        http: httpx.Client | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not url.startswith(("https://", "http://127.0.0.1", "http://localhost", "http://[::1]")):
            raise UsageError(f"{url}: a secret goes over https, or to this machine")
        self._url, self._id, self._secret = url, client_id, secret
        self._http = http or httpx.Client(timeout=FETCH_S, trust_env=False)
        self._clock = clock
        self._kept: dict[tuple[str, frozenset[str]], tuple[float, str]] = {}

    def bearer(self, url: str, scopes: Iterable[str]) -> str:
        host, wanted = urlsplit(url).hostname or "", frozenset(scopes)
        known = self._kept.get((host, wanted))
        if known is not None and self._clock() < known[0]:
            return known[1]
        token, lasts_s = self._fetch(host, wanted)
        if len(self._kept) >= TOKENS_KEPT_MAX:
            self._kept.clear()
        self._kept[host, wanted] = (self._clock() + lasts_s - RENEW_BEFORE_S, token)
        return token

    def _fetch(self, host: str, scopes: frozenset[str]) -> tuple[str, float]:
        form = {
            "grant_type": "client_credentials", "scope": " ".join(sorted(scopes)), "audience": host,
            "intended_audience": host,
        }  # fmt: skip
        try:
            answer = self._http.post(self._url, data=form, auth=(self._id, self._secret))
            body = answer.content
            if len(body) > ANSWER_BYTES_MAX:
                raise ValueError("the answer is too long")
            said = json.loads(body) if answer.status_code == 200 else {}
            token = said["access_token"] if said else None
            lasts_s = float(said.get("expires_in", 0.0)) if said else 0.0
        except (httpx.HTTPError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise TokenRefused(f"{self._url} gives no token ({type(error).__name__})") from None
        if not isinstance(token, str) or not token.isprintable() or " " in token or not token.isascii():
            raise TokenRefused(f"{self._url} gives no token for {host}: status {answer.status_code}")
        return token, lasts_s


def subject_of(token: str) -> str:
    """Whom the token names, as it says itself: nothing is checked, its issuer's word is the server's business."""
    subject = _claims(token).get("sub")
    if not isinstance(subject, str) or not subject:
        raise UsageError("the token names no subject")
    return subject


def _audiences(token: str) -> list[str]:
    audience = _claims(token).get("aud")
    return [str(one) for one in audience] if isinstance(audience, list) else [str(audience)] if audience else []


def _claims(token: str) -> dict[str, object]:
    try:
        middle = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    except (IndexError, ValueError, RecursionError):
        raise UsageError("what is given is no JSON Web Token") from None
    return claims if isinstance(claims, dict) else {}
