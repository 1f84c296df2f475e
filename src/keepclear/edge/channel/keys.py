"""A node's private keys: made once, kept encrypted, opened with a passphrase; and the certificate that goes with them.

One file holds the four keys, sealed with AES-256-GCM under a key that scrypt (RFC 7914) makes of the passphrase. The
TLS key lies beside it as an encrypted PEM file, since OpenSSL wants a file; its password is in the sealed one.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.x509.oid import NameOID

from keepclear.channel.canonical import decode, encode
from keepclear.channel.signature import KEY_BYTES, SigningKey
from keepclear.edge.whole_file import write_bytes
from keepclear.errors import InputError

__all__ = ["NodeKeys", "create_keys", "open_keys"]

PURPOSES = ("entry", "log", "mirror")
SCRYPT_N = 2**17
"""With r = 8: 128 MiB and some 0.4 s a guess (OWASP Password Storage Cheat Sheet)."""
_SCRYPT_N_MAX = 2**20
"""A sealed file from elsewhere must not make us take more than 1 GiB."""
CERTIFICATE_DAYS = 3_650
"""It is pinned in the charter and changed with it; expiry alone must not silence a channel."""
_AAD = b"keepclear/keys/v1"


class _Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    n: Annotated[int, msgspec.Meta(ge=2**10, le=_SCRYPT_N_MAX)]
    salt: str
    nonce: str
    sealed: str
    kdf: Literal["scrypt"] = "scrypt"
    v: Literal[1] = 1


@dataclass(frozen=True, slots=True)
class NodeKeys:
    entry: SigningKey
    log: SigningKey
    mirror: SigningKey
    tls_certificate: Path
    tls_key: Path
    tls_password: str

    def __repr__(self) -> str:
        return "NodeKeys(…)"

    @property
    def certificate_der(self) -> bytes:
        certificate = x509.load_pem_x509_certificate(self.tls_certificate.read_bytes())
        return certificate.public_bytes(serialization.Encoding.DER)


def create_keys(folder: Path, party: str, url: str, passphrase: str, *, scrypt_n: int = SCRYPT_N) -> NodeKeys:
    """New keys for a party whose node answers at ``url``. Raises :class:`InputError` where keys are already kept."""
    if (folder / "keys.json").exists():
        raise InputError("there are keys already; a new party needs a new folder", source=str(folder))
    if not passphrase:
        raise InputError("an empty passphrase protects nothing; give one of several words")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    seeds = {purpose: secrets.token_bytes(KEY_BYTES) for purpose in PURPOSES}
    password = secrets.token_hex(KEY_BYTES)
    key_pem, certificate_pem = _certificate(party, url, password)
    write_bytes(folder / "tls-key.pem", key_pem, private=True)
    write_bytes(folder / "tls-certificate.pem", certificate_pem, private=True)
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    secret = encode({**{p: s.hex() for p, s in seeds.items()}, "tls_password": password})
    sealed = AESGCM(_derive(passphrase, salt, scrypt_n)).encrypt(nonce, secret, _AAD)
    # Last, since its presence says that there are keys.
    write_bytes(folder / "keys.json", encode(_Sealed(scrypt_n, _text(salt), _text(nonce), _text(sealed))), private=True)
    return open_keys(folder, passphrase)


def open_keys(folder: Path, passphrase: str) -> NodeKeys:
    path = folder / "keys.json"
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise InputError("there is no node here; make one with «keepclear node init»", source=str(folder)) from None
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", source=str(path)) from None
    try:
        kept = decode(data, _Sealed, what="the key file")
        salt, nonce, sealed = (b64decode(t, validate=True) for t in (kept.salt, kept.nonce, kept.sealed))
        secret = AESGCM(_derive(passphrase, salt, kept.n)).decrypt(nonce, sealed, _AAD)
    except InvalidTag:
        raise InputError("the passphrase does not open the keys", source=str(path)) from None
    except (InputError, ValueError) as error:
        raise InputError(f"the key file is damaged ({error})", source=str(path)) from None
    values = msgspec.json.decode(secret, type=dict[str, str])
    entry, log, mirror = (SigningKey(bytes.fromhex(values[purpose])) for purpose in PURPOSES)
    return NodeKeys(
        entry, log, mirror, folder / "tls-certificate.pem", folder / "tls-key.pem", values["tls_password"]
    )  # fmt: skip


def _derive(passphrase: str, salt: bytes, n: int) -> bytes:
    return Scrypt(salt=salt, length=32, n=n, r=8, p=1).derive(passphrase.encode())


def _text(data: bytes) -> str:
    return b64encode(data).decode()


def _certificate(party: str, url: str, password: str) -> tuple[bytes, bytes]:
    host = urlsplit(url).hostname
    if not host or not url.startswith("https://"):
        raise InputError(f"{url!r} is not an https address; a node answers at one, e.g. https://line.example:8443")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, party)])
    now = dt.datetime.now(dt.UTC)
    try:
        alternative: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        alternative = x509.DNSName(host)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=CERTIFICATE_DAYS))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return (
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(password.encode()),
        ),
        certificate.public_bytes(serialization.Encoding.PEM),
    )
