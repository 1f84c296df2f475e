"""The denial: a claim with an area, a time and a class of forces, and nothing more."""

from __future__ import annotations

from typing import Any

import pytest

from keepclear.errors import InputError
from keepclear.messages.catalogue import Language
from keepclear.messages.denial import DENIAL_MAX_MS, Denial, Sighting, contradicting, draft_query, in_force
from keepclear.messages.document import to_text
from keepclear.messages.fields import Area, Position
from keepclear.messages.rendering import Circumstances, describe
from keepclear.messages.vocabulary import Action, ForceClass, Kind

NOW_MS = 1_795_860_000_000
HOUR_MS = 3_600_000
SQUARE = Area(positions=tuple(Position.of(lat, lon) for lat, lon in ((50, 30), (50, 31), (51, 31), (51, 30))))
CIRCLE = Area(positions=(Position.of(50.0, 30.0),), radius_m=10_000)


def denial(**changes: Any) -> Denial:
    fields: dict[str, Any] = {
        "party": "bravo", "forces": (ForceClass.OWN,), "area": SQUARE, "from_ms": NOW_MS, "to_ms": NOW_MS + HOUR_MS,
        "by_role": "duty officer ground",
    }  # fmt: skip
    return Denial(**{**fields, **changes})


def test_r1_4_a_denial_ends_and_speaks_of_its_own_time_only() -> None:
    claim = denial()
    assert [in_force(claim, NOW_MS + t) for t in (-1, 0, HOUR_MS - 1, HOUR_MS)] == [False, True, True, False]
    with pytest.raises(InputError, match="within 7 days"):
        denial(to_ms=NOW_MS + DENIAL_MAX_MS + 1)
    with pytest.raises(InputError, match="after it begins"):
        denial(to_ms=NOW_MS)


def test_r1_4_a_denial_names_the_forces_that_it_speaks_of() -> None:
    with pytest.raises(InputError, match="twice"):
        denial(forces=(ForceClass.OWN, ForceClass.OWN))
    assert ForceClass.CONTRACTOR not in denial().forces


@pytest.mark.parametrize("language", list(Language))
def test_r1_4_a_denial_is_shown_as_a_claim_and_never_as_clearance(language: Language) -> None:
    shown = describe(denial(), language, Circumstances(now_ms=NOW_MS))
    assert len(shown.banners) == 1
    expired = describe(denial(), language, Circumstances(now_ms=NOW_MS + 2 * HOUR_MS))
    assert len(expired.banners) == 2
    if language is Language.ENGLISH:
        assert "It is not clearance" in to_text(shown)


def test_r1_4_sightings_that_contradict_it_raise_a_question_and_no_conclusion() -> None:
    inside = Sighting(50.5, 30.5, NOW_MS + 60_000, "T1")
    others = [
        Sighting(52.0, 30.5, NOW_MS + 60_000),
        Sighting(50.5, 30.5, NOW_MS - 1),
        Sighting(50.5, 30.5, NOW_MS + HOUR_MS),
    ]
    query = draft_query(
        denial(), None, [*others, inside], id="ALPHA-2026-0009", now_ms=NOW_MS + 90_000, by_role="watch"
    )
    assert query is not None
    assert (query.kind, query.action) == (Kind.QUERY, Action.PROVIDE_INFORMATION)
    assert [(p.lat_deg, p.lon_deg) for p in query.positions] == [(50.5, 30.5)]
    assert "Whose they are is not known here" in query.text
    assert draft_query(denial(), None, others, id="ALPHA-2026-0009", now_ms=NOW_MS, by_role="watch") is None


def test_a_flood_of_sightings_stays_one_question_that_counts_them() -> None:
    many = [Sighting(50.5, 30.5, NOW_MS + k) for k in range(500)]
    claim = denial(about="ALPHA-2026-0003")
    query = draft_query(claim, "BRAVO-2026-0001", many, id="ALPHA-2026-0009", now_ms=NOW_MS, by_role="watch")
    assert query is not None
    assert len(query.positions) == 20
    assert "and 480 more" in query.text
    assert query.refs == ("BRAVO-2026-0001", "ALPHA-2026-0003")


def test_the_area_is_judged_on_the_ellipsoid_circle_and_polygon_alike() -> None:
    near, far = Sighting(50.0, 30.139, NOW_MS), Sighting(50.0, 30.141, NOW_MS)  # 9,966 m and 10,109 m east
    assert contradicting(denial(area=CIRCLE), [near, far]) == (near,)
    # A geodesic between corners bulges north of the parallel at 51° N: by 119 m in the middle of the side.
    assert contradicting(denial(), [Sighting(51.0008, 30.5, NOW_MS), Sighting(51.0013, 30.5, NOW_MS)]) == (
        Sighting(51.0008, 30.5, NOW_MS),
    )


def test_sightings_without_a_number_are_left_out() -> None:
    assert contradicting(denial(), [Sighting(float("nan"), 30.5, NOW_MS)]) == ()
