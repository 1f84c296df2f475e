"""The bodies that come with Keepclear: how many members on which day, and that they fit where they have to go."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from keepclear.channel import canonical
from keepclear.channel.entry import BODY_BYTES_MAX
from keepclear.decisions.rules.body import Body, body_hash
from keepclear.decisions.rules.body_file import read_body
from keepclear.decisions.rules.rulebook import rulebook
from keepclear.decisions.rules.shipped import shipped_bodies, shipped_body
from keepclear.errors import InputError

ROOM_FOR_THE_ACT = 1_000
"""Beside the body, an act that sets it up holds a few fields of its own."""


@pytest.mark.parametrize("body_id", shipped_bodies())
def test_a_body_is_whole_fits_an_entry_and_comes_back_from_its_bytes(body_id: str) -> None:
    body = shipped_body(body_id)
    data = canonical.encode(body)
    assert len(data) < BODY_BYTES_MAX - ROOM_FOR_THE_ACT
    assert canonical.decode(data, Body, what="body") == body
    assert read_body(data) == body
    assert body_hash(read_body(data)) == body_hash(body)
    assert body.totals_on is not None
    assert body.members_total == len(body.electorate(body.totals_on))
    assert body.source


def test_every_shipped_rule_but_those_for_ones_own_bodies_belongs_to_a_shipped_body() -> None:
    used = {rule.id for body_id in shipped_bodies() for rule in shipped_body(body_id).rules}
    own = {"consensus", "silence", "unanimity", "simple-majority", "absolute-majority", "two-thirds"}
    assert used | own == set(rulebook())
    assert all(rule.source for rule in rulebook().values())


@pytest.mark.parametrize(
    ("body_id", "day", "members"),
    [
        ("north-atlantic-council", "2003-02-10", 19),
        ("north-atlantic-council", "2022-03-04", 30),
        ("north-atlantic-council", "2023-04-03", 30),
        ("north-atlantic-council", "2023-04-04", 31),
        ("north-atlantic-council", "2024-03-06", 31),
        ("north-atlantic-council", "2024-03-07", 32),
        ("defence-planning-committee", "2003-02-16", 18),
        ("osce-ministerial-council", "2012-11-20", 56),
        ("osce-ministerial-council", "2012-11-21", 57),
        ("council-of-the-eu", "2020-01-31", 28),
        ("council-of-the-eu", "2020-02-01", 27),
        ("european-council", "2020-01-31", 28),
        ("european-council", "2022-06-23", 27),
        ("european-parliament-751", "2018-09-12", 751),
        ("european-parliament-705", "2022-03-01", 705),
        ("european-parliament", "2026-11-28", 720),
        ("un-general-assembly", "2011-07-13", 192),
        ("un-general-assembly", "2022-03-02", 193),
    ],
)  # fmt: skip
def test_so_many_members_on_that_day(body_id: str, day: str, members: int) -> None:
    assert len(shipped_body(body_id).electorate(date.fromisoformat(day))) == members


def test_the_security_council_has_fifteen_members_and_five_permanent_ones_on_every_day_it_is_known() -> None:
    body = shipped_body("un-security-council")
    for year in (2011, 2021, 2022, 2023, 2024, 2025, 2026):
        for day in (date(year, 1, 1), date(year, 12, 31)):
            electorate = body.electorate(day)
            assert (len(electorate), sum(m.permanent for m in electorate.members)) == (15, 5)
    with pytest.raises(InputError, match="no member on 2012-01-01"):
        body.electorate(date(2011, 12, 31) + timedelta(days=1))


def test_the_unions_populations_of_2022_add_up_to_what_eurostat_published() -> None:
    electorate = shipped_body("council-of-the-eu").electorate(date(2022, 3, 1))
    assert electorate.population_total == 447_007_596


def test_an_unknown_body_is_one_clear_line() -> None:
    with pytest.raises(InputError, match="no body called 'x' comes with Keepclear; there are bosnia-dual-key, "):
        shipped_body("x")
