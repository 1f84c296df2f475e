"""Holds true that zone files come from the disk whole, bounded and with their names in every refusal."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from keepclear.edge import zone_files
from keepclear.edge.zone_files import load_zones, read_firs, read_zone_file
from keepclear.errors import InputError, LimitExceeded
from keepclear.quantities import parse_instant

GOOD = "AC R\nAN {}\nAL GND\nAH FL100\nV X=48:30:00 N 008:30:00 E\nDC {}\n"


def file(tmp_path: Path, name: str, content: str | bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        (gzip.compress(b"x" * 1000, mtime=0)[:-9], "gzip is broken"),
        (b"\x1f\x8bnonsense", "gzip is broken"),
        (b"some words", "no zone format that we know"),
    ],
)
def test_a_refused_file_is_named(tmp_path: Path, content: bytes, reason: str) -> None:
    path = file(tmp_path, "x.dat", content)
    with pytest.raises(InputError, match=reason) as caught:
        read_zone_file(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_file_that_unpacks_to_too_much_is_refused_and_not_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zone_files, "FILE_BYTES_MAX", 10_000)
    bomb = file(tmp_path, "x.openair.gz", gzip.compress(b"*" * 5_000_000))
    with pytest.raises(LimitExceeded):
        read_zone_file(bomb)


def test_the_same_zone_twice_is_one_and_a_contradiction_is_told(tmp_path: Path) -> None:
    first = file(tmp_path, "a.openair", GOOD.format("X", 2))
    load = load_zones([first, first])
    assert (len(load.zones), load.problems) == (1, ())
    load = load_zones([first, file(tmp_path, "b.openair", GOOD.format("X", 3))])
    assert len(load.zones) == 1
    assert "already given otherwise" in load.errors[0].reason


def test_a_directory_without_zone_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no zone file"):
        load_zones([tmp_path])


def test_outlines_without_codes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="ICAO code"):
        read_firs(file(tmp_path, "a.openair", GOOD.format("SOMEWHERE", 2)))
    index = read_firs(file(tmp_path, "b.openair", GOOD.format("UKBV FIR", 2)))
    assert "UKBV" in index


def test_a_notam_is_replaced_or_cancelled_from_another_file_too(tmp_path: Path) -> None:
    def notam(number: str, kind: str, refers: str, begin: str) -> str:
        return (
            f"{number} NOTAM{kind} {refers}\nQ) EGTT/QRTCA/IV/BO/W/000/050/5129N00028W005\n"
            f"A) EGTT B) {begin} C) 2001300600\nE) TEMPORARY RESTRICTED AREA ACTIVE"
        )

    file(tmp_path, "a.txt", notam("A0003/20", "C", "A0002/20", "2001030600"))
    file(tmp_path, "b.txt", notam("A0001/20", "N", "", "2001010600"))
    file(tmp_path, "c.txt", notam("A0002/20", "R", "A0001/20", "2001020600"))
    zones = {zone.id: zone for zone in load_zones([tmp_path]).zones}
    assert {id: zone.status.name for id, zone in zones.items()} == {"A0001/20": "EXPIRED", "A0002/20": "WITHDRAWN"}
    assert zones["A0001/20"].applicability[-1].to_s == parse_instant("2020-01-02T06:00:00Z")
    assert zones["A0002/20"].applicability[-1].to_s == parse_instant("2020-01-03T06:00:00Z")
