"""Bodies: exactly one sequence of bytes each, closed lists, and one clear line for anything else."""

from __future__ import annotations

import contextlib
import enum
import inspect
import typing
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.channel import communications
from keepclear.errors import InputError, LimitExceeded
from keepclear.messages import fields, vocabulary
from keepclear.messages.bodies import BODIES, AnyBody, decode_body, encode_body, kind_of
from keepclear.messages.denial import DENIAL_MAX_MS, Denial
from keepclear.messages.fields import AltitudeLimit, Area, Position, Translation
from keepclear.messages.incident import Incident
from keepclear.messages.message import Message
from keepclear.messages.phrases import PHRASES
from keepclear.messages.read_back import draft_read_back
from keepclear.messages.receipt import Answer, Receipt
from keepclear.messages.state import CommunicationsState
from keepclear.messages.suspension import Resumption, Suspension
from keepclear.messages.vocabulary import (
    Action,
    Answering,
    Desk,
    ForceClass,
    IncidentCategory,
    Kind,
    Precedence,
    Shown,
)
from keepclear.quantities import Datum, LengthUnit

NOW_MS = 1_795_860_000_000

names = st.text(st.characters(categories=["L", "N", "P"], exclude_characters="\ufeff"), min_size=1, max_size=20).filter(
    lambda text: _allowed(text)
)
instants = st.integers(0, 253_402_300_799_999)
positions = st.builds(
    Position, lat_deg_e7=st.integers(-900_000_000, 900_000_000), lon_deg_e7=st.integers(-1_800_000_000, 1_799_999_999),
    place_name=names | st.just(""), uncertainty_m=st.none() | st.integers(0, 1_000_000),
)  # fmt: skip
circles = st.builds(lambda p, r: Area(positions=(p,), radius_m=r), positions, st.integers(1, 5_000_000))
limits = st.builds(
    AltitudeLimit, datum=st.sampled_from([Datum.AGL, Datum.AMSL, Datum.STD]), value=st.integers(-2_000, 100_000),
    unit=st.sampled_from([LengthUnit.METRE, LengthUnit.FOOT]),
) | st.builds(AltitudeLimit, datum=st.just(Datum.UNBOUNDED))  # fmt: skip
messages = st.builds(
    Message, id=st.just("ALPHA-2026-0001"),
    kind=st.sampled_from([Kind.NOTIFICATION, Kind.WARNING, Kind.QUERY, Kind.PROTEST]),
    precedence=st.sampled_from(Precedence), desk=st.sampled_from(Desk), valid_until_ms=instants, by_role=names,
    from_ms=st.none() | instants, positions=st.lists(positions, max_size=3).map(tuple), area=st.none() | circles,
    upper=st.none() | limits, action=st.sampled_from([Action.NONE, Action.KEEP_CLEAR, Action.LEAVE_AREA]),
    affected=st.none() | st.lists(names, max_size=2, unique=True).map(tuple), zone=names | st.just(""),
)  # fmt: skip
bodies = st.one_of(
    messages, st.builds(draft_read_back, messages, names),
    st.builds(Receipt, level=st.sampled_from(Shown), by_role=names, at_ms=instants),
    st.builds(Answer, answer=st.sampled_from([Answering.ACCEPT, Answering.STAND_BY]), by_role=names),
    st.builds(Answer, answer=st.sampled_from(Answering), by_role=names, reason=names, language=st.just("uk")),
    st.builds(
        lambda start, length, area, forces, role: Denial(
            party="alpha", forces=tuple(forces), area=area, from_ms=start, to_ms=start + length, by_role=role
        ),
        st.integers(0, 10**13), st.integers(1, DENIAL_MAX_MS), circles,
        st.lists(st.sampled_from(ForceClass), min_size=1, unique=True), names,
    ),
    st.builds(Suspension, from_ms=instants, by_role=names, desks=st.sampled_from([(), (Desk.AIR, Desk.GROUND)])),
    st.builds(Resumption, from_ms=instants, by_role=names),
    st.builds(
        Incident, id=st.just("ALPHA-2026-0002"), category=st.sampled_from(IncidentCategory), at_ms=instants,
        owners=st.sampled_from([("alpha",), ("alpha", "bravo")]), by_role=names, position=st.none() | positions,
    ),
    st.just(
        CommunicationsState(
            party="bravo", before=communications.LineStatus.UP, after=communications.LineStatus.TEST_MISSED,
            at_ms=NOW_MS, cause=communications.Cause.UNKNOWN,
        )
    ),
)  # fmt: skip


def _allowed(text: str) -> bool:
    try:
        fields.check_text(text, "", lines=False)
    except InputError:
        return False
    return True


@given(bodies)
def test_what_is_encoded_comes_back_the_same(body: AnyBody) -> None:
    data = encode_body(body)
    assert decode_body(kind_of(body), data) == body
    assert encode_body(decode_body(kind_of(body), data)) == data


@given(bodies, st.data())
def test_one_changed_byte_is_refused_or_means_something_else(body: AnyBody, data: st.DataObject) -> None:
    good = encode_body(body)
    at = data.draw(st.integers(0, len(good) - 1))
    bad = good[:at] + bytes([good[at] ^ data.draw(st.integers(1, 255))]) + good[at + 1 :]
    with contextlib.suppress(InputError):
        assert decode_body(kind_of(body), bad) != body


@settings(max_examples=300)
@given(st.sampled_from(sorted(BODIES)), st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_hostile_bytes_give_one_line_and_nothing_else(kind: str, data: bytes) -> None:
    with pytest.raises(InputError) as caught:
        decode_body(kind, data)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.replace(b'"kind"', b' "kind"'), "canonical"),
        (lambda d: d.replace(b'"WARNING"', b'"STRIKE_REQUEST"'), "STRIKE_REQUEST"),
        (lambda d: d.replace(b'"desk"', b'"target"'), "target"),
        (lambda d: d.replace(b"{", b'{"aaa":1,', 1), "aaa"),
        (lambda d: d.replace(b'"lat_deg_e7":352833000', b'"lat_deg_e7":352833000.0'), "positions"),
        (lambda d: d.replace(b'"lat_deg_e7":352833000', b'"lat_deg_e7":952833000'), "<= 900000000"),
        (lambda d: d.replace(b"ALPHA-2026-0007", b"alpha-2026-0007"), "regex"),
        (lambda d: d[:-1] + b',"translations":[]}', "canonical"),
        (lambda d: d + b"\n", "canonical"),
        (lambda d: d[:-1], "not JSON"),
        (lambda d: b"[" * 100_000, "100,000 bytes"),
        (lambda d: b'{"positions":' + b"[" * 60_000, "positions"),
    ],
)
def test_anything_but_the_exact_bytes_is_refused(message: Message, change: Callable[[bytes], bytes], said: str) -> None:
    with pytest.raises(InputError, match=said):
        decode_body("message", change(encode_body(message)))


def test_a_kind_that_is_not_ours_is_refused() -> None:
    with pytest.raises(InputError, match="'charter' is none of message"):
        decode_body("charter", b"{}")


def test_texts_that_are_too_long_together_are_refused_before_they_are_sent(
    make_message: Callable[..., Message],
) -> None:
    long = "й" * 4_000
    translations = tuple(Translation(language=f"a{c}", text=long, translator="x") for c in "abcdefgh")
    message = make_message(text=long, language="uk", translations=translations)
    with pytest.raises(LimitExceeded, match="shorten a text"):
        encode_body(message)


def _types(kind: Any) -> set[type]:
    """Every struct and enumeration reachable from a body's fields."""
    found: set[type] = set()
    waiting = [kind]
    while waiting:
        one = waiting.pop()
        waiting += [part for part in typing.get_args(one) if part is not Ellipsis]
        if inspect.isclass(one) and one not in found and issubclass(one, msgspec.Struct | enum.Enum):
            found.add(one)
            if issubclass(one, msgspec.Struct):
                waiting += [field.type for field in msgspec.structs.fields(one)]
    return found


# Every word that the closed lists know. A new one belongs here only after it was asked: could it carry a target, a
# sensor's picture of the other side, or an order to use force? Then it does not belong anywhere.
WORDS = {
    "Kind": "TEST NOTIFICATION WARNING CEASE_REQUEST QUERY REPLY CLARIFICATION CORRECTION CANCELLATION PROTEST",
    "Precedence": "FLASH IMMEDIATE PRIORITY ROUTINE",
    "Desk": "AIR GROUND MARITIME POLITICAL",
    "Action": "NONE KEEP_CLEAR LEAVE_AREA HOLD_POSITION CEASE_ACTIVITY DELAY_ACTIVITY CONTACT_ON_FREQUENCY"
    " CONFIRM_POSITION CONFIRM_IDENTITY INFORM_UNITS PROVIDE_INFORMATION INVESTIGATE_AND_REPORT",
    "Shown": "SHOWN RELAYED_TO_UNITS",
    "Answering": "WILL_COMPLY UNABLE STAND_BY ACCEPT OBJECT CANNOT_COMPLY NO_COMMENT",
    "ForceClass": "OWN ALLIED PROXY CONTRACTOR",
    "IncidentCategory": "AIRPROX COLLISION BORDER_CROSSED ZONE_INFRINGED UNINTENDED_LAUNCH OBJECT_FELL"
    " AIRCRAFT_IN_DISTRESS UNSAFE_CONDUCT FREQUENCY_INTERFERENCE OTHER",
    "TestText": "T01 T02 T03 T04 T05 T06 T07 T08 T09 T10 T11 T12",
    "LineStatus": "UNTESTED UP TEST_MISSED DEGRADED SILENT RESTORED",
    "Cause": "NONE UNKNOWN TECHNICAL DECLINED HOLIDAY",
    "Datum": "AGL AMSL STD WGS84 UNBOUNDED",
    "LengthUnit": "METRE FOOT FLIGHT_LEVEL",
}
KINDS = ["message", "receipt", "read-back", "answer", "denial", "suspension", "resumption", "state", "incident"]
FORBIDDEN = ("target", "strike", "engage", "hostile", "enemy", "intel", "weapon", "kill", "attack", "fire", "surveil")


def test_r1_10_no_content_type_for_targeting_or_intelligence_exists() -> None:
    assert list(BODIES) == KINDS
    reached = set().union(*(_types(body) for body in BODIES.values()))
    enums = {one.__name__: " ".join(one.__members__) for one in reached if issubclass(one, enum.Enum)}
    assert enums == WORDS
    said = [*enums.values(), *PHRASES, *PHRASES.values(), *BODIES]
    for struct in reached - {one for one in reached if issubclass(one, enum.Enum)}:
        assert issubclass(struct, fields.Body), struct
        config = struct.__struct_config__
        assert config.forbid_unknown_fields, struct
        said += [struct.__name__, *struct.__struct_fields__]
    assert [word for word in said if any(part in word.lower() for part in FORBIDDEN)] == []


def test_r1_10_no_field_takes_just_anything() -> None:
    """No bytes, mappings, floats or untyped values, and no text or list without a limit."""

    def check(one: msgspec.inspect.Type, where: str) -> None:
        match one:
            case msgspec.inspect.UnionType():
                for part in one.types:
                    check(part, where)
            case msgspec.inspect.VarTupleType():
                assert one.max_length is not None, where
                check(one.item_type, where)
            case msgspec.inspect.StrType():
                assert one.max_length is not None or (one.pattern is not None and "\\Z" in one.pattern), where
            case msgspec.inspect.IntType():
                assert one.ge is not None, where
                assert one.le is not None or one.lt is not None, where
            case msgspec.inspect.StructType():
                for field in one.fields:
                    check(field.type, f"{one.cls.__name__}.{field.name}")
            case _:
                assert isinstance(one, msgspec.inspect.EnumType | msgspec.inspect.NoneType), where

    for kind, body in BODIES.items():
        check(msgspec.inspect.type_info(body), kind)


def test_the_closed_lists_are_all_that_vocabulary_has() -> None:
    own = {
        name for name, one in vars(vocabulary).items() if inspect.isclass(one) and one.__module__ == vocabulary.__name__
    }
    assert own == set(vocabulary.__all__)
    assert own <= set(WORDS)
