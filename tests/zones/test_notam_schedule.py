"""Holds true that item D) in its common forms becomes the periods it means, and anything else is not guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.quantities import UNBOUNDED, format_instant, parse_instant
from keepclear.space.geometry import Circle
from keepclear.zones.applicability import active_intervals
from keepclear.zones.model import Volume, Zone
from keepclear.zones.notam_schedule import read_schedule

BEGIN, END = parse_instant("2026-01-10T00:00:00Z"), parse_instant("2026-03-01T00:00:00Z")


def spans(text: str, first: str, last: str) -> list[str] | None:
    """The intervals within a window, as «MMDDhhmm-MMDDhhmm»."""
    periods = read_schedule(text, BEGIN, END)
    if periods is None:
        return None
    zone = Zone("Z", (Volume(Circle(0.0, 51.0, 1.0), UNBOUNDED, UNBOUNDED),), applicability=periods)
    found = active_intervals(zone, parse_instant(f"{first}T00:00:00Z"), parse_instant(f"{last}T00:00:00Z"))
    return ["-".join("".join(c for c in format_instant(t)[5:16] if c.isdigit()) for t in pair) for pair in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DAILY 0600-1800", ["01120600-01121800", "01130600-01131800"]),
        ("0600-1800", ["01120600-01121800", "01130600-01131800"]),
        ("MON 0500-1500", ["01120500-01121500"]),  # 12 January 2026 is a Monday
        ("SUN-MON WED 0500-1500", ["01120500-01121500"]),
        ("MON-FRI EXC MON 0700-0900", ["01130700-01130900"]),
        ("MON-WED 0600-0800 1000-1200, SAT 0900-1000", ["01120600-01120800", "01121000-01121200",
                                                        "01130600-01130800", "01131000-01131200"]),
        ("12 14 16 0700-1500", ["01120700-01121500"]),
        ("12-14 0700-1500", ["01120700-01121500", "01130700-01131500"]),
        ("JAN 12-13 2200-0400", ["01122200-01130400", "01132200-01140000"]),
        ("JAN 12 H24", ["01120000-01130000"]),
        ("JAN 12 H24, FEB 02 0100-0200", ["01120000-01130000"]),
        ("H24", ["01120000-01140000"]),
        ("", ["01120000-01140000"]),
        ("13 0000-2400", ["01130000-01140000"]),
    ],
)  # fmt: skip
def test_the_forms_in_common_use(text: str, expected: list[str]) -> None:
    assert spans(text, "2026-01-12", "2026-01-14") == expected


def test_days_go_on_into_the_next_month() -> None:
    assert spans("30-02 0700-0800", "2026-01-01", "2026-03-01") == [
        "01300700-01300800", "01310700-01310800", "02010700-02010800", "02020700-02020800",
    ]  # fmt: skip
    assert spans("28 03 0700-0800", "2026-01-01", "2026-03-01") == ["01280700-01280800", "02030700-02030800"]


def test_daylight_is_by_the_sun() -> None:
    (daylight,) = spans("SR-SS", "2026-01-12", "2026-01-13") or []
    assert daylight.startswith("01120")
    earlier = spans("SR MINUS30-SS PLUS30", "2026-01-12", "2026-01-13")
    assert earlier is not None
    assert earlier[0] < daylight
    assert spans("HJ", "2026-01-12", "2026-01-13") == [daylight]


@pytest.mark.parametrize(
    "text",
    ["MON-FRI EXC HOL 0700-1000", "NONSENSE 0700", "AS BY ATIS", "0700", "31 FEB 0700-0800 X", "2500-2600", "SEE TEXT"],
)
def test_what_is_not_understood_is_not_guessed(text: str) -> None:
    assert read_schedule(text, BEGIN, END) is None


def test_an_estimated_end_leaves_it_in_force_after_the_dates() -> None:
    periods = read_schedule("12 0700-1500", BEGIN, END, end_estimated=True)
    assert periods is not None
    assert periods[-1].from_s == END
    assert periods[-1].end_estimated


@given(st.text(alphabet="0123456789- ,MONJANFEBTUESRDAILYH24EXC", max_size=60))
def test_any_text_gives_periods_within_b_and_c_or_none(text: str) -> None:
    for period in read_schedule(text, BEGIN, END) or ():
        assert BEGIN <= period.from_s <= period.to_s <= END
