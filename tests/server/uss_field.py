"""A DSS and two USSs on this machine, each on a thread of its own, and files of what they publish."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from pathlib import Path
from typing import Any

import uvicorn

from keepclear.cli.main import run
from keepclear.edge.dss.client import DssClient
from keepclear.edge.dss.tokens import MintedTokens
from keepclear.edge.uss.store import UssStore
from keepclear.quantities import format_instant
from keepclear.server.dss.app import make_dss_app
from keepclear.server.dss.development import development_key, development_token
from keepclear.server.dss.serve import DssSettings, open_dss
from keepclear.server.dss.tokens import FileKeys, TokenCheck
from keepclear.server.uss import make_uss_app


class Serving(threading.Thread):
    """An application on a free port of this machine, on a thread of its own."""

    def __init__(self, make: Any) -> None:
        super().__init__(daemon=True)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self._make = make
        self._server: uvicorn.Server | None = None
        self.start()

    def run(self) -> None:
        async def serve() -> None:
            app, end = await self._make()
            self._server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
            await self._server.serve(sockets=[self.socket])
            await end()

        asyncio.run(serve())

    def stop(self) -> None:
        while self._server is None:
            time.sleep(0.01)
        self._server.should_exit = True
        self.join(10)


class Field:
    def __init__(self, folder: Path) -> None:
        self.folder, self.key = folder, folder / "issuer.key"
        self.issuer = development_key(self.key)
        self.serving: list[Serving] = []
        self.stores: list[UssStore] = []

        async def dss() -> Any:
            settings = DssSettings(
                str(folder / "dss.sqlite"), ["127.0.0.1"], key_files=[folder / "issuer.key.pub"], development=True,
                journal=False,
            )  # fmt: skip
            opened = await open_dss(settings)
            return make_dss_app(opened), opened.engine.stop

        self.dss = self.serve(dss)
        self.bases = {name: self.uss(name) for name in ("one", "two")}

    def serve(self, make: Any) -> str:
        self.serving.append(Serving(make))
        return self.serving[-1].url

    def uss(self, name: str) -> str:
        store = UssStore(self.folder / f"{name}.sqlite")
        self.stores.append(store)

        async def nothing() -> None:
            return

        async def make() -> Any:
            check = TokenCheck(FileKeys([self.folder / "issuer.key.pub"]), ["127.0.0.1"], development=True)
            return make_uss_app(store, check), nothing

        return self.serve(make)

    def tokens(self, name: str) -> MintedTokens:
        return MintedTokens(
            lambda host, scopes: development_token(self.issuer, name, scopes, host, int(time.time()), 600)
        )

    def client(self, name: str) -> DssClient:
        return DssClient(self.dss, self.tokens(name), allow_http=True, sleep=lambda s: None)

    def command(self, name: str, what: str, *given: str) -> int:
        shared = ["--dss", self.dss, "--development-key", str(self.key), "--sub", name]
        if what in ("publish", "withdraw"):
            shared += ["--store", str(self.folder / f"{name}.sqlite")]
        if what == "publish":
            shared += ["--base-url", self.bases[name]]
        return run(["dss", what, *shared, *given])

    def close(self) -> None:
        for serving in self.serving:
            serving.stop()
        for store in self.stores:
            store.__exit__()


def zone_file(folder: Path, *names: str, upper_m: float = 500.0) -> str:
    features = [
        {
            "type": "Feature", "geometry": {"type": "Point", "coordinates": [7.0, 46.0]},
            "properties": {
                "schema": "keepclear/zone/1", "id": name, "version": "3", "name": f"Closure {name}", "type": "NFZ",
                "restriction": "PROHIBITED", "decision_ref": "Decision 7", "status": "ACTIVE",
                "authorities": [{"name": "Authority of the Field"}],
                "volumes": [{"lower": {"value": 0, "unit": "m", "datum": "WGS84"},
                             "upper": {"value": upper_m, "unit": "m", "datum": "WGS84"}, "radius_m": 1500}],
            },
        }
        for name in names
    ]  # fmt: skip
    path = folder / "zones.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return str(path)


def intent_file(folder: Path, name: str, lat: float, hours: float = 1.0) -> str:
    now = time.time()
    level = {"reference": "W84", "units": "M"}
    volume = {
        "volume": {
            "outline_circle": {"center": {"lat": lat, "lng": 7.0}, "radius": {"value": 200, "units": "M"}},
            "altitude_lower": {"value": 600, **level}, "altitude_upper": {"value": 700, **level},
        },
        "time_start": {"value": format_instant(now + 60), "format": "RFC3339"},
        "time_end": {"value": format_instant(now + 3600 * hours), "format": "RFC3339"},
    }  # fmt: skip
    path = folder / f"{name}.json"
    path.write_text(json.dumps([{"id": name, "volumes": [volume]}]))
    return str(path)


def rows(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]
