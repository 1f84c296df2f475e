"""``keepclear alerts`` lists, acknowledges, reviews and counts what a store holds, and says plainly what is wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from keepclear.alerts.model import Alert, AlertEvent, AlertStatus, AlertType, EventKind, Fix, Severity, Sighting
from keepclear.cli.main import run
from keepclear.detection.situation import Verdict
from keepclear.edge.alert_store import AlertStore


@pytest.fixture
def store(tmp_path: Path) -> Path:
    fix = Fix(10.0, 50.0, 30.0)
    one = Alert(
        id="run-1", judged_by="", type=AlertType.APW, status=AlertStatus.ACTUAL, verdict=Verdict.ACTUAL,
        worst_verdict=Verdict.ACTUAL, severity=Severity.HIGH, track=Sighting(1, "508035", "", "radar", fix, fix),
        other=None, zone_id="Z1", zone_version="1", zone_name="", zone_text="", raised_s=10.0, changed_s=10.0,
        entered_s=10.0,
    )  # fmt: skip
    two = replace(one, id="run-2", status=AlertStatus.ENDED, verdict=Verdict.CLEAR, raised_s=5.0, ended_s=15.0)
    path = tmp_path / "alerts.sqlite"
    with AlertStore.open(path) as opened:
        opened.record([AlertEvent(EventKind.RAISED, 10.0, one), AlertEvent(EventKind.ENDED, 15.0, two)], None)
    return path


def rows(capfdbinary: pytest.CaptureFixture[bytes]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]


def test_list_gives_rows_and_exit_code_1(store: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(["alerts", "list", "--store", str(store), "--format", "json"]) == 1
    first, second = rows(capfdbinary)
    assert (first["id"], first["status"], first["end_time"]) == ("run-1", "ACTUAL", None)
    assert (second["id"], second["status"], second["end_time"]) == ("run-2", "ENDED", "1970-01-01T00:00:15Z")
    assert (first["zone_id"], first["zone_version"], first["lon_deg"]) == ("Z1", "1", 30.0)


def test_a_list_for_people_fits_their_screen(store: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(["alerts", "list", "--store", str(store)]) == 1
    heads, first, second = (line.split() for line in capfdbinary.readouterr().out.decode().splitlines())
    assert heads[:5] == ["id", "type", "status", "worst", "track"]
    assert first[:6] == ["run-1", "APW", "ACTUAL", "ACTUAL", "508035", "Z1"]
    assert "00:00:15Z" in second


def test_list_filters(store: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(["alerts", "list", "--store", str(store), "--open", "--format", "json"]) == 1
    assert [row["id"] for row in rows(capfdbinary)] == ["run-1"]
    assert run(["alerts", "list", "--store", str(store), "--track", "nobody", "--format", "json"]) == 0
    assert rows(capfdbinary) == []
    assert run(["alerts", "list", "--store", str(store), "--since", "1970-01-01T00:00:08", "--format", "json"]) == 2
    assert b"has no zone" in capfdbinary.readouterr().err


@pytest.mark.parametrize("suffix", ["csv", "geojson", "parquet", "arrow", "txt"])
def test_list_writes_every_format(store: Path, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"alerts.{suffix}"
    assert run(["alerts", "list", "--store", str(store), "--out", str(out)]) == 1
    assert b"run-1" in out.read_bytes()


def test_ack_review_and_stats(store: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(["alerts", "ack", "run-1", "--store", str(store), "--by", "duty officer"]) == 0
    assert capfdbinary.readouterr().out == b"run-1 acknowledged by duty officer; it stays open\n"
    arguments = ["--store", str(store), "--by", "chief", "--note", "reflection"]
    assert run(["alerts", "review", "run-2", "nuisance", *arguments]) == 0
    capfdbinary.readouterr()
    assert run(["alerts", "list", "--store", str(store), "--format", "json"]) == 1
    first, second = rows(capfdbinary)
    assert (first["status"], first["acknowledged_by"]) == ("ACKNOWLEDGED", "duty officer")
    assert (second["status"], second["review"]) == ("REVIEWED", "NUISANCE")
    assert run(["alerts", "stats", "--store", str(store), "--format", "json"]) == 0
    (row,) = rows(capfdbinary)
    assert (row["type"], row["alerts"], row["reviewed"], row["nuisance"], row["justified_share"]) == ("APW", 2, 1, 1, 0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ack", "run-9", "--by", "duty"], b"no alert run-9"),
        (["ack", "run-2", "--by", "duty"], b"has ended"),
        (["ack", "run-1", "--by", "  "], b"say which role"),
        (["ack", "run-1"], b"--by"),
        (["review", "run-1", "justified", "--by", "chief"], b"once it has ended"),
        (["review", "run-2", "fine", "--by", "chief"], b"justified"),
    ],
)
def test_a_wrong_call_is_one_line_and_exit_code_2(
    store: Path, capfdbinary: pytest.CaptureFixture[bytes], arguments: list[str], said: bytes
) -> None:
    assert run(["alerts", *arguments, "--store", str(store)]) == 2
    error = capfdbinary.readouterr().err
    assert said in error
    assert error.count(b"\n") == 1


def test_a_store_that_is_not_there_is_named(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(["alerts", "list", "--store", str(tmp_path / "none.sqlite")]) == 2
    assert b"none.sqlite: there is no such alert store" in capfdbinary.readouterr().err
    assert list(tmp_path.iterdir()) == []
