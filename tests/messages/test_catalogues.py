"""The catalogues: complete, current, alike in their placeholders, and with the plurals that CLDR knows."""

from __future__ import annotations

import ast
import io
import re
import string
import unicodedata
from pathlib import Path

import pytest
from babel import Locale
from babel.messages.catalog import Message as Entry
from babel.messages.pofile import read_po

from keepclear.channel.communications import Cause, LineStatus
from keepclear.decisions.rules.rule import Kind as RuleKind
from keepclear.decisions.rules.stance import Outcome, Stance
from keepclear.decisions.rules.tally import Condition
from keepclear.decisions.vocabulary import Ballot, Effect, Request, Stage, State, Under, VoidReason
from keepclear.errors import UsageError
from keepclear.messages import catalogue, vocabulary
from keepclear.messages.catalogue import Language, catalogue_bytes, count, say
from keepclear.messages.delivery import Currency, MessageState
from keepclear.messages.phrases import PHRASES, PLURALS
from keepclear.messages.read_back import CriticalField
from keepclear.messages.wording import duration
from keepclear.quantities import Datum

TRANSLATED = [language for language in Language if language is not Language.ENGLISH]
SOURCES = Path(catalogue.__file__).parent
ELSEWHERE = (SOURCES.parent / "decisions", SOURCES.parent / "edge")
"""Where the phrases of documents about decisions are used."""
GROUPS = {
    "kind": vocabulary.Kind, "precedence": vocabulary.Precedence, "desk": vocabulary.Desk, "action": vocabulary.Action,
    "shown": vocabulary.Shown, "answer": vocabulary.Answering, "force": vocabulary.ForceClass,
    "incident": vocabulary.IncidentCategory, "test": vocabulary.TestText, "state": MessageState, "line": LineStatus,
    "field": CriticalField, "datum": Datum, "stance": Stance, "outcome": Outcome, "decision": State, "effect": Effect,
    "stage": Stage, "application": Request, "under": Under, "ballot": Ballot, "void": VoidReason, "rule": RuleKind,
    "condition": Condition,
}  # fmt: skip
SAME = {"precedence.FLASH", "precedence.ROUTINE"}
"""Words that are written alike in two languages, beside those of the marks."""


def entries(language: Language) -> dict[str, Entry]:
    found = read_po(io.BytesIO(catalogue_bytes(language)), abort_invalid=True)
    return {str(entry.context): entry for entry in found if entry.id}


def forms(entry: Entry) -> list[str]:
    text = entry.string or ""
    return [text] if isinstance(text, str) else list(text)


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_catalogue_is_complete_and_of_the_english_as_it_stands(language: Language) -> None:
    found = entries(language)
    assert found.keys() == PHRASES.keys() | PLURALS.keys()
    assert {key: found[key].id for key in PHRASES} == PHRASES, "an English phrase changed: translate it anew"
    assert {key: tuple(found[key].id) for key in PLURALS} == PLURALS
    for key, entry in found.items():
        assert all(forms(entry)), key
        assert not entry.fuzzy, key


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_keep_the_placeholders_and_are_translations(language: Language) -> None:
    for key, entry in entries(language).items():
        if key in PLURALS:
            assert all(placeholders(form) == {"count"} for form in forms(entry)), key
            continue
        text = str(entry.string)
        assert placeholders(text) == placeholders(PHRASES[key]), key
        if not key.startswith("mark.") and language is not Language.FRENCH:
            assert text != PHRASES[key], key
            letters = [c for c in re.sub(r"\{\w+\}", "", text) if c.isalpha()]
            script = "ARABIC" if language is Language.ARABIC else "CYRILLIC"
            assert unicodedata.name(letters[0]).startswith(script), key
        assert not set(text) & set("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"), key


def test_every_word_of_a_closed_list_has_a_phrase_and_no_phrase_is_left_over() -> None:
    wanted = {f"{group}.{member.value}" for group, kind in GROUPS.items() for member in kind}
    wanted |= {f"cause.{cause.value}" for cause in Cause if cause is not Cause.NONE}
    wanted |= {f"banner.{late.value}" for late in Currency if late is not Currency.CURRENT}
    wanted |= {"banner.CANCELLED", "banner.SUPERSEDED"}
    assert wanted <= PHRASES.keys()
    used = set()
    for path in (file for folder in (SOURCES, *ELSEWHERE) for file in folder.rglob("*.py")):
        if not path.name.startswith("phrases"):
            nodes = ast.walk(ast.parse(path.read_text()))
            used |= {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert sorted(PHRASES.keys() - wanted - used) == []


@pytest.mark.parametrize("language", list(Language))
def test_plurals_are_those_of_cldr(language: Language) -> None:
    """Numbers that CLDR puts into one category have one form, for every number up to ten thousand."""
    found: dict[str, set[str]] = {}
    for number in (*range(1_200), *range(9_990, 10_010), 1_000_000):
        category = Locale.parse(language.value).plural_form(number)
        text = count(language, "count.hours", number)
        assert str(number) in text
        found.setdefault(category, set()).add(text.replace(str(number), "#"))
    assert {category: len(texts) for category, texts in found.items()} == dict.fromkeys(found, 1)
    distinct = {next(iter(texts)) for texts in found.values()}
    assert len(distinct) >= {"ar": 4, "uk": 3, "ru": 3, "fr": 3, "en": 2}[language.value]


@pytest.mark.parametrize(
    ("language", "hours"),
    [
        (Language.ENGLISH, ["1 hour", "2 hours", "5 hours", "21 hours"]),
        (Language.FRENCH, ["1 heure", "2 heures", "5 heures", "21 heures"]),
        (Language.UKRAINIAN, ["1 година", "2 години", "5 годин", "21 година"]),
        (Language.RUSSIAN, ["1 час", "2 часа", "5 часов", "21 час"]),
        (Language.ARABIC, ["ساعة واحدة (1)", "ساعتان (2)", "5 ساعات", "21 ساعة"]),
    ],
)
def test_numbers_of_things_read_as_people_write_them(language: Language, hours: list[str]) -> None:
    assert [count(language, "count.hours", number) for number in (1, 2, 5, 21)] == hours


def test_a_length_of_time_is_given_in_its_two_largest_units() -> None:
    said = [
        "".join(map(str, duration(Language.ENGLISH, s * 1_000))) for s in (0, 59, 61, 3_600, 3_661, 90_000, 864_000)
    ]
    assert said == [
        "0 seconds", "59 seconds", "1 minute 1 second", "1 hour", "1 hour 1 minute", "1 day 1 hour", "10 days",
    ]  # fmt: skip


def test_r1_9_the_approved_texts_exist_in_every_language_and_say_nothing_of_the_world() -> None:
    for language in Language:
        texts = [say(language, f"test.{text.value}") for text in vocabulary.TestText]
        assert len(set(texts)) == len(texts)
        assert not any(re.search(r"[\d!?«»\"]", text) for text in texts), "no numbers, questions, calls or quotations"
        assert all(text.endswith(".") and len(text) < 80 for text in texts)


def test_a_language_without_a_catalogue_is_refused_in_one_line() -> None:
    assert Language.of("fr-CA") is Language.FRENCH
    with pytest.raises(UsageError, match="'de'; there are en, fr, uk, ru, ar"):
        Language.of("de")
