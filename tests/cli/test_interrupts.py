"""Ctrl-C and SIGTERM at many instants of a command: one line, the promised exit code, and no file half-written.

An instant is a number of function calls and returns since the command began, so that it is the same wherever it runs.
"""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

PROGRAM = """
import os, sys
from keepclear.cli.main import main

at, number, seen = int(sys.argv[1]), int(sys.argv[2]), 0

def count(frame, event, what):
    global seen
    seen += 1
    if seen == at:
        sys.setprofile(None)
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)  # a timeout's signal comes twice: to the process and to its group

sys.setprofile(count)
main(sys.argv[3:])
"""
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("interrupted")
    ring = [[30, 49], [32, 49], [32, 51], [30, 51], [30, 49]]
    zone = {"type": "Feature", "properties": {"id": "Z"}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    (folder / "z.geojson").write_text(json.dumps(zone))
    rows = [f"{1_700_000_000 + 10 * k},50.0{track},{29.5 + 0.02 * k},{track}0000{track},9000" for k in range(60)
            for track in range(9)]  # fmt: skip
    (folder / "t.csv").write_text("time_s,lat_deg,lon_deg,target,altitude_baro_m\n" + "\n".join(rows) + "\n")
    return folder


def ended(folder: Path, out: Path, at: int, number: int, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(at), str(number), *(a.format(folder=folder, out=out) for a in arguments)],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=120, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr


SCAN = ("scan", "{folder}/t.csv", "-z", "{folder}/z.geojson", "--out", "{out}/o.parquet", "--report", "{out}/r.html")
ENCOUNTERS = ("encounters", "{folder}/t.csv", "--out", "{out}/o.parquet")
CONVERT = ("zones", "convert", "{folder}/z.geojson", "--out", "{out}/o.kml")
WATCH = ("watch", "{folder}/t.csv", "-z", "{folder}/z.geojson", "--store", "{out}/a.sqlite", "--format", "json")


@pytest.mark.parametrize(
    ("arguments", "at", "number"),
    [
        (SCAN, 200, signal.SIGINT), (SCAN, 2_500_000, signal.SIGTERM), (ENCOUNTERS, 1_000_000, signal.SIGINT),
        (CONVERT, 100_000, signal.SIGHUP), (CONVERT, 580_000, signal.SIGINT), (WATCH, 4_300_000, signal.SIGTERM),
    ],
)  # fmt: skip
def test_a_command_ended_at_any_instant_leaves_whole_files_and_one_line(
    folder: Path, tmp_path: Path, arguments: tuple[str, ...], at: int, number: signal.Signals
) -> None:
    code, said = ended(folder, tmp_path, at, number, *arguments)
    assert "Traceback" not in said
    assert "Exception" not in said
    if code in (0, 1):  # it had been done, or the watch ended between two cycles, with its summary
        assert "interrupted" not in said
    else:
        assert code == CODES[number], said
        assert said.splitlines()[-1] == "keepclear: interrupted; nothing was left half-written"
    left = {path.name for path in tmp_path.iterdir()} - {"a.sqlite", "o.parquet", "r.html", "o.kml"}
    assert not left
    if (tmp_path / "o.parquet").exists():
        pq.read_table(tmp_path / "o.parquet")
    if (tmp_path / "r.html").exists():
        assert (tmp_path / "r.html").read_text().rstrip().endswith("</html>")
    if (tmp_path / "a.sqlite").exists():
        with sqlite3.connect(tmp_path / "a.sqlite") as store:
            assert store.execute("PRAGMA quick_check").fetchone() == ("ok",)
        store.close()
