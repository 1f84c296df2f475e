"""The report is whole in one file, says what it rests on, and nothing from outside becomes markup."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pyarrow as pa
import pytest

from keepclear.errors import MissingExtra
from keepclear.quantities import UNBOUNDED, Datum, LengthUnit, Level
from keepclear.server import map_picture, report
from keepclear.server.report import InputFile, ReportMeta, write_report, zone_assumptions
from keepclear.space.geometry import Circle, EdgeType, Polygon
from keepclear.zones.model import Authority, Exemption, Period, Volume, Zone

EVIL = "</pre><script>alert('x')</script><img src=//evil.example/a.png onerror=alert(1)>\"'&"
ZONE = Zone(
    id="A1/26", version="4", name="Closed " + EVIL, text="(A1/26) " + EVIL, authorities=(Authority(name=EVIL),),
    exemptions=(Exemption(clause="SAR " + EVIL),), applicability=(Period(0.0, 3600.0, (), True),),
    buffer_lateral_m=500.0,
    volumes=(
        Volume(Circle(10.0, 50.0, 1000.0), Level(0.0, LengthUnit.METRE, Datum.AGL), UNBOUNDED),
        Volume(Polygon(((0.0, 0.0), (1.0, 0.0), (0.0, 1.0)), (), EdgeType.RHUMB), UNBOUNDED, UNBOUNDED),
    ),
)  # fmt: skip
META = ReportMeta(
    title="Scan " + EVIL, summary="3 violations by 2 aircraft in 2 tracks; over 40 aircraft " + EVIL,
    counts=(("violations", "3"), ("aircraft inside", "2"), ("track hours observed", "6.4")),
    assumptions=("QNH 1013 " + EVIL,), warnings=("line 3 refused " + EVIL,), command="keepclear scan " + EVIL,
    inputs=(InputFile("a.csv" + EVIL, "ab" * 32, 12),),
    version="0.1.0", made_s=0.0, simulated=True, notes=("gap " + EVIL,),
)  # fmt: skip


def rows(n: int = 3) -> pa.Table:
    return pa.table({
        "track_id": [f"t{i}{EVIL}" for i in range(n)], "callsign": [EVIL] * n, "zone_id": ["A1/26"] * n,
        "verdict": ["PREDICTED", "ACTUAL", "INDETERMINATE"][:n] + ["ACTUAL"] * (n - 3),
        "entry_time": pa.array([datetime(2026, 1, 1, tzinfo=UTC)] * n, pa.timestamp("us", "UTC")),
        "entry_seen": [i != 1 for i in range(n)], "lowest_altitude_m": [3048.0] * n,
        "entry_lon_deg": [10.0] * n, "entry_lat_deg": [50.0] * n, "depth_m": [1234.5] * (n - 1) + [None],
        "coverage": [0.5] * n, "exempt": [False] * n,
    })  # fmt: skip


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def parsed(html: bytes) -> Elements:
    elements = Elements()
    elements.feed(html.decode())
    return elements


@pytest.fixture(scope="module")
def html() -> bytes:
    return write_report(rows(), [ZONE], None, META)


def test_nothing_from_outside_becomes_markup(html: bytes) -> None:
    elements = parsed(html)
    assert [tag for tag, _ in elements.seen].count("script") == 1
    assert not any(name.startswith("on") for _, attributes in elements.seen for name in attributes)


def test_the_file_asks_no_other_host_for_anything(html: bytes) -> None:
    for tag, attributes in parsed(html).seen:
        for name in ("src", "href", "data", "action", "srcset"):
            assert (attributes.get(name) or "data:").startswith("data:"), tag
    assert b"@import" not in html
    assert b"url(" not in html


def test_its_policy_allows_its_own_script_and_no_other(html: bytes) -> None:
    text = html.decode()
    [script] = re.findall(r"<script>(.*?)</script></body>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text
    assert "default-src 'none'" in text


def test_it_says_what_was_found_over_what_and_what_it_rests_on(html: bytes) -> None:
    text = "".join(parsed(html).text)
    for said in (
        "3 violations by 2 aircraft in 2 tracks; over 40 aircraft", "track hours observed", "QNH 1013",
        "line 3 refused", "keepclear scan", "ab" * 32, "Simulated traffic", "0.1.0", "2026-01-01 00:00:00Z",
            "before 2026-01-01 00:00:00Z", "lowest altitude [ft]", "10,000",
        "50 %", "1,234", "surface to unlimited", "(A1/26)", "(estimated)", "SAR",
    ):  # fmt: skip
        assert said in text, said


@pytest.fixture
def no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """The picture has its own tests; these need none."""
    monkeypatch.setattr(map_picture, "draw_map", lambda *_, **__: b"")


@pytest.mark.usefixtures("no_picture")
def test_the_worst_comes_first_and_the_rest_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "ROWS_MAX", 2)
    text = "".join(parsed(write_report(rows(3), [], None, META)).text)
    assert "1 more rows are left out" in text
    assert text.index("ACTUAL") < text.index("INDETERMINATE")
    assert "PREDICTED" not in text


@pytest.mark.usefixtures("no_picture")
def test_no_findings_is_said_not_shown_as_an_empty_table() -> None:
    text = "".join(parsed(write_report(rows(3).slice(0, 0), [ZONE], None, META)).text)
    assert "None." in text


def test_without_matplotlib_the_report_is_written_and_says_that_the_picture_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(*_: Any, **__: Any) -> bytes:
        raise MissingExtra("a map picture", "report")

    monkeypatch.setattr(map_picture, "draw_map", missing)
    elements = parsed(write_report(rows(), [ZONE], None, META))
    assert "img" not in [tag for tag, _ in elements.seen]
    assert "keepclear[report]" in "".join(elements.text)


def test_assumptions_that_the_zones_made_necessary() -> None:
    said = zone_assumptions([ZONE], assume_active=True)
    assert "--assume-active" in said[0]
    assert any("rhumb" in line and "1 volume." in line for line in said)
    assert any("true circles" in line for line in said)
    assert any("estimate" in line for line in said)
    assert any("buffers" in line for line in said)
    assert zone_assumptions([]) == ()
