"""The DSS over HTTP: codes, authorization, bodies. Each answer is held against the types of uas-standards, and against
the interface files where they are."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import jwt
import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keepclear.dss.request import Rules
from keepclear.edge.dss.sqlite import SqliteStore
from keepclear.server.dss.app import OPERATIONS, make_dss_app
from keepclear.server.dss.development import development_key, development_token
from keepclear.server.dss.engine import Engine
from keepclear.server.dss.operations import BODY_BYTES_MAX, Dss, Identity
from keepclear.server.dss.rates import Rates
from keepclear.server.dss.serve import now_moment
from keepclear.server.dss.tokens import FileKeys, TokenCheck
from tests.server import standards

OPENAPI = Path(__file__).resolve().parents[3] / "shared" / "data" / "openapi"
URL = "https://uss.example.org"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
UTM = (
    "utm.strategic_coordination utm.constraint_processing utm.constraint_management utm.conformance_monitoring_sa "
    "utm.availability_arbitration"
)
RID = "rid.display_provider rid.service_provider"
V19 = "dss.read.identification_service_areas dss.write.identification_service_areas"
POOL = "interuss.pool_status.read interuss.pool_status.heartbeat.write interuss.versioning.read_system_versions"


def token(scope: str = " ".join((UTM, RID, V19, POOL)), sub: str = "uss1", key: Any = KEY, **claims: Any) -> str:
    given = {"sub": sub, "aud": "localhost", "scope": scope, "exp": time.time() + 600, "iss": "https://auth", **claims}
    given = {name: value for name, value in given.items() if value is not None}
    return jwt.encode(given, key, algorithm="RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256")


def bearer(text: str | None = None) -> dict[str, str]:
    return {"authorization": f"Bearer {text if text is not None else token()}"}


def public(key: Any, folder: Path) -> Path:
    path = folder / "key.pem"
    path.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return path


class Contract:
    """An interface file that answers are held against."""

    def __init__(self, name: str, base: str = "") -> None:
        text = (OPENAPI / name).read_text()
        # The UUID pattern has doubled backslashes and matches nothing as written.
        self.document = yaml.safe_load(text.replace("\\\\-", "-"))
        self.base = base

    def check(self, method: str, path: str, status: int, body: Any) -> None:
        for template, operations in self.document["paths"].items():
            parts, given = template.split("/"), path.split("?")[0].removeprefix(self.base).split("/")
            if len(parts) == len(given) and all(p.startswith("{") or p == g for p, g in zip(parts, given)):
                responses = operations[method.lower()]["responses"]
                response = responses.get(str(status), responses.get(status))
                assert response is not None, f"{method} {path} answered {status}, which the interface does not know"
                schema = response.get("content", {}).get("application/json", {}).get("schema")
                if schema is not None:
                    # Numbers beside exclusiveMinimum: true are OpenAPI 3.0's; the answers have none of them.
                    validator = jsonschema.Draft4Validator({**schema, "components": self.document["components"]})
                    validator.validate(body)
                return
        raise AssertionError(f"no {path} in the interface")


@pytest.fixture(scope="session")
def contracts() -> list[Contract]:
    if not OPENAPI.exists():
        return []
    return [
        Contract("f3548-21_utm.yaml"), Contract("f3411-22a_remoteid.yaml", "/rid/v2"),
        Contract("f3411-19_remoteid.yaml"), Contract("interuss_aux.yaml"),
    ]  # fmt: skip


class Http:
    """Requests to the application on one loop, on which its engine lives."""

    def __init__(self, loop: asyncio.AbstractEventLoop, app: Any) -> None:
        self._loop = loop
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")

    def request(self, method: str, path: str, **given: Any) -> httpx.Response:
        return self._loop.run_until_complete(self._client.request(method, path, **given))


class Client:
    """Asks, and holds each answer against the interface it belongs to."""

    def __init__(self, http: Http, contracts: list[Contract]) -> None:
        self.http = http
        self.contracts = contracts
        self.held: set[tuple[str, str]] = set()

    def ask(self, method: str, path: str, body: Any = None, *, auth: dict[str, str] | None = None) -> tuple[int, Any]:
        headers = bearer() if auth is None else auth
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        answer = self.http.request(method, path, content=content, headers=headers)
        said: Any = answer.json() if answer.headers.get("content-type") == "application/json" else answer.text
        assert answer.status_code < 400 or isinstance(said["message"], str)
        if standards.check(method, path, answer.status_code, said):
            self.held.add((method, re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", path.partition("?")[0])))
        contract = self._contract(path)
        # 429 and 413 of ours, where an interface foresees none, are said in its documentation; empty segments are
        # outside of any interface.
        if contract is not None and answer.status_code not in (413, 429) and not path.endswith(("/", "scd_lock_mode")):
            contract.check(method, path, answer.status_code, said)
        return answer.status_code, said

    def _contract(self, path: str) -> Contract | None:
        if not self.contracts or path.startswith(("/healthy", "/ready", "/versions", "/dss/v1/healthy", "/openapi")):
            return None
        number = 0 if path.startswith("/dss") else 1 if path.startswith("/rid") else 2 if path.startswith("/v1") else 3
        return self.contracts[number]


@pytest.fixture
def dss_rules() -> Rules:
    return Rules()


@pytest.fixture
def rates() -> Rates:
    return Rates()


@pytest.fixture
def client(tmp_path: Path, contracts: list[Contract], dss_rules: Rules, rates: Rates) -> Iterator[Client]:
    loop = asyncio.new_event_loop()
    engine = Engine(SqliteStore(tmp_path / "dss.sqlite"), now_moment)
    loop.run_until_complete(engine.start())
    tokens = TokenCheck(FileKeys([public(KEY, tmp_path)]), ["localhost", "127.0.0.1"])
    dss = Dss(engine, tokens, dss_rules, Identity("me", "https://me", "pool1", "1.2"), rates)
    yield Client(Http(loop, make_dss_app(dss, metrics=True)), contracts)
    loop.run_until_complete(engine.stop())
    loop.close()


def at(offset_s: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=offset_s)).isoformat().replace("+00:00", "Z")


def volume(lat: float = 46.0, hours: float = 1.0) -> dict[str, Any]:
    level = {"reference": "W84", "units": "M"}
    return {
        "volume": {
            "outline_circle": {"center": {"lat": lat, "lng": 7.0}, "radius": {"value": 300, "units": "M"}},
            "altitude_lower": {"value": 0, **level}, "altitude_upper": {"value": 100, **level},
        },
        "time_start": {"value": at(1), "format": "RFC3339"},
        "time_end": {"value": at(3600 * hours), "format": "RFC3339"},
    }  # fmt: skip


def uid(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-000000000000"


def intent(**given: Any) -> dict[str, Any]:
    return {"extents": [volume()], "state": "Accepted", "uss_base_url": URL, **given}


INTENTS, CONSTRAINTS = "/dss/v1/operational_intent_references", "/dss/v1/constraint_references"
SUBSCRIPTIONS = "/dss/v1/subscriptions"


def test_an_operational_intents_life(client: Client) -> None:
    new = {"new_subscription": {"uss_base_url": URL, "notify_for_constraints": True}}
    status, made = client.ask("PUT", f"{INTENTS}/{uid(1)}", intent(**new))
    assert status == 201
    assert client.ask("PUT", f"{INTENTS}/{uid(2)}", intent())[0] == 409
    ovn = made["operational_intent_reference"]["ovn"]
    assert client.ask("PUT", f"{INTENTS}/{uid(2)}", intent(key=[ovn]))[0] == 201
    status, found = client.ask("POST", f"{INTENTS}/query", {"area_of_interest": volume()})
    assert status == 200
    assert len(found["operational_intent_references"]) == 2
    second = client.ask("GET", f"{INTENTS}/{uid(2)}")[1]["operational_intent_reference"]["ovn"]
    body = intent(
        state="Activated", key=[second], subscription_id=made["operational_intent_reference"]["subscription_id"]
    )
    status, changed = client.ask("PUT", f"{INTENTS}/{uid(1)}/{ovn}", body)
    assert status == 200
    assert client.ask("DELETE", f"{INTENTS}/{uid(1)}/{ovn}")[0] == 409
    assert client.ask("DELETE", f"{INTENTS}/{uid(1)}/{changed['operational_intent_reference']['ovn']}")[0] == 200
    assert client.ask("GET", f"{INTENTS}/{uid(1)}")[0] == 404


def test_a_constraints_life(client: Client) -> None:
    body = {"extents": [volume()], "uss_base_url": URL}
    status, made = client.ask("PUT", f"{CONSTRAINTS}/{uid(1)}", body)
    assert status == 201
    ovn = made["constraint_reference"]["ovn"]
    status, found = client.ask("POST", f"{CONSTRAINTS}/query", {"area_of_interest": volume()})
    assert [c["id"] for c in found["constraint_references"]] == [uid(1)]
    status, changed = client.ask("PUT", f"{CONSTRAINTS}/{uid(1)}/{ovn}", body)
    assert status == 200
    assert client.ask("GET", f"{CONSTRAINTS}/{uid(1)}")[1]["constraint_reference"]["version"] == 2
    ovn = changed["constraint_reference"]["ovn"]
    assert client.ask("DELETE", f"{CONSTRAINTS}/{uid(1)}/{ovn}")[0] == 200


def test_a_subscriptions_life(client: Client) -> None:
    body = {"extents": volume(), "uss_base_url": URL, "notify_for_operational_intents": True}
    status, made = client.ask("PUT", f"{SUBSCRIPTIONS}/{uid(1)}", body)
    assert status == 200
    version = made["subscription"]["version"]
    assert client.ask("POST", f"{SUBSCRIPTIONS}/query", {"area_of_interest": volume()})[0] == 200
    assert client.ask("GET", f"{SUBSCRIPTIONS}/{uid(1)}")[0] == 200
    status, changed = client.ask("PUT", f"{SUBSCRIPTIONS}/{uid(1)}/{version}", body)
    assert status == 200
    assert client.ask("DELETE", f"{SUBSCRIPTIONS}/{uid(1)}/{changed['subscription']['version']}")[0] == 200


def test_availability_and_reports(client: Client) -> None:
    assert client.ask("GET", "/dss/v1/uss_availability/uss9")[1]["status"]["availability"] == "Unknown"
    body = {"old_version": "", "availability": "normal"}
    assert client.ask("PUT", "/dss/v1/uss_availability/uss9", body)[0] == 200
    exchange = {
        "url": URL, "method": "GET", "recorder_role": "Client", "request_source": "me",
        "request_time": {"value": at(0), "format": "RFC3339"},
    }  # fmt: skip
    status, said = client.ask("POST", "/dss/v1/reports", {"exchange": exchange})
    assert (status, said["exchange"]) == (201, exchange)
    assert client.ask("POST", "/dss/v1/reports", {})[0] == 400


@pytest.mark.parametrize("version", ["v22a", "v19"])
def test_remote_ids_life(client: Client, version: str) -> None:
    area = "45.99,6.99,45.99,7.01,46.01,7.01,46.01,6.99"
    if version == "v22a":
        base, put, subscribe = "/rid/v2/dss", {"extents": volume(), "uss_base_url": URL}, {"uss_base_url": URL}
        subscribe["extents"] = volume()  # type: ignore[assignment]
    else:
        base = "/v1/dss"
        vertices = [{"lat": 45.99, "lng": 6.99}, {"lat": 45.99, "lng": 7.01}, {"lat": 46.01, "lng": 7.0}]
        extents = {
            "spatial_volume": {"footprint": {"vertices": vertices}, "altitude_lo": 0, "altitude_hi": 9},
            "time_start": at(1), "time_end": at(3000),
        }  # fmt: skip
        put = {"extents": extents, "flights_url": f"{URL}/uss/flights"}
        subscribe = {"extents": extents, "callbacks": {"identification_service_area_url": f"{URL}/isa"}}  # type: ignore[dict-item]
    status, made = client.ask("PUT", f"{base}/subscriptions/{uid(1)}", subscribe)
    assert (status, made["service_areas"]) == (200, [])
    status, changed = client.ask("PUT", f"{base}/identification_service_areas/{uid(2)}", put)
    assert status == 200
    assert changed["subscribers"][0]["subscriptions"][0]["notification_index"] == 1
    isa = changed["service_area"]["version"]
    assert client.ask("GET", f"{base}/identification_service_areas/{uid(2)}")[0] == 200
    status, found = client.ask("GET", f"{base}/identification_service_areas?area={area}")
    assert [a["id"] for a in found["service_areas"]] == [uid(2)]
    assert client.ask("GET", f"{base}/identification_service_areas?area=1,2,3")[0] == 400
    assert client.ask("GET", f"{base}/identification_service_areas?area=46,7,46,8,47,8,47,7")[0] == 413
    status, changed = client.ask("PUT", f"{base}/identification_service_areas/{uid(2)}/{isa}", put)
    assert status == 200
    assert client.ask("DELETE", f"{base}/identification_service_areas/{uid(2)}/{isa}")[0] == 409
    assert client.ask("DELETE", f"{base}/identification_service_areas/{uid(2)}/notacorrectversion")[0] == 400
    isa = changed["service_area"]["version"]
    assert client.ask("DELETE", f"{base}/identification_service_areas/{uid(2)}/{isa}")[0] == 200
    assert client.ask("GET", f"{base}/subscriptions?area={area}")[1]["subscriptions"][0]["id"] == uid(1)
    version_now = client.ask("GET", f"{base}/subscriptions/{uid(1)}")[1]["subscription"]["version"]
    status, changed = client.ask("PUT", f"{base}/subscriptions/{uid(1)}/{version_now}", subscribe)
    assert status == 200
    assert client.ask("DELETE", f"{base}/subscriptions/{uid(1)}/{changed['subscription']['version']}")[0] == 200


def test_the_auxiliary_interface(client: Client) -> None:
    assert client.ask("GET", "/aux/v1/version", auth={})[1] == {"version": "1.2"}
    assert client.ask("GET", "/aux/v1/validate_oauth?owner=uss1")[0] == 200
    assert client.ask("GET", "/aux/v1/validate_oauth")[0] == 200
    assert client.ask("GET", "/aux/v1/validate_oauth?owner=uss2")[0] == 403
    assert client.ask("GET", "/aux/v1/pool")[1] == {"dar_id": "pool1"}
    beat = "/aux/v1/pool/dss_instances/heartbeat"
    assert client.ask("PUT", f"{beat}?source=Startup")[0] == 201
    again = f"source=Again&timestamp={at(0)}&next_heartbeat_expected_before={at(60)}"
    said = client.ask("PUT", f"{beat}?{again}")[1]
    assert said["dss_instances"][0]["most_recent_heartbeat"]["index"] == 1
    assert client.ask("PUT", beat)[0] == 400
    assert client.ask("PUT", f"{beat}?source=x&timestamp=noon")[0] == 400
    assert client.ask("GET", "/aux/v1/pool/dss_instances")[1]["dss_instances"][0]["id"] == "me"
    assert client.ask("GET", "/aux/v1/configuration/accepted_ca_certs", auth={})[0] == 501
    assert client.ask("GET", "/aux/v1/configuration/ca_certs", auth={})[0] == 501
    assert client.ask("GET", "/aux/v1/configuration/global_options")[0] == 200
    # Of an earlier version of the interface file.
    lock_mode = "/aux/v1/configuration/scd_lock_mode"
    assert standards.check("GET", lock_mode, 200, client.http.request("GET", lock_mode, headers=bearer()).json())
    assert client.ask("GET", "/versions/keepclear.dss")[1]["system_version"] == "1.2"
    assert client.ask("GET", "/versions/other")[0] == 404
    assert client.ask("GET", "/healthy", auth={})[0] == 200
    assert client.ask("GET", "/ready", auth={})[0] == 200
    assert client.ask("GET", "/dss/v1/healthy", auth={})[0] == 200


def test_every_operation_that_the_standards_give_a_dss_is_served() -> None:
    ours = {(o.method, re.sub(r"{\w+(:path)?}", "{}", o.path)) for o in OPERATIONS}
    theirs = {(verb, re.sub(r"{\w+}", "{}", path)) for verb, path, _ in standards.operations()}
    assert len(theirs) > 45
    assert theirs - ours == set()


def test_answers_are_really_held_against_the_types(client: Client) -> None:
    assert client.ask("PUT", f"{CONSTRAINTS}/{uid(1)}", {"extents": [volume()], "uss_base_url": URL})[0] == 201
    assert client.held == {("PUT", f"{CONSTRAINTS}/ID")}
    with pytest.raises(ValueError, match="constraint_reference"):
        standards.check("PUT", f"{CONSTRAINTS}/{uid(1)}", 201, {"subscribers": []})


SECURED = [operation for operation in OPERATIONS if operation.scope]


@pytest.mark.parametrize("operation", SECURED, ids=lambda o: o.name)
def test_rule_1_every_operation_checks_the_token_then_the_scope_then_the_body(client: Client, operation: Any) -> None:
    path = operation.path.replace("{ovn:path}", "x" * 20).replace("{version:path}", "1abc")
    for name in ("entityid", "subscriptionid", "id"):
        path = path.replace(f"{{{name}}}", uid(1))
    path = path.replace("{uss_id}", "uss1").replace("{system_identity}", "x")
    nonsense = b"{" if operation.method in ("PUT", "POST") else None
    assert client.ask(operation.method, path, nonsense, auth={})[0] == 401
    assert client.ask(operation.method, path, nonsense, auth=bearer("none"))[0] == 401
    assert client.ask(operation.method, path, nonsense, auth=bearer(token("other.scope")))[0] == 403
    assert client.ask(operation.method, path, nonsense, auth=bearer(token("")))[0] == 403


OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.mark.parametrize(
    ("why", "text"),
    [
        ("signed by another", token(key=OTHER)),
        ("another audience", token(aud="dss.example.org")),
        ("no audience", token(aud=None)),
        ("expired", token(exp=time.time() - 60)),
        ("no expiry", token(exp=None)),
        ("no subject", token(sub="")),
        ("not valid yet", token(nbf=time.time() + 3600)),
        ("from the development issuer", token(iss="keepclear-development")),
        ("unsigned", jwt.encode({"sub": "uss1", "aud": "localhost"}, None, algorithm="none")),  # type: ignore[arg-type]
        ("signed with the public key as a secret", jwt.encode({"sub": "uss1"}, "x" * 40, algorithm="HS256")),
        ("an algorithm of another kind", token(key=ec.generate_private_key(ec.SECP256R1()))),
        ("too long", "a." * 5_000),
        ("with critical extensions", jwt.encode({"sub": "a"}, KEY, algorithm="RS256", headers={"crit": ["x"], "x": 1})),
    ],
    ids=lambda value: value if " " in value and len(value) < 60 else "",
)
def test_rule_1_tokens_that_are_not_taken(client: Client, why: str, text: str) -> None:
    assert client.ask("GET", f"{INTENTS}/{uid(1)}", auth=bearer(text))[0] == 401, why


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic dXNzMTp4", "bearer"])
def test_rule_1_other_authorization_headers_are_not_taken(client: Client, header: str) -> None:
    assert client.ask("GET", f"{INTENTS}/{uid(1)}", auth={"authorization": header})[0] == 401


def test_rule_2_any_audience_of_the_list_will_do(client: Client) -> None:
    for audience in ("127.0.0.1", ["other.example.org", "localhost"]):
        assert client.ask("GET", f"{INTENTS}/{uid(1)}", auth=bearer(token(aud=audience)))[0] == 404


def test_rule_11_an_empty_ovn_behind_its_slash(client: Client) -> None:
    client.ask("PUT", f"{INTENTS}/{uid(1)}", intent())
    assert client.ask("PUT", f"{INTENTS}/{uid(1)}/", intent())[0] == 400
    assert client.ask("DELETE", f"{INTENTS}/{uid(1)}/")[0] == 400


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"{}", b"[" * 100_000, b'{"a":1}{"b":2}'])
def test_bodies_that_are_nothing_are_refused_and_said_shortly(client: Client, body: bytes) -> None:
    for method, path in (
        ("PUT", f"{INTENTS}/{uid(1)}"), ("POST", f"{INTENTS}/query"), ("PUT", f"{CONSTRAINTS}/{uid(1)}"),
        ("PUT", f"{SUBSCRIPTIONS}/{uid(1)}"), ("POST", "/dss/v1/reports"), ("PUT", "/dss/v1/uss_availability/x"),
        ("PUT", f"/rid/v2/dss/identification_service_areas/{uid(1)}"), ("PUT", f"/v1/dss/subscriptions/{uid(1)}"),
    ):  # fmt: skip
        status, said = client.ask(method, path, body)
        assert status == 400
        assert len(said["message"]) < 1_000


def test_a_body_that_is_too_large_is_refused_with_413(client: Client) -> None:
    assert client.ask("PUT", f"{INTENTS}/{uid(1)}", b" " * (BODY_BYTES_MAX + 1))[0] == 413


def test_ids_must_be_uuids(client: Client) -> None:
    assert client.ask("GET", f"{INTENTS}/not-a-uuid")[0] == 400
    assert client.ask("PUT", f"{INTENTS}/{uid(1)[:-1]}", intent())[0] == 400


def test_what_is_not_served_is_said_in_json(client: Client) -> None:
    for method, path, expected in (("GET", "/nothing", 404), ("PATCH", f"{INTENTS}/{uid(1)}", 405)):
        answer = client.http.request(method, path)
        assert (answer.status_code, list(answer.json())) == (expected, ["message"])


def test_a_conflict_of_200_intents_stays_below_64_kib(client: Client) -> None:
    key: list[str] = []
    for number in range(170):
        said = client.ask("PUT", f"{INTENTS}/{uid(number)}", intent(key=key, uss_base_url=URL + "/utm/some/path"))[1]
        key.append(said["operational_intent_reference"]["ovn"])
    answer = client.http.request(
        "PUT", f"{INTENTS}/{uid(999)}", content=json.dumps(intent()), headers=bearer(token(sub="uss2"))
    )
    assert answer.status_code == 409
    assert len(answer.content) <= 64 * 1024


def test_the_same_tokens_signature_is_not_checked_twice_yet_expires(tmp_path: Path) -> None:
    now = [time.time()]
    check = TokenCheck(FileKeys([public(KEY, tmp_path)]), ["localhost"], clock=lambda: now[0])
    header = bearer(token())["authorization"]
    assert asyncio.run(check.caller(header)).subject == "uss1"
    assert header.split()[1] in check._known
    now[0] += 3600
    assert check._known[header.split()[1]][0] < now[0]


class TestRates:
    @pytest.fixture
    def rates(self) -> Rates:
        return Rates(1.0, clock=lambda: 0.0)

    def test_a_client_that_asks_too_often_gets_429_with_a_reason(self, client: Client) -> None:
        said = [client.ask("GET", f"{INTENTS}/{uid(1)}") for _ in range(3)]
        assert [status for status, _ in said] == [404, 404, 429]
        assert "requests a second" in said[-1][1]["message"]
        assert client.ask("GET", f"{INTENTS}/{uid(1)}", auth=bearer(token(sub="uss2")))[0] == 404


def test_a_development_token_is_taken_only_where_it_is_asked_for(tmp_path: Path) -> None:
    key = development_key(tmp_path / "issuer.key")
    text = development_token(key, "uss1", ["a"], "localhost", int(time.time()), 60)
    keys = FileKeys([tmp_path / "issuer.key.pub"])
    assert asyncio.run(TokenCheck(keys, ["localhost"], development=True).caller(f"Bearer {text}")).subject == "uss1"
    from keepclear.server.dss.tokens import BadToken

    with pytest.raises(BadToken, match="development"):
        asyncio.run(TokenCheck(keys, ["localhost"]).caller(f"Bearer {text}"))
    assert (tmp_path / "issuer.key").stat().st_mode & 0o077 == 0


def test_metrics_count_answers(client: Client) -> None:
    client.ask("PUT", f"{INTENTS}/{uid(1)}", intent())
    text = client.http.request("GET", "/metrics").text
    assert 'keepclear_dss_requests_total{operation="create_intent",status="201"} 1.0' in text
    assert 'keepclear_dss_records{kind="intent"} 1.0' in text
