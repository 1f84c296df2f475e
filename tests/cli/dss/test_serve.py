"""``keepclear dss`` as a stranger runs it: served, asked, stopped, backed up; wrong calls get one line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from keepclear.cli.main import run

ROOT = Path(__file__).resolve().parents[3]
START_S = 120
"""A kernel that is not compiled yet takes most of this."""


def serve(*options: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "keepclear.cli.main", "dss", "serve", "--port", "0", *options],
        stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip
    assert process.stderr is not None
    line = process.stderr.readline()
    return process, line.removeprefix("DSS at ").strip()


def ask(url: str, token: str = "") -> tuple[int, str]:
    request = urllib.request.Request(url, headers={"authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=START_S) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_served_asked_stopped_and_backed_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key, database = tmp_path / "issuer.key", tmp_path / "dss.sqlite"
    scope = ["--scope", "utm.availability_arbitration"]
    assert run(["dss", "token", "--key", str(key), "--sub", "uss1", *scope]) == 0
    token = capsys.readouterr().out.strip()
    options = ["--database", str(database), "--jwt-public-key", f"{key}.pub", "--jwt-audience", "localhost"]
    process, url = serve(*options, "--development")
    try:
        assert ask(f"{url}/ready") == (200, "ready")
        assert ask(f"{url}/metrics")[0] == 404
        status, said = ask(f"{url}/dss/v1/uss_availability/uss7", token)
        assert (status, json.loads(said)["status"]["availability"]) == (200, "Unknown")
        assert ask(f"{url}/dss/v1/uss_availability/uss7")[0] == 401
        body = json.dumps({"old_version": "", "availability": "Down"}).encode()
        put = urllib.request.Request(
            f"{url}/dss/v1/uss_availability/uss7", body, {"authorization": f"Bearer {token}"}, method="PUT"
        )
        with urllib.request.urlopen(put, timeout=START_S) as answer:
            assert answer.status == 200
        assert run(["dss", "backup", str(database), str(tmp_path / "copy.sqlite")]) == 0
        assert capsys.readouterr().out.startswith("1 records")
    finally:
        process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=START_S) == 0
    assert process.stderr is not None
    lines = [json.loads(line) for line in process.stderr.read().splitlines()]
    process.stderr.close()
    assert not database.with_name("dss.sqlite-wal").exists(), "the database was let go of in order"
    assert [(line["operation"], line["status"]) for line in lines] == [
        ("get_availability", 401), ("put_availability", 200)
    ]  # fmt: skip
    assert token not in json.dumps(lines)
    process, url = serve(*options)
    try:
        assert ask(f"{url}/dss/v1/uss_availability/uss7", token)[0] == 401, "a development token in production"
    finally:
        process.terminate()
        process.wait(timeout=START_S)
        assert process.stderr is not None
        process.stderr.close()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "--jwt-public-key"),
        (["--jwks", "http://auth.example.org/keys"], "https"),
        (["--jwks", "https://auth.example.org/keys", "--jwt-public-key", "none.pem"], "either"),
        (["--jwt-public-key", "none.pem"], "none.pem"),
        (["--jwks", "https://auth.example.org/keys", "--development", "--host", "0.0.0.0"], "this machine only"),
        (["--jwks", "https://auth.example.org/keys", "--tls-key", "key.pem"], "--tls-certificate"),
    ],
)
def test_wrong_calls_get_one_line(
    options: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["dss", "serve", "--database", str(tmp_path / "x.sqlite"), "--jwt-audience", "localhost", *options]
    assert run(call) == 2
    text = capsys.readouterr().err
    assert said in text
    assert text.count("\n") == 1


def test_a_backup_of_nothing_or_of_postgres_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["dss", "backup", str(tmp_path / "none.sqlite"), str(tmp_path / "copy")]) == 2
    assert run(["dss", "backup", "postgresql://x/y", str(tmp_path / "copy")]) == 2
    assert "pg_dump" in capsys.readouterr().err
