"""Two USSs and a DSS over real HTTP: zones become constraints and come back, intents know each other, peers hear."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from implicitdict import ImplicitDict
from uas_standards.astm.f3548.v21 import api

from keepclear.cli.main import run
from keepclear.edge.dss.client import DssClient, DssConflict, DssUnreachable
from keepclear.edge.dss.tokens import ClientCredentials, GivenTokens, TokenRefused
from keepclear.edge.uss.publisher import Publisher
from keepclear.edge.uss.store import UssStore
from keepclear.errors import UsageError
from keepclear.server.dss.development import development_token
from keepclear.uss import requests
from keepclear.uss.entities import EntityKind
from keepclear.zones.geojson import read as read_geojson
from keepclear.zones.model import ZoneStatus
from tests.server.uss_field import Field, intent_file, rows, zone_file


@pytest.fixture
def field(tmp_path: Path) -> Iterator[Field]:
    made = Field(tmp_path)
    yield made
    made.close()


def test_zones_become_constraints_and_are_zones_again_at_the_peer(
    field: Field, capsys: pytest.CaptureFixture[str]
) -> None:
    zones = zone_file(field.folder, "A", "B")
    assert field.command("one", "publish", "--zones", zones, "--format", "json") == 0
    made = rows(capsys.readouterr().out)
    assert {row["act"] for row in made} == {"created"}
    assert field.command("one", "publish", "--zones", zones, "--format", "json") == 0
    assert {row["act"] for row in rows(capsys.readouterr().out)} == {"unchanged"}
    out = field.folder / "others.geojson"
    assert field.command("two", "constraints", "--area", "46,7,5", "--out", str(out)) == 0
    read = read_geojson(out.read_bytes(), "others")
    assert not read.problems
    assert {zone.id for zone in read.zones} == {row["id"] for row in made}
    zone = read.zones[0]
    assert (zone.type, zone.decision_ref, zone.status) == ("NFZ", "Decision 7", ZoneStatus.PUBLISHED)
    assert zone.extensions["f3548"]["manager"] == "one"
    assert zone.authorities[0].name == "Authority of the Field"
    assert zone.volumes[0].upper.metres == 500.0
    # The one whose it is does not read it back, and the other does not publish it as its own.
    assert field.command("one", "constraints", "--area", "46,7,5", "--out", str(field.folder / "own.geojson")) == 0
    assert not read_geojson((field.folder / "own.geojson").read_bytes(), "own").zones
    capsys.readouterr()
    assert field.command("two", "publish", "--zones", str(out)) == 1
    assert "it is a constraint of one" in capsys.readouterr().err
    # An edit updates, a zone that is gone is withdrawn.
    assert (
        field.command("one", "publish", "--zones", zone_file(field.folder, "A", upper_m=900.0), "--format", "json") == 0
    )
    assert {(row["label"], row["act"]) for row in rows(capsys.readouterr().out)} == {
        ("A", "updated"),
        ("B", "withdrawn"),
    }
    assert field.command("two", "query", "--area", "46,7,5", "--format", "json") == 1
    assert {row["version"] for row in rows(capsys.readouterr().out)} == {2}


def test_an_intent_proves_that_it_knows_the_others_and_a_true_intersection_is_refused(
    field: Field, capsys: pytest.CaptureFixture[str]
) -> None:
    assert field.command("one", "publish", "--volumes", intent_file(field.folder, "a", 46.0)) == 0
    # In the same cell, and apart.
    assert (
        field.command("two", "publish", "--volumes", intent_file(field.folder, "b", 46.0045), "--format", "json") == 0
    )
    capsys.readouterr()
    assert field.command("two", "publish", "--volumes", intent_file(field.folder, "c", 46.001)) == 1
    assert "intersects operational intent" in capsys.readouterr().out
    with field.client("one") as client, UssStore(field.folder / "one.sqlite") as store:
        mine = store.all(EntityKind.INTENT)[0]
        body = {"extents": mine.details["volumes"], "state": "Accepted", "uss_base_url": field.bases["one"]}
        with pytest.raises(DssConflict) as caught:
            client.put(requests.INTENT, mine.id, str((mine.reference or {})["ovn"]), body)
        assert [reference.manager for _, reference in caught.value.missing] == ["two"]
        # The first was told of the second, whose intent met its subscription.
        assert ("two", EntityKind.INTENT) in {(heard.sender, heard.kind) for heard in store.heard()}
    assert field.command("one", "withdraw", "a", "--format", "json") == 0
    assert rows(capsys.readouterr().out)[0]["act"] == "withdrawn"
    assert field.command("one", "withdraw", "a") == 2


def test_details_are_as_the_standards_types_want_them_and_only_for_who_may(field: Field) -> None:
    assert field.command("one", "publish", "--zones", zone_file(field.folder, "A")) == 0
    assert field.command("one", "publish", "--volumes", intent_file(field.folder, "a", 46.0)) == 0
    with UssStore(field.folder / "one.sqlite") as store:
        zone, intent = store.all(EntityKind.CONSTRAINT)[0], store.all(EntityKind.INTENT)[0]
    base, tokens = field.bases["one"], field.tokens("two")

    def ask(path: str, scope: str, method: str = "GET", **given: Any) -> httpx.Response:
        bearer = {"authorization": f"Bearer {tokens.bearer(base, [scope])}"}
        return httpx.request(method, base + path, headers=bearer, **given)

    found = ask(f"/uss/v1/constraints/{zone.id}", "utm.constraint_processing")
    answer = ImplicitDict.parse(found.json(), api.GetConstraintDetailsResponse)
    assert (answer.constraint.details.geozone.restriction, len(answer.constraint.details.volumes)) == ("PROHIBITED", 1)
    found = ask(f"/uss/v1/operational_intents/{intent.id}", "utm.strategic_coordination")
    detailed = ImplicitDict.parse(found.json(), api.GetOperationalIntentDetailsResponse)
    assert detailed.operational_intent.reference.state == "Accepted"
    assert httpx.get(f"{base}/uss/v1/constraints/{zone.id}").status_code == 401
    assert ask(f"/uss/v1/constraints/{zone.id}", "utm.availability_arbitration").status_code == 403
    assert ask(f"/uss/v1/constraints/{intent.id}", "utm.constraint_processing").status_code == 404
    assert ask("/uss/v1/constraints/x", "utm.constraint_processing").status_code == 400
    assert ask(f"/uss/v1/operational_intents/{intent.id}/telemetry", "utm.conformance_monitoring_sa").status_code == 409
    for body in (b"", b"[]", b"{}", b'{"constraint_id": "\xff"}', b'{"constraint_id": 1, "subscriptions": []}'):
        assert ask("/uss/v1/constraints", "utm.constraint_management", "POST", content=body).status_code == 400


class Lossy(httpx.BaseTransport):
    """Carries requests on, and loses the answers to the first few writes."""

    def __init__(self, lost: int, *, arrive: bool = True) -> None:
        self._inner, self._lost, self._arrive = httpx.HTTPTransport(), lost, arrive

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method in ("PUT", "DELETE") and self._lost > 0:
            self._lost -= 1
            if self._arrive:
                self._inner.handle_request(request).read()
            raise httpx.ReadTimeout("lost", request=request)
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()


@pytest.mark.parametrize("arrive", [True, False])
def test_what_became_of_a_write_without_an_answer_is_found_out(field: Field, arrive: bool) -> None:
    name = "00000001-0000-4000-8000-000000000000"
    details = json.loads(Path(intent_file(field.folder, "a", 46.0)).read_text())[0]["volumes"]
    body = {"extents": details, "uss_base_url": field.bases["one"]}

    def client(lost: int) -> DssClient:
        http = httpx.Client(transport=Lossy(lost, arrive=arrive))
        return DssClient(field.dss, field.tokens("one"), allow_http=True, http=http, sleep=lambda s: None)

    with client(1) as lossy:
        changed = lossy.put(requests.CONSTRAINT, name, None, body)
        reference = changed.document["constraint_reference"]
        assert reference["version"] == (2 if arrive else 1)
        assert changed.subscribers == []
    with client(1) as lossy:
        gone = lossy.delete(requests.CONSTRAINT, name, reference["ovn"])
        assert gone.subscribers is None if arrive else gone.subscribers == []
        assert lossy.find(requests.CONSTRAINT, name) is None
    if not arrive:
        with client(99) as lossy, pytest.raises(DssUnreachable, match="look it up"):
            lossy.put(requests.CONSTRAINT, name, None, body)


def test_every_kind_of_thing_of_both_standards_is_written_read_and_removed(field: Field) -> None:
    name = "00000002-0000-4000-8000-000000000000"
    volume = json.loads(Path(intent_file(field.folder, "a", 46.0)).read_text())[0]["volumes"][0]
    url = field.bases["one"]
    vertices = [{"lat": 46, "lng": 7}, {"lat": 46, "lng": 7.01}, {"lat": 46.01, "lng": 7}]
    flat = {
        "spatial_volume": {"footprint": {"vertices": vertices}, "altitude_lo": 0, "altitude_hi": 9},
        "time_start": volume["time_start"]["value"], "time_end": volume["time_end"]["value"],
    }  # fmt: skip
    bodies = [
        (requests.SUBSCRIPTION, {"extents": volume, "uss_base_url": url, "notify_for_constraints": True}),
        (requests.SERVICE_AREA_V22A, {"extents": volume, "uss_base_url": url}),
        (requests.AREA_SUBSCRIPTION_V22A, {"extents": volume, "uss_base_url": url}),
        (requests.SERVICE_AREA_V19, {"extents": flat, "flights_url": f"{url}/flights"}),
        (requests.AREA_SUBSCRIPTION_V19, {"extents": flat, "callbacks": {"identification_service_area_url": url}}),
    ]  # fmt: skip
    area = requests.area_text([(6.99, 45.99), (7.01, 45.99), (7.01, 46.01), (6.99, 46.01)])
    with field.client("one") as client:
        for kept, body in bodies:
            version = client.put(kept, name, None, body).document[kept.one]["version"]
            if kept is requests.SUBSCRIPTION:
                assert client.ask(requests.query(kept, volume))["subscriptions"][0]["id"] == name
            else:
                assert [one["id"] for one in client.search(kept, area)] == [name]
            client.delete(kept, name, version)
            assert client.find(kept, name) is None
        assert client.put_availability("two", "", "Down")["status"]["availability"] == "Down"
        assert client.ask(requests.get_availability("two"))["status"]["uss"] == "two"
        exchange = {
            "url": url, "method": "GET", "recorder_role": "Client", "request_time": volume["time_start"],
        }  # fmt: skip
        assert client.ask(requests.make_report(exchange))["report_id"]


def test_a_peer_that_does_not_answer_is_tried_a_bounded_number_of_times(field: Field, tmp_path: Path) -> None:
    now = [1000.0]
    with field.client("one") as client, UssStore(tmp_path / "waiting.sqlite") as store:
        publisher = Publisher(client, store, "", "one", clock=lambda: now[0])
        with socket.create_server(("127.0.0.1", 0)) as nobody:
            closed = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        store.wait(EntityKind.INTENT, closed, b"{}")
        given_up, tries = 0, 0
        while store.waiting():
            given_up += publisher.deliver()
            tries += 1
            now[0] += 10_000.0
        assert (given_up, tries) == (1, 8)


def test_a_token_is_chosen_by_the_host_it_is_for_and_asked_for_once(field: Field) -> None:
    text = development_token(field.issuer, "one", ["a"], "dss.example", int(time.time()), 60)
    assert GivenTokens(text=text).bearer("https://dss.example/x", ["a"]) == text
    with pytest.raises(TokenRefused, match=r"no token given is for other\.example"):
        GivenTokens(text=text).bearer("https://other.example", ["a"])
    with pytest.raises(UsageError):
        GivenTokens(text="x").subject()
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.content)
        return httpx.Response(200, json={"access_token": text, "expires_in": 3600})

    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        source = ClientCredentials("https://auth.example/token", "one", "secret", http=http, clock=lambda: 0.0)
        assert [source.bearer("https://dss.example", ["b", "a"]) for _ in range(2)] == [text, text]
    assert len(asked) == 1
    assert b"scope=a+b" in asked[0]


def test_an_unusable_call_is_one_line_and_exit_code_2(field: Field, capsys: pytest.CaptureFixture[str]) -> None:
    assert field.command("one", "query", "--area", "46,7") == 2
    assert run(["dss", "query", "--dss", field.dss, "--area", "46,7,5"]) == 2
    assert field.command("one", "publish") == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert all(line.startswith("keepclear: ") for line in lines)
