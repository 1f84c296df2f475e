"""Our own fields in GeoJSON that names no schema, as people write it by hand: a version, whom the zone binds, when.

They count, since to overlook them would be to judge another zone than the one that was meant. What bears our name and
is not in our form is somebody else's field: it is told and not used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from keepclear.errors import InputError
from keepclear.zones.model import Restriction, Zone, ZoneStatus, ZoneType
from keepclear.zones.strict_json import Node
from keepclear.zones.zone_record import read_record

__all__ = ["with_stated_fields"]

_MEMBERS: dict[str, frozenset[str]] = {
    "subject": frozenset({"parties", "domains", "categories"}),
    "applicability": frozenset({"from", "to", "end_estimated", "schedule"}),
    "exemptions": frozenset({"callsign", "party", "notice_id", "target", "clause"}),
    "recognition": frozenset(),
    "authorities": frozenset(
        {"name", "service", "contact_name", "email", "phone", "site_url", "purpose", "interval_before", "extra"}
    ),
}
"""Fields with members of their own: one that is not ours would be lost without a word."""
_WORDS: dict[str, Any] = {"type": ZoneType, "restriction": Restriction, "status": ZoneStatus}
"""Names that others use with words of their own: only our words count."""
_PLAIN = (
    "version", "decision_ref", "restriction_conditions", "supersedes", "buffer_lateral_m", "buffer_vertical_m",
    "accuracy_m",
)  # fmt: skip


def with_stated_fields(zone: Zone, properties: Node, warnings: list[str]) -> Zone:
    """The zone with those of our fields that its properties state."""
    for key in (*_WORDS, *_PLAIN, *_MEMBERS):
        if not properties.has(key):
            continue
        value = properties[key].value
        if key in _WORDS and (not isinstance(value, str) or value not in set(_WORDS[key])):
            continue
        if key == "version" and isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        try:
            _only_ours(key, value)
            stated = read_record(Node({"id": zone.id, key: value}, ""), zone.volumes, zone.origin)
            zone = replace(zone, **{key: getattr(stated, key)})
        except InputError as error:
            warnings.append(f"the property {key!r} is not in our form and was not used: {error.message}")
    return zone


def _only_ours(key: str, value: object) -> None:
    for item in value if isinstance(value, list) else [value]:
        if key in _MEMBERS and isinstance(item, Mapping) and (strange := set(item) - _MEMBERS[key]):
            raise InputError(f"it has a member {min(strange)[:60]!r}; ours are {', '.join(sorted(_MEMBERS[key]))}")
