"""Zones held against the decisions that they cite: flagged everywhere, kept, and nothing permitted in doubt."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from keepclear.cli.main import run
from keepclear.cli.watch.zone_files import ZoneFileWatch
from keepclear.cli.zone_decisions import ZoneDecisions, flag_of
from keepclear.quantities import UNBOUNDED
from keepclear.space.geometry import Circle
from keepclear.uss.entities import EntityKind
from keepclear.zones.formats import write_zones
from keepclear.zones.model import Exemption, Volume, Zone
from keepclear.zones.zone_set import ZoneSet
from tests.cli.decide.deciding import Table, constitute, make_table
from tests.server.uss_field import Field, zone_file

NUMBER = "P-BRAVO-2026-0001"


@pytest.fixture
def adopted(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Table:
    """A text under silence that authorises CORRIDOR; it is adopted when the clock is moved on by two days."""
    table = make_table(tmp_path, capsys, monkeypatch)
    constitute(table)
    table("bravo", "propose", "--body", "council", "--rule", "silence", "--title", "C", "--text", "text.txt",
          "--authorises", "CORRIDOR", "--expires", "2090-01-01T00:00:00Z")  # fmt: skip
    table.exchange()
    for party in ("bravo", "charlie"):
        table(party, "receive", NUMBER)
    table.exchange()
    table("alfa", "circulate", NUMBER, "--under", "SILENCE", "--within", "24h")
    return table


ZONE = Zone(
    "CORRIDOR", (Volume(Circle(30.5, 50.4, 5_000.0), UNBOUNDED, UNBOUNDED),), name="Corridor", decision_ref=NUMBER,
    exemptions=(Exemption(callsign="MEDEVAC1"), Exemption(clause="EXCEPT STATE AIRCRAFT")),
)  # fmt: skip


def flagged(source: Path, zone: Zone = ZONE, at_s: float | None = None) -> Zone:
    [found] = ZoneDecisions(source).flag(ZoneSet.of((zone,)), time.time_ns() / 1e9 if at_s is None else at_s)
    return found


def test_r4_7_a_zone_is_flagged_until_its_decision_is_adopted_and_after_it_has_lapsed(adopted: Table) -> None:
    node = adopted.place / "alfa"
    assert flag_of(flagged(node).name) == f" [decision {NUMBER} NOT_SHOWN: it is UNDER_SILENCE]"
    adopted.skip(hours=25)
    adopted("alfa", "close", NUMBER)
    assert flagged(node) is ZONE, "in force: nothing is changed"
    assert "LAPSED" in flagged(node, at_s=3_900_000_000.0).name
    for zone, words in (
        (replace(ZONE, decision_ref=""), "[NOT_SHOWN: it cites no decision]"),
        (replace(ZONE, decision_ref="P-X-2026-0001"), "NOT_SHOWN"),
        (replace(ZONE, id="ELSEWHERE"), "it authorises CORRIDOR, not ELSEWHERE"),
    ):
        assert words in flagged(node, zone).name
    long = flagged(node, replace(ZONE, name="x" * 300, decision_ref="")).name
    assert (len(long), flag_of(long)) == (200, " [NOT_SHOWN: it cites no decision]")


def test_a_flagged_zone_stays_and_exempts_nobody_by_name(adopted: Table) -> None:
    found = flagged(adopted.place / "alfa")
    assert found.volumes == ZONE.volumes
    assert [e.callsign for e in found.exemptions] == ["", ""]
    assert found.exemptions[0].clause == "callsign MEDEVAC1, NOT APPLIED: its decision is NOT_SHOWN"
    assert found.exemptions[1] == ZONE.exemptions[1]


def test_every_row_shows_the_flag_and_the_commands_say_it(adopted: Table, capsys: pytest.CaptureFixture[str]) -> None:
    Path("zone.geojson").write_bytes(write_zones(ZoneSet.of((ZONE,)), "geojson").data)
    Path("track.csv").write_text(
        "target,time,lat_deg,lon_deg\n" + "".join(f"abc123,{1_700_000_000 + n * 10},50.4,30.5\n" for n in range(5))
    )
    capsys.readouterr()
    assert run(["zones", "show", "zone.geojson", "--decisions", "alfa"]) == 1
    said = capsys.readouterr()
    assert "Corridor [decision P-BRAVO-2026-0001 NOT_SHOWN: it is UNDER_SILENCE]" in said.out
    assert "warning: zone CORRIDOR" in said.err
    scan = ["scan", "track.csv", "--zones", "zone.geojson", "--decisions", "alfa"]
    assert run([*scan, "--format", "json"]) == 1
    [row] = map(json.loads, capsys.readouterr().out.splitlines())
    assert row["zone_name"].endswith("NOT_SHOWN: it is UNDER_SILENCE]")
    assert run(scan) == 1
    assert "CORRIDOR [decision" in capsys.readouterr().out


def test_peers_are_told_that_the_decision_of_a_constraint_is_not_in_force(
    adopted: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    (adopted.place / "uss").mkdir()
    field = Field(adopted.place / "uss")
    zones = Path(zone_file(field.folder, "CORRIDOR"))
    zones.write_text(zones.read_text().replace("Decision 7", NUMBER))
    capsys.readouterr()
    try:
        assert field.command("one", "publish", "--zones", str(zones), "--decisions", "alfa", "--format", "json") == 1
        said = capsys.readouterr()
        assert {json.loads(line)["act"] for line in said.out.splitlines()} == {"created"}, said.err
        assert "warning: zone CORRIDOR" in said.err
        for kept in field.stores[0].all(EntityKind.CONSTRAINT):
            assert f"[decision {NUMBER} NOT_SHOWN: it is UNDER_SILENCE]" in json.dumps(kept.details)
    finally:
        field.close()


def test_a_record_shows_the_same_and_a_damaged_one_nothing(adopted: Table, capsys: pytest.CaptureFixture[str]) -> None:
    adopted.skip(hours=25)
    adopted("alfa", "close", NUMBER)
    assert run(["channel", "export", "--node", "alfa", "--out", "record"]) == 0
    assert flagged(adopted.place / "record") is ZONE
    shutil.copytree("record", "damaged")
    [victim] = Path("damaged").glob("logs/alfa/checkpoint")
    victim.write_bytes(victim.read_bytes().replace(b"alfa/keepclear", b"bravo/keepclear"))
    capsys.readouterr()
    Path("zone.geojson").write_bytes(write_zones(ZoneSet.of((ZONE,)), "geojson").data)
    assert run(["zones", "show", "zone.geojson", "--decisions", "damaged"]) == 2
    assert "NOT VERIFIED" in capsys.readouterr().err
    assert run(["zones", "show", "zone.geojson", "--decisions", "nowhere"]) == 2


def test_a_watch_learns_of_a_decision_that_changes(adopted: Table) -> None:
    Path("zone.geojson").write_bytes(write_zones(ZoneSet.of((ZONE,)), "geojson").data)
    watched, now_s = ZoneFileWatch((Path("zone.geojson"),), ()), time.time_ns() / 1e9
    zones = watched.hold_against(ZoneDecisions(adopted.place / "alfa"), ZoneSet.of((ZONE,)), now_s)
    assert flag_of(zones[0].name)
    assert watched.changed(now_s) is None
    adopted.skip(hours=25)
    adopted("alfa", "close", NUMBER)
    again = watched.changed(now_s + 25 * 3_600)
    assert again is not None
    assert flag_of(again[0].name) == ""
    assert watched.why == "what zones rest on has changed"
