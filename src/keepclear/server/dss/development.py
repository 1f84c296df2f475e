"""Tokens for trying things out. They carry an issuer that a server in production refuses, whatever key it trusts."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from keepclear.errors import UsageError
from keepclear.server.dss.tokens import DEVELOPMENT_ISSUER

__all__ = ["development_key", "development_token"]


def development_key(path: Path) -> EllipticCurvePrivateKey:
    """The key in the file; made, with its public half in ``FILE.pub``, if there is none."""
    if not path.exists():
        key = generate_private_key(SECP256R1())
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(private)
        path.with_name(path.name + ".pub").write_bytes(public)
    try:
        loaded = load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError) as error:
        raise UsageError(f"{path}: no private key in PEM ({error})") from None
    if not isinstance(loaded, EllipticCurvePrivateKey) or not isinstance(loaded.curve, SECP256R1):
        raise UsageError(f"{path}: not a key that this command made (EC on P-256); name another file")
    return loaded


def development_token(
    key: EllipticCurvePrivateKey, subject: str, scopes: Sequence[str], audience: str, now_s: int, expires_s: int
) -> str:
    """A JWT with the claims that F3548-21 asks for."""
    claims = {
        "iss": DEVELOPMENT_ISSUER, "sub": subject, "aud": audience, "scope": " ".join(scopes), "nbf": now_s - 1,
        "exp": now_s + expires_s, "jti": secrets.token_urlsafe(16),
    }  # fmt: skip
    return jwt.encode(claims, key, algorithm="ES256")
