"""Who may be inside all the same, as far as a track can show it. The published words decide, not this.

A named exemption (callsign, target, party) is applied. A clause in words («except state aircraft of …») is not: the
row says which clause may cover the track and why it might, and a person judges (practice R1.8, R2.3, R2.4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import or_

from keepclear.tracks.addresses import state_of
from keepclear.tracks.states import is_named_in, state_name
from keepclear.zones.model import Exemption, Zone

__all__ = ["ExemptionFinding", "NamedExemptions", "find_exemption", "named_exemptions"]

CLAUSE_CHARACTERS_MAX = 240
"""A clause longer than this is cut in a row; the zone keeps it whole."""


@dataclass(frozen=True, slots=True)
class ExemptionFinding:
    applies: bool
    """the zone names this very track: no alert is raised, the track stays in the picture"""
    text: str
    """what a row says: «exempt: callsign UKL1234», «possible: …», or nothing"""


_NONE = ExemptionFinding(False, "")


def find_exemption(zone: Zone, target: str, callsign: str, party: str = "") -> ExemptionFinding:
    """The strongest exemption that the zone gives this track."""
    possible: list[str] = []
    for exemption in zone.exemptions:
        named = _named(exemption, target, callsign, party)
        if named:
            return ExemptionFinding(True, f"exempt: {named}")
        if exemption.clause:
            possible.append(_possible(exemption.clause, target))
    return ExemptionFinding(False, "; ".join(possible)) if possible else _NONE


@dataclass(frozen=True, slots=True)
class NamedExemptions:
    """Whom a zone exempts by name, for asking about many tracks in every cycle; clauses in words play no part."""

    targets: frozenset[str]
    callsigns: frozenset[str]
    parties: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.targets or self.callsigns or self.parties)

    def covered(self, targets: Sequence[str], callsigns: Sequence[str], parties: Mapping[str, str]) -> list[bool]:
        """For each track what :func:`find_exemption` says in ``applies``; ``parties`` by target."""
        covered = [False] * len(targets)
        if self.targets:
            covered = list(map(self.targets.__contains__, map(str.lower, targets)))
        if self.callsigns:
            by_sign = map(self.callsigns.__contains__, map(str.upper, map(str.strip, callsigns)))
            covered = list(map(or_, covered, by_sign)) if self.targets else list(by_sign)
        if self.parties and parties:
            covered = [c or parties.get(target, "") in self.parties for c, target in zip(covered, targets)]
        return covered


def named_exemptions(zone: Zone) -> NamedExemptions:
    """The exemptions of a zone that name a target, a callsign or a party."""
    return NamedExemptions(
        frozenset(e.target.lower() for e in zone.exemptions if e.target),
        frozenset(e.callsign.strip().upper() for e in zone.exemptions if e.callsign),
        frozenset(e.party for e in zone.exemptions if e.party and not e.clause),
    )


def _named(exemption: Exemption, target: str, callsign: str, party: str) -> str:
    if exemption.target and exemption.target.lower() == target.lower():
        return f"target {exemption.target}"
    if exemption.callsign and exemption.callsign.strip().upper() == callsign.strip().upper():
        return f"callsign {exemption.callsign}"
    if exemption.party and exemption.party == party and not exemption.clause:
        return f"party {exemption.party}"
    return ""


def _possible(clause: str, target: str) -> str:
    words = " ".join(clause.split())
    if len(words) > CLAUSE_CHARACTERS_MAX:
        words = words[: CLAUSE_CHARACTERS_MAX - 1] + "…"
    state = state_of(target)
    name = state_name(state)
    if is_named_in(state, clause):
        return f"possible (address registered in {name}): {words}"
    return f"possible by permission only (address registered {'in ' + name if name else 'nowhere known'}): {words}"
