"""Deadlines as iCalendar: another library reads what was written, and nothing that was not decided stands in it."""

from __future__ import annotations

from datetime import UTC, datetime

import vobject

from keepclear.decisions.acts import AgendaItem, Apply, Convene, StageReached
from keepclear.decisions.documents.deadlines import Deadline, DeadlineKind, deadlines
from keepclear.decisions.rules.body import body_hash
from keepclear.decisions.vocabulary import Request, Stage
from keepclear.edge.decisions.calendar_file import write_calendar
from tests.decisions.logs import DAY_MS, HOUR_MS, START_MS, Logs, council

A, M = "A-AA-2026-0001", "M-HUB-2026-0001"


def decided() -> Logs:
    """A silence, a meeting, an application; and what strangers and lapsed decisions would add to them."""
    logs = Logs(council())
    logs.table()
    logs.circulate(logs.deliver(("aa",)))
    agenda = (AgendaItem(title="Corridor; north, south"), AgendaItem(title="Інше"))
    for party, number in (("hub", M), ("bb", "M-BB-2026-0001")):
        logs.write(party, Convene(meeting=number, body=body_hash(logs.body), starts_ms=logs.now_ms + HOUR_MS,
                                  place="Room 3", language="en", agenda=agenda))  # fmt: skip
    first = logs.write("aa", Apply(
        application=A, applicant="Party A", body=body_hash(logs.body), kind=Request.MEASURE, subject="A corridor",
        basis="Agreement, 4", language="en",
    ))  # fmt: skip
    received = logs.write("hub", StageReached(application=A, stage=Stage.RECEIVED, after=first.leaf, owner="hub",
                                              due_ms=logs.now_ms + DAY_MS))  # fmt: skip
    for party, stage in (("bb", Stage.DECISION), ("hub", Stage.GRANTED)):  # not its to say; nothing that it rests on
        logs.write(party, StageReached(application=A, stage=stage, after=received.leaf, owner="aa", due_ms=START_MS))
    return logs


def test_another_library_reads_every_date_and_every_word() -> None:
    read = vobject.readOne(write_calendar("Лінія, north; south", deadlines(decided().docket())).decode())
    assert read.validate(raiseException=True)
    assert read.contents["x-wr-calname"][0].value == "Лінія, north; south"
    events = {str(event.uid.value).partition("@")[0]: event for event in read.vevent_list}
    assert {event.categories.value[0] for event in events.values()} == {"SILENCE", "MEETING", "STAGE"}
    meeting = events[M.lower()]
    assert meeting.dtstart.value == datetime.fromtimestamp((START_MS + HOUR_MS) / 1000.0, UTC)
    assert meeting.description.value == "1. Corridor; north, south\n2. Інше"
    assert meeting.location.value == "Room 3"
    assert {event.status.value for event in events.values()} == {"CONFIRMED"}
    assert all(event.valarm.trigger.value.total_seconds() == -3600 for event in events.values())


def test_only_what_counts_is_in_it() -> None:
    found = {one.uid.partition("@")[0].partition(".")[0]: one for one in deadlines(decided().docket())}
    assert found.keys() == {"p-hub-2026-0001", M.lower(), A.lower()}, "no meeting that somebody else convenes"
    stage = found[A.lower()]
    assert (stage.title, stage.text, stage.cancelled) == ("RECEIVED: A corridor", f"{A}, with hub", False)


def test_long_words_of_any_script_are_folded_between_characters_and_come_back_whole() -> None:
    title = "Коридор для медичних рейсів " * 8 + "ممر طبي" * 20
    one = Deadline("a@b", 0, DeadlineKind.VOTE, START_MS + 1, START_MS, title, "x\r\ny")
    data = write_calendar("Line", [one])
    assert max(len(line) for line in data.split(b"\r\n")) <= 75
    event = vobject.readOne(data.decode()).vevent
    assert event.summary.value == title
    assert event.dtstart.value == datetime.fromtimestamp(START_MS / 1000.0, UTC), "never later than the deadline"
