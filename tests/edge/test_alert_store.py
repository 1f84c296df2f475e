"""Every alert is kept with its history and its zone's version, and a failing disk silences nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from keepclear.alerts.model import (
    Alert,
    AlertEvent,
    AlertStatus,
    AlertType,
    EndReason,
    EventKind,
    Fix,
    ReviewVerdict,
    Severity,
    Sighting,
)
from keepclear.detection.situation import Verdict
from keepclear.edge import alert_file, alert_store
from keepclear.edge.alert_file import AlertStoreError
from keepclear.edge.alert_store import AlertStore
from keepclear.errors import UsageError
from keepclear.quantities import UNBOUNDED
from keepclear.space.geometry import Circle
from keepclear.zones.model import Volume, Zone
from keepclear.zones.zone_set import ZoneSet

ZONES = ZoneSet((Zone("Z1", (Volume(Circle(30.0, 50.0, 1000.0), UNBOUNDED, UNBOUNDED),), text="KEEP OUT"),))


def alert(id: str = "run-1", *, judged_by: str = "blue", source: str = "radar", raised_s: float = 10.0) -> Alert:
    fix = Fix(raised_s, 50.0, 30.0)
    return Alert(
        id=id, judged_by=judged_by, type=AlertType.APW, status=AlertStatus.ACTUAL, verdict=Verdict.ACTUAL,
        worst_verdict=Verdict.ACTUAL, severity=Severity.HIGH, track=Sighting(1, "508035", "", source, fix, fix),
        other=None, zone_id="Z1", zone_version="1", zone_name="", zone_text="KEEP OUT", raised_s=raised_s,
        changed_s=raised_s, entered_s=raised_s,
    )  # fmt: skip


def raised(found: Alert) -> AlertEvent:
    return AlertEvent(EventKind.RAISED, found.raised_s, found)


def ended(found: Alert, at_s: float = 20.0) -> AlertEvent:
    return AlertEvent(EventKind.ENDED, at_s, replace(found, status=AlertStatus.ENDED, ended_s=at_s))


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def store(tmp_path: Path, said: list[str]) -> Iterator[AlertStore]:
    with AlertStore.open(tmp_path / "alerts.sqlite", on_problem=said.append) as opened:
        yield opened


def test_what_was_recorded_is_there_after_reopening(tmp_path: Path) -> None:
    path = tmp_path / "alerts.sqlite"
    with AlertStore.open(path) as store:
        assert store.record([raised(alert())], ZONES)
    with AlertStore.open(path, create=False) as store:
        (found,) = store.alerts()
        assert repr(found) == repr(alert())
        assert [kind for _, kind, _ in store.history(found)] == [EventKind.RAISED]


def test_each_commit_waits_for_the_disk(store: AlertStore) -> None:
    assert store._connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert store._connection.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL


def test_r2_1_both_parties_and_all_sources_versions_lie_side_by_side(store: AlertStore) -> None:
    blue, red = alert(), alert(judged_by="red")
    other = alert("run-2", source="adsb")
    store.record([raised(blue), raised(red), raised(other)], ZONES)
    versions = store.versions("508035", "Z1")
    assert {(a.judged_by, a.track.source) for a in versions} == {("blue", "radar"), ("red", "radar"), ("blue", "adsb")}
    with pytest.raises(UsageError, match="blue, red"):
        store.alert("run-1")
    assert store.alert("run-1", "red").judged_by == "red"


def test_r2_11_the_words_of_the_version_judged_against_are_kept(store: AlertStore) -> None:
    store.record([raised(alert())], ZONES)
    newer = replace(alert("run-2"), zone_version="2", zone_text="KEEP FURTHER OUT")
    store.record([raised(newer)], ZoneSet((replace(ZONES[0], version="2", text="KEEP FURTHER OUT"),)))
    assert store.zone_text("Z1", "1") == "KEEP OUT"
    assert store.zone_text("Z1", "2") == "KEEP FURTHER OUT"
    assert store.alert("run-1").zone_version == "1"
    with pytest.raises(UsageError, match="version 3"):
        store.zone_text("Z1", "3")


def test_an_acknowledgement_from_another_process_survives_what_the_watch_writes(store: AlertStore) -> None:
    store.record([raised(alert())], ZONES)
    with AlertStore.open(store.path, create=False) as other:
        assert other.acknowledge("run-1", "duty officer", 12.0).status is AlertStatus.ACKNOWLEDGED
    store.record([AlertEvent(EventKind.STALE, 13.0, replace(alert(), stale=True))], ZONES)
    found = store.alert("run-1")
    assert found.stale
    assert found.status is AlertStatus.ACKNOWLEDGED
    assert [a.by_role for a in found.acknowledgements] == ["duty officer"]
    assert [kind for _, kind, _ in store.history(found)][1] is EventKind.ACKNOWLEDGED


def test_only_ended_alerts_are_reviewed_and_the_last_review_counts(store: AlertStore) -> None:
    store.record([raised(alert())], ZONES)
    with pytest.raises(UsageError, match="once it has ended"):
        store.review("run-1", ReviewVerdict.FALSE, "chief", 30.0)
    store.record([ended(alert())], ZONES)
    with pytest.raises(UsageError, match="not acknowledged any more"):
        store.acknowledge("run-1", "duty", 30.0)
    store.review("run-1", ReviewVerdict.FALSE, "chief", 30.0)
    found = store.review("run-1", ReviewVerdict.JUSTIFIED, "board", 40.0, "read the logs")
    assert found.status is AlertStatus.REVIEWED
    assert found.review is not None
    assert (found.review.verdict, found.review.by_role) == (ReviewVerdict.JUSTIFIED, "board")
    assert len([k for _, k, _ in store.history(found) if k is EventKind.REVIEWED]) == 2
    (row,) = store.statistics()
    assert (row.alerts, row.justified, row.false, row.duration_median_s) == (1, 1, 0, 10.0)


def test_lists_are_filtered_newest_first_and_exempt_tracks_are_asked_for(store: AlertStore) -> None:
    exempt = replace(alert("run-3", raised_s=30.0), exempt=True)
    store.record([raised(alert()), raised(alert("run-2", raised_s=20.0)), raised(exempt), ended(alert())], ZONES)
    assert [a.id for a in store.alerts()] == ["run-2", "run-1"]
    assert [a.id for a in store.alerts(exempt=True)] == ["run-3", "run-2", "run-1"]
    assert [a.id for a in store.alerts(status=[AlertStatus.ENDED])] == ["run-1"]
    assert [a.id for a in store.alerts(since_s=15.0)] == ["run-2"]
    assert [a.id for a in store.alerts(limit=1)] == ["run-2"]
    assert list(store.alerts(type="STCA")) == []


def test_a_full_disk_leaves_alerts_waiting_and_they_are_saved_later(store: AlertStore, said: list[str]) -> None:
    store.record([raised(alert())], ZONES)
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages}")
    long = [raised(replace(alert(f"run-{i}"), zone_text="x" * 5000)) for i in range(2, 12)]
    assert not store.record(long, ZONES)
    assert store.unsaved == 10
    assert store.problem is not None
    assert "the disk is full" in str(store.problem)
    assert not store.record([ended(alert())], ZONES)
    assert len(said) == 1  # told once
    assert [a.id for a in store.alerts()] == ["run-1"]  # nothing half-written
    store._connection.execute("PRAGMA max_page_count = 1000000")
    assert store.record([], ZONES)
    assert store.unsaved == 0
    assert len(said) == 2
    assert len(list(store.alerts())) == 11
    assert store.alert("run-1").status is AlertStatus.ENDED


def test_what_waits_is_bounded_and_the_loss_is_counted(
    store: AlertStore, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_store, "UNSAVED_MAX", 3)
    store._connection.execute("PRAGMA query_only = ON")
    assert not store.record([raised(alert(f"run-{i}")) for i in range(5)], ZONES)
    assert (store.unsaved, store.forgotten) == (3, 2)
    store._connection.execute("PRAGMA query_only = OFF")
    assert store.record([], None)
    assert "oldest 2, which are lost" in said[-1]
    assert [a.id for a in store.alerts()] == ["run-4", "run-3", "run-2"]


def test_closing_with_unsaved_alerts_is_an_error(tmp_path: Path) -> None:
    store = AlertStore.open(tmp_path / "a.sqlite", on_problem=lambda _: None)
    store._connection.execute("PRAGMA query_only = ON")
    store.record([raised(alert())], ZONES)
    with pytest.raises(AlertStoreError, match="1 events could not be saved"):
        store.__exit__(None, None, None)


def test_another_writer_is_waited_for_and_then_told_of(
    tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_file, "BUSY_S", 0.05)
    with AlertStore.open(tmp_path / "a.sqlite", on_problem=said.append) as store:
        blocker = sqlite3.connect(store.path, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        assert not store.record([raised(alert())], ZONES)
        assert "another process" in said[0]
        with pytest.raises(UsageError):
            store.acknowledge("run-1", "duty", 1.0)
        blocker.execute("ROLLBACK")
        blocker.close()
        assert store.record([], None)


@pytest.mark.parametrize(
    "content",
    [b"not a database at all, but a text of some length" * 40, b"SQLite format 3\0" + b"\xff" * 4080],
)
def test_a_file_that_is_no_store_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.sqlite"
    path.write_bytes(content)
    with pytest.raises(AlertStoreError, match="not an alert store"):
        AlertStore.open(path)
    assert path.read_bytes() == content


def test_another_programs_database_and_a_newer_store_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE recipes (name TEXT)")
    other.close()
    with pytest.raises(AlertStoreError, match="not an alert store"):
        AlertStore.open(path)
    AlertStore.open(tmp_path / "new.sqlite").close()
    with sqlite3.connect(tmp_path / "new.sqlite") as newer:
        newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(AlertStoreError, match="newer Keepclear"):
        AlertStore.open(tmp_path / "new.sqlite")


def test_a_damaged_store_is_told_of(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with AlertStore.open(path) as store:
        store.record([raised(alert(f"run-{i}")) for i in range(50)], ZONES)
    content = bytearray(path.read_bytes())
    content[4096 : len(content)] = b"\x5a" * (len(content) - 4096)
    path.write_bytes(bytes(content))
    with pytest.raises(AlertStoreError, match=r"a\.sqlite"):
        AlertStore.open(path)


def test_a_missing_file_or_folder_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(AlertStoreError, match="watch --store"):
        AlertStore.open(tmp_path / "none.sqlite", create=False)
    with pytest.raises(AlertStoreError, match="folder must exist"):
        AlertStore.open(tmp_path / "no" / "such" / "a.sqlite")


def test_what_another_process_acknowledged_is_news_once(tmp_path: Path, store: AlertStore) -> None:
    store.record([raised(alert("run-1")), raised(alert("run-2"))], ZONES)
    with AlertStore.open(tmp_path / "alerts.sqlite") as other:
        other.acknowledge("run-1", "supervisor", 12.0)
        assert other.acknowledged_elsewhere() == []
    ((whose, alert_id, seen),) = store.acknowledged_elsewhere()
    assert (whose, alert_id, seen.by_role, seen.at_s) == ("blue", "run-1", "supervisor", 12.0)
    assert store.acknowledged_elsewhere() == []
    with AlertStore.open(tmp_path / "alerts.sqlite") as later:
        assert later.acknowledged_elsewhere() == []


def test_what_a_killed_watch_left_open_ends_with_it_and_can_be_reviewed(tmp_path: Path) -> None:
    path = tmp_path / "alerts.sqlite"
    with AlertStore.open(path) as store:
        other = alert("run-2", judged_by="other")
        exempt = replace(alert("run-3"), exempt=True)
        store.record([raised(alert()), raised(other), raised(exempt)], ZONES)
        store.acknowledge("run-1", "duty officer", 11.0)
    with AlertStore.open(path) as store:
        assert store.end_left_open("blue") == 1
        assert store.end_left_open("blue") == 0
        found = store.alert("run-1")
        assert (found.status, found.end_reason, found.verdict) == (
            AlertStatus.ENDED, EndReason.WATCH_ENDED, Verdict.ACTUAL,
        )  # fmt: skip
        assert [seen.by_role for seen in found.acknowledgements] == ["duty officer"]
        assert store.alert("run-2").status is AlertStatus.ACTUAL
        assert store.zone_text("Z1", "1") == "KEEP OUT"
        assert store.review("run-1", ReviewVerdict.JUSTIFIED, "supervisor", 30.0).status is AlertStatus.REVIEWED
