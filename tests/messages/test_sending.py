"""The checks before sending, and the list of places that they rest on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.errors import InputError
from keepclear.messages.fields import Addressee, Area, Position
from keepclear.messages.gazetteer import PlaceList, normal_name, read_gazetteer
from keepclear.messages.message import Message
from keepclear.messages.sending import PlaceMatch, check_places, verify_draft
from keepclear.messages.vocabulary import Kind

NOW_MS = 1_795_860_000_000
MakeMessage = Callable[..., Message]
FILE = (
    "name,lat,lon,radius_km\n"
    "Dayr az-Zawr|Deir ez-Zor|دير الزور,35.3333,40.15,4\n"
    "Springfield,39.8,-89.65,8\nSpringfield,42.1,-72.59,8\nKyiv|Київ|Киев,50.45,30.5233,15\n"
)
PLACES = read_gazetteer(FILE.encode()).places


def verify(message: Message, **given: Any) -> tuple[str, ...]:
    return verify_draft(message, NOW_MS, "alpha", ("alpha", "bravo", "Republic of Bravo"), **given).remarks


def at(lat_deg: float, lon_deg: float, name: str = "", **given: Any) -> tuple[Position, ...]:
    return (Position.of(lat_deg, lon_deg, place_name=name, **given),)


def test_r1_2_a_position_nine_kilometres_from_its_named_place_is_not_sent(make_message: MakeMessage) -> None:
    good = make_message(positions=at(35.36, 40.15, "Deir ez-Zor"))
    bad = make_message(positions=at(35.4506, 40.15, "Deir ez-Zor"))  # 13 km from the centre, 9 km outside
    assert verify(good, gazetteer=PLACES) == ()
    with pytest.raises(InputError, match=r"9\.0 km outside Deir ez-Zor .* one of the two is wrong") as caught:
        verify(bad, gazetteer=PLACES)
    assert caught.value.where == "positions[0]"
    assert verify(bad, gazetteer=PLACES, limit_m=10_000.0) == ()


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"area": Area(positions=at(10.0, 10.0, "Київ"), radius_m=5)}, "area.positions[0]"),
        ({"addressee": Addressee(position=at(10.0, 10.0, "KYIV")[0])}, "addressee.position"),
    ],
)
def test_r1_2_every_position_that_names_a_place_is_checked(
    make_message: MakeMessage, changes: dict[str, Any], where: str
) -> None:
    with pytest.raises(InputError, match="km outside") as caught:
        verify(make_message(**changes), gazetteer=PLACES)
    assert caught.value.where == where


def test_r1_2_a_stated_uncertainty_excuses_nothing(make_message: MakeMessage) -> None:
    with pytest.raises(InputError, match="outside"):
        verify(make_message(positions=at(35.5, 40.15, "Deir ez-Zor", uncertainty_m=1_000_000)), gazetteer=PLACES)


def test_a_name_that_is_not_known_is_said_and_blocks_only_where_asked_for(make_message: MakeMessage) -> None:
    message = make_message(positions=at(1.0, 1.0, "Nowhere"))
    assert verify(message, gazetteer=PLACES) == (
        "positions[0]: no place called Nowhere is known here; the position was not checked",
    )
    with pytest.raises(InputError, match="Nowhere"):
        verify(message, gazetteer=PLACES, strict=True)
    assert verify(message) == ("there is no gazetteer: named places were not checked",)
    with pytest.raises(InputError, match="no gazetteer"):
        verify(message, strict=True)


def test_of_places_with_one_name_the_nearest_counts(make_message: MakeMessage) -> None:
    (finding,) = check_places(make_message(positions=at(42.1, -72.6, "springfield")), PLACES)
    assert (finding.match, finding.beyond_m) == (PlaceMatch.AGREES, 0.0)
    (finding,) = check_places(make_message(positions=at(41.0, -80.0, "springfield")), PLACES)
    assert finding.match is PlaceMatch.DISAGREES
    assert finding.nearest is not None
    assert finding.nearest.lon_deg == -72.59


def test_r1_2_coordinates_as_they_were_given_are_compared_with_the_position(make_message: MakeMessage) -> None:
    def read(text: str) -> tuple[float, float]:
        if text != "3517N 04003E":
            raise InputError("no position")
        return (40.05, 35.0 + 17.0 / 60.0)

    good = make_message(positions=at(35.28333, 40.05, as_given="3517N 04003E"))
    assert verify(good, read_as_given=read) == ()
    with pytest.raises(InputError, match=r"9\.1 km from '3517N 04003E'"):
        verify(make_message(positions=at(35.28333, 40.15, as_given="3517N 04003E")), read_as_given=read)
    unread = make_message(positions=at(35.28333, 40.05, as_given="37S DV 1234 5678"))
    assert "check it by eye" in verify(unread, read_as_given=read)[0]
    assert "check it by eye" in verify(good)[0]


def test_r1_5_a_notice_says_which_affected_parties_are_not_on_the_channel(make_message: MakeMessage) -> None:
    for kind in (Kind.NOTIFICATION, Kind.WARNING, Kind.CEASE_REQUEST):
        with pytest.raises(InputError, match="an empty list says that none is known") as caught:
            verify(make_message(kind=kind, affected=None))
        assert caught.value.where == "affected"
        assert verify(make_message(kind=kind, affected=())) == ()
        assert verify(make_message(kind=kind, affected=("Country X",))) == ()
    assert verify(make_message(kind=Kind.QUERY, affected=None)) == ()


def test_r1_5_a_party_on_the_channel_is_a_recipient_and_no_bystander(make_message: MakeMessage) -> None:
    for name in ("bravo", "BRAVO", "republic of bravo"):
        with pytest.raises(InputError, match="make it a recipient"):
            verify(make_message(affected=(name,)))


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"id": "BRAVO-2026-0007"}, "id"),
        ({"id": "ALPHA-2025-0007"}, "id"),
        ({"valid_until_ms": NOW_MS}, "valid_until_ms"),
    ],
)
def test_what_could_not_be_current_or_ours_is_not_sent(
    make_message: MakeMessage, changes: dict[str, Any], where: str
) -> None:
    with pytest.raises(InputError) as caught:
        verify(make_message(**changes))
    assert caught.value.where == where


def test_where_the_charter_asks_for_two_roles_one_is_not_enough(make_message: MakeMessage) -> None:
    for role in ("", "duty officer air"):
        with pytest.raises(InputError, match="a second role"):
            verify(make_message(verified_by_role=role), two_roles=True)
    assert verify(make_message(verified_by_role="shift leader"), two_roles=True) == ()


def test_an_event_that_has_begun_is_remarked(make_message: MakeMessage) -> None:
    assert verify(make_message(from_ms=NOW_MS)) == ("the event has already begun: there is no lead time",)


def test_names_that_people_write_for_one_another_are_one() -> None:
    for name in ("deir ez zor", "DEIR EZ-ZOR", "Deir  ez–Zor", "دير الزور"):
        assert len(PLACES.find(name)) == 1, name
    assert len(PLACES) == 4
    assert normal_name("Сєвєродонецьк’") == normal_name("СЄВЄРОДОНЕЦЬКʼ")


def test_broken_lines_are_named_and_the_rest_is_used() -> None:
    text = FILE + "X,1\nY,91,1,1\nZ,1,1,-1\n,1,1,1\nW,a,1,1\n"
    load = read_gazetteer(text.encode())
    assert (len(load.places), load.refused) == (4, 5)
    assert load.problems[0] == "line 6: 2 columns instead of 4"
    assert all(problem.startswith("line ") for problem in load.problems)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "the first line is not name,lat,lon,radius_km"), (b"\xff\xfe", "not UTF-8"),
        (b"name,lat,lon,radius_km\n", "names no place"), (b"name,lat,lon,radius_km\nX,1,1,x\n", "not numbers"),
    ],
)  # fmt: skip
def test_what_is_no_gazetteer_is_refused_in_one_line(data: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_gazetteer(data)


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: f"name,lat,lon,radius_km\n{text}".encode()))
def test_any_bytes_give_places_or_one_line(data: bytes) -> None:
    try:
        load = read_gazetteer(data)
    except InputError:
        return
    assert isinstance(load.places, PlaceList)
    assert len(load.places) > 0
