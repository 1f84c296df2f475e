"""What is fuzzed of acts: one canonical form or one clear error; no act, whoever writes it, upsets the procedure."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache

import msgspec

from keepclear.channel.entry import NO_LEAF, Draft, Record, Reference, seal
from keepclear.decisions.acts import (
    DECISION_KIND,
    Accept,
    Amend,
    AnyAct,
    Apply,
    Circulate,
    Close,
    Commit,
    Constitute,
    Convene,
    Counts,
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
from keepclear.decisions.acts.meeting import AgendaItem
from keepclear.decisions.documents.deadlines import deadlines
from keepclear.decisions.documents.dossier import describe_application
from keepclear.decisions.documents.sheet import describe_sheet
from keepclear.decisions.documents.text import describe_text
from keepclear.decisions.procedure.application import application
from keepclear.decisions.procedure.authority import Authority, authority
from keepclear.decisions.procedure.docket import Docket
from keepclear.decisions.procedure.procedure import status
from keepclear.decisions.rules.body import Body, Member, Representation, body_hash
from keepclear.decisions.rules.rulebook import find_rule
from keepclear.decisions.rules.stance import Outcome, Stance
from keepclear.decisions.vocabulary import Request, Stage, State, Under
from keepclear.edge.decisions.calendar_file import write_calendar
from keepclear.errors import InputError, UsageError
from keepclear.messages.catalogue import Language
from keepclear.messages.document import Document, to_html, to_text
from keepclear.simulation.parties import exercise_key

__all__ = ["TARGETS", "seeds"]

CHANNEL, P, NOW_MS = "c" * 64, "P-HUB-2026-0001", 1_767_268_800_000
DIGEST = text_hash("A zone", "The text.", "en")
BODY = Body(
    id="council", name="Council", secretary="hub", rules=(find_rule("silence"), find_rule("simple-majority")),
    members=tuple(
        Member(id=m, from_date=date(2000, 1, 1), represented_by=(Representation(party=m, from_date=date(2000, 1, 1)),))
        for m in ("aa", "bb")
    ),
)  # fmt: skip
_SILENCE = Table(proposal=P, body=body_hash(BODY), rule="silence", title="A zone", text="The text.", language="en",
                 authorises=("NFZ-1",), expires_ms=NOW_MS + 10_000_000)  # fmt: skip
_CIRCULATE = Circulate(proposal=P, version=1, text_hash=DIGEST, under=Under.SILENCE, closes_ms=NOW_MS + 5_000)
_POSITION = Position(proposal=P, version=1, text_hash=DIGEST, member="aa", stance=Stance.BREAK_SILENCE,
                     statement="Not so.", language="en", authority_ref="note 1")  # fmt: skip
_APPLY = Apply(application="A-AA-2026-0001", applicant="A", body=body_hash(BODY), kind=Request.MEASURE,
               subject="A corridor", basis="Article 1", text="Please.", language="en")  # fmt: skip
_STAGE = StageReached(application="A-AA-2026-0001", stage=Stage.RECEIVED, after="0" * 64, owner="hub",
                      due_ms=NOW_MS, conditions=("One",), decision=P, advisory=P, document="1" * 64)  # fmt: skip
ACTS: tuple[AnyAct, ...] = (
    Constitute(body=BODY), Accept(body=body_hash(BODY)), _SILENCE, _CIRCULATE, _POSITION, _APPLY, _STAGE,
    Amend(proposal=P, version=2, title="A zone", text="Another.", language="en"),
    Received(proposal=P, version=1, text_hash=DIGEST),
    Extend(proposal=P, version=1, closes_ms=NOW_MS + 9_000, reason="asked for"),
    Register(proposal=P, version=1, positions=(Registered(member="aa", party="aa", seq=0, leaf="0" * 64),)),
    Sheet(proposal=P, version=1, text_hash=DIGEST, roll={"aa": Stance.FOR, "bb": Stance.AGAINST}),
    Sheet(proposal=P, version=1, text_hash=DIGEST, counts=Counts(in_favour=1, against=0, abstaining=1)),
    Commit(proposal=P, version=1, member="aa", commitment="2" * 64),
    Open(proposal=P, version=1, member="aa", stance=Stance.FOR, nonce="3" * 64),
    Close(proposal=P, version=1, outcome=Outcome.ADOPTED, tally={Stance.FOR: 2}),
    Withdraw(proposal=P, reason="no"), Move(proposal=P, to_body="4" * 64, as_proposal="P-HUB-2026-0002"),
    Convene(meeting="M-HUB-2026-0001", body=body_hash(BODY), starts_ms=NOW_MS, place="Here", language="en",
            agenda=(AgendaItem(title="It", proposal=P),)),
    Minutes(meeting="M-HUB-2026-0001", present=("aa",), text="It met.", language="en"),
)  # fmt: skip


class _Log:
    def __init__(self, party: str) -> None:
        self.party, self.records = party, list[Record]()

    def write(self, act: AnyAct) -> Reference:
        before = self.records[-1].leaf if self.records else NO_LEAF
        draft = Draft(DECISION_KIND, encode_act(act))
        record = seal(
            draft, channel=CHANNEL, party=self.party, seq=len(self.records), prev=before,
            seen={}, at_ms=NOW_MS + 1_000 * len(self.records), salt=bytes(32), key=exercise_key(self.party, "entry"),
        )  # fmt: skip
        self.records.append(record)
        return Reference(self.party, len(self.records) - 1, record.leaf.hex())


@cache
def _began(applied: bool) -> tuple[tuple[Record, ...], tuple[Record, ...]]:
    """Both logs up to where the act comes in."""
    hub, member = _Log("hub"), _Log("aa")
    hub.write(ACTS[0])
    member.write(ACTS[1])
    delivered = (member.write(Received(proposal=P, version=1, text_hash=DIGEST)),)
    hub.write(_SILENCE)
    hub.write(msgspec.structs.replace(_CIRCULATE, delivered=delivered))
    if applied:
        member.write(_APPLY)
    return tuple(hub.records), tuple(member.records)


def _act_of(data: bytes) -> AnyAct:
    try:
        act = decode_act(data)
        assert encode_act(act) == data, "canonical"
    except InputError:
        try:
            act = msgspec.json.decode(data, type=AnyAct)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            raise InputError("no act") from None
        assert decode_act(encode_act(act)) == act, "the same value"
    return act


def run_act(data: bytes) -> None:
    act = _act_of(data)
    for writer in ("hub", "aa"):
        hub, member = _Log("hub"), _Log("aa")
        hub.records, member.records = (list(records) for records in _began(not isinstance(act, Apply)))
        written = (hub if writer == "hub" else member).write(act)
        if writer == "aa":
            item = Registered(member=getattr(act, "member", None), party="aa", seq=written.seq, leaf=written.leaf)
            hub.write(Register(proposal=P, version=1, positions=(item,)))
        _look(hub, member)


def _look(hub: _Log, member: _Log) -> None:
    docket, other = Docket(CHANNEL), Docket(CHANNEL)
    for one, logs in ((docket, (hub, member)), (other, (member, hub))):
        for log in logs:
            one.take(log.party, log.records)
    assert not docket.unread, "unread"
    for number in docket.proposals():
        try:
            found = status(docket, number)
        except UsageError:
            continue
        assert found == status(other, number), "order"
        assert found.state is not State.ADOPTED or not found.missing, "adopted in the dark"
        stands = authority(docket, number, NOW_MS, subject="NFZ-1")
        assert stands.authority is not Authority.IN_FORCE or found.state is State.ADOPTED, "in force"
    for number in docket.applications():
        try:
            assert application(docket, number).next is not None
        except UsageError:
            continue


def run_documents(data: bytes) -> None:
    """What is handed out of an act by anybody: documents in every language, and a calendar that a calendar reads."""
    from icalendar import Calendar

    act = _act_of(data)
    for writer in ("hub", "aa"):
        hub, member = _Log("hub"), _Log("aa")
        hub.records, member.records = (list(records) for records in _began(not isinstance(act, Apply)))
        (hub if writer == "hub" else member).write(act)
        docket = Docket(CHANNEL)
        for log in (hub, member):
            docket.take(log.party, log.records)
        dates = deadlines(docket)
        written = write_calendar("Exercise", dates)
        events = Calendar.from_ical(written).walk("VEVENT")
        assert [str(event["uid"]) for event in events] == [one.uid for one in dates], "every date, once"
        assert len({one.uid for one in dates}) == len(dates), "a date twice"
        for language in Language:
            for document in _documents(docket, language):
                assert to_text(document).strip(), "something to read"
                assert "<script" not in to_html(document), "a page without programs"


def _documents(docket: Docket, language: Language) -> Iterator[Document]:
    for number in docket.proposals():
        with contextlib.suppress(UsageError):
            found = status(docket, number)
            yield describe_text(found, language)
            yield describe_sheet(found, language)
    for number in docket.applications():
        with contextlib.suppress(UsageError):
            yield describe_application(application(docket, number), language)


TARGETS: dict[str, Callable[[bytes], None]] = {"acts:decision": run_act, "acts:documents": run_documents}


def seeds(name: str) -> list[bytes]:
    return [encode_act(act) for act in ACTS]
