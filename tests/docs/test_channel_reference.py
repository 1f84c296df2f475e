"""The channel's reference names every route, and every event that a served node prints."""

from __future__ import annotations

import re
from pathlib import Path

from keepclear.server.channel_api import openapi

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reference" / "channel-http.md").read_text()
SOURCES = ("channel_desk.py", "cli/node/serving.py", "decision_desk.py")


def test_every_route_is_documented_and_every_documented_route_exists() -> None:
    documented = set(re.findall(r"^\| `(?:GET|POST) (/channel/v1/[^`]+)` \|", PAGE, re.MULTILINE))
    real = {path.replace("tile/{path}", "tile/…") for path in openapi("0")["paths"]} - {"/channel/v1/openapi.json"}
    assert documented == real
    assert "/channel/v1/openapi.json" in PAGE


def test_every_event_is_documented() -> None:
    said = set()
    for name in SOURCES:
        said |= set(re.findall(r'"event": "([a-z-]+)"', (ROOT / "src" / "keepclear" / name).read_text()))
    assert said
    assert [event for event in sorted(said) if f"`{event}`" not in PAGE] == []
