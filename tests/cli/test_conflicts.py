"""``conflicts`` as a stranger runs it: pairs of declarations, exit codes, one line for what is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import keepclear as kc

ROOT = Path(__file__).resolve().parents[2]
CSV = """id,lon_deg,lat_deg,radius_m,lower_m,upper_m,altitude_datum,from_time,to_time
A,179.995,0,600,0,100,AMSL,2026-12-01T08:00:00Z,2026-12-01T09:00:00Z
A,179.996,0,600,0,100,AMSL,2026-12-01T08:00:00Z,2026-12-01T09:00:00Z
B,-179.995,0,600,50,200,AMSL,2026-12-01T08:30:00Z,2026-12-01T10:00:00Z
C,-179.995,0,600,100,200,STD,2026-12-01T08:30:00Z,2026-12-01T10:00:00Z
D,-179.995,0,600,200,300,AMSL,2026-12-01T08:30:00Z,2026-12-01T10:00:00Z
E,-179.995,0,600,50,200,AMSL,2026-12-01T10:00:00Z,2026-12-01T11:00:00Z
"""


def run(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(
        [sys.executable, "-m", "keepclear.cli.main", "conflicts", *map(str, arguments)],
        cwd=cwd, capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT / "src")}, timeout=300,
    )  # fmt: skip
    return subprocess.CompletedProcess(result.args, result.returncode, result.stdout.decode(), result.stderr.decode())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "plans.csv").write_text(CSV)
    return tmp_path


def test_pairs_across_the_antimeridian_are_a_table_a_sentence_and_exit_code_1(folder: Path) -> None:
    result = run("plans.csv", cwd=folder)
    assert result.returncode == 1, result.stderr
    lines = [line.split() for line in result.stdout.splitlines()]
    assert [(line[0], line[1], line[2], line[4]) for line in lines[1:]] == [
        ("A", "1", "B", "PREDICTED"),
        ("A", "1", "C", "INDETERMINATE"),
        ("A", "2", "B", "PREDICTED"),
        ("A", "2", "C", "INDETERMINATE"),
        ("B", "1", "C", "INDETERMINATE"),
        ("C", "1", "D", "INDETERMINATE"),
    ]
    assert (
        "6 pairs of volumes intersect, 4 of them indeterminate, of 4 declarations; over 6 volumes in 5" in result.stderr
    )


def test_a_row_says_what_the_two_have_in_common(folder: Path) -> None:
    result = kc.conflicts(kc.read_volumes(folder / "plans.csv"))
    row = result.rows.to_pylist()[0]
    assert (row["lower_m"], row["upper_m"], row["altitude_datum"]) == (50.0, 100.0, "AMSL")
    assert (row["from_time"].isoformat(), row["to_time"].isoformat()) == (
        "2026-12-01T08:30:00+00:00", "2026-12-01T09:00:00+00:00",
    )  # fmt: skip
    assert (row["a_lon_deg"], row["a_lat_deg"], row["b_lon_deg"]) == (179.995, 0.0, -179.995)
    assert row["source_b"].endswith("plans.csv, line 4")
    doubtful = result.rows.to_pylist()[1]
    assert (doubtful["lower_m"], doubtful["altitude_datum"]) == (None, None)


def test_nothing_in_common_is_exit_code_0_and_says_over_what(folder: Path) -> None:
    (folder / "one.csv").write_text("\n".join(CSV.splitlines()[:3]) + "\n")
    result = run("one.csv", cwd=folder)
    assert result.returncode == 0, result.stderr
    assert result.stdout == ""
    assert "over 2 volumes in 1 declarations" in result.stderr


def test_machines_get_every_column_whole_or_no_file(folder: Path) -> None:
    assert run("plans.csv", "--out", "found.parquet", cwd=folder).returncode == 1
    assert pq.read_table(folder / "found.parquet").num_rows == 6
    result = run("plans.csv", "--format", "geojson", cwd=folder)
    assert len(json.loads(result.stdout)["features"]) == 6
    refused = run("plans.csv", "--out", "found.xyz", cwd=folder)
    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("gone.json", None, "No such file"),
        ("empty.csv", "", "the file is empty"),
        ("bad.csv", "id,wkt\nX,POINT(1 2)\n", "no declared volume could be read"),
        ("cut.json", '[{"volume": {"outline', "not JSON"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_each_with_exit_code_2(
    folder: Path, name: str, text: str | None, said: str
) -> None:
    if text is not None:
        (folder / name).write_text(text)
    result = run(name, cwd=folder)
    assert result.returncode == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr
