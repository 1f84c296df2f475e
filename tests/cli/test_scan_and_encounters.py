"""``scan`` and ``encounters`` as a stranger runs them: results, exit codes, and one line for what is wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
ZONE = {
    "type": "Feature", "id": "Z1", "properties": {"id": "Z1"},
    "geometry": {"type": "Polygon", "coordinates": [[[29, 49], [31, 49], [31, 51], [29, 51], [29, 49]]]},
}  # fmt: skip


def run(*arguments: object, cwd: Path | None = None, stdin: bytes | None = None) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(
        [sys.executable, "-m", "keepclear.cli.main", *map(str, arguments)],
        cwd=cwd, capture_output=True, env=environment(), input=stdin, timeout=300,
    )  # fmt: skip
    return subprocess.CompletedProcess(result.args, result.returncode, result.stdout.decode(), result.stderr.decode())


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "src")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "zone.geojson").write_text(json.dumps(ZONE))
    lines = ["time_s,lat_deg,lon_deg,target,altitude_baro_m"]
    for k in range(60):
        lines.append(f"{1_700_000_000 + 10 * k},50.0,{28.5 + k * 0.02:.4f},abc123,9000")
        lines.append(f"{1_700_000_000 + 10 * k},50.03,{28.5 + k * 0.02:.4f},def456,9000")
        lines.append(f"{1_700_000_000 + 10 * k},40.0,{28.5 + k * 0.02:.4f},aaaaaa,9000")
    (tmp_path / "tracks.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_a_finding_is_a_table_a_sentence_and_exit_code_1(folder: Path) -> None:
    result = run("scan", "tracks.csv", "-z", "zone.geojson", cwd=folder)
    assert result.returncode == 1, result.stderr
    assert "abc123" in result.stdout
    assert "aaaaaa" not in result.stdout
    assert "2 violations by 2 targets in 2 tracks; over 3 targets in 3 tracks" in result.stderr


def test_tracks_go_on_from_one_file_of_a_source_to_the_next(folder: Path) -> None:
    head, *rows = (folder / "tracks.csv").read_text().splitlines()
    (folder / "hours").mkdir()
    for number, part in enumerate((rows[:90], rows[90:])):
        (folder / "hours" / f"{number}.csv").write_text("\n".join([head, *part]) + "\n")
    (folder / "tracks.csv").unlink()
    one = run("scan", "hours", "-z", "zone.geojson", "--source", "roof", "--format", "json", cwd=folder)
    assert "2 violations by 2 targets in 2 tracks; over 3 targets in 3 tracks" in one.stderr
    apart = run("scan", "hours", "-z", "zone.geojson", "--format", "json", cwd=folder)
    assert "4 violations by 2 targets in 4 tracks; over 3 targets in 6 tracks" in apart.stderr
    assert "--source NAME" in apart.stderr


def test_r2_8_targets_that_no_zone_binds_are_not_called_clear(folder: Path) -> None:
    """The zone says nothing of whom it binds, which is aircraft."""
    ship = "time_s,lat_deg,lon_deg,target,domain\n1700000000,50,30,211,SEA\n1700000060,50,30,211,SEA\n"
    (folder / "ship.csv").write_text(ship)
    alone = run("scan", "ship.csv", "-z", "zone.geojson", cwd=folder)
    assert "Nothing was judged" in alone.stderr
    assert "Clear" not in alone.stderr
    (folder / "both.csv").write_text(ship + "1700000000,40,30,abc123,AIR\n1700000060,40,30,abc123,AIR\n")
    both = run("scan", "both.csv", "-z", "zone.geojson", cwd=folder)
    assert "; 1 target of a kind that no zone in force binds" in both.stderr


def test_clear_is_exit_code_0_and_says_over_what(folder: Path) -> None:
    (folder / "one.csv").write_text("time_s,lat_deg,lon_deg,target\n1700000000,10,10,abc123\n")
    result = run("scan", "one.csv", "-z", "zone.geojson", cwd=folder)
    assert result.returncode == 0
    assert "Clear over 1 target in" in result.stderr
    assert "not covered" in result.stderr


@pytest.mark.parametrize("suffix", ["json", "csv", "geojson", "parquet", "arrow"])
def test_every_format_for_machines_is_written_whole(folder: Path, suffix: str) -> None:
    result = run("scan", "tracks.csv", "-z", "zone.geojson", "--out", f"found.{suffix}", cwd=folder)
    assert result.returncode == 1, result.stderr
    assert (folder / f"found.{suffix}").stat().st_size > 200
    assert sorted(p.name for p in folder.iterdir() if "found" in p.name) == [f"found.{suffix}"]
    if suffix == "parquet":
        rows = pq.read_table(folder / "found.parquet").to_pylist()
        assert {r["track_id"] for r in rows} == {"abc123", "def456"}
        assert all(r["zone_version"] and r["verdict"] == "ACTUAL" for r in rows)


def test_standard_input_takes_a_named_format(folder: Path) -> None:
    result = run("scan", "stdin#csv", "-z", "zone.geojson", cwd=folder, stdin=(folder / "tracks.csv").read_bytes())
    assert result.returncode == 1, result.stderr


def test_encounters_says_who_came_close_to_whom(folder: Path) -> None:
    result = run("encounters", "tracks.csv", "--format", "json", cwd=folder)
    assert result.returncode == 1, result.stderr
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [{r["track_id_a"], r["track_id_b"]} for r in rows] == [{"abc123", "def456"}]
    assert rows[0]["cpa_horizontal_m"] == pytest.approx(3337, abs=5)
    assert run("encounters", "tracks.csv", "--horizontal", "1", cwd=folder).returncode == 0
    heads, row = (line.split() for line in run("encounters", "tracks.csv", cwd=folder).stdout.splitlines())
    assert heads[:3] == ["track", "other", "verdict"]
    assert "1.802" in row


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("scan", "nothing.csv", "-z", "zone.geojson"), "no such file"),
        (("scan", "tracks.csv", "-z", "nothing.geojson"), "nothing.geojson"),
        (("scan", "tracks.csv"), "--zones"),
        (("scan", "tracks.csv#sbsx", "-z", "zone.geojson"), "no feed format is called 'sbsx'"),
        (("scan", "tracks.csv", "-z", "zone.geojson", "--qnh", "5"), "QNH"),
        (("scan", "tracks.csv", "-z", "zone.geojson", "--receiver", "north"), "LAT,LON"),
        (("scan", "tracks.csv", "-z", "zone.geojson", "--receiver", "95,10"), "latitude"),
        (("scan", "tracks.csv", "-z", "zone.geojson", "--start", "2021-08-24 08:00"), "zone"),
        (("scan", "tracks.csv", "-z", "zone.geojson", "--column", "lat"), "NAME=COLUMN"),
        (("scan", "tracks.csv", "-z", "zone.geojson", "--ground-elevation", "high"), "LOW:HIGH"),
        (("scan", "tracks.csv", "-z", "zone.geojson", "--out", "/no/such/folder/x.csv"), "/no/such/folder"),
        (("scan", "tracks.csv", "-z", "zone.geojson", "--out", "x.docx"), "suffix"),
        (("scan", "tcp://127.0.0.1:1", "-z", "zone.geojson"), "live feed"),
        (("watch", "tracks.csv", "tcp://127.0.0.1:1", "-z", "zone.geojson"), "clocks differ"),
        (("watch", "tracks.csv", "-z", "zone.geojson", "--speed", "fast"), "factor above 0"),
        (("encounters", "tracks.csv", "--well-clear", "--horizontal", "3"), "--well-clear"),
        (("scna", "tracks.csv"), "did you mean 'scan'"),
    ],
)
def test_a_wrong_call_is_one_line_and_exit_code_2(folder: Path, arguments: tuple[str, ...], words: str) -> None:
    result = run(*arguments, cwd=folder)
    assert result.returncode == 2, result.stderr
    assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert len([line for line in result.stderr.splitlines() if "first run" not in line]) == 1, result.stderr


def test_a_broken_line_is_counted_and_the_good_rest_is_kept(folder: Path) -> None:
    with (folder / "tracks.csv").open("a") as stream:
        stream.write("1700000600,91,30,abc123,9000\n1700000610,garbage\n")
    result = run("scan", "tracks.csv", "-z", "zone.geojson", cwd=folder)
    assert result.returncode == 1
    assert "tracks.csv: 1 ×" in result.stderr
    assert "2 violations" in result.stderr


def test_interrupting_a_scan_leaves_nothing_behind(folder: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "keepclear.cli.main", "scan", "-", "-z", "zone.geojson", "--out", "found.csv"],
        cwd=folder, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(),
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(b"time_s,lat_deg,lon_deg,target\n")
    for k in range(40_000):  # many times what a pipe holds: once it is written, the scan is reading
        process.stdin.write(f"{1_700_000_000 + k},50.0,30.0,t{k % 50}\n".encode())
    process.stdin.flush()
    process.send_signal(signal.SIGINT)  # its input has not ended, so it cannot have either
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said.decode()
    assert b"Traceback" not in said
    assert not list(folder.glob("*found*"))


KYIV = DATA / "adsb" / "kyiv_airshow_2021-08-24_modes.csv"
NOTAM = DATA / "notam" / "ukraine_closure_A0003-23.txt"
FIRS = DATA / "zones" / "eurofirs_2015.geojson.gz"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"no real recordings in {DATA}")


@pytest.mark.shared
@needs_data
def test_kyiv_against_the_notam_that_closed_the_airspace_later(tmp_path: Path) -> None:
    against = ("--zones", NOTAM, "--firs", FIRS)
    result = run("scan", KYIV, *against, "--assume-active", "--out", tmp_path / "rows.json")
    assert result.returncode == 1, result.stderr
    rows = [json.loads(line) for line in (tmp_path / "rows.json").read_text().splitlines()]
    assert len({r["target"] for r in rows}) == 34
    assert {r["zone_id"] for r in rows} == {"A0003/23"}
    assert {r["rests_on"] for r in rows} == {"assumed active"}
    assert all(r["exemption"].startswith("possible") for r in rows)
    assert all(r["entry_time"].startswith("2021-08-24T") and r["altitude_datum"] == "STD" for r in rows)
    not_assumed = run("scan", KYIV, *against)
    assert not_assumed.returncode == 0, "in 2021 the NOTAM of 2023 was not in force"
    assert "Nothing was judged: no zone of 1 forbids anything and was in force then" in not_assumed.stderr


@pytest.mark.shared
@needs_data
@pytest.mark.parametrize(
    ("file", "options", "positions"),
    [("ais/kystverket_1000.nm4", (), 743), ("asterix/cat_062_065.pcap", (), 2), ("asterix/cat21_re.ast", (), 2),
     ("asterix/cat_034_048.pcap", ("--receiver", "45.9,15.9"), None), ("adsb/readsb_trace_ac671b.json", (), 2500),
     ("adsb/beast_sample.bin", ("--start", "2025-02-01T12:00:00Z"), None)],
)  # fmt: skip
def test_every_real_sample_goes_through(file: str, options: tuple[str, ...], positions: int | None) -> None:
    result = run(
        "scan", DATA / file, "-z", DATA / "zones" / "ED318_Example_GeoZone_Circle.json", "--assume-active", *options
    )
    assert result.returncode == 0, result.stderr
    assert "positions" in result.stderr
    if positions is not None:
        assert f"{positions:,} positions" in result.stderr


@pytest.mark.shared
@needs_data
def test_the_bad_ed318_example_is_refused_with_its_reason() -> None:
    bad = DATA / "zones" / "ED318_InvalidExample_GeoZone_2_Layers.json"
    result = run("scan", DATA / "adsb" / "readsb_trace_ac671b.json", "-z", bad)
    assert result.returncode == 2
    assert "ED318_InvalidExample" in result.stderr
    assert "error:" in result.stderr
