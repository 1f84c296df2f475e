"""Voting sheets, texts and files of applications say what the logs say, in every language, and leave nothing out."""

from __future__ import annotations

import pytest

from keepclear.decisions.acts import Apply, StageReached
from keepclear.decisions.documents.dossier import describe_application
from keepclear.decisions.documents.sheet import describe_sheet
from keepclear.decisions.documents.text import describe_text
from keepclear.decisions.procedure.application import application
from keepclear.decisions.rules.body import Representation, body_hash
from keepclear.decisions.rules.stance import Stance
from keepclear.decisions.vocabulary import Effect, Request, Stage
from keepclear.messages.catalogue import Language
from keepclear.messages.document import page, to_text
from tests.decisions.logs import DAY_MS, SINCE, TEXT, Logs, P, council

A = "A-AA-2026-0001"


def voted() -> Logs:
    """For, against, and one member that two parties speak for in two ways; somebody late; one silent."""
    two = (Representation(party="cc", from_date=SINCE), Representation(party="dd", from_date=SINCE))
    logs = Logs(council(("aa", "bb", "cc", "ee"), ("simple-majority",), speakers={"cc": two}))
    logs.table(effect=Effect.ADVISORY, text="Closed.\nUntil noon <b>.")
    logs.circulate(text="Closed.\nUntil noon <b>.")
    for party, stance, member in (("aa", Stance.FOR, None), ("cc", Stance.FOR, "cc"), ("dd", Stance.AGAINST, "cc")):
        logs.say(party, stance, member=member, text="Closed.\nUntil noon <b>.")
    logs.wait(DAY_MS + 1)
    logs.say("bb", Stance.AGAINST, text="Closed.\nUntil noon <b>.", statement="Read as noon, local time.")
    return logs


@pytest.mark.parametrize("language", list(Language))
def test_a_sheet_shows_every_member_what_counts_what_does_not_and_why(language: Language) -> None:
    document = describe_sheet(voted().status(), language)
    shown = to_text(document)
    for code in ("[FOR]", "[SIMPLE_MAJORITY]", "[VOTING]", "[LATE]", P, "Read as noon, local time."):
        assert code in shown
    positions = document.tables[1]
    assert len(positions.rows) == 4, "every member that takes part has a row"
    assert all(len(row) == len(table.heads) for table in document.tables for row in table.rows)
    assert len(document.banners) == 2, "advisory, and contradictory"


def test_the_sheet_in_english_reads_as_a_secretary_would_write_it() -> None:
    rows = to_text(describe_sheet(voted().status(), Language.ENGLISH)).splitlines()
    assert "!!! ADVISORY: this text changes no status." in rows
    assert "!!! CONTRADICTORY POSITIONS: cc. Both are on the record, with proof." in rows
    assert "cc | contradictory: for [FOR], against [AGAINST] | cc 1, dd 1 | " in rows
    assert "ee | nothing stated |  | " in rows
    assert any(row.startswith("bb | against [AGAINST] | bb 1 | received by the secretary after") for row in rows)


def test_a_text_keeps_its_words_and_cannot_break_the_page() -> None:
    document = describe_text(voted().status(), Language.ARABIC)
    written = page([document], Language.ARABIC, P)
    assert "Until noon &lt;b&gt;." in written
    assert '<article class="message" lang="ar" dir="rtl">' in written


@pytest.mark.parametrize("language", list(Language))
def test_an_application_shows_its_stages_and_what_an_advisory_vote_is_worth(language: Language) -> None:
    logs = Logs(council())
    logs.table(effect=Effect.ADVISORY)
    first = logs.write("aa", Apply(
        application=A, applicant="Party A", body=body_hash(logs.body), kind=Request.MEASURE, subject="A corridor",
        basis="Agreement, 4", text=TEXT, language="en",
    ))  # fmt: skip
    logs.write("hub", StageReached(
        application=A, stage=Stage.RECEIVED, after=first.leaf, owner="hub", due_ms=logs.now_ms + DAY_MS, advisory=P
    ))  # fmt: skip
    logs.write("bb", StageReached(application=A, stage=Stage.DECISION, after=first.leaf, owner="bb"))
    shown = to_text(describe_application(application(logs.docket(), A), language))
    assert "[NOT_ENTITLED]" in shown, "what was claimed and not reached is shown as that"
    for words in ("[MEASURE]", "[RECEIVED]", "Party A", "Agreement, 4", TEXT, P, "[TABLED]", "[WITHDRAWN]"):
        assert words in shown
