"""Every route answers what its page in the reference says, only to GET and HEAD, and only by names that are ours."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from keepclear.server.app import make_app
from keepclear.server.hub import Hub

DOCS = Path(__file__).resolve().parents[2] / "docs" / "reference" / "http.md"


class Client:
    """Requests to the application itself, without a socket."""

    def __init__(self, app: Starlette, base_url: str) -> None:
        self._app, self._base_url = app, base_url

    def request(self, method: str, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url=self._base_url) as client:
                return await client.request(method, path, headers=headers)

        return asyncio.run(ask())

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        return self.request("GET", path, headers)


@pytest.fixture
def hub() -> Hub:
    return Hub(run="r")


@pytest.fixture
def static(tmp_path: Path) -> Path:
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>page</title>")
    (folder / "assets" / "index-abc.js").write_text("1")
    (folder / ".sources-sha256").write_text("0")
    (tmp_path / "secret.txt").write_text("secret")
    return folder


@pytest.fixture
def client(hub: Hub, static: Path) -> Client:
    return Client(make_app(hub, static_dir=static), base_url="http://127.0.0.1")


def test_the_page_is_asked_for_each_time_and_its_hashed_files_are_kept(client: Client) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-cache"
    script = client.get("/assets/index-abc.js")
    assert "immutable" in script.headers["cache-control"]
    assert script.headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize(
    "path",
    [
        "/assets/",
        "/assets",
        "/.sources-sha256",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/a/..%2f..%2fsecret.txt",
        "/no",
    ],
)
def test_no_folder_is_listed_and_nothing_outside_is_given(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in (404, 307)
    assert "secret" not in answer.text
    assert "index-abc" not in answer.text


@pytest.mark.parametrize("path", ["/", "/api/snapshot", "/api/zones", "/api/alerts", "/healthz", "/events", "/nothing"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_only_get_and_head(client: Client, path: str, method: str) -> None:
    answer = client.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", ["/", "/api/snapshot", "/api/zones", "/api/alerts", "/healthz", "/nothing"])
def test_every_answer_carries_the_security_headers(client: Client, path: str) -> None:
    for answer in (client.get(path), client.request("HEAD", path), client.request("POST", path)):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert "access-control-allow-origin" not in answer.headers


def test_another_sites_name_pointed_here_is_refused(client: Client, hub: Hub, static: Path) -> None:
    assert client.get("/api/alerts", headers={"host": "evil.example"}).status_code == 400
    assert client.get("/api/alerts", headers={"host": "localhost:8642"}).status_code == 200
    anywhere = Client(make_app(hub, static_dir=static, allowed_hosts=["*"]), base_url="http://keepclear.example")
    assert anywhere.get("/api/alerts").status_code == 200


def test_snapshot_zones_and_alerts(client: Client, hub: Hub, picture: Any) -> None:
    hub.publish_picture(picture(5.0))
    hub.set_zones({"type": "FeatureCollection", "features": [], "drawing_only": "for drawing"})
    snapshot = client.get("/api/snapshot").json()
    assert snapshot["picture"]["tracks"] == 3
    zones = client.get("/api/zones")
    assert zones.headers["content-type"] == "application/geo+json"
    assert zones.json()["drawing_only"] == "for drawing"
    again = client.get("/api/zones", headers={"if-none-match": zones.headers["etag"]})
    assert again.status_code == 304
    assert client.get("/api/alerts").json() == {"run": "r", "alerts": []}


def test_healthz_is_well_only_while_the_watch_watches(static: Path, picture: Any) -> None:
    now = [0.0]
    hub = Hub(run="r", monotonic=lambda: now[0])
    client = Client(make_app(hub, static_dir=static), base_url="http://localhost")

    def answer() -> tuple[int, str]:
        got = client.get("/healthz")
        return got.status_code, got.json()["state"]

    assert answer() == (503, "STARTING")
    hub.publish_picture(picture())
    hub.publish_health({"now_s": 0.0, "state": "OK", "reasons": [], "simulated": False, "feeds": []})
    assert answer() == (200, "OK")
    hub.publish_health({"now_s": 0.0, "state": "DEGRADED", "reasons": ["x"], "simulated": False, "feeds": []})
    assert answer() == (503, "DEGRADED")
    hub.publish_health({"now_s": 0.0, "state": "OK", "reasons": [], "simulated": False, "feeds": []})
    now[0] = 20.0
    assert answer() == (503, "STALLED")


def test_an_installation_without_the_page_says_so(hub: Hub, tmp_path: Path) -> None:
    client = Client(make_app(hub, static_dir=tmp_path), base_url="http://localhost")
    answer = client.get("/")
    assert answer.status_code == 503
    assert "pip install" in answer.text
    assert client.get("/api/alerts").status_code == 200


def test_every_route_is_in_the_reference(hub: Hub, static: Path) -> None:
    text = DOCS.read_text()
    for route in make_app(hub, static_dir=static).routes:
        assert f"`{getattr(route, 'path', '') or '/'}`" in text
