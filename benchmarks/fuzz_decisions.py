"""What is fuzzed of decisions: the file of a body. What is read is whole, comes back from its bytes, and can decide."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable

from keepclear.channel import canonical
from keepclear.decisions.rules.body import Body
from keepclear.decisions.rules.body_file import read_body
from keepclear.decisions.rules.stance import Stance
from keepclear.decisions.rules.tally import tally
from keepclear.errors import InputError

DAYS = 3
"""on which it is asked to decide"""


def run_body(data: bytes) -> None:
    body = read_body(data)
    written = canonical.encode(body)
    assert canonical.decode(written, Body, what="body") == body, "canonical"
    assert read_body(written) == body, "the same body"
    for day in sorted({member.from_date for member in body.members})[:DAYS]:
        electorate = body.electorate(day)
        for rule in body.rules:
            with contextlib.suppress(InputError):  # a population that is stated for other days only
                nobody = tally(rule, electorate, {})
                assert not nobody.adopted, "adopted by nobody"
                assert len(nobody.unreached) == len(electorate), "taken for silent"
                everybody = tally(rule, electorate, dict.fromkeys(electorate.by_id, Stance.FOR))
                assert everybody.counts == {Stance.FOR: len(electorate)}, "counts"


TARGETS: dict[str, Callable[[bytes], None]] = {"decisions:body": run_body}

BODIES = [
    {"id": "council", "name": "Council", "secretary": "hub", "totals_on": "2022-03-01", "members_total": 3,
     "votes_total": 6, "population_total": 60, "source": "its statute", "confirmed": True,
     "quorum": {"numerator": 1, "denominator": 2, "over": True, "source": "rule 4"},
     "rules": ["nato-silence", "eu-cfsp-unanimity", "eu-qualified-majority-participating", "osce-consensus-minus-one",
               {"id": "own", "name": "Own", "kind": "QUALIFIED_MAJORITY", "veto": True,
                "thresholds": [{"of": "VOTES", "numerator": 2, "denominator": 3, "over": True, "at_least": 2}]}],
     "members": [
         {"id": "a", "name": "Ålfa", "from_date": "2022-01-01", "votes": 3, "population": 30, "permanent": True,
          "represented_by": [{"party": "a-office", "from_date": "2022-01-01", "until_date": "2022-12-31",
                              "credentials": "1"}]},
         {"id": "b", "from_date": "2022-01-01", "until_date": "2022-06-30", "votes": 2, "population": 20},
         {"id": "b", "from_date": "2022-09-01", "population": 21},
         {"id": "c", "from_date": "2022-02-01", "population": 10}]},
    {"id": "p", "name": "P", "rules": ["ep-two-thirds", "unga-silence"],
     "members": [{"id": "n", "seats": 12, "from_date": "2024-07-16"}]},
]  # fmt: skip


def seeds(name: str) -> list[bytes]:
    written = [json.dumps(body, ensure_ascii=False).encode() for body in BODIES]
    return [*written, canonical.encode(read_body(written[0]))]
