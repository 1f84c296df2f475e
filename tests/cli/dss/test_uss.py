"""A USS as its operator runs it: a process that answers peers, files that follow, tokens from the environment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from keepclear.cli.main import run
from keepclear.server.dss.development import development_token
from keepclear.zones.geojson import read as read_geojson
from keepclear.zones.model import Zone, ZoneStatus
from tests.server.uss_field import Field, rows, zone_file

ROOT = Path(__file__).resolve().parents[3]
START_S = 120
NEVER = "100000"


@pytest.fixture
def field(tmp_path: Path) -> Iterator[Field]:
    made = Field(tmp_path)
    yield made
    made.close()


def start(*arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "keepclear.cli.main", "dss", *arguments], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip


def end(process: subprocess.Popen[str], number: int = signal.SIGTERM) -> tuple[int, str]:
    process.send_signal(number)
    _, said = process.communicate(timeout=START_S)
    return process.returncode, said


def wait_for(path: Path, holds: Any) -> list[Zone]:
    """The zones in the file, once it holds what is asked."""
    for _ in range(START_S * 10):
        if path.exists() and holds(zones := read_geojson(path.read_bytes(), "others").zones):
            return list(zones)
        time.sleep(0.1)
    raise AssertionError(f"{path}: not as expected: {path.exists() and path.read_text()[:500]}")


def test_what_a_peer_publishes_edits_and_takes_back_reaches_the_zone_file_by_its_notices(
    field: Field, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing looks by the clock here: ``--every`` is longer than the test."""
    who = ["--dss", field.dss, "--development-key", str(field.key), "--sub"]
    store, out = field.folder / "three.sqlite", field.folder / "others.geojson"
    uss = start("uss", *who, "three", "--store", str(store), "--port", "0", "--jwt-public-key", f"{field.key}.pub",
                "--jwt-audience", "127.0.0.1")  # fmt: skip
    assert uss.stderr is not None
    base = uss.stderr.readline().removeprefix("USS at ").strip()
    assert httpx.get(f"{base}/healthy").json() == {"status": "ok"}
    following = start("constraints", *who, "three", "--area", "46,7,5", "--out", str(out), "--follow", "--every", NEVER,
                      "--store", str(store), "--base-url", base)  # fmt: skip
    wait_for(out, lambda zones: not zones)

    def publish(*names: str, upper_m: float = 500.0) -> None:
        zones = zone_file(field.folder, *names, upper_m=upper_m)
        assert field.command("one", "publish", "--zones", zones, "--format", "json") == 0

    publish("A", "B")
    assert len(rows(capsys.readouterr().out)) == len(wait_for(out, lambda zones: {z.name for z in zones} == {
        "Closure A", "Closure B"}))  # fmt: skip
    publish("A", upper_m=900.0)
    zones = wait_for(out, lambda zones: any(zone.status is ZoneStatus.WITHDRAWN for zone in zones))
    zones = wait_for(out, lambda zones: 900.0 in {zone.volumes[0].upper.metres for zone in zones})
    assert {zone.name for zone in zones if zone.status is not ZoneStatus.WITHDRAWN} == {"Closure A"}
    assert {zone.extensions["f3548"]["manager"] for zone in zones} == {"one"}
    assert end(following, signal.SIGINT) == (130, "keepclear: interrupted; nothing was left half-written\n")
    with field.client("three") as client:
        from keepclear.cli.dss.options import area_volume
        from keepclear.uss import requests

        assert client.ask(requests.query(requests.SUBSCRIPTION, area_volume("46,7,5", 1)))["subscriptions"] == []
    assert end(uss) == (0, "")
    assert not store.with_name("three.sqlite-wal").exists(), "the store was let go of in order"


def test_publishing_goes_on_while_the_file_is_edited_and_broken(field: Field) -> None:
    zones = Path(zone_file(field.folder, "A"))
    publishing = start(
        "publish", "--dss", field.dss, "--development-key", str(field.key), "--sub", "one", "--store",
        str(field.folder / "one.sqlite"), "--base-url", field.bases["one"], "--zones", str(zones), "--follow",
        "--every", "1", "--format", "json",
    )  # fmt: skip
    assert publishing.stdout is not None
    assert publishing.stderr is not None
    created = [json.loads(publishing.stdout.readline()) for _ in range(2)]
    assert {(row["act"], row["label"]) for row in created} == {("created", "A")}
    good = zones.read_text()
    zones.write_text("{")
    assert any("zones.geojson" in line for line in iter(publishing.stderr.readline, ""))
    zones.write_text(good.replace("500.0", "700.0"))
    changed = [json.loads(publishing.stdout.readline()) for _ in range(2)]
    assert {(row["act"], row["label"]) for row in changed} == {("updated", "A")}
    code, said = end(publishing, signal.SIGINT)
    assert (code, said.splitlines()[-1]) == (130, "keepclear: interrupted; nothing was left half-written")
    assert "Traceback" not in said
    assert field.command("two", "query", "--area", "46,7,5") == 1, "what was published stays"


def test_a_token_comes_from_the_environment(
    field: Field, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scopes = ["utm.strategic_coordination", "utm.constraint_processing"]
    query = ["dss", "query", "--dss", "https://127.0.0.1:1", "--area", "46,7,5"]
    assert run(query) == 2
    assert "KEEPCLEAR_DSS_TOKEN" in capsys.readouterr().err
    token = development_token(field.issuer, "one", scopes, "elsewhere.example", int(time.time()), 600)
    monkeypatch.setenv("KEEPCLEAR_DSS_TOKEN", token)
    assert run(query) == 2
    said = capsys.readouterr().err
    assert "elsewhere.example" in said, "it was read: it is for another host"
    assert token not in said
    assert run([*query, "--token-file", str(field.folder / "none")]) == 2
    assert "none" in capsys.readouterr().err, "what is on the command line comes first"


def test_a_store_and_a_base_url_belong_together(field: Field, capsys: pytest.CaptureFixture[str]) -> None:
    out = ["--area", "46,7,5", "--out", str(field.folder / "x.geojson")]
    assert field.command("one", "constraints", *out, "--follow", "--base-url", "http://x") == 2
    assert field.command("one", "constraints", *out, "--store", "x.sqlite", "--base-url", "http://x") == 2
    assert capsys.readouterr().err.count("belong together") == 2
