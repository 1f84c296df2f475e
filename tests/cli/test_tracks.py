"""``tracks bias``: a radar whose frame is turned is found out by traffic known otherwise."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from keepclear.cli.main import run

SITE = (50.1, 22.0)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six flights past a radar: as they were, and as it saw them, aligned and turned by 105°."""
    monkeypatch.chdir(tmp_path)
    head = "time_s,lat_deg,lon_deg,target"
    lines: dict[str, list[str]] = {name: [head] for name in ("adsb", "aligned", "turned", "few")}
    for flight in range(6):
        for second in range(0, 300, 5):
            east, north = -30_000 + 200.0 * second, 8_000.0 * (flight + 1) * (-1) ** flight

            def place(turn_deg: float, east: float = east, north: float = north) -> str:
                bearing = math.atan2(east, north) + math.radians(turn_deg)
                x, y = (math.hypot(east, north) * f(bearing) for f in (math.sin, math.cos))
                lat = SITE[0] + y / 111_195.0
                return f"{lat:.6f},{SITE[1] + x / (111_195.0 * math.cos(math.radians(0.5 * (lat + SITE[0])))):.6f}"

            when = 1_700_000_000 + second
            lines["adsb"].append(f"{when},{place(0.0)},00000{flight}")
            lines["aligned"].append(f"{when},{place(0.3)},00000{flight}")
            lines["turned"].append(f"{when},{place(105.0)},radar-{flight}")
            if not flight and second < 50:
                lines["few"].append(f"{when},{place(105.0)},radar-{flight}")
    for name, rows in lines.items():
        (tmp_path / f"{name}.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def call(sensor: str, *more: str) -> int:
    return run(["tracks", "bias", sensor, "--known", "adsb.csv", "--receiver", "50.1,22.0", *more])


@pytest.mark.usefixtures("folder")
def test_r2_5_a_turned_radar_is_misaligned_on_the_command_line_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("turned.csv") == 1
    said = capsys.readouterr().out
    assert said.startswith("MISALIGNED: bearings are 105.")
    assert "° clockwise of the true ones" in said
    assert "of 6 targets that agree." in said
    assert call("aligned.csv") == 0
    assert capsys.readouterr().out.startswith("OK: bearings are 0.3° clockwise")


@pytest.mark.usefixtures("folder")
def test_too_little_to_tell_is_never_ok(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("few.csv") == 1
    assert capsys.readouterr().out.endswith("This is not OK.\n")
    assert call("few.csv", "--format", "json") == 1
    row = json.loads(capsys.readouterr().out)
    assert (row["verdict"], row["bias_deg"], row["tolerance_deg"]) == ("UNDETERMINED", None, 2.0)


@pytest.mark.usefixtures("folder")
def test_a_call_that_cannot_be_answered_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["tracks", "bias", "turned.csv", "--known", "adsb.csv"]) == 2
    assert "--receiver LAT,LON is needed" in capsys.readouterr().err
    assert call("turned.csv", "--tolerance", "-1") == 2
    assert call("turned.csv", "--tolerance", "200") == 2
    assert call("nowhere.csv") == 2
    assert capsys.readouterr().err.count("\n") >= 3
