"""A browser, a live server and synthetic traffic: circles flown around made-up zones over the sea."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from keepclear.quantities import UNBOUNDED, Datum, LengthUnit, Level
from keepclear.server.console import STATIC_DIR
from keepclear.server.messages import AlertMessage, FeedHealth, HealthMessage, PictureColumns, ZonesMessage
from keepclear.server.zones import zones_message
from keepclear.space.geometry import Circle, EdgeType, Polygon
from keepclear.zones.model import Authority, Exemption, Volume, Zone, ZoneType

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM_FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
EPOCH_S = 1_795_000_000.0


class Traffic:
    """The whole state of a made-up afternoon at second ``t``; the same seed gives the same traffic."""

    def __init__(self, tracks: int = 60, seed: int = 7) -> None:
        self.tracks = tracks
        draw = np.random.default_rng(seed)
        self.lon = draw.uniform(8.0, 29.0, tracks)
        self.lat = draw.uniform(41.0, 55.0, tracks)
        self.course = draw.uniform(0.0, 360.0, tracks)
        self.speed = draw.uniform(90.0, 250.0, tracks)
        self.height = draw.uniform(1_000.0, 12_000.0, tracks)
        # One towards the zone, one inside it, one exempt, one whose report is old, one that jumped.
        self.lon[:5], self.lat[:5] = [17.2, 18.62, 18.9, 15.2, 21.5], [43.2, 43.52, 43.15, 44.6, 42.2]
        self.course[:5], self.speed[:5] = [78.0, 140.0, 20.0, 230.0, 310.0], [230.0, 180.0, 60.0, 200.0, 210.0]

    def zones(self) -> ZonesMessage:
        floor, top = Level(0.0, LengthUnit.METRE, Datum.AGL), Level(660.0, LengthUnit.FLIGHT_LEVEL, Datum.STD)
        closed = Zone(
            id="X0001/26", version="3", name="ADRIA EAST", type=ZoneType.PROHIBITED,
            authorities=(Authority(name="Simulated Airspace Authority"),),
            exemptions=(Exemption(callsign="RESCUE1", clause="STATE AND SAR FLT EXEMPT"),),
            text="(X0001/26 NOTAMN\nE) AIRSPACE CLOSED TO ALL CIVIL FLT.\nEXC STATE AND SAR FLT.\n<b>not markup</b>)",
            volumes=(
                Volume(
                    Polygon(((18.0, 42.6), (20.0, 42.6), (20.2, 43.9), (18.1, 44.2)), (), EdgeType.GEODESIC), floor, top
                ),
            ),
        )  # fmt: skip
        site = Zone(
            id="H-12", name="Field hospital", type=ZoneType.HUMANITARIAN,
            volumes=(Volume(Circle(15.9, 43.9, 30_000.0), floor, Level(3_000.0, LengthUnit.FOOT, Datum.AMSL)),),
        )  # fmt: skip
        range_ = Zone(
            id="D-7", name="Danger area 7", type=ZoneType.DANGER,
            volumes=(
                Volume(Polygon(((21.5, 44.3), (23.4, 44.4), (23.0, 45.4), (21.6, 45.3))), floor, UNBOUNDED),
            ),
        )  # fmt: skip
        return zones_message([closed, site, range_], in_force=[True, True, False])

    def picture(self, t: float) -> PictureColumns:
        n = self.tracks
        step = self.speed * t / 111_000.0
        lat = self.lat + step * np.cos(np.radians(self.course))
        lon = self.lon + step * np.sin(np.radians(self.course)) / np.cos(np.radians(self.lat))
        status, exempt, flags = np.ones(n), np.zeros(n), np.zeros(n)
        status[3], exempt[2], flags[4] = 2, 1, 1
        category = np.ones(n)
        category[2] = 2
        datum = ["STD"] * n
        return {
            "now_s": EPOCH_S + t, "key": np.arange(n), "lon_deg": lon, "lat_deg": lat, "altitude_m": self.height,
            "altitude_datum": datum, "ground_speed_mps": self.speed, "track_deg": self.course,
            "vertical_rate_mps": np.where(np.arange(n) % 3, 0.0, 5.0), "time_s": np.full(n, EPOCH_S + t),
            "status": status, "flags": flags, "exempt": exempt, "target": [f"{0x4B0000 + i:06x}" for i in range(n)],
            "callsign": ["NORTH21", "CARGO7", "RESCUE1", "OLD44", "ODD5", *(f"SIM{i:04d}" for i in range(5, n))][:n],
            "source": ["readsb"] * n, "domain": np.ones(n), "category": category, "squawk": np.full(n, 1000),
            "situations": {
                "kind": ["APW", "APW", "APW"], "key": [0, 1, 2], "other": ["X0001/26"] * 3,
                "verdict": ["PREDICTED", "ACTUAL", "ACTUAL"], "time_to_s": [max(0.0, 290.0 - t), 0.0, 0.0],
                "at_lon_deg": [18.06, math.nan, math.nan], "at_lat_deg": [43.38, math.nan, math.nan],
                "exempt": [False, False, True],
            },
        }  # fmt: skip

    def alert(self, number: int = 1, **changes: Any) -> AlertMessage:
        inside = number == 2
        alert: dict[str, Any] = {
            "id": f"a{number}", "kind": "APW", "state": "actual" if inside else "predicted",
            "verdict": "ACTUAL" if inside else "PREDICTED", "who": "CARGO7" if inside else "NORTH21",
            "track_key": 1 if inside else 0, "zone_id": "X0001/26", "zone_name": "ADRIA EAST", "zone_version": "3",
            "raised_s": EPOCH_S - 60.0, "updated_s": EPOCH_S, "lon_deg": 18.06, "lat_deg": 43.38,
        }  # fmt: skip
        alert |= {"inside_since_s": EPOCH_S - 185.0} if inside else {"entry_s": EPOCH_S + 290.0}
        return {**alert, **changes}  # type: ignore[typeddict-item]

    def health(self, t: float, state: str = "OK", **changes: Any) -> HealthMessage:
        feeds: list[FeedHealth] = [
            {"name": "readsb", "state": "UP", "lag_s": 0.4, "rate_hz": 58.7, "last_s": EPOCH_S + t, "reports": 81_203,
             "faults": 0, "note": ""},
            {"name": "ais-coast", "state": "UP" if state == "OK" else "DEGRADED",
             "lag_s": 2.1 if state == "OK" else 94.0, "rate_hz": 4.2, "last_s": EPOCH_S + t, "reports": 1_840,
             "faults": 3, "note": "" if state == "OK" else "no report for 94 s; trying again in 8 s"},
        ]  # fmt: skip
        reasons = [] if state == "OK" else ["feed ais-coast is silent for 94 s"]
        health: dict[str, Any] = {
            "now_s": EPOCH_S + t, "state": state, "reasons": reasons, "simulated": True, "feeds": feeds,
            "cycle_ms": 12.0, "cycle_ms_p99": 31.0,
        }  # fmt: skip
        return {**health, **changes}  # type: ignore[typeddict-item]


@pytest.fixture
def traffic() -> Traffic:
    return Traffic()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium is installed: the page was not looked at")
    if not (STATIC_DIR / "index.html").is_file():
        pytest.skip("the console page is not built: pip install . builds it")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        yield running
        running.close()


@pytest.fixture
def console_lines() -> list[str]:
    """Errors and warnings that the page wrote to the developer's console."""
    return []


@pytest.fixture
def requested() -> list[str]:
    """The address of every request that the page made."""
    return []


@pytest.fixture
def page(browser: Browser, console_lines: list[str], requested: list[str]) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="dark")
    page = context.new_page()
    page.on("console", lambda line: console_lines.append(line.text) if line.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: console_lines.append(str(error)))
    page.on("request", lambda request: requested.append(request.url))
    yield page
    context.close()


@pytest.fixture
def pictures_dir(tmp_path: Path) -> Path:
    """Where screenshots go: KEEPCLEAR_SCREENSHOTS, for people who want to look, or the test's own folder."""
    folder = Path(os.environ.get("KEEPCLEAR_SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
