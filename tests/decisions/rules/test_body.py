"""A body is sound or refused in one clear line that names the place; members and representation follow the day."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from keepclear.channel import canonical
from keepclear.decisions.rules.body import MEMBERS_MAX, Body, body_hash
from keepclear.decisions.rules.body_file import BODY_FILE_BYTES_MAX, read_body
from keepclear.decisions.rules.rulebook import find_rule, rulebook
from keepclear.errors import InputError, LimitExceeded

JANUARY, MARCH = date(2022, 1, 1), date(2022, 3, 1)

COUNCIL: dict[str, Any] = {
    "id": "river-council",
    "name": "River Council",
    "secretary": "delta",
    "totals_on": "2022-03-01",
    "members_total": 3,
    "votes_total": 6,
    "population_total": 60,
    "rules": [
        "silence",
        {
            "id": "two-thirds-of-votes", "name": "Two thirds of the votes", "kind": "QUALIFIED_MAJORITY",
            "thresholds": [{"of": "VOTES", "numerator": 2, "denominator": 3}],
            "source": "Rules of the River Council, 4", "confirmed": True,
        },
    ],
    "members": [
        {
            "id": "alfa", "name": "Alfa", "from_date": "2022-01-01", "votes": 3, "population": 30,
            "represented_by": [
                {"party": "alfa-office", "from_date": "2022-01-01", "until_date": "2022-02-28", "credentials": "No 1"},
                {"party": "alfa-mission", "from_date": "2022-02-28"},
            ],
        },
        {"id": "bravo", "from_date": "2022-01-01", "votes": 2, "population": 20},
        {"id": "charlie", "from_date": "2022-02-01", "until_date": "2022-06-30", "population": 10},
        {"id": "charlie", "from_date": "2022-09-01", "population": 11},
    ],
}  # fmt: skip


def read(value: object) -> Body:
    return read_body(json.dumps(value).encode())


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    value = copy.deepcopy(COUNCIL)
    change(value)
    return value


def test_a_body_of_ones_own_is_read_with_shipped_rules_and_own_ones() -> None:
    body = read(COUNCIL)
    assert [rule.id for rule in body.rules] == ["silence", "two-thirds-of-votes"]
    assert body.rule("silence") == find_rule("silence")
    assert body.rule("two-thirds-of-votes").confirmed
    assert canonical.decode(canonical.encode(body), Body, what="body") == body
    assert body_hash(body) == body_hash(read(COUNCIL))
    assert body_hash(body) != body_hash(read(changed(lambda v: v["members"][1].update(votes=1, population=19, name="x")
                                                     or v.update(votes_total=5, population_total=59))))  # fmt: skip


def test_who_is_a_member_and_who_speaks_for_it_follows_the_day() -> None:
    body = read(COUNCIL)
    sizes = {day: len(body.electorate(date.fromisoformat(day))) for day in (
        "2022-01-01", "2022-01-31", "2022-02-01", "2022-06-30", "2022-07-01", "2022-08-31", "2022-09-01")}  # fmt: skip
    assert list(sizes.values()) == [2, 2, 3, 3, 2, 2, 3]
    charlie = body.member("charlie", date(2022, 9, 1))
    assert charlie is not None
    assert charlie.population == 11
    assert body.member("charlie", date(2022, 7, 1)) is None
    alfa = body.member("alfa", MARCH)
    assert alfa is not None
    assert alfa.represented(date(2022, 2, 27)) == ("alfa-office",)
    assert alfa.represented(date(2022, 2, 28)) == ("alfa-office", "alfa-mission")
    assert alfa.represented(MARCH) == ("alfa-mission",)
    assert alfa.represented(date(2021, 12, 31)) == ()


def test_many_like_members_are_one_line_of_the_file() -> None:
    seats = [{"id": "north", "seats": 3, "from_date": "2022-01-01"}, {"id": "south", "from_date": "2022-01-01"}]
    body = read({"id": "b", "name": "B", "rules": ["simple-majority"], "members": seats})
    assert [member.id for member in body.members] == ["north-01", "north-02", "north-03", "south"]


def _twice(value: dict[str, Any]) -> None:
    value["members"][3]["from_date"] = "2022-06-30"


def _overflow(value: dict[str, Any]) -> None:
    value["members"].insert(0, {"id": "z", "seats": MEMBERS_MAX, "from_date": "2022-01-01"})


REFUSED: dict[str, tuple[Callable[[dict[str, Any]], object], str, str]] = {
    "a member twice": (_twice, "charlie is a member twice at once: keep one", "members[3].id"),
    "votes that do not add up": (
        lambda v: v.update(votes_total=7), "there are 6 votes in it on 2022-03-01, and 7 are stated", "votes_total",
    ),
    "populations that do not add up": (
        lambda v: v.update(population_total=59),
        "there are 60 inhabitants in it on 2022-03-01, and 59 are stated", "population_total",
    ),
    "members that are not as many": (
        lambda v: v.update(members_total=4),
        "there are 3 members in it on 2022-03-01, and 4 are stated", "members_total",
    ),
    "totals of no day": (lambda v: v.pop("totals_on"), "totals need the day on which they hold", "totals_on"),
    "a membership that ends before it starts": (
        lambda v: v["members"][2].update(until_date="2022-01-31"),
        "the membership of charlie ends on 2022-01-31, before it starts on 2022-02-01", "members[2].until_date",
    ),
    "a representation that ends before it starts": (
        lambda v: v["members"][0]["represented_by"][0].update(until_date="2021-01-31"),
        "the representation by alfa-office ends on 2021-01-31, before it starts on 2022-01-01",
        "members[0].until_date",
    ),
    "a rule unknown": (
        lambda v: v["rules"].append("qualified"), "no rule is called 'qualified'; there are consensus, ", "rules[2]",
    ),
    "a rule twice": (lambda v: v["rules"].append("silence"), "river-council has the rule silence twice", "rules[2].id"),
    "no rule": (lambda v: v.update(rules=[]), "expected `array` of length >= 1", "rules"),
    "no members": (lambda v: v.pop("members"), "expected `array`, got `null`", "members"),
    "a share that nothing reaches": (
        lambda v: v["rules"][1]["thresholds"][0].update(numerator=4), "nothing reaches 4/3", "rules[1].numerator",
    ),
    "more than all": (
        lambda v: v["rules"][1]["thresholds"][0].update(numerator=3, over=True), "nothing reaches more than 3/3",
        "rules[1].numerator",
    ),
    "a vote without a threshold": (
        lambda v: v["rules"][1].pop("thresholds"), "the rule two-thirds-of-votes counts votes and says not how many",
        "rules[1].thresholds",
    ),
    "a population that nobody has": (
        lambda v: [m.pop("population") for m in v["members"]] and v.pop("population_total")
        and v["rules"].append("eu-cfsp-unanimity"),
        "eu-cfsp-unanimity weighs the population, and no member states one", "rules[2]",
    ),
    "a field misspelt": (
        lambda v: v["members"][1].update(vote=2), "object contains unknown field `vote`", "members[1]",
    ),
    "a date that is none": (
        lambda v: v["members"][1].update(from_date="2022-02-30"), "invalid RFC3339", "members[1].from_date",
    ),
    "half a vote": (
        lambda v: v["members"][1].update(votes=1.5), "expected `int`, got `float`", "members[1].votes",
    ),
    "a name that could show as another": (
        lambda v: v["members"][0].update(name="Al\u202efa"),
        "the character U+202E is not allowed in it", "members[0].name",
    ),
    "too many members": (_overflow, "the body has more than 2,000 members", "members[1]"),
    "seats that are no number": (
        lambda v: v["members"][1].update(seats="3"), "a whole number from 1 to 2,000 is expected", "members[1].seats",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_bad_input_is_one_clear_line_with_its_place(what: str) -> None:
    change, message, where = REFUSED[what]
    with pytest.raises(InputError) as caught:
        read(changed(change))
    assert message in caught.value.message
    assert caught.value.where == where
    assert "\n" not in str(caught.value)


def test_a_place_is_that_of_the_file_although_seats_were_spread() -> None:
    seats = {"id": "north", "seats": 30, "from_date": "2022-01-01"}
    with pytest.raises(InputError) as caught:
        read(changed(lambda v: v["members"].insert(0, seats) or v["members"][2].update(votes="two")))
    assert caught.value.where == "members[2].votes"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "this is not JSON"),
        (b"[]", "a body is an object with id, name, members and rules"),
        (b"\xff", "this is not UTF-8 text"),
        (b'{"id": "a", "id": "b"}', "the key 'id' is given twice in one object"),
        (b'{"id": NaN}', "NaN is no number of JSON"),
        (rb'{"id": "\ud800"}', "half of a surrogate pair"),
        (b"[" * 100_000, "nests too deep"),
        (b"1" * 10_000, "a number in it is too large"),
    ],
)
def test_bytes_that_are_no_body_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_body(data)


def test_a_file_beyond_the_limit_is_not_parsed() -> None:
    with pytest.raises(LimitExceeded, match="more than 1,048,576"):
        read_body(b" " * (BODY_FILE_BYTES_MAX + 1))


def test_who_is_left_out_has_to_be_a_member_and_somebody_has_to_remain() -> None:
    body = read(COUNCIL)
    assert [m.id for m in body.electorate(MARCH, {"bravo"}).members] == ["alfa", "charlie"]
    with pytest.raises(InputError, match="charlie is no member of river-council on 2022-01-01"):
        body.electorate(JANUARY, {"charlie"})
    with pytest.raises(InputError, match="has no member on 2022-01-01 who could decide"):
        body.electorate(JANUARY, {"alfa", "bravo"})
    with pytest.raises(InputError, match="has no member on 2021-12-31"):
        body.electorate(date(2021, 12, 31))


def test_a_rule_that_the_body_does_not_have_is_one_clear_line() -> None:
    with pytest.raises(InputError, match="river-council has no rule consensus; it has silence, two-thirds-of-votes"):
        read(COUNCIL).rule("consensus")


def test_every_shipped_rule_is_whole_in_its_canonical_bytes() -> None:
    for rule in rulebook().values():
        assert canonical.decode(canonical.encode(rule), type(rule), what="rule") == rule
