"""``scan --report`` and ``--picture`` write whole files that say where they come from."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from keepclear.cli.scan import command


@pytest.fixture
def inputs(tmp_path: Path) -> tuple[Path, Path]:
    tracks, zones = tmp_path / "flights.csv", tmp_path / "zones.geojson"
    lines = [f"2026-01-01T00:00:{s:02d}Z,abc123,50.0,{9.8 + s * 0.01:.3f},5000" for s in range(0, 60, 2)]
    tracks.write_text("\n".join(["time,target,lat_deg,lon_deg,altitude_baro_m", *lines]) + "\n")
    ring = [[10.0, 49.5], [11.0, 49.5], [11.0, 50.5], [10.0, 50.5], [10.0, 49.5]]
    feature = {"type": "Feature", "id": "Z1", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    zones.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    return tracks, zones


def test_report_and_picture(inputs: tuple[Path, Path], tmp_path: Path) -> None:
    tracks, zones = inputs
    html, png, out = tmp_path / "r.html", tmp_path / "m.png", tmp_path / "rows.csv"
    given = [str(tracks), "--zones", str(zones), "--report", str(html), "--picture", str(png), "--out", str(out)]
    result = CliRunner().invoke(command, given)
    assert result.exit_code == 1, result.output
    text = html.read_text()
    assert hashlib.sha256(tracks.read_bytes()).hexdigest() in text
    assert hashlib.sha256(zones.read_bytes()).hexdigest() in text
    assert "1 violation by 1 target in 1 track" in text
    assert "straight in longitude and latitude" in text
    assert "No QNH was stated" in text
    assert png.read_bytes().startswith(b"\x89PNG")


def test_a_picture_of_another_kind_is_refused(inputs: tuple[Path, Path], tmp_path: Path) -> None:
    tracks, zones = inputs
    given = [str(tracks), "--zones", str(zones), "--picture", str(tmp_path / "m.gif"), "--out", str(tmp_path / "o.csv")]
    result = CliRunner().invoke(command, given)
    assert "a picture is .png or .svg" in str(result.exception)
    assert not (tmp_path / "m.gif").exists()
