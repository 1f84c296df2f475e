"""Holds true that ``keepclear zones`` says what is wrong, shows what is there and converts without hiding a loss."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from keepclear.cli.main import run
from keepclear.cli.zones import _READABLE, _WRITABLE
from keepclear.zones import formats

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/data is absent")

GOOD = "AC R\nAN EAST\nAL GND\nAH FL100\nV X=48:30:00 N 008:30:00 E\nDC 2\n"
BAD = "AC R\nAN WEST\nAL GND\nAH FL100\nDP nowhere\n"


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.openair"
    path.write_text(GOOD)
    return path


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    path = tmp_path / "mixed.openair"
    path.write_text(GOOD + BAD)
    return path


def test_the_commands_names_are_the_registrys() -> None:
    assert set(_READABLE) == set(formats.READABLE)
    assert set(_WRITABLE) == set(formats.WRITABLE)


def test_validate_is_0_for_good_1_for_found_2_for_unreadable(
    good: Path, mixed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["zones", "validate", str(good)]) == 0
    assert capsys.readouterr() == ("", "1 zone read, 0 errors, 0 warnings\n")
    assert run(["zones", "validate", str(mixed)]) == 1
    out, err = capsys.readouterr()
    assert out == f"error: {mixed}, line 11, airspace of line 7 (WEST): 'nowhere' is no position; " \
                  "48:25:00 N 031:00:00 E is meant\n"  # fmt: skip
    assert err == "1 zone read, 1 error, 0 warnings\n"
    assert run(["zones", "validate", str(good), str(tmp_path / "missing.json")]) == 2
    assert "missing.json: cannot be read" in capsys.readouterr().out


def test_validate_gives_its_problems_to_machines(mixed: Path, tmp_path: Path) -> None:
    out = tmp_path / "problems.json"
    assert run(["zones", "validate", str(mixed), "--out", str(out)]) == 1
    (problem,) = [json.loads(line) for line in out.read_text().splitlines()]
    assert problem["severity"] == "ERROR"
    assert problem["where"] == "line 11, airspace of line 7 (WEST)"


def test_show_lists_what_people_ask_for(good: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["zones", "show", str(good)]) == 0
    header, row = capfd.readouterr().out.splitlines()
    for word in ("id", "type", "limits", "valid", "area", "binds", "edges"):
        assert word in header
    for word in ("EAST", "RESTRICTED", "surface to FL100", "always", "43.1", "everybody (air)", "circle"):
        assert word in row


def test_show_writes_columns_for_machines(mixed: Path, tmp_path: Path) -> None:
    out = tmp_path / "zones.parquet"
    assert run(["zones", "show", str(mixed), "--out", str(out)]) == 1
    (row,) = pq.read_table(out).to_pylist()
    assert (row["zone_id"], row["upper"], row["edges"], row["where"]) == ("EAST", "FL100", "circle", "line 1")
    assert row["area_km2"] == pytest.approx(43.1, abs=0.1)


def test_convert_lists_what_is_lost_and_writes_the_rest(
    tmp_path: Path, good: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    geojson = tmp_path / "a.geojson"
    assert run(["zones", "convert", str(good), "--out", str(geojson)]) == 0
    assert capsys.readouterr().err == ""
    assert json.loads(geojson.read_text())["type"] == "FeatureCollection"
    notam = tmp_path / "a.txt"
    notam.write_text("A0001/20 NOTAMN\nQ) EGTT/QRTCA/IV/BO/W/000/050/5129N00028W005\nA) EGTT B) 2001010600 C) PERM\n"
                     "E) ACTIVE WI 5NM RADIUS OF 512900N 0002800W EXC POLICE")  # fmt: skip
    back = tmp_path / "a.openair"
    assert run(["zones", "convert", str(notam), "--to", "openair", "--out", str(back)]) == 0
    assert "lost: zone A0001/20, exemptions: OpenAir has no record for it" in capsys.readouterr().err
    assert "DC 5" in back.read_text()


def test_convert_writes_nothing_for_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = tmp_path / "bad.openair", tmp_path / "out.geojson"
    source.write_text(BAD)
    assert run(["zones", "convert", str(source), "--to", "geojson", "--out", str(out)]) == 2
    assert not out.exists()
    assert run(["zones", "convert", str(source)]) == 2
    assert "--to" in capsys.readouterr().err


def test_a_directory_and_gzip_are_read_and_a_bad_file_in_it_is_told(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "zones"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a.openair.gz").write_bytes(gzip.compress(GOOD.encode()))
    (folder / "b.openair").write_text(GOOD.replace("EAST", "SOUTH"))
    (folder / "broken.geojson").write_text("{")
    (folder / "notes.md").write_text("not a zone file")
    assert run(["zones", "show", str(folder), "--format", "json"]) == 1
    out, err = capfd.readouterr()
    assert sorted(json.loads(line)["zone_id"] for line in out.splitlines()) == ["EAST", "SOUTH"]
    assert "broken.geojson" in err


@pytest.mark.shared
@needs_shared
def test_the_closure_of_ukraine_is_shown_with_its_regions(capfd: pytest.CaptureFixture[str]) -> None:
    closure = SHARED / "notam" / "ukraine_closure_A0003-23.txt"
    assert run(["zones", "show", str(closure), "--firs", str(SHARED / "zones" / "eurofirs_2015.geojson.gz"),
                "--format", "json"]) == 0  # fmt: skip
    (row,) = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert (row["zone_id"], row["shapes"], row["end_estimated"]) == ("A0003/23", 5, True)
    assert row["valid_from"] == "2023-01-11T09:09:00Z"
    assert 750_000 < row["area_km2"] < 800_000
    assert row["exemptions"][0].startswith("EXCEPT STATE AIRCRAFT OF UKRAINE")


@pytest.mark.shared
@needs_shared
def test_without_the_outlines_the_option_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["zones", "validate", str(SHARED / "notam" / "ukraine_closure_A0003-23.txt")]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert "UKBV" in line
    assert "--firs FILE" in line


def test_a_kmz_suffix_gives_an_archive_that_reads_back(good: Path, tmp_path: Path) -> None:
    packed = tmp_path / "out.kmz"
    assert run(["zones", "convert", str(good), "--out", str(packed)]) == 0
    assert packed.read_bytes()[:2] == b"PK"
    assert run(["zones", "validate", str(packed)]) == 0
