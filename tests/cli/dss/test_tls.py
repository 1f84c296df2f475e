"""The DSS over TLS, with message signatures required: a real process, a real handshake, the commands as they are."""

from __future__ import annotations

import datetime
import ipaddress
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

from keepclear.cli.main import run

ROOT = Path(__file__).resolve().parents[3]
START_S = 120


def write_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return key


def write_certificate(folder: Path) -> None:
    key = write_key(folder / "tls.key")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        ).sign(key, hashes.SHA256())
    )  # fmt: skip
    (folder / "tls.pem").write_bytes(certificate.public_bytes(Encoding.PEM))


@pytest.fixture
def served(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[str]:
    write_certificate(tmp_path)
    signing = write_key(tmp_path / "signing.key")
    (tmp_path / "keys" / "uss1").mkdir(parents=True)
    public = signing.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "keys" / "uss1" / "first.pem").write_bytes(public)
    issuer = ["--key", str(tmp_path / "issuer.key"), "--sub", "uss1", "--aud", "127.0.0.1"]
    assert run(["dss", "token", *issuer, "--scope", "utm.availability_arbitration"]) == 0
    (tmp_path / "token").write_text(capsys.readouterr().out)
    process = subprocess.Popen(
        [sys.executable, "-m", "keepclear.cli.main", "dss", "serve", "--port", "0", "--database",
         str(tmp_path / "dss.sqlite"), "--jwt-public-key", str(tmp_path / "issuer.key.pub"), "--jwt-audience",
         "127.0.0.1", "--development", "--quiet", "--tls-certificate", str(tmp_path / "tls.pem"), "--tls-key",
         str(tmp_path / "tls.key"), "--signatures", "required", "--signature-keys", str(tmp_path / "keys")],
        stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip
    assert process.stderr is not None
    yield process.stderr.readline().removeprefix("DSS at ").strip()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=START_S) == 0
    assert process.stderr.read() == ""
    process.stderr.close()


def test_only_who_is_trusted_and_signs_is_served(
    served: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert served.startswith("https://127.0.0.1:")
    port = int(served.rpartition(":")[2])
    trusting = ssl.create_default_context(cafile=str(tmp_path / "tls.pem"))
    with socket.create_connection(("127.0.0.1", port)) as plain, trusting.wrap_socket(
        plain, server_hostname="127.0.0.1"
    ) as secure:  # fmt: skip
        assert secure.version() in ("TLSv1.2", "TLSv1.3")
    with socket.create_connection(("127.0.0.1", port)) as plain, pytest.raises(ssl.SSLCertVerificationError):
        ssl.create_default_context().wrap_socket(plain, server_hostname="127.0.0.1")
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"http://127.0.0.1:{port}/healthy")
    bearer = {"authorization": f"Bearer {(tmp_path / 'token').read_text().strip()}"}
    url = f"{served}/dss/v1/uss_availability/uss7"
    assert httpx.get(f"{served}/healthy", verify=trusting).status_code == 200
    refused = httpx.get(url, headers=bearer, verify=trusting)
    assert refused.status_code == 401
    assert "no signature" in refused.json()["message"]
    assert '"authorization"' in refused.headers["accept-signature"]
    # The client of ours, over the same wire: with the key that is known, and with another.
    from keepclear.edge.dss.client import DssClient, DssRefused
    from keepclear.edge.dss.signatures import MessageSigner
    from keepclear.edge.dss.tokens import GivenTokens

    write_key(tmp_path / "other.key")
    for name, holds in (("signing.key", True), ("other.key", False)):
        signer = MessageSigner.read(tmp_path / name, "first")
        tokens = GivenTokens(path=tmp_path / "token")
        with DssClient(served, tokens, ca_file=tmp_path / "tls.pem", signer=signer) as client:
            if holds:
                assert client.put_availability("uss7", "", "Down")["status"]["availability"] == "Down"
                continue
            with pytest.raises(DssRefused, match="401"):
                client.put_availability("uss7", "", "Normal")


def test_the_commands_sign_and_trust_as_they_are_told(
    served: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    query = ["dss", "query", "--dss", served, "--area", "46,7,5", "--development-key", str(tmp_path / "issuer.key"),
             "--sub", "uss1", "--format", "json"]  # fmt: skip
    trust = ["--ca-file", str(tmp_path / "tls.pem")]
    sign = ["--signing-key", str(tmp_path / "signing.key"), "--signing-key-id", "first"]
    assert run([*query, *trust, *sign]) == 0
    assert run([*query, *trust]) == 2
    assert "no signature" in capsys.readouterr().err
    assert run([*query, *sign, "--ca-file", str(tmp_path / "token")]) == 2
    assert run([*query, *trust, "--signing-key", str(tmp_path / "signing.key")]) == 2
    assert "belong together" in capsys.readouterr().err
    serve = ["dss", "serve", "--database", "x", "--jwt-audience", "x", "--jwks", "https://x/y"]
    assert run([*serve, "--signatures", "required"]) == 2
    assert run([*serve, "--signature-keys", str(tmp_path)]) == 2
    assert json.dumps(capsys.readouterr().err).count("keepclear: ") == 2
