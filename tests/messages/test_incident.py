"""The incident record and its prompt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from keepclear.errors import InputError
from keepclear.messages.catalogue import Language
from keepclear.messages.document import to_text
from keepclear.messages.incident import PROMPT_AFTER_MS, Incident, Prompt, prompts
from keepclear.messages.message import Message
from keepclear.messages.rendering import describe_prompt
from keepclear.messages.vocabulary import IncidentCategory

NOW_MS = 1_795_860_000_000


def incident(**changes: Any) -> Incident:
    fields: dict[str, Any] = {
        "id": "BRAVO-2026-0005", "category": IncidentCategory.UNINTENDED_LAUNCH, "at_ms": NOW_MS - 10**7,
        "owners": ("alpha", "bravo"), "by_role": "duty officer air",
    }  # fmt: skip
    return Incident(**{**fields, **changes})


def test_r1_11_a_record_without_a_message_prompts_both_owners_in_time(make_message: Callable[..., Message]) -> None:
    record = incident()
    other = make_message(refs=("BRAVO-2026-0004",))
    assert prompts([(record, NOW_MS)], [other], NOW_MS + PROMPT_AFTER_MS - 1) == ()
    assert prompts([(record, NOW_MS)], [other], NOW_MS + PROMPT_AFTER_MS) == (
        Prompt("alpha", record.id, PROMPT_AFTER_MS), Prompt("bravo", record.id, PROMPT_AFTER_MS),
    )  # fmt: skip
    about = make_message(refs=(record.id,))
    assert prompts([(record, NOW_MS)], [other, about], NOW_MS + 10**9) == ()


def test_the_charters_own_time_is_kept_and_one_owner_is_prompted_alone() -> None:
    found = prompts([(incident(owners=("bravo",)), NOW_MS)], [], NOW_MS + 1_000, after_ms=1_000)
    assert [prompt.party for prompt in found] == ["bravo"]


def test_a_prompt_says_which_incident_and_how_long_it_waits() -> None:
    text = to_text(describe_prompt(Prompt("alpha", "BRAVO-2026-0005", 25 * 60_000), Language.ENGLISH))
    assert "BRAVO-2026-0005" in text
    assert "25 minutes" in text


def test_an_owner_is_named_once() -> None:
    with pytest.raises(InputError, match="twice"):
        incident(owners=("alpha", "alpha"))
