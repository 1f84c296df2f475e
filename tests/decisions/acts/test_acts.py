"""Acts: one canonical form, one clear line for anything else."""

from __future__ import annotations

from datetime import date

import pytest

from keepclear.channel.entry import BODY_BYTES_MAX, Reference
from keepclear.decisions.acts import (
    Accept,
    AgendaItem,
    Amend,
    AnyAct,
    Apply,
    Circulate,
    Close,
    Commit,
    Constitute,
    Convene,
    Extend,
    Minutes,
    Move,
    Open,
    Position,
    Received,
    Register,
    Registered,
    Sheet,
    StageReached,
    Table,
    Withdraw,
    decode_act,
    encode_act,
    text_hash,
)
from keepclear.decisions.rules.body import Body, Member
from keepclear.decisions.rules.rule import Kind, Rule
from keepclear.decisions.rules.stance import Outcome, Stance
from keepclear.decisions.vocabulary import Ballot, Request, Stage, Under
from keepclear.errors import InputError, LimitExceeded

P, H = "P-ALFA-2026-0001", "0" * 64
RULE = Rule(id="silence", name="Silence", kind=Kind.SILENCE)
BODY = Body(id="council", name="Council", secretary="alfa", rules=(RULE,),
            members=(Member(id="fr", name="France", from_date=date(1949, 8, 24)),))  # fmt: skip
EXAMPLES: tuple[AnyAct, ...] = (
    Constitute(body=BODY),
    Accept(body=H),
    Table(proposal=P, body=H, rule="silence", title="A zone", text="The zone\nis closed.", language="en"),
    Amend(proposal=P, version=2, title="A zone", text="The zone is open.", language="en"),
    Received(proposal=P, version=1, text_hash=H),
    Circulate(
        proposal=P, version=1, text_hash=H, under=Under.SILENCE, closes_ms=1, delivered=(Reference("bravo", 3, H),)
    ),
    Extend(proposal=P, version=1, closes_ms=2, reason="asked for by two members"),
    Position(proposal=P, version=1, text_hash=H, member="fr", stance=Stance.FOR),
    Register(proposal=P, version=1, positions=(Registered(member="fr", party="bravo", seq=4, leaf=H),)),
    Sheet(proposal=P, version=1, text_hash=H, roll={"fr": Stance.FOR}),
    Commit(proposal=P, version=1, member="fr", commitment=H),
    Open(proposal=P, version=1, member="fr", stance=Stance.AGAINST, nonce=H),
    Close(proposal=P, version=1, outcome=Outcome.ADOPTED, tally={Stance.FOR: 1}),
    Withdraw(proposal=P),
    Move(proposal=P, to_body=H, as_proposal="P-ALFA-2026-0002"),
    Convene(meeting="M-ALFA-2026-0001", body=H, starts_ms=1, place="Brussels", language="en", extraordinary=True,
            agenda=(AgendaItem(title="The zone", proposal=P),)),
    Minutes(meeting="M-ALFA-2026-0001", present=("fr",), text="It met.", language="en"),
    Apply(application="A-BRAVO-2026-0001", applicant="Ukraine", body=H, kind=Request.CANDIDATE_STATUS,
          subject="Accession", basis="Article 49 TEU", language="uk"),
    StageReached(application="A-BRAVO-2026-0001", stage=Stage.TRANSMITTED, after=H, owner="alfa"),
)  # fmt: skip


@pytest.mark.parametrize("act", EXAMPLES, ids=lambda act: type(act).__name__)
def test_an_act_comes_back_from_its_bytes_and_from_nothing_else(act: AnyAct) -> None:
    data = encode_act(act)
    assert decode_act(data) == act
    for other in (data + b" ", data.replace(b":", b": ", 1), data[:-1], b"[" + data + b"]", data[:-1] + b',"zz":1}'):
        with pytest.raises(InputError, match="the decision"):
            decode_act(other)


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"", "the decision: this is not JSON"),
        (b'{"act":"vote"}', "invalid value 'vote'"),
        (b'{"act":"accept"}', "missing required field `body`"),
        (b'{"act":"withdraw","proposal":"P-alfa-2026-0001"}', "proposal"),
        (b"\xff" * 9, "not JSON"),
        (b"[" * 60_000, "expected `object`"),
        (b"x" * (BODY_BYTES_MAX + 1), "more than 65,535"),
    ],
)
def test_bytes_that_are_no_act_get_one_line(data: bytes, line: str) -> None:
    with pytest.raises(InputError) as caught:
        decode_act(data)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_act_that_contradicts_itself_is_refused_where_it_is_made() -> None:
    with pytest.raises(InputError, match="says nothing"):
        Position(proposal=P, version=1, text_hash=H, member="fr")
    with pytest.raises(InputError, match="states its language"):
        Position(proposal=P, version=1, text_hash=H, member="fr", statement="As we understand it …")
    with pytest.raises(InputError, match="formal declaration"):
        Position(proposal=P, version=1, text_hash=H, member="fr", stance=Stance.QUALIFIED_ABSTAIN)
    with pytest.raises(InputError, match="either a roll by name or counts"):
        Sheet(proposal=P, version=1, text_hash=H)
    with pytest.raises(InputError, match="until when it is opened"):
        Circulate(proposal=P, version=1, text_hash=H, under=Under.VOTE, closes_ms=1, ballot=Ballot.SECRET)
    with pytest.raises(InputError, match="only a vote can be secret"):
        Circulate(proposal=P, version=1, text_hash=H, under=Under.SILENCE, closes_ms=1, ballot=Ballot.SECRET,
                  open_by_ms=2)  # fmt: skip
    with pytest.raises(InputError, match="one thing twice"):
        Minutes(meeting="M-ALFA-2026-0001", present=("fr", "fr"), text="It met.", language="en")
    with pytest.raises(InputError, match=r"U\+202E"):
        Withdraw(proposal=P, reason="turned \u202e round")


def test_an_act_too_large_for_an_entry_is_not_written() -> None:
    with pytest.raises(LimitExceeded, match="more than 65,535"):
        encode_act(Table(proposal=P, body=H, rule="silence", title="A zone", text="Ї" * 40_000, language="uk"))


def test_the_text_hash_changes_with_every_byte_of_title_text_and_language() -> None:
    seen = {
        text_hash("A", "B", "en"), text_hash("A", "B.", "en"), text_hash("A.", "B", "en"), text_hash("A", "B", "fr"),
        text_hash("AB", "", "en"),
    }  # fmt: skip
    assert len(seen) == 5
