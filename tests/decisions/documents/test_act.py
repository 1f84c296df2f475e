"""A record's transcript says what parties decided in words, in every language, and from the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from keepclear.channel.entry import Draft, Entry, Reference
from keepclear.channel.record.transcript import Spoken
from keepclear.decisions.acts import (
    DECISION_KIND,
    Amend,
    AnyAct,
    Circulate,
    Close,
    Constitute,
    Counts,
    Open,
    Position,
    Register,
    Registered,
    Sheet,
    Table,
    encode_act,
    text_hash,
)
from keepclear.decisions.documents.act import ActDescriber
from keepclear.decisions.rules.body import Body, Member, Representation, body_hash
from keepclear.decisions.rules.rulebook import find_rule
from keepclear.decisions.rules.stance import Outcome, Stance
from keepclear.decisions.vocabulary import Ballot, Under
from keepclear.messages.catalogue import Language
from keepclear.messages.document import Document, to_html, to_text
from keepclear.messages.transcript import transcript_text
from keepclear.simulation.parties import exercise_charter
from tests.decisions.acts.test_acts import EXAMPLES
from tests.decisions.logs import START_MS, TITLE, Logs, P

SINCE = date(2000, 1, 1)
BODY = Body(
    id="council", name="Council of the Line", secretary="hub", rules=(find_rule("silence"),),
    members=(Member(id="south", name="South", from_date=SINCE,
                    represented_by=(Representation(party="cc", from_date=SINCE),)),),
)  # fmt: skip
H = "3f2a" * 16


def spoken(act: AnyAct, party: str = "hub") -> Spoken:
    logs = Logs(BODY, accepted=())
    reference = logs.write(party, act)
    record = logs.records[party][reference.seq]
    return Spoken(Entry.parse(record.payload), record.leaf, record.body)


def described(*acts: AnyAct, language: Language = Language.ENGLISH) -> Document:
    """The last of them, after the others."""
    describe = ActDescriber()
    for act in acts:
        document = describe(encode_act(act), language, spoken(act, "cc" if isinstance(act, Position) else "hub"))
    return document


def table(**more: object) -> Table:
    return Table(proposal=P, body=body_hash(BODY), rule="silence", title=TITLE, text="Closed.\nUntil <b>noon</b>.",
                 language="en", **more)  # type: ignore[arg-type]  # fmt: skip


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("act", EXAMPLES, ids=lambda act: type(act).__name__)
def test_every_act_has_a_heading_and_one_line_of_facts_and_only_texts_have_more(
    act: AnyAct, language: Language
) -> None:
    document = described(act, language=language)
    assert document.title
    assert document.lines[0].parts, "where it is written"
    has_text = getattr(act, "text", "") or getattr(act, "statement", "")
    assert len(document.lines) == (3 if has_text else 1)
    shown = to_text(document)
    for name in ("proposal", "meeting", "application"):
        assert getattr(act, name, "") in shown
    assert "hub 1" in shown or "cc 0" in shown
    assert to_html(document).count("<dt>") == len(document.lines)


def test_a_position_reads_as_a_clerk_would_read_it_out() -> None:
    position = Position(proposal=P, version=1, text_hash=H, member="south", stance=Stance.BREAK_SILENCE,
                        authority_ref="instruction 12", statement="Read as\nlocal time.", language="en")  # fmt: skip
    rows = to_text(described(Constitute(body=BODY), table(), position)).splitlines()
    assert rows == [
        "=== Position: P-HUB-2026-0001, version 1 – South: breaks the silence [BREAK_SILENCE] ===",
        "Written down: cc 0; 1 January 2026 12:00:00 UTC [2026-01-01T12:00:00Z]; "
        "Hash of the text (SHA-256): 3f2a3f2a3f2a3f2a…; On the authority of: instruction 12",
        "Language: English [en]",
        "Statement:",
        "    Read as",
        "    local time.",
    ]


def test_deadline_rolls_counts_and_receipts_are_in_the_words() -> None:
    before = (Constitute(body=BODY), table())
    circulate = Circulate(
        proposal=P, version=1, text_hash=H, under=Under.VOTE, closes_ms=START_MS + 60_000, ballot=Ballot.SECRET,
        open_by_ms=START_MS + 120_000, delivered=(Reference("cc", 4, H),),
    )  # fmt: skip
    shown = to_text(described(*before, circulate))
    for words in ("– vote [VOTE]", "receipt: 1 January 2026 12:01:00 UTC", "sealed until the deadline [SECRET]",
                  "Opened until: 1 January 2026 12:02:00 UTC", "Delivery proved by: cc"):  # fmt: skip
        assert words in shown
    silent = Circulate(proposal=P, version=1, text_hash=H, under=Under.SILENCE, closes_ms=START_MS + 60_000)
    assert "Delivery proved by: nobody" in to_text(described(*before, silent))
    register = Register(proposal=P, version=1, positions=(Registered(member="south", party="cc", seq=4, leaf=H),
                                                          Registered(party="dd", seq=7, leaf=H)))  # fmt: skip
    assert "Received from: South (cc 4), dd (dd 7)" in to_text(described(*before, register))
    sheet = Sheet(proposal=P, version=1, text_hash=H, roll={"south": Stance.FOR})
    assert "– for [FOR]: 1 ===" in to_text(described(*before, sheet))
    assert "Position: South: for [FOR]" in to_text(described(*before, sheet))
    counts = Sheet(proposal=P, version=1, text_hash=H, counts=Counts(in_favour=637, against=13, abstaining=26))
    assert "for [FOR]: 637" in to_text(described(*before, counts))
    close = Close(proposal=P, version=1, outcome=Outcome.ADOPTED, tally={Stance.FOR: 637})
    assert "adopted [ADOPTED]" in to_text(described(*before, close))
    opened = Open(proposal=P, version=1, member="south", stance=Stance.AGAINST, nonce=H)
    assert "South: against [AGAINST]" in to_text(described(*before, opened))


def test_a_text_is_there_whole_and_its_hash_is_that_of_the_procedure() -> None:
    document = described(table(authorises=("CORRIDOR-NORTH",)))
    assert f"{text_hash(TITLE, table().text, 'en')[:16]}…" in to_text(document)
    assert "Authorises: CORRIDOR-NORTH" in to_text(document)
    assert "Until &lt;b&gt;noon&lt;/b&gt;." in to_html(document)
    amended = described(
        Amend(proposal=P, version=2, title=TITLE, text="Open.", language="en"), language=Language.ARABIC
    )
    assert "Open." in to_text(amended)
    assert all(line.startswith("\u200f") for line in to_text(amended).splitlines())


def test_what_is_no_act_and_what_nobody_describes_is_shown_from_outside() -> None:
    charter = exercise_charter("hub", "cc")
    logs = Logs(BODY, accepted=())
    logs.write_entry("hub", Draft(DECISION_KIND, b'{"act":"acclaim"}'))
    logs.write_entry("hub", Draft("weather", b"{}"))

    def entries() -> Iterator[Spoken]:
        return (Spoken(Entry.parse(r.payload), r.leaf, r.body) for r in logs.records["hub"])

    shown = "".join(transcript_text("en", {DECISION_KIND: ActDescriber})(charter, entries()))
    assert "=== Body declared: Council of the Line [council] ===" in shown
    assert "=== hub 1 · decision" in shown
    assert "the decision: " in shown, "why it has no effect"
    assert "=== hub 2 · weather" in shown
    assert "Body declared" not in "".join(transcript_text("en")(charter, entries()))
