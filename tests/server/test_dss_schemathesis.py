"""Generated requests to every operation of our own interface file: never a 500, never a long error, always as said."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import jwt
import pytest
import schemathesis
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from keepclear.dss.scopes import SCOPES
from keepclear.edge.dss.sqlite import SqliteStore
from keepclear.server.dss.app import OPERATIONS, make_dss_app
from keepclear.server.dss.engine import Engine
from keepclear.server.dss.openapi import openapi
from keepclear.server.dss.operations import Dss, Identity
from keepclear.server.dss.serve import now_moment
from keepclear.server.dss.tokens import FileKeys, TokenCheck

ERROR_BYTES_MAX = 64 * 1024
EXAMPLES = 5
KEY = ec.generate_private_key(ec.SECP256R1())
ALL_SCOPES = " ".join(sorted({scope for sets in SCOPES.values() for needed in sets for scope in needed}))
TOKEN = jwt.encode(
    {"sub": "uss1", "aud": "localhost", "exp": time.time() + 3600, "scope": ALL_SCOPES}, KEY, algorithm="ES256"
)

Ask = Any


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    folder = tmp_path_factory.mktemp("dss")
    public = folder / "key.pem"
    public.write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    loop = asyncio.new_event_loop()
    engine = Engine(SqliteStore(folder / "dss.sqlite"), now_moment)
    loop.run_until_complete(engine.start())
    dss = Dss(engine, TokenCheck(FileKeys([public]), ["localhost"]), identity=Identity(pool_id="p", version="1"))
    http = httpx.AsyncClient(transport=httpx.ASGITransport(make_dss_app(dss)), base_url="http://localhost")

    def request(method: str, path: str, **given_: Any) -> httpx.Response:
        headers = {**given_.pop("headers", {}), "authorization": f"Bearer {TOKEN}"}
        return loop.run_until_complete(http.request(method, path, headers=headers, **given_))

    yield request
    loop.run_until_complete(engine.stop())
    loop.close()


schema = schemathesis.openapi.from_dict(openapi(OPERATIONS, "1"))


@schema.parametrize()
@settings(
    max_examples=EXAMPLES, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    derandomize=True,
)  # fmt: skip
def test_generated_requests_are_answered_as_the_interface_file_says(case: Any, ask: Ask) -> None:
    given_ = case.as_transport_kwargs(base_url="http://localhost")
    url = given_["url"].removeprefix("http://localhost")
    headers = {name: value for name, value in (given_.get("headers") or {}).items() if name.lower() == "content-type"}
    body: dict[str, Any] = {"json": given_["json"]} if given_.get("json") is not None else {}
    if given_.get("data") is not None:
        body = {"content": given_["data"]}
    response = ask(given_["method"], url, params=given_.get("params"), headers=headers, **body)
    known = case.operation.definition.raw["responses"]
    # A path parameter that holds a slash or nothing leads to another operation, or to none.
    assert str(response.status_code) in known or response.status_code in (404, 405), response.text
    assert response.status_code != 500
    if response.status_code >= 400:
        assert len(response.content) <= ERROR_BYTES_MAX
        assert isinstance(response.json()["message"], str)


hostile = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
VOLUME = {
    "volume": {
        "outline_circle": {"center": {"lat": 1.0, "lng": 2.0}, "radius": {"value": 3.0, "units": "M"}},
        "altitude_lower": {"value": 0, "reference": "W84", "units": "M"},
        "altitude_upper": {"value": 9, "reference": "W84", "units": "M"},
    },
    "time_start": {"value": "2026-01-01T00:00:00Z", "format": "RFC3339"},
    "time_end": {"value": "2126-01-01T00:00:00Z", "format": "RFC3339"},
}
BODY = {
    "extents": [VOLUME], "state": "Accepted", "uss_base_url": "https://uss", "key": ["a"],
    "new_subscription": {"uss_base_url": "https://uss"}, "area_of_interest": VOLUME,
    "notify_for_constraints": True, "old_version": "", "availability": "Down",
    "callbacks": {"identification_service_area_url": "https://uss"}, "flights_url": "https://uss",
}  # fmt: skip


def spots(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(spot for name, part in inner for spot in spots(part, (*path, name)))]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.sampled_from(spots(BODY)[1:]), hostile, st.sampled_from([o for o in OPERATIONS if o.body is not None]))
def test_a_good_body_with_one_strange_part_never_breaks_the_server(
    ask: Ask, spot: tuple[Any, ...], strange: Any, operation: Any
) -> None:
    body = json.loads(json.dumps(BODY))
    place = body
    for name in spot[:-1]:
        place = place[name]
    place[spot[-1]] = strange
    path = operation.path.replace("{ovn:path}", "x" * 20).replace("{version:path}", "1abc")
    for name in ("entityid", "subscriptionid", "id", "uss_id"):
        path = path.replace(f"{{{name}}}", "00000001-0000-4000-8000-000000000000")
    response = ask(operation.method, path, content=json.dumps(body))
    assert response.status_code < 500, response.text
    assert len(response.content) <= ERROR_BYTES_MAX
