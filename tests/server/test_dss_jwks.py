"""Keys from a key set's URL: fetched when needed and not too often, by key id, of the kinds that we take."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from keepclear.errors import UsageError
from keepclear.server.dss.tokens import JWKS_KEEP_S, JWKS_PAUSE_S, BadToken, JwksKeys, TokenCheck

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
SMALL = rsa.generate_private_key(public_exponent=65537, key_size=1024)


class Issuer:
    """Serves a key set and counts how often it is asked."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = []
        self.status, self.asked = 200, 0
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked += 1
                body = json.dumps({"keys": issuer.keys}).encode()
                self.send_response(issuer.status)
                if issuer.status == 302:
                    self.send_header("location", "https://elsewhere.example.org/keys")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                return

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/keys"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    issuer = Issuer()
    issuer.keys = [described(RSA, "one"), described(EC, "two")]
    yield issuer
    issuer.stop()


def described(key: Any, kid: str) -> dict[str, Any]:
    algorithm = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    return {**json.loads(algorithm.to_jwk(key.public_key())), "kid": kid, "use": "sig"}


def token(key: Any, kid: str | None) -> str:
    algorithm = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
    claims = {"sub": "uss1", "aud": "localhost", "exp": time.time() + 600, "n": time.monotonic_ns()}
    return "Bearer " + jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid} if kid else None)


def take(check: TokenCheck, *tokens: str) -> list[bool]:
    async def main() -> list[bool]:
        results = []
        for text in tokens:
            try:
                results.append((await check.caller(text)).subject == "uss1")
            except BadToken:
                results.append(False)
        return results

    return asyncio.run(main())


def test_keys_are_found_by_their_id_and_fetched_once(issuer: Issuer) -> None:
    check = TokenCheck(JwksKeys(issuer.url), ["localhost"])
    assert take(check, token(RSA, "one"), token(EC, "two"), token(RSA, None)) == [True, True, True]
    assert take(check, token(RSA, "two"), token(EC, "one")) == [False, False]
    assert issuer.asked == 1


def test_unknown_ids_do_not_make_load_and_a_new_key_is_found_after_a_pause(issuer: Issuer) -> None:
    now = [0.0]
    check = TokenCheck(JwksKeys(issuer.url, clock=lambda: now[0]), ["localhost"])
    new = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert take(check, *(token(new, f"new{k}") for k in range(5))) == [False] * 5
    assert issuer.asked == 1
    issuer.keys.append(described(new, "new"))
    now[0] += JWKS_PAUSE_S
    assert take(check, token(new, "new")) == [True]


def test_keys_that_were_withdrawn_are_believed_no_longer_than_stated(issuer: Issuer) -> None:
    now = [0.0]
    check = TokenCheck(JwksKeys(issuer.url, clock=lambda: now[0]), ["localhost"])
    assert take(check, token(RSA, "one")) == [True]
    issuer.keys = []
    now[0] += JWKS_KEEP_S + 1
    assert take(check, token(RSA, "one")) == [False]


@pytest.mark.parametrize("status", [302, 404, 500])
def test_an_issuer_that_does_not_answer_is_no_issuer(issuer: Issuer, status: int) -> None:
    issuer.status = status
    assert take(TokenCheck(JwksKeys(issuer.url), ["localhost"]), token(RSA, "one")) == [False]


def test_weak_keys_and_keys_for_other_uses_are_passed_over(issuer: Issuer) -> None:
    issuer.keys = [described(SMALL, "small"), {**described(RSA, "enc"), "use": "enc"}, {"kty": "oct", "k": "AAAA"}]
    check = TokenCheck(JwksKeys(issuer.url), ["localhost"])
    assert take(check, token(RSA, "enc")) == [False]


def test_keys_come_over_https_or_from_this_machine() -> None:
    for url in ("http://auth.example.org/keys", "http://localhost.example.org/keys", "file:///etc/keys", "https://"):
        with pytest.raises(UsageError, match="https"):
            JwksKeys(url)
