"""docs/reference/messages.md is complete: every body, field, word, state and timer of the messages."""

from __future__ import annotations

import enum
import re
from pathlib import Path

import msgspec
import pytest

from keepclear.channel.communications import Cause, CheckSettings, LineStatus
from keepclear.messages import vocabulary
from keepclear.messages.bodies import BODIES
from keepclear.messages.delivery import Currency, MessageState, expected
from keepclear.messages.denial import DENIAL_MAX_MS
from keepclear.messages.fields import Addressee, AltitudeLimit, Area, Position, Translation
from keepclear.messages.incident import PROMPT_AFTER_MS
from keepclear.messages.read_back import CriticalField
from keepclear.messages.sending import PLACE_LIMIT_M, PlaceMatch
from keepclear.messages.suspension import Handling
from keepclear.messages.timers import StepTimers, Timers
from keepclear.messages.vocabulary import Kind, Precedence
from keepclear.quantities import Datum

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "messages.md").read_text()
CODE = set(re.findall(r"`([^`]+)`", TEXT))
STRUCTS = (*BODIES.values(), Position, Area, AltitudeLimit, Addressee, Translation)
WORDS: list[type[enum.StrEnum]] = [
    *(getattr(vocabulary, name) for name in vocabulary.__all__), MessageState, Currency, LineStatus, CriticalField,
    PlaceMatch, Handling, Datum,
]  # fmt: skip


def test_every_body_stands_in_the_table_of_kinds() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| `(\w+)` \|", TEXT, re.MULTILINE)
    assert dict(rows) == {kind: body.__name__ for kind, body in BODIES.items()}


@pytest.mark.parametrize("struct", STRUCTS)
def test_every_field_is_documented(struct: type[msgspec.Struct]) -> None:
    assert [name for name in struct.__struct_fields__ if name not in CODE] == []


@pytest.mark.parametrize("kind", WORDS)
def test_every_word_is_documented(kind: type[enum.StrEnum]) -> None:
    assert [member.value for member in kind if member.value not in CODE] == []


def test_every_cause_is_documented() -> None:
    assert [cause.value for cause in Cause if cause.value and cause.value not in CODE] == []


def test_the_documented_timers_are_the_real_ones() -> None:
    rows = re.findall(r"^\| `(\w+_s)` \|[^|]*\|[^|]*\| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", TEXT, re.MULTILINE)
    documented = {name: [int(value) for value in values] for name, *values in rows}
    timers = Timers()
    assert documented == {
        n: [getattr(timers.of(p), n) for p in Precedence] for n in StepTimers.__struct_fields__ if n != "roles"
    }


def test_what_each_kind_asks_for_is_documented() -> None:
    table = TEXT.split("| kind | means | asks for |")[1].split("\n\n")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \|[^|]*\| ([^|]*) \|$", table, re.MULTILINE))
    assert rows.keys() == {kind.value for kind in Kind}
    for kind in Kind:
        asked = expected(kind)
        assert ("read-back" in rows[kind.value], "answer" in rows[kind.value]) == (asked.read_back, asked.answer), kind


def test_the_documented_limits_are_the_real_ones() -> None:
    settings = CheckSettings()
    for said in (
        f"at most {DENIAL_MAX_MS // 86_400_000} days", f"within {PROMPT_AFTER_MS // 60_000} minutes",
        f"at most {PLACE_LIMIT_M / 1000:.0f} km", f"every {settings.period_ms // 1000} s",
        f"{settings.misses_degraded} misses", f"| {settings.lost_after_ms // 1000} s |",
        f"after {settings.answers_restored} answers",
    ):  # fmt: skip
        assert said in TEXT, said
