"""What is fuzzed of decisions: the files of a body, of a roll and of sealed votes.

What is read is whole, comes back from its bytes, and can decide.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable

import msgspec

from keepclear.channel import canonical
from keepclear.decisions.acts import Open, Sheet, decode_act, encode_act
from keepclear.decisions.rules.body import Body
from keepclear.decisions.rules.body_file import read_body
from keepclear.decisions.rules.roll_file import read_roll
from keepclear.decisions.rules.stance import Stance
from keepclear.decisions.rules.tally import tally
from keepclear.edge.decisions.sealed_votes import parse_sealed
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


def run_roll(data: bytes) -> None:
    roll = read_roll(data)
    written = "member,stance\n" + "".join(
        f"{_quoted(member)},{stance.value.lower()}\n" for member, stance in roll.items()
    )
    assert read_roll(written.encode()) == roll, "the same roll"
    with contextlib.suppress(InputError):  # ids that no body may have
        sheet = decode_act(encode_act(Sheet(proposal="P-A-2026-0001", version=1, text_hash="0" * 64, roll=roll)))
        assert isinstance(sheet, Sheet)
        assert sheet.roll == roll, "the same sheet"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def run_sealed(data: bytes) -> None:
    votes = parse_sealed(data)
    assert parse_sealed(b"".join(msgspec.json.encode(vote) + b"\n" for vote in votes)) == votes, "the same votes"
    for vote in votes:
        act = Open(proposal=vote.proposal, version=vote.version, member=vote.member, stance=vote.stance,
                   nonce=vote.nonce)  # fmt: skip
        assert decode_act(encode_act(act)) == act, "it can be opened"


TARGETS: dict[str, Callable[[bytes], None]] = {
    "decisions:body": run_body, "decisions:roll": run_roll, "decisions:sealed-votes": run_sealed,
}  # fmt: skip

ROLLS = (
    "member,stance\nnorth,FOR\nsouth,against\n",
    '\ufeffname,Stance,"member"\r\n"A, B",abstain,a\r\n"C ""D""",QUALIFIED_ABSTAIN," c "\r\n',
)
SEALED = (
    b'{"proposal":"P-A-2026-0001","version":1,"member":"a","stance":"FOR","nonce":"' + b"0" * 64 + b'"}\n'
    b'{"proposal":"P-A-2026-0001","version":1,"me\n'
    b'{"proposal":"P-B-2026-0012","version":2,"member":"b","stance":"AGAINST","nonce":"' + b"f" * 64 + b'"}\n'
)

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
    if name == "roll":
        return [roll.encode() for roll in ROLLS]
    if name == "sealed-votes":
        return [SEALED, SEALED[:-30]]
    written = [json.dumps(body, ensure_ascii=False).encode() for body in BODIES]
    return [*written, canonical.encode(read_body(written[0]))]
