"""Declared volumes as operational intents: whole or not at all, and compared in four dimensions."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from implicitdict import ImplicitDict
from uas_standards.astm.f3548.v21 import api

from keepclear.detection.conflict import DeclaredVolume
from keepclear.quantities import UNBOUNDED, Datum, LengthUnit, Level
from keepclear.space.geometry import Circle
from keepclear.uss.declared_intents import IntentPlan, clashes, declared, plan_intents
from keepclear.uss.entities import EntityKind, read_details

NOW_S = 1_795_000_000.0


def above(metres: float, datum: Datum = Datum.WGS84) -> Level:
    return Level(metres, LengthUnit.METRE, datum)


def volume(name: str = "F1", lat: float = 46.0, low: Level | None = None, high: Level | None = None,
           begin_s: float = 60.0, end_s: float = 600.0) -> DeclaredVolume:  # fmt: skip
    shape = Circle(7.0, lat, 100.0)
    return DeclaredVolume(name, shape, low or above(0.0), high or above(100.0), NOW_S + begin_s, NOW_S + end_s)


def plan(*volumes: DeclaredVolume) -> IntentPlan:
    numbers: dict[str, int] = {}
    declaration = [numbers.setdefault(v.id, len(numbers)) for v in volumes]
    return plan_intents(volumes, declaration, ["flights.json"] * len(volumes), "ours", NOW_S)


def test_a_declaration_is_one_intent_under_its_own_id_if_that_is_a_uuid() -> None:
    name = "0ABCDEF0-0000-4000-8000-000000000000"
    (one, two) = plan(volume("F1"), volume("F1", 46.1), volume(name)).planned
    assert (one.label, len(one.details["volumes"])) == ("F1", 2)
    assert two.id == name.lower()
    assert (one.from_s, one.to_s) == (NOW_S + 60.0, NOW_S + 600.0)
    details: Any = ImplicitDict.parse(one.details, api.OperationalIntentDetails)
    assert details.volumes[1].volume.outline_circle.center.lat == 46.1


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (volume(low=UNBOUNDED), "a lower and an upper altitude"),
        (volume(high=UNBOUNDED), "a lower and an upper altitude"),
        (volume(low=above(0.0, Datum.AGL)), "needs the ground"),
        (volume(high=above(120.0, Datum.AGL)), "--ground-elevation"),
        (volume(high=above(150_000.0)), "beyond"),
        (volume(end_s=float("inf")), "a beginning and an end"),
        (volume(begin_s=-600.0, end_s=-60.0), "has ended"),
        (volume(begin_s=31 * 86_400.0, end_s=32 * 86_400.0), "30 days"),
    ],
)
def test_half_a_declaration_is_not_published(broken: DeclaredVolume, said: str) -> None:
    # Times are those of all its volumes together.
    good = [] if "end" in said or "days" in said else [volume("F1")]
    planned = plan(*good, broken, volume("F2"))
    assert [one.label for one in planned.planned] == ["F2"]
    assert said in str(planned.refused[0])
    assert "F1" in str(planned.refused[0])


def test_what_one_reads_of_a_peers_intent_clashes_only_where_place_height_and_time_do() -> None:
    (one,) = plan(volume("F1"), volume("F1", 46.1)).planned
    first = one.details["volumes"][0]
    reference = {
        "id": one.id, "manager": "theirs", "version": 1, "uss_base_url": "https://uss.example", "state": "Accepted",
        "time_start": first["time_start"], "time_end": first["time_end"],
    }  # fmt: skip
    document = {"operational_intent": {"reference": reference, "details": one.details}}
    theirs = declared(read_details(msgspec.json.decode(msgspec.json.encode(document)), EntityKind.INTENT))
    assert clashes([volume("F9")], theirs) == [one.id]
    assert clashes([volume("F9", 46.1, begin_s=599.0, end_s=900.0)], theirs) == [one.id]
    apart = [
        volume("F9", 46.01),
        volume("F9", low=above(101.0), high=above(200.0)),
        volume("F9", begin_s=700.0, end_s=800.0),
    ]
    assert clashes(apart, theirs) == []
    assert clashes([], theirs) == []
