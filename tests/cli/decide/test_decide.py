"""``keepclear decide`` as secretaries and members use it: three nodes, from nothing to a record that others verify."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from keepclear.cli.main import run
from keepclear.cli.node.serving import Serving
from keepclear.edge.channel.node_folder import NodeFolder
from tests.cli.decide.deciding import COUNCIL, PASSPHRASE, TEXT, Table, constitute, make_table


@pytest.fixture
def table(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Table:
    return make_table(tmp_path, capsys, monkeypatch)


def propose(table: Table, rule: str = "silence", *more: str) -> str:
    said = table("bravo", "propose", "--body", "council", "--rule", rule, "--title", "Corridor North", "--text",
                 "text.txt", *more)  # fmt: skip
    table.exchange()
    return said.split(" ", 1)[0]


def circulate(table: Table, number: str, *how: str) -> None:
    """Received by both members before, so that their silence can count."""
    for party in ("bravo", "charlie"):
        table(party, "receive", number)
    table.exchange()
    table("alfa", "circulate", number, *how)
    table.exchange()


def test_a_text_under_silence_is_broken_amended_adopted_exported_and_verified(table: Table) -> None:
    constitute(table)
    number = propose(table, "silence", "--authorises", "CORRIDOR-NORTH")
    assert table.status("charlie", number)["state"] == "TABLED"
    circulate(table, number, "--under", "SILENCE", "--within", "48h")
    found = table.status("charlie", number)
    assert found["state"] == "UNDER_SILENCE"
    assert found["rounds"][0]["delivered"] == ["north", "south"]

    table("charlie", "position", number, "BREAK_SILENCE", "--authority", "instruction 12")
    table.exchange()
    assert table.status("alfa", number)["state"] == "UNDER_SILENCE", "not received by the secretary yet"
    assert "received from south" in table("alfa", "register")
    assert "received already" in table("alfa", "register"), "once"
    table.exchange()
    assert "broken by south" in table("bravo", "show", number)
    table("alfa", "close", number, code=1)

    (table.place / "text.txt").write_text("The corridor is open to medical flights by day.")
    assert "version 2" in table("bravo", "amend", number, "--text", "text.txt")
    table.exchange()
    table("alfa", "register")
    table.exchange()
    circulate(table, number, "--under", "SILENCE", "--within", "48h")
    table.skip(hours=49)
    table("alfa", "close", number)
    table.exchange()
    states = {node: table.status(node, number) for node in ("alfa", "bravo", "charlie")}
    assert {s["state"] for s in states.values()} == {"ADOPTED"}
    assert [(b["member"], b["why"]) for b in states["bravo"]["bound"]] == [("north", "SILENT"), ("south", "SILENT")]
    assert [r["state"] for r in states["charlie"]["rounds"]] == ["BROKEN", "ADOPTED"], "what failed stays"
    assert "2 silent" in table("charlie", "tally", number)

    assert run(["channel", "export", "--node", "charlie", "--out", "record"]) == 0
    table.capture.readouterr()
    assert run(["verify", "record"]) == 0
    said = table.capture.readouterr().out
    assert "VERIFIED" in said
    assert "word for word" in said
    transcript = (table.place / "record" / "transcript-en.txt").read_text()
    assert f"=== Position: {number}, version 1 – South: breaks the silence [BREAK_SILENCE] ===" in transcript


def test_a_vote_is_counted_by_the_rule_and_a_later_position_replaces_an_earlier_one(table: Table) -> None:
    constitute(table)
    number = propose(table, "simple-majority")
    table("alfa", "circulate", number, "--under", "VOTE", "--within", "2h")
    table.exchange()
    table("bravo", "position", number, "AGAINST")
    table("bravo", "position", number, "FOR", "--statement", "Read as civil twilight.")
    table("charlie", "position", number, "ABSTAIN")
    table.exchange()
    table("alfa", "register")
    table("alfa", "close", number)
    table.exchange()
    said = table("charlie", "show", number)
    for words in ("ADOPTED", "north: FOR", "south: ABSTAIN", "changes no count: Read as civil twilight."):
        assert words in said
    rows = [json.loads(line) for line in table("charlie", "tally", number, "--format", "json").splitlines()]
    assert {k: rows[-1][k] for k in list(rows[-1])[:4]} == {"condition": "VOTING", "have": 1, "of": 1, "needed": 1}


def test_a_served_secretary_receives_at_once_and_tells_what_is_owed(table: Table) -> None:
    constitute(table)
    number = propose(table, "simple-majority")
    table("alfa", "circulate", number, "--under", "VOTE", "--within", "2h")
    table.exchange()
    served = Serving(NodeFolder(table.place / "alfa"), PASSPHRASE, ("127.0.0.1", 0), frozenset(), {}, True, 0)
    told = Serving(NodeFolder(table.place / "charlie"), PASSPHRASE, ("127.0.0.1", 0), frozenset(), {}, True, 0)
    served._decide()
    told._decide()
    table("bravo", "position", number, "FOR")
    table.exchange()
    for node in (served, told, served):
        node._decide()
    said = [json.loads(line) for line in table.capture.readouterr().out.splitlines() if line.startswith("{")]
    assert [(s["id"], s["from"]) for s in said if s["event"] == "registered"] == [(number, ["north"])], "once"
    assert [(s["act"], s["member"]) for s in said if s["event"] == "decision"] == [("position", "north")] * 2
    for node in (served, told):
        node._node.close()
    table.exchange()
    assert [p["member"] for p in table.status("charlie", number)["rounds"][0]["positions"]] == ["north"]


def test_sealed_votes_are_opened_together_after_the_deadline(table: Table) -> None:
    constitute(table)
    number = propose(table, "simple-majority")
    end = ("--within", "1h", "--secret", "--open-by", "2099-01-01T00:00:00Z")
    said = table("alfa", "circulate", number, "--under", "VOTE", *end)
    assert "delivery" not in said, "no silence is read in a vote"
    table.exchange()
    assert "carries no statement" in table.refuse("bravo", "position", number, "FOR", "--statement", "Yes.")
    table("bravo", "position", number, "AGAINST")
    table("bravo", "position", number, "FOR")  # the later one counts
    sealed = table.place / "bravo" / "sealed-votes.jsonl"
    sealed.write_bytes(sealed.read_bytes() + sealed.read_bytes().splitlines(keepends=True)[0])  # a key of no vote
    table("charlie", "position", number, "AGAINST")
    assert (table.place / "bravo" / "sealed-votes.jsonl").stat().st_mode & 0o777 == 0o600
    table.exchange()
    table("alfa", "register")
    table.exchange()
    assert table.status("bravo", number)["rounds"][0]["positions"] == []
    table("bravo", "show", number)
    assert "sealed votes are in of north, south" in table.said
    assert "before the deadline" in table.refuse("bravo", "open", number)
    table.skip(hours=2)
    table("alfa", "meeting", "--body", "council", "--starts", "2098-01-01T00:00:00Z", "--place", "R", "--agenda", "x")
    table.exchange()
    for party in ("bravo", "charlie"):
        table(party, "open", number)
    table.exchange()
    table("alfa", "register")
    table.exchange()
    found = table.status("charlie", number)
    assert {p["member"]: p["stance"] for p in found["rounds"][0]["positions"]} == {"north": "FOR", "south": "AGAINST"}


def test_a_vote_in_a_room_is_written_down_by_the_secretary(table: Table) -> None:
    constitute(table)
    number = propose(table, "simple-majority")
    table("alfa", "circulate", number, "--under", "VOTE", "--within", "1h")
    (table.place / "roll.csv").write_text("member,stance\nnorth,FOR\nsouth,MAYBE\n")
    assert "roll.csv, line 3: 'MAYBE' is none of FOR" in table.refuse("alfa", "sheet", number, "--roll", "roll.csv")
    (table.place / "roll.csv").write_text("member,stance\nnorth,FOR\neast,FOR\n")
    assert "east takes no part" in table.refuse("alfa", "sheet", number, "--roll", "roll.csv")
    (table.place / "roll.csv").write_text("member,stance\nnorth,FOR\nsouth,AGAINST\n")
    table("alfa", "sheet", number, "--roll", "roll.csv")
    table("alfa", "close", number, code=1)
    assert "by the secretary's word" in table("alfa", "show", number)


def test_an_application_goes_its_way_and_an_advisory_vote_changes_no_status(table: Table) -> None:
    constitute(table)
    table("charlie", "apply", "--kind", "MEASURE", "--body", "council", "--subject", "A corridor", "--basis", "Art. 4")
    advice = propose(table, "simple-majority", "--advisory")
    number = "A-CHARLIE-2026-0001"
    assert "does not follow" in table.refuse("alfa", "stage", number, "GRANTED", "--owner", "alfa")
    table("alfa", "stage", number, "RECEIVED", "--owner", "alfa", "--due", "2090-01-01T00:00:00Z")
    table.exchange()
    assert "for alfa to say so" in table.refuse("bravo", "stage", number, "DECISION", "--owner", "bravo")
    table("alfa", "stage", number, "DECISION", "--owner", "alfa")
    said = table.refuse("alfa", "stage", number, "GRANTED", "--owner", "x", "--advisory", advice)
    assert "an advisory vote changes no status" in said
    said = table.refuse("alfa", "stage", number, "GRANTED", "--owner", "x", "--decision", advice)
    assert "is advisory: it changes no status" in said
    table.exchange()
    said = table("charlie", "show", number)
    assert "DECISION; with alfa" in said
    assert "next: GRANTED" in said
    assert table.status("charlie", number)["next"][0] == "GRANTED"


def test_what_cannot_count_is_refused_in_one_line_and_nothing_is_written(table: Table) -> None:
    constitute(table)
    number = propose(table)
    past, own = "2020-01-01T00:00:00Z", ("--text", "text.txt")
    new = ("propose", "--body", "council", "--title", "T", *own)
    at_first: tuple[tuple[str, tuple[str, ...], str], ...] = (
        ("bravo", (*new, "--rule", "unknown"), "council has no rule unknown; it has silence, simple-majority"),
        ("bravo", (*new, "--rule", "silence", "--expires", past), "is in the past"),
        ("bravo", (*new, "--rule", "silence", "--without", "north"), "leaves out 0 members at most"),
        ("bravo", (*new, "--rule", "silence", "--revokes", "P-BRAVO-2026-0099"), "no proposal P-BRAVO-2026-0099"),
        ("bravo", ("amend", number, *own), "byte for byte"),
        ("charlie", ("amend", number, "--title", "Other", *own), "only who tabled"),
        ("bravo", ("circulate", number, "--under", "SILENCE", "--within", "1h"), "only the secretary"),
        ("alfa", ("circulate", number, "--under", "SILENCE", "--closes", past), "is in the past"),
        ("alfa", ("circulate", number, "--under", "VOTE", "--within", "1h"), "is for SILENCE, not for VOTE"),
        ("alfa", ("circulate", number, "--under", "SILENCE"), "give the deadline"),
        ("bravo", ("position", number, "FOR"), "was not put to the members yet"),
        ("alfa", ("close", number), "has no tally yet"),
        ("alfa", ("receive", number), "speaks for no member"),
        ("charlie", ("withdraw", number), "only bravo, who tabled it"),
        ("bravo", ("show", "P-BRAVO-2026-0099"), "there is no proposal"),
        ("bravo", ("show", "A-BRAVO-2026-0099"), "no application"),
        ("bravo", ("show", "M-BRAVO-2026-0099"), "no meeting"),
        ("alfa", ("minutes", "M-ALFA-2026-0001", *own), "no meeting"),
        ("bravo", ("document", number, "--out", "no/such/folder/x.html"), "no/such/folder"),
        ("bravo", ("document", number, "--out", "x.docx"), "a .txt, .html or .pdf file"),
        ("bravo", ("calendar", "--out", "x.csv"), "an .ics file"),
        ("bravo", ("register",), "bravo is that of no body here"),
        ("bravo", ("register", number), "not that of council, which is alfa"),
        ("alfa", ("register", "P-BRAVO-2026-0099"), "there is no proposal"),
        ("bravo", (*new[:4], "", *own, "--rule", "silence"), "keepclear: title: expected"),
    )  # fmt: skip
    for node, call, words in at_first:
        assert words in table.refuse(node, *call), (call, table.refused)
    circulate(table, number, "--under", "SILENCE", "--within", "48h")
    before = table.entries("charlie")
    assert "in our log already" in table("charlie", "receive", number)
    assert table.entries("charlie") == before
    later: tuple[tuple[str, tuple[str, ...], str], ...] = (
        ("charlie", ("position", number, "FOR", "--member", "west"), "west left council on 2021-12-31"),
        ("charlie", ("position", number, "FOR", "--member", "north"), "charlie does not speak for north today"),
        ("charlie", ("position", number, "FOR", "--member", "east"), "east is no member of council"),
        ("charlie", ("position", number, "QUALIFIED_ABSTAIN"), "formal declaration"),
        ("alfa", ("close", number), "members can still take positions"),
        ("alfa", ("extend", number, "--within", "1h", "--reason", "x"), "not before that"),
        ("alfa", ("extend", number, "--closes", past, "--reason", "x"), "is in the past"),
    )
    for node, call, words in later:
        assert words in table.refuse(node, *call), (call, table.refused)
    table.skip(hours=49)
    assert "the deadline has passed" in table.refuse("charlie", "position", number, "BREAK_SILENCE")


def test_a_text_that_was_changed_by_one_byte_is_another_text(table: Table) -> None:
    constitute(table)
    number = propose(table)
    before = table.status("bravo", number)["text_hash"]
    (table.place / "text.txt").write_text(TEXT.replace("medical", "Medical"))
    table("bravo", "amend", number, "--text", "text.txt")
    assert table.status("bravo", number)["text_hash"] != before
    assert table.status("bravo", number)["version"] == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"members": [*COUNCIL["members"], COUNCIL["members"][0]]}, "north is a member twice at once"),
        ({"totals_on": "2025-01-01", "votes_total": 5}, "2 votes in it on 2025-01-01, and 5 are stated"),
        ({"rules": ["silence", "magic"]}, "no rule is called 'magic'"),
        ({"secretary": "delta"}, "delta is no party of this channel"),
        ({"secretary": None}, "a body on a channel needs a secretary"),
        ({"members": [{"id": "north", "from_date": "2020-01-01", "until_date": "2019-01-01"}]}, "before it starts"),
        ({"members": [{"id": "north", "from_date": "2020-01-01"}]}, "no member is represented"),
        ({"name": 7}, "council.json, name: "),
    ],
)
def test_a_body_that_is_not_sound_is_refused_in_one_line(table: Table, change: dict[str, object], words: str) -> None:
    (table.place / "council.json").write_text(json.dumps({**COUNCIL, **change}))
    assert words in table.refuse("alfa", "body", "declare", "--file", "council.json")


def test_documents_and_the_calendar_are_written_in_every_language(table: Table) -> None:
    import icalendar

    constitute(table)
    number = propose(table)
    circulate(table, number, "--under", "SILENCE", "--within", "48h")
    table("alfa", "meeting", "--body", "council", "--starts", "2098-01-01T00:00:00Z", "--place", "Room 3",
          "--extraordinary", "--agenda", f"Corridor;{number}")  # fmt: skip
    for language, word in (("en", "Voting sheet"), ("fr", "Feuille de vote"), ("uk", "Відомість голосування"),
                           ("ru", "Ведомость голосования"), ("ar", "ورقة التصويت")):  # fmt: skip
        assert word in table("alfa", "document", number, "--sheet", "--language", language)
        table("alfa", "document", number, "--sheet", "--language", language, "--out", "sheet.html")
        page = (table.place / "sheet.html").read_text()
        assert f'lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}"' in page
        assert word in page
    assert TEXT in table("alfa", "document", number)
    assert "Notice of a meeting" in table("alfa", "document", "M-ALFA-2026-0001")
    table("alfa", "document", number, "--out", "text.pdf")
    assert (table.place / "text.pdf").read_bytes().startswith(b"%PDF-")

    def dates() -> dict[str, tuple[datetime, int, str]]:
        table("alfa", "calendar", "--out", "c.ics")
        read = icalendar.Calendar.from_ical((table.place / "c.ics").read_bytes())
        return {
            str(e["uid"]): (e.decoded("dtstart"), int(str(e["sequence"])), str(e["status"]))
            for e in read.walk("VEVENT")
        }

    first = dates()
    assert len(first) == 2
    table("alfa", "extend", number, "--within", "72h", "--reason", "a holiday")
    moved = dates()
    assert moved.keys() == first.keys(), "a date keeps its name"
    [uid] = [uid for uid in first if uid.startswith(number.lower())]
    assert moved[uid][0] > first[uid][0]
    assert (first[uid][1:], moved[uid][1:]) == ((0, "CONFIRMED"), (1, "CONFIRMED"))
    table("charlie", "position", number, "BREAK_SILENCE")
    table.exchange()
    table("alfa", "register")
    broken = dates()
    assert broken[uid][1:] == (2, "CANCELLED")
    assert {u: d for u, d in broken.items() if u != uid} == {u: d for u, d in first.items() if u != uid}


def test_history_replays_as_published(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["decide", "history"]) == 0
    assert "ep-2022-03-01" in capsys.readouterr().out
    assert run(["decide", "history", "ep-2022-03-01"]) == 0
    said = capsys.readouterr().out
    assert "637 FOR, 13 AGAINST, 26 ABSTAIN" in said
    assert "outcome: ADOPTED, ADVISORY, as published" in said
    assert run(["decide", "history", "ukraine-candidate-status"]) == 0
    assert "2022-06-23  GRANTED" in capsys.readouterr().out
    assert run(["decide", "history", "nobody"]) == 2


def test_bodies_and_rules_are_listed_without_a_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["decide", "bodies", "--on", "2003-02-10", "--format", "json"]) == 0
    rows = {row["body"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert rows["north-atlantic-council"]["members"] == 19
    assert run(["decide", "rules", "un-security-council"]) == 0
    assert "no permanent member against" in capsys.readouterr().out
    assert run(["decide", "body", "show", "european-council", "--format", "csv"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 28
    assert run(["decide", "list"]) == 2
    assert "no node here" in capsys.readouterr().err
