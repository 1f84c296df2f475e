"""What the ``decide`` commands share: a node's docket, looked at without its keys, and how an act gets into the log."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from keepclear.cli.node.options import folder_of, passphrase_of
from keepclear.errors import InputError, UsageError

if TYPE_CHECKING:
    from keepclear.channel.charter import Charter
    from keepclear.channel.store import Kept, Store
    from keepclear.decisions.acts import AnyAct, Table
    from keepclear.decisions.procedure.docket import Docket
    from keepclear.decisions.procedure.status import Status
    from keepclear.decisions.rules.body import Body

__all__ = ["Deciding", "deciding", "declare", "now_ms", "on_channel"]

LANGUAGES = ("en", "fr", "uk", "ru", "ar")


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Deciding:
    charter: Charter
    party: str
    store: Store
    docket: Docket

    @property
    def language(self) -> str:
        """The first of the node's languages that there is a catalogue for."""
        return next((la for la in self.charter.party(self.party).languages if la in LANGUAGES), "en")

    def bodies(self) -> Mapping[str, Body]:
        return self.docket.bodies()

    def accepted(self, digest: str) -> frozenset[str]:
        return self.docket.accepted(digest)

    @staticmethod
    def voices(body: Body) -> frozenset[str]:
        """The parties that have to accept it: the secretary, and whoever speaks for a member."""
        spoken = {one.party for member in body.members for one in member.represented_by}
        return frozenset(spoken | ({body.secretary} if body.secretary else set()))

    def find_body(self, name: str) -> str | None:
        """The hash of a body by its id, or by how its hash begins. Of several with one id, the one that most parties
        have accepted; raises :class:`UsageError` where that leaves two."""
        found = [d for d, body in self.bodies().items() if body.id == name or (len(name) >= 8 and d.startswith(name))]
        if len(found) < 2:
            return found[0] if found else None
        most = max(len(self.accepted(digest)) for digest in found)
        left = [digest for digest in found if len(self.accepted(digest)) == most]
        if len(left) > 1:
            hashes = ", ".join(digest[:16] for digest in left)
            raise UsageError(f"{len(left)} bodies are called {name}: name one by its hash ({hashes})")
        return left[0]

    def status(self, proposal: str) -> Status:
        """Where a proposal stands; raises :class:`UsageError` for a number that is not here."""
        from keepclear.decisions.procedure.procedure import status

        if proposal not in self.docket.proposals():
            raise UsageError(f"there is no proposal {proposal} here; «keepclear decide list» lists them")
        return status(self.docket, proposal)

    def table(self, proposal: str) -> Table:
        """How it was tabled."""
        from keepclear.decisions.acts import Table

        act = self.status(proposal).tabled.act
        assert isinstance(act, Table)
        return act

    def body(self, proposal: str) -> Body:
        """Which body decides; raises :class:`UsageError` where that is not here."""
        return self.docket.body(self.table(proposal).body)

    def number(self, prefix: str) -> str:
        return self.docket.number(prefix, self.party, datetime.fromtimestamp(now_ms() / 1000.0, UTC).year)


def on_channel(node: Path) -> bool:
    return folder_of(node).charter_file.exists()


def deciding(node: Path) -> Deciding:
    """Raises :class:`UsageError` while the node is on no channel."""
    from keepclear.decisions.procedure.docket import Docket
    from keepclear.decisions.procedure.reading import take_new

    folder = folder_of(node)
    party, store = folder.card().id, folder.open_store()
    docket = Docket(store.channel)
    charter = store.charters()[-1]
    take_new(docket, store)
    return Deciding(charter, party, store, docket)


def declare(node: Path, passphrase_file: Path | None, act: AnyAct, read: Deciding) -> Kept:
    """Checks the act as everybody will check it, then puts it into our log; what would be void is not written."""
    from keepclear.channel.entry import Draft
    from keepclear.channel_node import ChannelNode
    from keepclear.decisions.acts import DECISION_KIND, decode_act, encode_act
    from keepclear.decisions.drafting import verify_act

    data = encode_act(act)
    try:
        decode_act(data)
    except InputError as error:  # in the words of the call, not of the entry
        message = error.message.removeprefix("the decision: ")
        raise InputError(message, where=error.where.removeprefix("$.")) from None
    verify_act(act, read.docket, read.party, read.charter.ids, now_ms())
    channel = ChannelNode.open(folder_of(node), passphrase_of(passphrase_file))
    return channel.append([Draft(DECISION_KIND, data)])[0]
