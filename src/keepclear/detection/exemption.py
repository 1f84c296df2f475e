"""Who may be inside all the same, as far as a track can show it. The published words decide, not this.

A named exemption (callsign, target, party) is applied. A clause in words («except state aircraft of …») is not: the
row says which clause may cover the track and why it might, and a person judges (practice R1.8, R2.3, R2.4).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from keepclear.feeds.reports import Labels
from keepclear.tracks.addresses import state_of
from keepclear.tracks.states import is_named_in, state_name
from keepclear.zones.model import Exemption, Zone

__all__ = ["ExemptionFinding", "NamedExemptions", "find_exemption"]

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


class NamedExemptions:
    """Whom a zone exempts by name, for asking about many tracks in every cycle; clauses in words play no part.

    Remembers of each name whether it is covered: a live picture's names are the same from cycle to cycle, with the new
    ones behind.
    """

    def __init__(self, zone: Zone, parties: Mapping[str, str]) -> None:
        """``parties`` by target."""
        targets = frozenset(e.target.lower() for e in zone.exemptions if e.target)
        callsigns = frozenset(e.callsign.strip().upper() for e in zone.exemptions if e.callsign)
        named = frozenset(e.party for e in zone.exemptions if e.party and not e.clause)
        self.names_anybody = bool(targets or callsigns or (named and parties))
        self._targets = _Remembered(lambda name: name.lower() in targets or parties.get(name, "") in named)
        self._callsigns = _Remembered(lambda name: name.strip().upper() in callsigns)

    def covered(self, targets: Labels, callsigns: Labels) -> npt.NDArray[np.bool_]:
        """For each track what :func:`find_exemption` says in ``applies``."""
        return self._targets.of(targets) | self._callsigns.of(callsigns)


class _Remembered:
    def __init__(self, is_covered: Callable[[str], bool]) -> None:
        self._is_covered = is_covered
        self._names: tuple[str, ...] = ()
        self._covered = np.array([is_covered("")])
        """of each name; the last entry answers for «none»"""

    def of(self, labels: Labels) -> npt.NDArray[np.bool_]:
        if labels.names is not self._names:
            known = len(self._names) if labels.names[: len(self._names)] == self._names else 0
            new = [self._is_covered(name) for name in labels.names[known:]]
            self._covered = np.concatenate([self._covered[:known], np.array(new, dtype=np.bool_), self._covered[-1:]])
            self._names = labels.names
        found: npt.NDArray[np.bool_] = self._covered[labels.codes]
        return found


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
