"""Message signatures: the examples of RFC 9421, what must be covered, and whatever was changed on the way."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)

from keepclear.edge.dss.signatures import BadSignature, MessageSigner, SignatureCheck, covered_by, read_signature_keys
from keepclear.errors import UsageError

# ruff: noqa: E501 - as the RFC writes them
# RFC 9421, B.1.4 (test-key-ed25519), B.2 (test-request) and B.2.6.
RFC_KEY: Any = load_pem_public_key(
    b"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=\n-----END PUBLIC KEY-----\n"
)
RFC_BODY = b'{"hello": "world"}'
RFC_FIELDS = {
    "host": "example.com",
    "date": "Tue, 20 Apr 2021 02:07:55 GMT",
    "content-type": "application/json",
    "content-digest": "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:",
    "content-length": "18",
    "signature-input": 'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;'
    'keyid="test-key-ed25519"',
    "signature": "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:",
}
RFC_URL = "https://example.com/foo?param=Value&Pet=dog"
URL = "https://dss.example/dss/v1/subscriptions/x?y=1"
BODY = b'{"a": 1}'
TOKEN = {"authorization": "Bearer abc", "content-type": "application/json"}


def test_the_rfcs_example_verifies_and_a_changed_one_does_not() -> None:
    def covered(fields: Mapping[str, str], url: str = RFC_URL) -> set[str]:
        return covered_by("POST", url, list(fields.items()), b"", {"test-key-ed25519": RFC_KEY}, age_max=None)

    # B.2.6 covers no digest, so the body is left out here.
    plain = {name: value for name, value in RFC_FIELDS.items() if name != "content-digest"}
    assert covered(plain) == {'"date"', '"@method"', '"@path"', '"@authority"', '"content-type"', '"content-length"'}
    with pytest.raises(BadSignature):
        covered({**plain, "date": "Tue, 20 Apr 2021 02:07:56 GMT"})
    with pytest.raises(BadSignature):
        covered(plain, "https://example.com/fooo")
    with pytest.raises(BadSignature, match="age"):
        covered_by("POST", RFC_URL, list(plain.items()), b"", {"test-key-ed25519": RFC_KEY})


KEYS: list[Any] = [
    ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1()),
    ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(public_exponent=65537, key_size=2048),
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=lambda key: type(key).__name__)
def test_what_is_signed_holds_for_its_bearer_and_nothing_of_it_may_change(key: Any) -> None:
    """Among keys of other kinds, too."""
    others = {f"other{n}": other.public_key() for n, other in enumerate(KEYS)}
    check = SignatureCheck({"uss1": {**others, "k": key.public_key()}, "uss2": others}, required=True)
    signed = MessageSigner("k", key).sign("PUT", URL, TOKEN, BODY)
    fields = list(signed.items())
    check.check("uss1", "PUT", URL, fields, BODY)
    changed: list[tuple[str, str, str, list[tuple[str, str]], bytes]] = [
        ("uss2", "PUT", URL, fields, BODY),
        ("uss3", "PUT", URL, fields, BODY),
        ("uss1", "DELETE", URL, fields, BODY),
        ("uss1", "PUT", URL.replace("x", "z"), fields, BODY),
        ("uss1", "PUT", URL.replace("y=1", "y=2"), fields, BODY),
        ("uss1", "PUT", URL, list({**signed, "authorization": "Bearer abd"}.items()), BODY),
        ("uss1", "PUT", URL, fields, BODY + b" "),
        ("uss1", "PUT", URL, fields, b""),
        ("uss1", "PUT", URL, list({**signed, "content-digest": "sha-256=:AAAA:"}.items()), BODY),
        ("uss1", "PUT", URL, [*fields, ("authorization", "Bearer more")], BODY),
        ("uss1", "PUT", URL, [(n, v) for n, v in fields if n.lower() != "signature"], BODY),
        ("uss1", "PUT", URL, list({**signed, "signature": signed["signature"].replace(":", ":AAAA", 1)}.items()), BODY),
    ]  # fmt: skip
    for given in changed:
        with pytest.raises(BadSignature):
            check.check(*given)


def test_a_signature_that_covers_too_little_is_refused() -> None:
    import http_message_signatures as library

    key = ed25519.Ed25519PrivateKey.generate()
    signer = library.HTTPMessageSigner(
        signature_algorithm=library.algorithms.ED25519,
        key_resolver=library.MappingKeyResolver(public_keys={}, private_keys={"k": key}),
    )
    check = SignatureCheck({"uss1": {"k": key.public_key()}}, required=True)

    def ask(*covered: str, body: bytes = b"") -> None:
        class Message:
            method, url, headers = "PUT", URL, dict(TOKEN)

        signer.sign(Message, key_id="k", covered_component_ids=covered)
        check.check("uss1", "PUT", URL, [(n.lower(), v) for n, v in Message.headers.items()], body)

    ask("@method", "@target-uri", "authorization")
    ask("@method", "@path", "@query", "authorization")
    for covered in (
        ("@method", "@path", "authorization"), ("@path", "@query", "authorization"), ("@method", "@path", "@query")
    ):  # fmt: skip
        with pytest.raises(BadSignature, match="cover"):
            ask(*covered)
    with pytest.raises(BadSignature, match="Digest"):
        ask("@method", "@target-uri", "authorization", body=BODY)


def test_optional_lets_pass_what_has_no_signature_and_nothing_else() -> None:
    key = KEYS[0]
    keys = {"uss1": {"k": key.public_key()}}
    fields = list(TOKEN.items())
    SignatureCheck(keys, required=False).check("uss1", "PUT", URL, fields, BODY)
    with pytest.raises(BadSignature, match="no signature"):
        SignatureCheck(keys, required=True).check("uss1", "PUT", URL, fields, BODY)
    for strange in ("", "x", 'a=("@method")', "a=:AAAA:", "a" * 5000, '"', "é"):
        for name in ("signature", "signature-input"):
            with pytest.raises(BadSignature):
                SignatureCheck(keys, required=False).check("uss1", "PUT", URL, [*fields, (name, strange)], BODY)


def test_signatures_of_long_ago_or_of_the_future_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from keepclear.edge.dss import signatures as dss_signatures

    key = KEYS[0]
    fields = list(MessageSigner("k", key).sign("GET", URL, TOKEN, None).items())
    check = SignatureCheck({"uss1": {"k": key.public_key()}}, required=True)
    check.check("uss1", "GET", URL, fields, b"")
    monkeypatch.setattr(dss_signatures, "AGE_MAX", timedelta(0))
    monkeypatch.setattr(dss_signatures, "CLOCK_SKEW", timedelta(seconds=-3600))
    with pytest.raises(BadSignature, match="future"):
        check.check("uss1", "GET", URL, fields, b"")


def test_keys_are_files_named_by_whose_they_are(tmp_path: Path) -> None:
    folder = tmp_path / "uss1.example"
    folder.mkdir()
    with pytest.raises(UsageError, match="no keys"):
        read_signature_keys(tmp_path)
    (folder / "k1.pem").write_bytes(KEYS[0].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert set(read_signature_keys(tmp_path)["uss1.example"]) == {"k1"}
    (folder / "k2.pem").write_text("no key")
    with pytest.raises(UsageError, match=r"k2\.pem"):
        read_signature_keys(tmp_path)
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    (folder / "k2.pem").write_bytes(weak.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(UsageError, match="2048"):
        read_signature_keys(tmp_path)
    private = tmp_path / "own.key"
    private.write_bytes(KEYS[1].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    assert MessageSigner.read(private, "k").key_id == "k"
    with pytest.raises(UsageError, match="private key"):
        MessageSigner.read(folder / "k1.pem", "k")
