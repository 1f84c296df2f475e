"""``--decisions``: zones held against the decisions that they cite, and flagged wherever they appear (practice R4.7).

A zone whose decision is not in force stays: in doubt the more restrictive state stands, and nobody is told that a place
is open because a paper is missing. What the same decision would have permitted is not applied: exemptions by name
become words for a person to judge. The flag is part of the zone's name, so every row, alert, map and report has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from keepclear.decisions.procedure.authority import Standing
    from keepclear.edge.decisions.source import DecisionSource
    from keepclear.zones.model import Exemption, Zone
    from keepclear.zones.zone_set import ZoneSet

__all__ = ["ZoneDecisions", "decisions_option", "flag_of"]

NAME_MAX, NAME_LEAST = 200, 20
"""Characters: ED-269 allows 200 in a name. A long one gives way to its flag, which would be cut off at its end."""
_FLAG = re.compile(r" \[(?:decision [^\s\]]+ )?(?:SUSPENDED|LAPSED|REVOKED|NOT_SHOWN|ONE_KEY_MISSING)\b[^\]]*\]\Z")

decisions_option = click.option(
    "--decisions", "decisions", type=click.Path(path_type=Path), metavar="NODE|RECORD",
    help="A node's folder or an exported record: zones whose decision is not in force are flagged.",
)  # fmt: skip


def flag_of(zone_name: str) -> str:
    """The flag that :meth:`ZoneDecisions.flag` has put behind a zone's name; empty where there is none."""
    found = _FLAG.search(zone_name)
    return found.group() if found else ""


class ZoneDecisions:
    """Opened once; a node's folder is looked at anew each time."""

    def __init__(self, path: Path) -> None:
        from keepclear.edge.decisions.source import DecisionSource

        self._source: DecisionSource = DecisionSource.open(path)
        self._said: set[str] = set()

    def flag(self, zones: ZoneSet, *instants_s: float) -> ZoneSet:
        """The zones, flagged where a decision is not in force at one of the instants; each flag is said once."""
        from keepclear.zones.zone_set import ZoneSet

        flagged = ZoneSet(tuple(self._flagged(zone, instants_s) for zone in zones), zones.superseded)
        for zone, before in zip(flagged, zones):
            if zone is not before:
                self._say(zone)
        return flagged

    def _flagged(self, zone: Zone, instants_s: Iterable[float]) -> Zone:
        from keepclear.decisions.procedure.authority import Authority, authority

        docket = self._source.docket()
        for at_s in instants_s:
            found = authority(docket, zone.decision_ref, round(at_s * 1000.0), subject=zone.id)
            if found.authority is not Authority.IN_FORCE:
                flag = f" [{_words(found)}]"
                return replace(
                    zone, name=(zone.name or zone.id)[: max(NAME_LEAST, NAME_MAX - len(flag))] + flag,
                    exemptions=tuple(_as_words(exemption, found) for exemption in zone.exemptions),
                )  # fmt: skip
        return zone

    def _say(self, zone: Zone) -> None:
        line = f"keepclear: warning: zone {zone.id}: {zone.name}"
        if line not in self._said:
            self._said.add(line)
            click.echo("".join(c if c.isprintable() else " " for c in line), err=True)


def _words(found: Standing) -> str:
    decision = f"decision {''.join(found.decision.split())[:80]} " if found.decision else ""
    reason = f": {found.reason}" if found.reason else ""
    return f"{decision}{found.authority.value}{reason}".replace("[", "(").replace("]", ")")


def _as_words(exemption: Exemption, found: Standing) -> Exemption:
    from keepclear.zones.model import Exemption

    if exemption.clause:
        return exemption
    names = ("callsign", "party", "notice_id", "target")
    who = ", ".join(f"{name} {value}" for name in names if (value := getattr(exemption, name)))
    return Exemption(clause=f"{who}, NOT APPLIED: its decision is {found.authority.value}")
