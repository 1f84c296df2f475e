"""Secret ballots: a commitment until the deadline, all opened together after it.

Nobody can change a vote after seeing others', and the secretary cannot read one early. Once opened, everybody sees who
voted how: the ballot is secret until then, not anonymous.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

from keepclear.channel import canonical
from keepclear.channel.signature import in_context
from keepclear.decisions.acts import Commit, Open
from keepclear.decisions.procedure.docket import Filed
from keepclear.decisions.procedure.status import Counted, Void
from keepclear.decisions.rules.stance import Stance
from keepclear.decisions.vocabulary import VoidReason

__all__ = ["Opening", "SealedVotes", "seal"]


def seal(channel: str, proposal: str, version: int, text: str, member: str, stance: Stance, nonce: str) -> str:
    """The commitment: SHA-256 over everything that the vote is about, and 32 random bytes (``nonce``, hexadecimal).

    ``text`` is the text's hash. The same vote sealed for another text, member or channel is another commitment.
    """
    said = canonical.encode([channel, member, nonce, proposal, stance.value, text, version])
    return sha256(in_context("ballot", said)).hexdigest()


@dataclass(frozen=True, slots=True)
class Opening:
    filed: Filed
    received_ms: int


@dataclass(slots=True)
class SealedVotes:
    """The sealed votes of one circulation, by member and log."""

    channel: str
    proposal: str
    version: int
    text: str
    commitments: dict[str, dict[str, Filed]] = field(default_factory=dict)
    openings: dict[str, list[Opening]] = field(default_factory=dict)

    def commit(self, member: str, filed: Filed) -> None:
        """A later one of the same log takes the place of an earlier one."""
        before = self.commitments.setdefault(member, {}).get(filed.party)
        if before is None or before.seq < filed.seq:
            self.commitments[member][filed.party] = filed

    def open(self, member: str, filed: Filed, received_ms: int) -> None:
        self.openings.setdefault(member, []).append(Opening(filed, received_ms))

    def count(self, *, ended: bool) -> tuple[dict[str, dict[str, Counted]], list[Void]]:
        """The votes that were opened rightly, by member and log, and what is void. What is not opened yet is void only
        once the time for it has ``ended``."""
        counted: dict[str, dict[str, Counted]] = {}
        void: list[Void] = []
        for member, by_log in sorted(self.commitments.items()):
            for party, filed in sorted(by_log.items()):
                vote = self._opened(member, filed, void)
                if vote is not None:
                    counted.setdefault(member, {})[party] = vote
                elif ended:
                    void.append(Void(filed, member, VoidReason.NOT_OPENED))
        for member, openings in sorted(self.openings.items()):
            void += [
                Void(opening.filed, member, VoidReason.NO_COMMITMENT)
                for opening in openings
                if opening.filed.party not in self.commitments.get(member, {})
            ]
        return counted, void

    def _opened(self, member: str, filed: Filed, void: list[Void]) -> Counted | None:
        assert isinstance(filed.act, Commit)
        found: Counted | None = None
        for opening in self.openings.get(member, ()):
            act = opening.filed.act
            if opening.filed.party != filed.party or not isinstance(act, Open):
                continue
            sealed = seal(self.channel, self.proposal, self.version, self.text, member, act.stance, act.nonce)
            if sealed != filed.act.commitment:
                void.append(Void(opening.filed, member, VoidReason.OPENED_WRONGLY))
            elif found is None:
                found = Counted(member, act.stance, opening.filed.reference, opening.received_ms)
        return found
