"""Positions and rings in JSON, as GeoJSON writes them and the UAS formats took over: [longitude, latitude, …]."""

from __future__ import annotations

from collections.abc import Sequence

from keepclear.zones.strict_json import Node

__all__ = ["read_position", "read_rings"]

_NUMBERS = frozenset((int, float))


def read_rings(coordinates: Node) -> list[list[Sequence[float]]]:
    """The rings' positions; nodes are made only where one is refused, because a border has ten thousand."""
    rings: list[list[Sequence[float]]] = []
    for ring in coordinates.items():
        positions = ring.value
        if not isinstance(positions, list):
            ring.refuse("a ring is a list of positions")
        for index, position in enumerate(positions):
            if not (isinstance(position, list) and len(position) >= 2 and _NUMBERS.issuperset(map(type, position))):
                read_position(Node(position, f"{ring.path}[{index}]"))
        rings.append(positions)
    return rings


def read_position(node: Node) -> Sequence[float]:
    value = node.value
    if not isinstance(value, list) or len(value) < 2:
        node.refuse("a position is [longitude, latitude]")
    if not _NUMBERS.issuperset(map(type, value)):
        node.refuse("a position holds numbers only")
    return value
