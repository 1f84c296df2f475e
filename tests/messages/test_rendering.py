"""What people see: the same bytes in five languages, nothing hidden, nothing turned round."""

from __future__ import annotations

import html.parser
import re
import unicodedata
from collections.abc import Callable

import msgspec
import pytest

from keepclear.channel.communications import Cause, LineStatus
from keepclear.errors import InputError
from keepclear.messages.bodies import AnyBody
from keepclear.messages.catalogue import Language, say
from keepclear.messages.delivery import MessageState
from keepclear.messages.denial import Denial
from keepclear.messages.document import Document, page, to_html, to_text
from keepclear.messages.fields import Addressee, AltitudeLimit, Area, Position, Translation
from keepclear.messages.incident import Incident
from keepclear.messages.message import Message
from keepclear.messages.read_back import ReadBack, draft_read_back
from keepclear.messages.receipt import Answer, Receipt
from keepclear.messages.rendering import Circumstances, describe
from keepclear.messages.state import CommunicationsState
from keepclear.messages.suspension import Resumption, Suspension
from keepclear.messages.vocabulary import (
    Action,
    Answering,
    Desk,
    ForceClass,
    IncidentCategory,
    Kind,
    Shown,
    TestText,
)
from keepclear.messages.wording import coordinates
from keepclear.quantities import Datum

NOW_MS = 1_795_860_000_000
MINUTE_MS = 60_000
MakeMessage = Callable[..., Message]
LANGUAGES = list(Language)
SQUARE = Area(positions=tuple(Position.of(lat, lon) for lat, lon in ((50, 30), (50, 31), (51, 31))), name="R-17")


@pytest.fixture
def full(make_message: MakeMessage) -> Message:
    """Every field filled in."""
    return make_message(
        refs=("BRAVO-2026-0001",), zone="UKR-12", zone_version="3", area=SQUARE,
        positions=(Position.of(-33.9461, 151.1772, place_name="مطار", as_given="S3356.8 E15110.6", uncertainty_m=50),),
        upper=AltitudeLimit(datum=Datum.UNBOUNDED), affected=("Країна Х",),
        addressee=Addressee(
            call_sign="RYR03G", frequency_khz=121_500, squawk="0021", heading_deg=7, speed_kt=450,
            position=Position.of(1.0, 2.0), seen_ms=NOW_MS - 1,
        ),
        text="Не наближатися.\nДякуємо.", language="uk", verified_by_role="shift leader",
        translations=(Translation(language="en", text="Keep clear.\nThank you.", translator="staff linguist"),),
    )  # fmt: skip


def others(message: Message) -> list[AnyBody]:
    return [
        Receipt(level=Shown.RELAYED_TO_UNITS, by_role="x", at_ms=NOW_MS, units="всі"), draft_read_back(message, "x"),
        Answer(answer=Answering.UNABLE, by_role="x", reason="немає зв’язку", language="uk"),
        Denial(party="bravo", forces=(ForceClass.OWN,), area=SQUARE, from_ms=NOW_MS, to_ms=NOW_MS + 1, by_role="x",
               about="ALPHA-2026-0001", text="ні", language="uk"),
        Suspension(from_ms=NOW_MS, by_role="x", desks=(Desk.AIR,), reason="свято", language="uk"),
        Resumption(from_ms=NOW_MS, by_role="x"),
        CommunicationsState(party="bravo", before=LineStatus.UP, after=LineStatus.SILENT, at_ms=1, cause=Cause.UNKNOWN),
        Incident(id="ALPHA-2026-0009", category=IncidentCategory.OBJECT_FELL, at_ms=NOW_MS, owners=("alpha", "bravo"),
                 by_role="x", position=Position.of(1.0, 2.0), affected=("Y",), text="?", language="uk"),
    ]  # fmt: skip


NUMBERS = (
    "ALPHA-2026-0007", "BRAVO-2026-0001", "33°56′45.96″S 151°10′37.92″E (-33.9461000, 151.1772000)", "50 m",
    "S3356.8 E15110.6", "2026-11-28T10:30:00Z", "2026-11-28T11:30:00Z", "2026-11-28T11:00:00Z", "121.500 MHz", "0021",
    "007°", "450 kt", "0 ft", "[KEEP_CLEAR]", "[WARNING]", "[FLASH]", "[AGL]", "[UNBOUNDED]", "RYR03G", "UKR-12",
    "2026-11-28T09:59:59.999Z",
)  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_r1_8_the_structured_fields_say_the_same_in_every_language(full: Message, language: Language) -> None:
    for shown in (to_text(describe(full, language)), to_html(describe(full, language))):
        assert [number for number in NUMBERS if number not in shown] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_r1_8_the_original_is_always_shown_and_a_translation_only_with_its_label(
    full: Message, language: Language
) -> None:
    lines = describe(full, language).lines
    labels = [line.label for line in lines]
    original, translation = (
        labels.index(say(language, "label.original")),
        labels.index(say(language, "label.translation")),
    )
    assert original < translation
    assert labels[translation - 1] == say(language, "label.translator")
    text = to_text(describe(full, language))
    assert text.index("Дякуємо.") < text.index("staff linguist") < text.index("Thank you.")


def test_r1_8_a_missing_translation_is_said_and_the_original_stays(make_message: MakeMessage) -> None:
    shown = describe(make_message(text="Keep clear.", language="en"), Language.ARABIC)
    assert (say(Language.ARABIC, "banner.translation_missing"),) in shown.notes
    assert "Keep clear." in to_text(shown)
    english = describe(make_message(text="Keep clear.", language="en-GB"), Language.ENGLISH)
    assert (say(Language.ENGLISH, "banner.translation_missing"),) not in english.notes


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_field_of_a_message_is_shown(full: Message, language: Language) -> None:
    """Whatever field is changed, the text changes."""
    changes = {
        "id": "ALPHA-2026-0009", "kind": Kind.NOTIFICATION, "precedence": "ROUTINE", "desk": "GROUND", "refs": (),
        "valid_until_ms": NOW_MS + 1, "from_ms": None, "to_ms": None, "positions": (), "area": None, "zone": "",
        "zone_version": "", "lower": None, "upper": None, "action": Action.LEAVE_AREA, "addressee": None,
        "affected": None, "text": "!", "language": "ru", "translations": (), "by_role": "y", "verified_by_role": "",
    }  # fmt: skip
    assert set(changes) | {"format", "test_text"} == set(Message.__struct_fields__)
    before = to_text(describe(full, language))
    for name, value in changes.items():
        kind = next(field.type for field in msgspec.structs.fields(Message) if field.name == name)
        other = msgspec.structs.replace(
            full, **{name: msgspec.convert(value, kind) if isinstance(value, str) else value}
        )
        assert to_text(describe(other, language)) != before, name


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_body_is_shown_in_every_language(full: Message, language: Language) -> None:
    for body in others(full):
        document = describe(body, language, Circumstances(party="bravo", to=(), sent_ms=NOW_MS, about=full))
        assert to_text(document).count("\n") >= 4
        assert to_html(document).startswith(
            f'<article class="message" lang="{language.value}" dir="{language.direction}">'
        )


def test_the_same_bytes_give_the_same_text(full: Message) -> None:
    assert to_text(describe(full, Language.ARABIC)) == to_text(describe(full, Language.ARABIC))


@pytest.mark.parametrize("language", LANGUAGES)
def test_isolates_are_balanced_on_every_line_and_values_stand_inside_them(full: Message, language: Language) -> None:
    text = to_text(describe(full, language, Circumstances(party="alpha", to=(), sent_ms=NOW_MS, now_ms=NOW_MS)))
    for line in text.splitlines():
        depth = 0
        for character in line:
            depth += {"\u2066": 1, "\u2068": 1, "\u2069": -1}.get(character, 0)
            assert depth in (0, 1), line
        assert depth == 0, line
    if language is Language.ARABIC:
        assert all(line.startswith("\u200f") for line in text.splitlines()), (
            "lines of an isolate only run right to left too"
        )
        bare = re.sub("[\u2066\u2068][^\u2069]*\u2069", "", text)
        strong = {c for c in bare if unicodedata.bidirectional(c) == "L"}
        assert strong == set(), "no Latin letter or coordinate outside an isolate"


def test_arabic_dates_have_western_digits_and_no_marks_of_direction(full: Message) -> None:
    line = next(line for line in to_text(describe(full, Language.ARABIC)).splitlines() if "10:30:00" in line)
    assert "28 نوفمبر 2026 \u2066" in line
    assert not any(unicodedata.bidirectional(c) == "AN" for c in line)


class _Nesting(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_is_well_formed_and_what_a_party_wrote_is_text(make_message: MakeMessage, language: Language) -> None:
    hostile = make_message(
        text="</dd><script>alert(1)</script>&amp;", by_role='"><img src=x onerror=alert(1)>', affected=("<b>",),
        zone="<svg/onload=1>",
    )  # fmt: skip
    text = page([describe(hostile, language)], language, "<title>")
    parser = _Nesting()
    parser.feed(text)
    assert parser.open == []
    assert parser.seen == {
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "article",
        "h2",
        "dl",
        "dt",
        "dd",
        "bdi",
        "p",
    }
    assert f'dir="{language.direction}"' in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;" in text


def test_a_text_cannot_pass_for_a_banner(make_message: MakeMessage) -> None:
    text = to_text(describe(make_message(text="ok\n!!! CANCELLED by its sender.\n=== x ==="), Language.ENGLISH))
    assert not any(line.startswith(("!!!", "---")) and "CANCELLED" in line for line in text.splitlines())
    assert "    !!! CANCELLED by its sender.\n" in text


def test_a_late_message_says_so_first_whatever_the_language(message: Message) -> None:
    late = Circumstances(delivered_ms=message.valid_until_ms + 1, now_ms=message.valid_until_ms + 2)
    old = Circumstances(delivered_ms=NOW_MS, now_ms=message.valid_until_ms + 1)
    archive = Circumstances(delivered_ms=message.valid_until_ms + 1)
    for language in LANGUAGES:
        assert describe(message, language, late).banners[0] == (say(language, "banner.LATE"),)
        assert describe(message, language, archive).banners[0] == (say(language, "banner.LATE"),)
        assert describe(message, language, old).banners[0] == (say(language, "banner.EXPIRED"),)
        assert describe(message, language, Circumstances(delivered_ms=NOW_MS)).banners == ()


def test_cancelled_superseded_and_test_are_said_first(make_message: MakeMessage, message: Message) -> None:
    for state in (MessageState.CANCELLED, MessageState.SUPERSEDED):
        assert len(describe(message, Language.FRENCH, Circumstances(state=state)).banners) == 1
    test = make_message(
        kind=Kind.TEST, test_text=TestText.T05, positions=(), area=None, lower=None, upper=None, from_ms=None,
        to_ms=None, action=Action.NONE, text="", language=None, affected=None,
    )  # fmt: skip
    shown = to_text(describe(test, Language.FRENCH))
    assert "ESSAI SEULEMENT" in shown
    assert "Les abeilles font du miel. [T05]" in shown


def test_r1_3_the_lead_time_shown_is_the_one_from_delivery(message: Message) -> None:
    seen = Circumstances(sent_ms=NOW_MS, delivered_ms=NOW_MS + 29 * MINUTE_MS)
    assert "Lead time from delivery to the event: 1 minute\n" in to_text(describe(message, Language.ENGLISH, seen))
    seen = Circumstances(sent_ms=NOW_MS, delivered_ms=NOW_MS + 31 * MINUTE_MS)
    assert "the event had begun before delivery" in to_text(describe(message, Language.ENGLISH, seen))


def test_r1_5_affected_parties_outside_the_channel_are_always_spoken_of(make_message: MakeMessage) -> None:
    label = "Affected parties NOT on the channel: "
    for affected, said in ((("X", "Y"), "X, Y"), ((), "none known to the sender"), (None, "not stated")):
        assert f"{label}{said}\n" in to_text(describe(make_message(affected=affected), Language.ENGLISH))


def test_r1_2_a_read_back_that_differs_alarms_in_the_readers_language(message: Message) -> None:
    back: ReadBack = msgspec.structs.replace(draft_read_back(message, "x"), action=Action.LEAVE_AREA, from_ms=None)
    shown = to_text(describe(back, Language.UKRAINIAN, Circumstances(about=message)))
    assert "!!! ТРИВОГА: повторення відрізняється: час [TIMES], запитувані дії [ACTION]." in shown
    good = to_text(describe(draft_read_back(message, "x"), Language.ENGLISH, Circumstances(about=message)))
    assert "agrees with the message in every critical field" in good


def test_r1_6_an_unknown_cause_is_shown_as_unknown_and_nothing_follows_from_it() -> None:
    state = CommunicationsState(
        party="bravo", before=LineStatus.UP, after=LineStatus.SILENT, at_ms=NOW_MS, cause=Cause.UNKNOWN
    )
    assert "Nothing about anybody’s intent follows from it." in to_text(describe(state, Language.ENGLISH))
    known = msgspec.structs.replace(state, cause=Cause.HOLIDAY, by_role="duty officer")
    shown = to_text(describe(known, Language.ENGLISH))
    assert "holiday [HOLIDAY]" in shown
    assert "intent" not in shown


def test_r1_6_a_cause_is_stated_by_a_role_and_unknown_by_nobody() -> None:
    refused = [
        (LineStatus.SILENT, Cause.NONE, ""), (LineStatus.UP, Cause.UNKNOWN, ""),
        (LineStatus.SILENT, Cause.UNKNOWN, "x"), (LineStatus.SILENT, Cause.DECLINED, ""),
    ]  # fmt: skip
    for after, cause, role in refused:
        with pytest.raises(InputError):
            CommunicationsState(party="b", before=LineStatus.UP, after=after, at_ms=0, cause=cause, by_role=role)


@pytest.mark.parametrize(
    ("lat", "lon", "said"),
    [
        (0.0, 0.0, "00°00′00.00″N 000°00′00.00″E (0.0000000, 0.0000000)"),
        (-0.0000001, -0.0000001, "00°00′00.00″S 000°00′00.00″W (-0.0000001, -0.0000001)"),
        (89.9999999, -180.0, "90°00′00.00″N 180°00′00.00″W (89.9999999, -180.0000000)"),
        (48.9999999, 9.9999986, "49°00′00.00″N 009°59′59.99″E (48.9999999, 9.9999986)"),
    ],
)
def test_coordinates_are_rounded_in_whole_and_given_in_full(lat: float, lon: float, said: str) -> None:
    assert coordinates(Position.of(lat, lon)).text == said


def test_documents_are_plain_values(message: Message) -> None:
    assert isinstance(describe(message, Language.ENGLISH), Document)
    assert describe(message, Language.ENGLISH) == describe(message, Language.ENGLISH)
