"""What is fuzzed of the DSS and of a USS at it: bodies, areas in URLs, tokens, signatures, peers' details and notices.

A body that parses is decided over a small airspace, its answer is encoded, and the airspace is as it was afterwards.
"""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import msgspec

from keepclear.dss import area_subscriptions, availability, constraints, intents, reports, service_areas, subscriptions
from keepclear.dss.airspace import Airspace
from keepclear.dss.records import decode_record, encode_record
from keepclear.dss.refusal import Refusal, RefusalKind
from keepclear.dss.remote_id import V19, V22A, parse_area
from keepclear.dss.request import Caller, Moment, Rules, parse
from keepclear.dss.scopes import CONFORMANCE_MONITORING
from keepclear.dss.utm_messages import PutConstraint, PutOperationalIntent, PutSubscription, Query, SetAvailability
from keepclear.dss.volumes import extent_of
from keepclear.edge.dss.client import decode_answer
from keepclear.edge.dss.signatures import BadSignature, MessageSigner, SignatureCheck
from keepclear.server.dss.development import development_token
from keepclear.server.dss.tokens import BadToken, TokenCheck
from keepclear.uss.constraint_zones import zones_of
from keepclear.uss.declared_intents import clashes, declared
from keepclear.uss.entities import EntityKind, read_details, read_notice
from keepclear.uss.zone_constraints import plan_constraints
from keepclear.zones import geojson

NOW_US = 1_800_000_000_000_000
NAMES = tuple(f"{number:08x}-0000-4000-8000-000000000000" for number in range(1, 4))
CALLER = Caller("uss1", frozenset({CONFORMANCE_MONITORING, "utm.strategic_coordination", "utm.constraint_processing"}))
ERROR_BYTES_MAX = 64 * 1024
URL = "https://uss.example"
SIGNED = "https://dss.example/dss/v1/reports?a=b"


def _time(minutes: float) -> dict[str, str]:
    return {"value": f"2027-01-15T{8 + int(minutes // 60):02}:{int(minutes % 60):02}:00Z", "format": "RFC3339"}


def _volume(lat: float = 46.0, polygon: bool = False) -> dict[str, Any]:
    circle = {"center": {"lat": lat, "lng": 7.0}, "radius": {"value": 300.5, "units": "M"}}
    ring = [{"lat": lat, "lng": 7}, {"lat": lat, "lng": 7.01}, {"lat": lat + 0.01, "lng": 7}]
    return {
        "volume": {
            **({"outline_polygon": {"vertices": ring}} if polygon else {"outline_circle": circle}),
            "altitude_lower": {"value": -5, "reference": "W84", "units": "M"},
            "altitude_upper": {"value": 120.25, "reference": "W84", "units": "M"},
        },
        "time_start": _time(5.0), "time_end": _time(59.0),
    }  # fmt: skip


def moment() -> Moment:
    ids = iter(range(10, 1_000_000))
    return Moment(NOW_US, lambda: f"{next(ids):08x}-0000-4000-8000-000000000000", lambda: f"ovn-{next(ids):016}")


@cache
def airspace() -> Airspace:
    """An intent of ours with a subscription, one of somebody else, a constraint, two service areas."""
    made, now = Airspace(), moment()
    other = Caller("uss2", CALLER.scopes)
    body = {"extents": [_volume()], "state": "Accepted", "uss_base_url": URL}
    for number, caller in enumerate((CALLER, other)):
        wanted = {**body, "new_subscription": {"uss_base_url": URL}, "key": [i.ovn for i in made.intents.values()]}
        prepared = intents.prepare(msgspec.convert(wanted, PutOperationalIntent), caller, None, Rules())
        made.apply(intents.put(made, caller, now, NAMES[number], None, prepared).changes)
    wanted_c = constraints.prepare(
        msgspec.convert({k: body[k] for k in ("extents", "uss_base_url")}, PutConstraint), Rules()
    )
    made.apply(constraints.put(made, other, now, NAMES[0], None, wanted_c).changes)
    area = V22A.put_area(json.dumps({"extents": _volume(), "uss_base_url": URL}).encode(), Rules())
    made.apply(service_areas.put(made, other, now, NAMES[0], None, area).changes)
    return made


def _decided(outcome: Any, encode: Callable[[], Any]) -> None:
    """Answer and records encode, and what was changed is taken back."""
    there = airspace()
    assert len(msgspec.json.encode(encode())) < 1 << 20
    for change in outcome.changes:
        if change.record is not None:
            assert decode_record(change.kind, encode_record(change.record)) == change.record
    before = len(list(there.records()))
    there.apply(there.apply(outcome.changes))
    assert len(list(there.records())) == before, "taken back"


def _body(decide: Callable[[bytes], None], data: bytes) -> None:
    try:
        decide(data)
    except Refusal as refusal:
        said = msgspec.json.encode(refusal.body if refusal.body is not None else {"message": refusal.message})
        assert len(said) <= ERROR_BYTES_MAX, "a long error"
        raise


_PUT_INTENT = msgspec.json.Decoder(PutOperationalIntent)
_PUT_CONSTRAINT = msgspec.json.Decoder(PutConstraint)
_PUT_SUBSCRIPTION = msgspec.json.Decoder(PutSubscription)
_QUERY = msgspec.json.Decoder(Query)
_AVAILABILITY = msgspec.json.Decoder(SetAvailability)


def _intent(data: bytes) -> None:
    """As a creation, and as an update of ours."""
    message = parse(_PUT_INTENT, data)
    for name, ovn in ((NAMES[2], None), (NAMES[0], airspace().intents[NAMES[0]].ovn)):
        wanted = intents.prepare(message, CALLER, ovn, Rules())
        outcome = intents.put(airspace(), CALLER, moment(), name, ovn, wanted)
        _decided(outcome, lambda outcome=outcome: outcome.answer)


def _constraint(data: bytes) -> None:
    wanted = constraints.prepare(parse(_PUT_CONSTRAINT, data), Rules())
    outcome = constraints.put(airspace(), CALLER, moment(), NAMES[2], None, wanted)
    _decided(outcome, lambda: outcome.answer)


def _subscription(data: bytes) -> None:
    wanted = subscriptions.prepare(parse(_PUT_SUBSCRIPTION, data), CALLER, Rules())
    outcome = subscriptions.put(airspace(), CALLER, moment(), NAMES[2], None, wanted)
    _decided(outcome, lambda: outcome.answer)


def _query(data: bytes) -> None:
    area = parse(_QUERY, data).area_of_interest
    if area is not None:
        extent = extent_of(area, Rules(), RefusalKind.TOO_LARGE)
        assert extent.cells, "no cells"
        assert len(intents.query(airspace(), extent)) <= 2


def _service_area(shape: Any, data: bytes) -> None:
    outcome = service_areas.put(airspace(), CALLER, moment(), NAMES[2], None, shape.put_area(data, Rules()))
    _decided(outcome, lambda: shape.changed_area(outcome))


def _area_subscription(shape: Any, data: bytes) -> None:
    wanted = shape.put_subscription(data, Rules())
    outcome = area_subscriptions.put(airspace(), CALLER, moment(), NAMES[2], None, wanted)
    _decided(outcome, lambda: shape.changed_subscription(outcome))


def _area_text(data: bytes) -> None:
    area, _, times = data.decode("utf-8", "replace").partition("|")
    extent = parse_area(area, Rules(), times or None, None)
    assert extent.cells
    service_areas.search(airspace(), NOW_US, extent)


def _availability(data: bytes) -> None:
    outcome = availability.put(airspace(), moment(), "uss9", parse(_AVAILABILITY, data))
    _decided(outcome, lambda: outcome.answer)


def _report(data: bytes) -> None:
    parse(msgspec.json.Decoder(dict[str, Any]), data)
    outcome = reports.make(airspace(), CALLER, moment(), json.loads(data), data)
    _decided(outcome, lambda: outcome.answer)


class _OneKey:
    async def candidates(self, key_id: str | None) -> list[Any]:
        return [_key().public_key()]


@cache
def _key() -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.derive_private_key(7, ec.SECP256R1())


@cache
def _signing_key() -> Any:
    from cryptography.hazmat.primitives.asymmetric import ed25519

    return ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))


def _token(data: bytes) -> None:
    check = TokenCheck(_OneKey(), ["localhost"], development=True)
    asked = check.caller(f"Bearer {data.decode('latin-1')}")
    try:
        asked.send(None)  # its key is at hand: it never waits
        raise AssertionError("it waits")
    except BadToken:
        return
    except StopIteration as answered:
        caller = answered.value
    assert caller == Caller("uss1", frozenset({"a", "b"})), "a token that was not signed"


def _signature(data: bytes) -> None:
    """Two header fields, a line each."""
    first, _, second = data.decode("latin-1").partition("\n")
    fields = [("authorization", "Bearer abc"), ("signature-input", first), ("signature", second)]
    check = SignatureCheck({"uss1": {"k": _signing_key().public_key()}}, required=True)
    with contextlib.suppress(BadSignature):
        check.check("uss1", "GET", SIGNED, fields, b"")


def _details(kind: EntityKind, data: bytes) -> None:
    _entity(kind, read_details(decode_answer(data, "fuzz"), kind))


def _notice(kind: EntityKind, data: bytes) -> None:
    notice = read_notice(data, kind)
    if notice.entity is not None:
        _entity(kind, notice.entity)


def _entity(kind: EntityKind, entity: Any) -> None:
    if kind is EntityKind.INTENT:
        volumes = declared(entity)
        clashes(volumes[:20], volumes[:20])
        return
    zones, _ = zones_of(entity, "fuzz")
    written = geojson.write(zones).data
    again = geojson.read(written, "fuzz")
    assert not [p for p in again.problems if p.severity == "ERROR"], "a zone file that is not read again"
    assert [zone.id for zone in again.zones] == [zone.id for zone in zones]
    for zone in zones:
        assert all(math.isfinite(period.from_s) for period in zone.applicability)
    assert not plan_constraints(zones, "somebody else", NOW_US / 1e6, 86_400.0).planned, "published as ours"


BODIES: dict[str, Callable[[bytes], None]] = {
    "intent": _intent, "constraint": _constraint, "subscription": _subscription, "query": _query,
    "area-v22a": partial(_service_area, V22A), "area-v19": partial(_service_area, V19),
    "area-subscription-v22a": partial(_area_subscription, V22A),
    "area-subscription-v19": partial(_area_subscription, V19),
    "area-text": _area_text, "availability": _availability, "report": _report, "token": _token,
    "signature": _signature,
}  # fmt: skip

TARGETS: dict[str, Callable[[bytes], None]] = {
    **{f"dss:{name}": partial(_body, decide) for name, decide in BODIES.items()},
    **{f"uss:{kind.value}-details": partial(_details, kind) for kind in EntityKind},
    **{f"uss:{kind.value}-notice": partial(_notice, kind) for kind in EntityKind},
}


def seeds(name: str) -> list[bytes]:
    body = {"extents": [_volume(), _volume(46.01, True)], "uss_base_url": URL}
    one = {"extents": _volume(polygon=True), "uss_base_url": URL}
    vertices = one["extents"]["volume"]["outline_polygon"]["vertices"]  # type: ignore[index]
    flat = {
        "spatial_volume": {"footprint": {"vertices": vertices}, "altitude_lo": 0, "altitude_hi": 9.5},
        "time_start": _time(5.0)["value"], "time_end": _time(59.0)["value"],
    }  # fmt: skip
    exchange = {
        "url": URL,
        "method": "GET",
        "recorder_role": "Client",
        "request_time": _time(5.0),
        "request_source": "us",
    }
    made: dict[str, list[Any]] = {
        "intent": [
            {**body, "state": "Accepted", "key": [i.ovn for i in airspace().intents.values()],
             "new_subscription": {"uss_base_url": URL, "notify_for_constraints": False}},
            {**body, "state": "Accepted", "key": []},
        ],
        "constraint": [body], "subscription": [{**one, "notify_for_operational_intents": True}],
        "query": [{"area_of_interest": _volume()}, {"area_of_interest": _volume(polygon=True)}],
        "area-v22a": [one], "area-subscription-v22a": [one],
        "area-v19": [{"extents": flat, "flights_url": f"{URL}/flights"}],
        "area-subscription-v19": [{"extents": flat, "callbacks": {"identification_service_area_url": f"{URL}/isa"}}],
        "availability": [{"old_version": "", "availability": "Down"}], "report": [{"exchange": exchange}],
    }  # fmt: skip
    if name in made:
        return [json.dumps(document).encode() for document in made[name]]
    if name == "area-text":
        return [b"46,7,46,7.01,46.01,7", b"46.0,7,46,7.01,46.01,7.01,46.01,7|2027-01-15T08:05:00Z"]
    if name == "token":
        return [development_token(_key(), "uss1", ["a", "b"], "localhost", 1_700_000_000, 1_000_000_000).encode()]
    if name == "signature":
        signed = MessageSigner("k", _signing_key()).sign("GET", SIGNED, {"authorization": "Bearer abc"}, None)
        return [f"{signed['signature-input']}\n{signed['signature']}".encode()]
    kind = EntityKind(name.partition("-")[0])
    reference = {
        "id": NAMES[0], "manager": "uss2", "version": 3, "uss_base_url": URL, "ovn": "x" * 20, "time_start": _time(5.0),
        "time_end": _time(59.0), "uss_availability": "Normal", "state": "Accepted", "subscription_id": NAMES[1],
    }  # fmt: skip
    record = {
        "schema": "keepclear/zone/1", "id": "Z1", "name": "A", "type": "NFZ", "restriction": "PROHIBITED",
        "status": "ACTIVE",
    }  # fmt: skip
    geozone = {
        "identifier": "Z1", "country": "UKR", "zone_authority": [{"name": "A", "purpose": "INFORMATION"}],
        "type": "COMMON", "restriction": "PROHIBITED", "reason": ["SENSITIVE"], "restriction_conditions": ["none"],
        "message": "words", "additional_properties": {"keepclear_zone": record},
    }  # fmt: skip
    details = {"volumes": body["extents"], "off_nominal_volumes": [], "priority": 0, "type": "x", "geozone": geozone}
    entity = {"reference": reference, "details": details}
    if not name.endswith("-notice"):
        return [json.dumps({kind.value: entity}).encode()]
    states = [{"subscription_id": NAMES[2], "notification_index": 4}]
    told = {f"{kind.value}_id": NAMES[0], "subscriptions": states}
    return [json.dumps({**told, kind.value: entity}).encode(), json.dumps(told).encode()]
