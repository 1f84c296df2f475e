"""Any bytes give reports, zones or a typed error: fixed mutations of good inputs, for every format that there is."""

from __future__ import annotations

import contextlib
import importlib.util
import random
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from keepclear.errors import KeepclearError

MUTANTS = 120
HOSTILE = (
    *(b"NaN", b"Infinity", b"-1e400", b"1e309", b"99999999999999999999", b"-0", b"1_0", b"1" * 5000),
    *(b"null", b"true", b'""', b"[]", b"{}", b"[" * 2000, b"{" * 50, b"\\ud800", b"9999-99-99T99:99:99Z"),
    *(b"\x00", b"\xff\xff\xff\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\r", b"\n\n", b"\x1a", b"\xbf\x01\xbf"),
    *(b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"&b;", b"]]>", b"!AIVDM,", b",,,,,,,,"),
)


def _targets() -> ModuleType:
    path = Path(__file__).resolve().parents[2] / "benchmarks" / "fuzz_targets.py"
    spec = importlib.util.spec_from_file_location("fuzz_targets", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["fuzz_targets"] = module
    spec.loader.exec_module(module)
    return module


targets = _targets()


def mutant(good: bytes, other: bytes, chance: random.Random) -> bytes:
    """One to four damages: bits, cuts, repeats, splices, numbers and words replaced."""
    data = bytearray(good)
    for _ in range(chance.randint(1, 4)):
        at, length = chance.randrange(len(data) + 1), chance.randint(1, 40)
        match chance.randrange(7):
            case 0:
                if at < len(data):
                    data[at] ^= 1 << chance.randrange(8)
            case 1:
                del data[at : at + length]
            case 2:
                data[at:at] = data[at : at + length]
            case 3:
                data[at:at] = chance.choice(HOSTILE)
            case 4:
                data[at:] = other[chance.randrange(len(other) + 1) :]
            case 5:
                numbers = list(re.finditer(rb"-?\d+(?:\.\d+)?", bytes(data)))
                if numbers:
                    found = chance.choice(numbers)
                    data[found.start() : found.end()] = chance.choice(HOSTILE)
            case 6:
                data[at : at + 4] = bytes(chance.choice((0, 0x7F, 0x80, 0xFF)) for _ in range(4))
    return bytes(data)


@pytest.mark.parametrize("name", targets.TARGETS)
def test_any_bytes_give_reports_zones_or_a_typed_error(name: str) -> None:
    try:
        good = targets.seeds(name) or [b"\x80"]
    except ImportError as error:
        pytest.skip(f"optional part is not installed: {error}")
    chance = random.Random(f"{name}-1")
    run = targets.TARGETS[name]
    for number in range(MUTANTS):
        data = mutant(chance.choice(good), chance.choice(good), chance)
        try:
            with contextlib.suppress(KeepclearError):
                run(data)
        except Exception as error:
            raise AssertionError(
                f"{name}, mutant {number}: {type(error).__name__}: {error}; input {data[:200]!r}"
            ) from error


@pytest.mark.parametrize("name", targets.TARGETS)
def test_the_seeds_themselves_are_good(name: str) -> None:
    """A seed that its reader refuses would fuzz nothing but the refusal."""
    try:
        good = targets.seeds(name)
    except ImportError as error:
        pytest.skip(f"optional part is not installed: {error}")
    if not good:
        pytest.skip("no seed is made for this format")
    accepted = 0
    for seed in good:
        try:
            targets.TARGETS[name](seed)
        except KeepclearError:
            continue
        accepted += 1
    assert accepted


@pytest.mark.parametrize("name", targets.TARGETS)
@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"\xff" * 3000, b"\x00" * 3000, b"\n" * 3000, b"{" * 3000, b"<a>" * 1000]
)
def test_monotonous_bytes_do_no_harm(name: str, data: bytes) -> None:
    with contextlib.suppress(KeepclearError):
        targets.TARGETS[name](data)
