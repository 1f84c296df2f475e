"""What is fuzzed of what comes over a network or by hand, beside feeds, zones and bodies of messages.

Requests to the servers of a watch, a node and a witness, other people's servers' answers, the bundles that carriers
bring, compressed recordings, alerts that were kept. A server answers whatever it is asked, and never by a defect (500).
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import io
import json
import tempfile
from collections.abc import Callable, MutableMapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import fuzz_records
import httpx
import msgspec
from starlette.applications import Starlette

from keepclear.alerts.model import Alert, AlertStatus, AlertType, Fix, Severity, Sighting
from keepclear.alerts.record import decode_alert, encode_alert
from keepclear.channel.canonical import decode, encode
from keepclear.channel.charter import Party
from keepclear.channel.checkpoint import Checkpoint
from keepclear.channel.protocol import exchange
from keepclear.channel.protocol.checking import make_check
from keepclear.channel.protocol.gate import Gate
from keepclear.channel.protocol.own_log import Node
from keepclear.channel.protocol.wire import Ask, ForkRequest, Pull, RootsRequest
from keepclear.channel.protocol.witness import compose_submission, witness_head
from keepclear.channel.tiles import Tile, encode_bundle
from keepclear.detection.situation import Verdict
from keepclear.edge.channel import bundle
from keepclear.edge.dss.client import DssClient
from keepclear.edge.dss.tokens import ClientCredentials
from keepclear.edge.gunzip import Gunzip
from keepclear.errors import InputError
from keepclear.feeds.table_columns import resolve_columns
from keepclear.server.app import make_app
from keepclear.server.channel import PREFIX, channel_app
from keepclear.server.dss.tokens import read_key_set
from keepclear.server.hub import Hub
from keepclear.server.mutual_tls import CERTIFICATE
from keepclear.simulation.memory_store import MemoryLock
from keepclear.simulation.parties import exercise_charter, exercise_key
from keepclear.uss.entities import EntityKind, Reference
from keepclear.uss.requests import INTENT, SERVICE_AREA_V22A
from keepclear.zones.fir import FirIndex
from keepclear.zones.formats import read_zones

__all__ = ["TARGETS", "seeds"]

NOW_MS = 1_700_000_100_000
NAME = "00000001-0000-4000-8000-000000000000"
REFERENCE = {
    "id": NAME, "manager": "uss2", "uss_availability": "Normal", "version": 1, "state": "Accepted", "ovn": "9d" * 8,
    "time_start": {"value": "2027-01-15T08:00:00Z", "format": "RFC3339"},
    "time_end": {"value": "2027-01-15T09:00:00Z", "format": "RFC3339"},
    "uss_base_url": "https://uss.example", "subscription_id": NAME,
}  # fmt: skip
_NOTAM = (
    b"A0001/23 NOTAMN\nQ) UKBV/QRTCA/IV/BO/W/000/100/5020N03030E005\nA) UKBV\nB) 2301010000 C) 2302010000 EST\n"
    b"E) AIRSPACE CLSD WI UKBV FIR\nF) GND G) FL100\n"
)
STATUSES = (200, 201, 400, 401, 404, 409, 412, 429, 500, 302)


def _clock() -> int:
    return NOW_MS


# Servers: «METHOD /path?query», header fields a line each, an empty line, the body.


def _ask(app: Starlette, data: bytes, state: dict[str, Any] | None = None) -> None:
    head, _, body = data.partition(b"\n\n")
    first, *fields = head.split(b"\n")
    method, _, target = first.partition(b" ")
    path, _, query = target.partition(b"?")
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http", "root_path": "",
        "method": method.decode("latin-1"), "path": unquote(path.decode("latin-1")), "raw_path": path,
        "query_string": query, "headers": [(n.lower(), v) for n, _, v in (f.partition(b": ") for f in fields)],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "state": state or {},
    }  # fmt: skip
    said = [{"type": "http.request", "body": body, "more_body": False}]
    answers: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return said.pop() if said else {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        answers.append(message)

    async def ask() -> None:
        await app(scope, receive, send)

    asyncio.run(ask())
    assert answers[0]["status"] < 500, "a defect"


@cache
def _watch() -> Starlette:
    hub = Hub(run="r")
    for number in range(3):
        hub.publish_alert_event({
            "id": f"a{number}", "kind": "APW", "state": "actual", "verdict": "ACTUAL", "who": "X", "raised_s": 0.0,
            "updated_s": 0.0,
        })  # fmt: skip
    return make_app(hub)


@cache
def _nodes() -> tuple[Node, Node]:
    """alfa calls, bravo answers."""
    one, other = fuzz_records.two_nodes()
    return one, other


def _fresh(node: Node) -> Node:
    lock = MemoryLock()
    if (held := node.lock.read()) is not None:
        lock.swap(None, held)
    return Node(node.store.copy(), lock, node.keys, Gate())  # type: ignore[attr-defined]


class _Endpoint:
    """As :class:`keepclear.channel_node.ChannelNode` answers."""

    def __init__(self) -> None:
        self.node = _fresh(_nodes()[1])

    def party_of(self, certificate: bytes) -> str | None:
        return "alfa"

    def respond(self, peer: str, ask: Ask) -> bytes:
        return exchange.respond(self.node, peer, ask, NOW_MS, _clock)

    def checkpoint(self, log: str) -> bytes | None:
        note = self.node.store.checkpoint(log) if log in ("alfa", "bravo") else None
        return note.encode() if note else None

    def tile(self, log: str, path: str) -> bytes | None:
        tile = Tile.parse(path)
        if log not in ("alfa", "bravo") or tile.end > self.node.store.state(log).size:
            return None
        if tile.level >= 0:
            return tile.hashes(self.node.store.tree(log))
        kept = self.node.store.records(log, tile.start, count_max=tile.width)
        return encode_bundle([k.record.payload for k in kept])


def _node(data: bytes) -> None:
    _ask(channel_app(_Endpoint()), data, {CERTIFICATE: b"alfa"})


class _Memory:
    def __init__(self) -> None:
        self.heads: dict[str, Checkpoint] = {}

    def newest(self, origin: str) -> Checkpoint | None:
        return self.heads.get(origin)

    def swap(self, before: Checkpoint | None, after: Checkpoint) -> bool:
        self.heads[after.origin] = after
        return True


def _submitted() -> bytes:
    submission = compose_submission(_nodes()[0], 0)
    assert submission is not None
    return submission.encode()


def _witness(data: bytes) -> None:
    memory, key = _Memory(), exercise_key("alfa", "log")
    note = _nodes()[0].store.checkpoint("alfa")
    assert note is not None
    origin = Checkpoint.parse(note.text).origin
    answer = witness_head(data, {origin: [key.public]}, memory, "referee", exercise_key("referee", "mirror"), 1)
    assert answer.status in (200, 400, 403, 404, 409, 422)
    assert bool(memory.heads) == (answer.status == 200), "what was cosigned is what is remembered"


# Other people's answers, and what is brought by hand.


class _NoTokens:
    def bearer(self, url: str, scopes: Any) -> str:
        return "token"


def _dss_answer(data: bytes) -> None:
    """The first byte says what was asked, the second how it is answered; the rest is the answer."""
    if len(data) < 2:
        return
    status = STATUSES[data[1] % len(STATUSES)]
    http = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(status, content=data[2:])))
    reference = msgspec.convert(REFERENCE, Reference)
    with DssClient("https://dss.example", _NoTokens(), http=http, sleep=lambda _: None) as client:
        match data[0] % 7:
            case 0:
                client.query(EntityKind.INTENT, {})
            case 1:
                client.details(EntityKind.CONSTRAINT, reference)
            case 2:
                client.put(INTENT, NAME, None, {})
            case 3:
                client.delete(INTENT, NAME, "1")
            case 4:
                client.put_availability("uss1", "", "Normal")
            case 5:
                client.search(SERVICE_AREA_V22A, "1,2,3,4,5,6")
            case 6:
                client.find(INTENT, NAME)


def _key_set(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        read_key_set(data)


def _token_answer(data: bytes) -> None:
    http = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, content=data)))
    token = ClientCredentials("https://tokens.example", "a", "b", http=http).bearer("https://dss.example", ["c"])
    assert all("!" <= character <= "~" for character in token), "it goes into a header"


def _card(data: bytes) -> None:
    """What a party sends for a charter."""
    card = decode(data.removesuffix(b"\n"), Party, what="the card")
    assert encode(card) == data.removesuffix(b"\n"), "not the one form"


def _firs(data: bytes) -> None:
    """The regions that NOTAMs cite by name."""
    firs = FirIndex.of(read_zones(data, "fuzz", "geojson").zones)
    read_zones(_NOTAM, "fuzz", "notam", firs)


def _columns(data: bytes) -> None:
    """A table's header in the first line, what is stated of its columns in the others."""
    try:
        header, *stated = data.decode().split("\n")
    except UnicodeDecodeError:
        raise InputError("no text") from None
    said = dict(one.partition("=")[::2] for one in stated)
    columns = resolve_columns(header.split(","), said)
    assert len({column.ours for column in columns}) == len(columns), "one column of the table for one of ours"


def _carried(data: bytes) -> None:
    reading = bundle._read(io.BytesIO(data), _fresh(_nodes()[1]), _clock)
    assert reading.entries >= 0


def _gunzip(data: bytes) -> None:
    """What is read is a beginning of what reading at once gives; whole lines only, where asked for."""
    if not data:
        return
    stream = Gunzip(io.BytesIO(data[1:]))
    if data[0] & 1:
        stream.whole_lines_from(b"")
    total = 0
    while piece := stream.read(1 + data[0] // 2):
        total += len(piece)
        assert total <= 2000 * len(data), "deflate grows a thousandfold at most"


def _kept_alert(data: bytes) -> None:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise InputError("no text") from None
    alert = decode_alert(text)
    assert encode_alert(decode_alert(encode_alert(alert))) == encode_alert(alert), "the same again"


TARGETS: dict[str, Callable[[bytes], None]] = {
    "network:watch": lambda data: _ask(_watch(), data),
    "network:node": _node,
    "network:witness": _witness,
    "network:dss-answer": _dss_answer,
    "network:key-set": _key_set,
    "network:carried": _carried,
    "network:gunzip": _gunzip,
    "network:token-answer": _token_answer,
    "network:card": _card,
    "files:kept-alert": _kept_alert,
    "files:firs": _firs,
    "files:columns": _columns,
}


def _request(method: str, target: str, body: bytes = b"", **fields: str) -> bytes:
    lines = [f"{method} {target}", *(f"{name.replace('_', '-')}: {value}" for name, value in fields.items())]
    return "\n".join(lines).encode() + b"\n\n" + body


def _alert() -> Alert:
    fix = Fix(10.0, 50.0, 30.0)
    return Alert(
        id="run-1", judged_by="blue", type=AlertType.APW, status=AlertStatus.ACTUAL, verdict=Verdict.ACTUAL,
        worst_verdict=Verdict.ACTUAL, severity=Severity.HIGH, track=Sighting(1, "508035", "", "radar", fix, fix),
        other=None, zone_id="Z1", zone_version="1", zone_name="", zone_text="KEEP OUT", raised_s=10.0, changed_s=10.0,
        entered_s=10.0,
    )  # fmt: skip


def _answers() -> list[bytes]:
    found = []
    for asked, said in enumerate((
        {"operational_intent_references": [REFERENCE]}, {"constraint": {"reference": REFERENCE, "details": {}}},
        {"operational_intent_reference": REFERENCE, "subscribers": [
            {"uss_base_url": "https://a.example", "subscriptions": [{"subscription_id": NAME, "notification_index": 1}]}
        ]}, {"operational_intent_reference": REFERENCE}, {"version": "a", "status": {}},
        {"service_areas": [{"id": NAME}]}, {"operational_intent_reference": REFERENCE},
    )):  # fmt: skip
        found.append(bytes([asked, 0]) + json.dumps(said).encode())
    refused = {"message": "missing", "missing_operational_intents": [REFERENCE], "missing_constraints": [REFERENCE]}
    return [*found, bytes([2, STATUSES.index(409)]) + json.dumps(refused).encode()]


def seeds(name: str) -> list[bytes]:
    alfa, _ = _nodes()
    match name:
        case "watch":
            return [
                _request("GET", "/events", host="localhost", last_event_id="r-2"),
                _request("GET", "/events?last-event-id=r-1", host="localhost"),
                _request("GET", "/api/zones", host="127.0.0.1", if_none_match='"r-0"'),
                _request("HEAD", "/api/alerts?a=b", host="localhost"), _request("GET", "/assets/a.js", host="[::1]"),
            ]  # fmt: skip
        case "node":
            push = exchange.compose_push(alfa, "bravo", "alfa", 0, 10)
            check = encode(make_check(alfa, "bravo", bytes(32)))
            roots, forks = encode(RootsRequest("alfa", (1,))), encode(ForkRequest("alfa"))
            bodies = {
                "check": check, "push": encode(push), "pull": encode(Pull("bravo", 0)), "roots": roots,
                "fork-proofs": forks,
            }  # fmt: skip
            asked = [
                _request("POST", f"{PREFIX}/{path}", body, content_length=str(len(body)))
                for path, body in bodies.items()
            ]
            gets = ("logs/bravo/checkpoint", "logs/bravo/tile/0/000.p/1", "logs/bravo/tile/entries/000.p/1",
                    "openapi.json")  # fmt: skip
            return [*asked, *(_request("GET", f"{PREFIX}/{path}") for path in gets)]
        case "witness":
            return [_submitted()]
        case "dss-answer":
            return _answers()
        case "key-set":
            # The example of RFC 7515 A.3.
            place = ("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")
            key = {"kty": "EC", "crv": "P-256", "kid": "k", "use": "sig", **dict(zip("xy", place, strict=True))}
            return [json.dumps({"keys": [key, {"kty": "oct", "k": "AAAA"}]}).encode()]
        case "carried":
            with tempfile.TemporaryDirectory() as place:
                bundle.write_bundle(Path(place) / "b", alfa, "bravo", _clock, bytes(32))
                return [(Path(place) / "b").read_bytes()]
        case "gunzip":
            packed = gzip.compress(b"MSG,3,1,1\n" * 9, mtime=0)
            return [b"\x08" + packed, b"\x09" + packed + packed[:-9]]
        case "token-answer":
            return [b'{"access_token":"abc.def","token_type":"Bearer","expires_in":3600}']
        case "card":
            return [encode(party) for party in exercise_charter("alfa", "bravo").parties]
        case "firs":
            ring = [[30, 50], [31, 50], [31, 51], [30, 50]]
            features = [
                {
                    "type": "Feature",
                    "properties": {"IDENT": code},
                    "geometry": {"type": "Polygon", "coordinates": [ring]},
                }
                for code in ("UKBV", "UKLV")
            ]
            return [json.dumps({"type": "FeatureCollection", "features": features}).encode()]
        case "columns":
            return [b"t,latitude,lon,alt,id\ntime_s=t\nlat_deg=latitude\naltitude_geo_m=alt:ft\ntarget=id"]
        case _:
            return [encode_alert(_alert()).encode()]
