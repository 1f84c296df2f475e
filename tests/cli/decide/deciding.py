"""Three nodes that decide together, in one process: what they write goes between them as bundles, under one clock."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from keepclear.channel.charter import Charter, SignedCharter, sign_charter
from keepclear.cli.main import run
from keepclear.edge.channel.node_folder import NodeFolder

PARTIES = ("alfa", "bravo", "charlie")
PASSPHRASE = "several quiet words"
COUNCIL: dict[str, Any] = {
    "id": "council", "name": "Council of the Line", "secretary": "alfa", "rules": ["silence", "simple-majority"],
    "source": "Agreement, article 3", "confirmed": True,
    "members": [
        {"id": "north", "name": "North", "from_date": "2020-01-01",
         "represented_by": [{"party": "bravo", "from_date": "2020-01-01"}]},
        {"id": "south", "name": "South", "from_date": "2020-01-01",
         "represented_by": [{"party": "charlie", "from_date": "2020-01-01"}]},
        {"id": "west", "name": "West", "from_date": "2020-01-01", "until_date": "2021-12-31",
         "represented_by": [{"party": "charlie", "from_date": "2020-01-01"}]},
    ],
}  # fmt: skip
TEXT = "The corridor is open to medical flights."


@dataclass
class Table:
    """The nodes' folders lie in ``place``, which is the working folder."""

    place: Path
    capture: pytest.CaptureFixture[str]
    ahead_ms: int = 0
    said: str = ""
    refused: str = ""

    def __call__(self, node: str, *call: str, code: int = 0) -> str:
        """A ``decide`` command at a node; its words are returned, and it ends as expected."""
        self.capture.readouterr()
        ended = run(["decide", *call, "--node", node])
        self.said, self.refused = self.capture.readouterr()
        assert ended == code, (node, call, self.said, self.refused)
        return self.said

    def refuse(self, node: str, *call: str) -> str:
        """The one line with which a command is refused; nothing is written."""
        before = self.entries(node)
        self(node, *call, code=2)
        assert len(self.refused.splitlines()) == 1, self.refused
        assert self.entries(node) == before, "nothing is half-applied"
        return self.refused

    def entries(self, node: str) -> int:
        size: int = NodeFolder(self.place / node).open_store().state(node).size
        return size

    def status(self, node: str, number: str) -> dict[str, Any]:
        self.capture.readouterr()
        run(["decide", "show", "--node", node, "--json", number])
        found: dict[str, Any] = json.loads(self.capture.readouterr().out)
        return found

    def exchange(self) -> None:
        """Everything goes to everybody, also what one has only from another."""
        for one, other in permutations(PARTIES, 2):
            assert run(["channel", "carry-out", "--node", one, other, "x.bundle"]) == 0
            assert run(["channel", "carry-in", "--node", other, "x.bundle"]) == 0

    def skip(self, hours: float) -> None:
        self.ahead_ms += round(hours * 3_600_000)


def make_table(
    place: Path, capture: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch, *, begins_ms: int | None = None
) -> Table:
    """``begins_ms``: the instant at which their common clock begins; now, if not given."""
    patch.chdir(place)
    patch.setenv("KEEPCLEAR_PASSPHRASE", PASSPHRASE)
    table, real_ns = Table(place, capture), time.time_ns
    if begins_ms is not None:
        table.ahead_ms = begins_ms - real_ns() // 1_000_000
    patch.setattr(time, "time_ns", lambda: real_ns() + table.ahead_ms * 1_000_000)
    folders = {party: NodeFolder(place / party) for party in PARTIES}
    cards = tuple(
        one.create(party=p, name=p.title(), url=f"https://{p}.example", languages=("en",), desks=(),
                   passphrase=PASSPHRASE, scrypt_n=2**10)
        for p, one in folders.items()
    )  # fmt: skip
    signed = SignedCharter(Charter("Line", 1, cards))
    for party, one in folders.items():
        signed = sign_charter(signed, party, one.keys(PASSPHRASE).entry)
    for one in folders.values():
        one.join(signed)
    (place / "council.json").write_text(json.dumps(COUNCIL))
    (place / "text.txt").write_text(TEXT)
    return table


def constitute(table: Table) -> None:
    """The council on the channel, accepted by all."""
    table("alfa", "body", "declare", "--file", "council.json")
    table.exchange()
    for party in ("bravo", "charlie"):
        table(party, "body", "accept", "council")
    table.exchange()
