"""Zones reach the page whole in words, and their drawing says that it is a drawing."""

from __future__ import annotations

from keepclear.quantities import Datum, LengthUnit, Level
from keepclear.server.zones import zones_message
from keepclear.space.geometry import Circle, Polygon
from keepclear.zones.model import Exemption, Period, Volume, Zone

LEVELS = (Level(0.0, LengthUnit.METRE, Datum.AGL), Level(100.0, LengthUnit.FLIGHT_LEVEL, Datum.STD))
ZONE = Zone(
    id="A1/26", version="4", name="Closed", text="(A1/26 …)", applicability=(Period(0.0, 3600.0, (), True),),
    exemptions=(Exemption(clause="SAR EXEMPT"),),
    volumes=(
        Volume(Circle(10.0, 50.0, 1000.0), *LEVELS),
        Volume(Polygon(((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))), *LEVELS),
    ),
)  # fmt: skip


def test_one_feature_a_volume_with_the_words_that_people_ask_for() -> None:
    message = zones_message([ZONE])
    assert "drawing only" in message["drawing_only"]
    circle, polygon = (feature["properties"] for feature in message["features"])
    assert (circle["edges"], polygon["edges"]) == ("CIRCLE", "GEODESIC")
    assert (circle["zone_id"], circle["version"], circle["limits"]) == ("A1/26", "4", "surface to FL100")
    assert circle["valid"] == "1970-01-01T00:00:00Z – 1970-01-01T01:00:00Z (estimated)"
    assert circle["exemptions"] == "SAR EXEMPT"
    assert circle["text"] == "(A1/26 …)"


def test_what_is_not_in_force_says_so_and_what_is_assumed_too() -> None:
    message = zones_message([ZONE, ZONE], in_force=[True, False], assumed=True)
    assert [f["properties"]["in_force"] for f in message["features"]] == [True, True, False, False]
    assert all(f["properties"]["assumed"] for f in message["features"])
