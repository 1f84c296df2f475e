"""A secretary and two members, each serving its node over HTTPS from a process of its own: from a body to a zone."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from keepclear.cli.decide.reading import deciding
from keepclear.cli.demo_channel import await_event, free_port, stage
from keepclear.cli.main import run
from keepclear.decisions.acts import Accept, Received
from keepclear.edge.channel import keys as channel_keys
from keepclear.quantities import UNBOUNDED
from keepclear.space.geometry import Circle
from keepclear.zones.formats import write_zones
from keepclear.zones.model import Volume, Zone
from keepclear.zones.zone_set import ZoneSet
from tests.cli.decide.deciding import COUNCIL, PARTIES

SECOND_VERIFIER = Path(__file__).resolve().parents[3] / "tools" / "second_verifier" / "verify_record.py"
PATIENCE_S = 30.0
LADDER = "POLITICAL=duty officer,head of mission@60:console/telephone"


def awaited(found: Callable[[], Any]) -> Any:
    """The first answer that says something."""
    end = time.monotonic() + PATIENCE_S
    while not (answer := found()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.1)
    return answer


def parties_of(node: str, act: type, version: int | None = None) -> set[str]:
    """Whose acts of a kind are in the logs that a node holds."""
    docket = deciding(Path(node)).docket
    about = [filed for subject in (*docket.bodies(), *docket.proposals()) for filed in docket.about(subject)]
    return {
        one.party
        for one in about
        if isinstance(one.act, act) and (version is None or getattr(one.act, "version", None) == version)
    }


def test_a_text_is_decided_on_over_three_served_nodes_and_the_zone_that_rests_on_it_is_in_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def keepclear(*call: str, code: int = 0) -> str:
        capsys.readouterr()
        ended = run(list(call))
        said = capsys.readouterr()
        assert ended == code, (call, said)
        return said.out

    def decide(node: str, *call: str, code: int = 0) -> str:
        return keepclear("decide", *call, "--node", node, code=code)

    def status(node: str, number: str) -> dict[str, Any]:
        capsys.readouterr()
        ended = run(["decide", "show", "--node", node, "--json", number])
        said = capsys.readouterr().out
        found: dict[str, Any] = {} if ended == 2 else json.loads(said)
        return found

    def is_at(node: str, number: str, state: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            found = status(node, number)
            return found if found.get("state") == state else None

        found: dict[str, Any] = awaited(look)
        return found

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(channel_keys.create_keys, "__kwdefaults__", {"scrypt_n": 2**10})
    (tmp_path / "council.json").write_text(json.dumps(COUNCIL))
    text = tmp_path / "text.txt"
    text.write_text("The corridor is open to medical flights.")
    with stage(tmp_path) as it:
        monkeypatch.setenv("KEEPCLEAR_PASSPHRASE", it.environment["KEEPCLEAR_PASSPHRASE"])
        cards: list[str] = []
        for party in PARTIES:
            keepclear("node", "init", "--node", party, "--party", party, "--name", party.title(), "--url",
                      f"https://127.0.0.1:{free_port()}", "--desk", LADDER)  # fmt: skip
            cards += ["--card", f"{party}/card.json"]
        timers = ("--timer", "check_every_ms=500", "--timer", "silent_after_ms=2500")
        keepclear("channel", "charter", "new", "--name", "Line", *cards, *timers, "--out", "charter.json")
        for party in PARTIES:
            keepclear("channel", "charter", "sign", "--node", party, "charter.json")
        shown = keepclear("channel", "charter", "show", "charter.json")
        digits = next(row.rpartition(": ")[2] for row in shown.splitlines() if row.startswith("digits"))
        for party in PARTIES:
            keepclear("channel", "join", "--node", party, "--digits", digits, "charter.json")
        served = {p: it.start("node", "serve", "--json", "--test-every", "0s", "--node", p) for p in PARTIES}

        decide("alfa", "body", "declare", "--file", "council.json")
        for member in ("bravo", "charlie"):
            await_event(served[member], event="owed", what="ACCEPT")
            decide(member, "body", "accept", "council")
        awaited(lambda: all({"bravo", "charlie"} <= parties_of(party, Accept) for party in PARTIES))

        said = decide("bravo", "propose", "--body", "council", "--rule", "silence", "--title", "Corridor North",
                      "--text", "text.txt", "--authorises", "CORRIDOR-NORTH")  # fmt: skip
        number = said.split(" ", 1)[0]
        await_event(served["alfa"], event="owed", what="CIRCULATE", id=number)
        for member in ("bravo", "charlie"):
            await_event(served[member], event="received", id=number, version=1)
        awaited(lambda: len(parties_of("alfa", Received)) == 2)
        said = decide("alfa", "circulate", number, "--under", "SILENCE", "--within", "10min")
        assert "delivery is proved to bravo, charlie" in said
        for member in ("bravo", "charlie"):
            await_event(served[member], event="call", id=number, what="SILENCE_ENDS", role="duty officer")
        decide("bravo", "position", number, "FOR")
        decide("charlie", "position", number, "BREAK_SILENCE", "--authority", "instruction 12")
        broken = is_at("bravo", number, "BROKEN")
        assert broken["rounds"][0]["broken_by"] == ["south"]

        text.write_text("The corridor is open to medical flights by day.")
        decide("bravo", "amend", number, "--text", "text.txt")
        for member in ("bravo", "charlie"):
            await_event(served[member], event="received", id=number, version=2)
        is_at("alfa", number, "RE_TABLED")
        awaited(lambda: len(parties_of("alfa", Received, version=2)) == 2)
        decide("alfa", "circulate", number, "--under", "SILENCE", "--within", "8s")
        is_at("charlie", number, "UNDER_SILENCE")
        decide("charlie", "position", number, "FOR", "--statement", "Read as civil twilight.")
        await_event(served["alfa"], event="owed", what="CLOSE", id=number, version=2)
        assert "ADOPTED" in decide("alfa", "close", number)
        found = is_at("charlie", number, "ADOPTED")
        awaited(lambda: status("charlie", number)["rounds"][1]["closed"])
        assert [(b["member"], b["why"]) for b in found["bound"]] == [("north", "SILENT"), ("south", "FOR")]

        keepclear("channel", "export", "--node", "charlie", "--out", "record", "--language", "uk")

    said = keepclear("verify", "record", "--charter", "charter.json")
    assert said.startswith("VERIFIED: ")
    assert f"decision {number} «Corridor North»: ADOPTED on" in said
    assert "word for word" in said, "the transcript is that of the entries"
    assert "порушує мовчання" in (tmp_path / "record" / "transcript-uk.txt").read_text()
    again = subprocess.run([sys.executable, SECOND_VERIFIER, "record"], capture_output=True, text=True)
    assert again.returncode == 0, again.stdout + again.stderr

    circle = (Volume(Circle(30.5, 50.4, 5_000.0), UNBOUNDED, UNBOUNDED),)
    for name, flag, code in (
        ("CORRIDOR-NORTH", "", 0), ("CORRIDOR-SOUTH", " NOT_SHOWN: it authorises CORRIDOR-NORTH, not CORRIDOR-SOUTH", 1)
    ):  # fmt: skip
        zone = Zone(name, circle, decision_ref=number)
        (tmp_path / "zone.geojson").write_bytes(write_zones(ZoneSet.of((zone,)), "geojson").data)
        for source in ("charlie", "record"):
            said = keepclear("zones", "show", "zone.geojson", "--decisions", source, "--format", "csv", code=code)
            assert (f"[decision {number}{flag}]" in said) == bool(flag)
