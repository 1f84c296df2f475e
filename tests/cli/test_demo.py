"""The demonstration needs nothing from outside, says that it is simulated, and tells the same story every time."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from keepclear.cli.main import run


def test_the_scripted_incidents_are_told_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = str(tmp_path / "alerts.sqlite")
    call = ["demo", "--no-serve", "--flights", "0", "--format", "json", "--store", store]
    assert run(call) == 0, "the demonstration found what it should: that is no alarm"
    captured = capsys.readouterr()
    assert captured.err.startswith("SIMULATED TRAFFIC, seed 1: ")
    assert captured.err.splitlines()[-1].startswith(
        "Alerts: 8 APW, 1 SPILL_OVER, 1 STCA. 6 violations of zones by 5 targets in 6 tracks, 1 exempt inside;"
    )
    told = [line for line in map(json.loads, captured.out.splitlines()) if "event" in line]
    kinds = Counter((line["event"], line["alert"]["track"]["callsign"]) for line in told)
    assert kinds["EXEMPT_INSIDE", "SIM900"] == 1
    assert kinds["RAISED", "SIM900"] == 0
    assert kinds["STALE", "SIM401"] >= 1, "it falls silent visibly"
    assert kinds["RAISED", "SIM401"] == 2, "heard again inside, after its track was lost, it is told again"
    assert all(line["alert"]["track"]["source"] == "simulated" for line in told)
    assert not any(line["alert"]["versions"] for line in told), "one source: nobody says otherwise"
    assert run(["alerts", "list", "--store", store, "--format", "json"]) == 1
    assert len(capsys.readouterr().out.splitlines()) == 10


def test_the_channel_demonstration_comes_out_as_it_must(tmp_path: Path) -> None:
    """Two nodes and a witness as processes, a slip in a read-back, a cut line, and a record that verifies."""
    done = subprocess.run(
        [sys.executable, "-m", "keepclear.cli.main", "demo", "--channel", "--out", "record"],
        cwd=tmp_path, capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = done.stdout
    for words in ("HELD", "MISMATCH in AREA", "SILENT, cause UNKNOWN", "is RESTORED", "VERIFIED"):
        assert words in said
    assert {p.name for p in (tmp_path / "record").iterdir()} >= {"charter-0.json", "logs", "transcript-fr.html"}
    assert "avertissement" in (tmp_path / "record" / "transcript-fr.txt").read_text()
