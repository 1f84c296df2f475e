"""What the readers of declared volumes return: volumes with their places, and all that was refused."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from keepclear.detection.conflict import DeclaredVolume
from keepclear.errors import InputError, LimitExceeded
from keepclear.quantities import UNBOUNDED, Level
from keepclear.space.geometry import Shape
from keepclear.zones.reading import Problem, Severity

__all__ = ["VOLUMES_MAX", "VolumeReading"]

VOLUMES_MAX = 2_000_000
"""Some 2 GB while they are read; a day of declared flights of a large country is a few hundred thousand."""


@dataclass(slots=True)
class VolumeReading:
    """``part`` counts the volumes of one declaration (one id in one file) from 1; ``place`` is where each stood."""

    source: str
    volumes: list[DeclaredVolume] = field(default_factory=list)
    part: list[int] = field(default_factory=list)
    place: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    _parts: dict[str, int] = field(default_factory=dict)

    def add(
        self,
        name: str,
        shape: Shape,
        *,
        lower: Level = UNBOUNDED,
        upper: Level = UNBOUNDED,
        from_s: float = -math.inf,
        to_s: float = math.inf,
        place: str = "",
    ) -> None:
        """Raises :class:`InputError` for limits or times upside down, :class:`LimitExceeded` for too many volumes."""
        if len(self.volumes) >= VOLUMES_MAX:
            raise LimitExceeded(f"more than {VOLUMES_MAX:,} volumes", source=self.source)
        if not from_s <= to_s:
            raise InputError("the volume ends before it begins")
        self.volumes.append(DeclaredVolume(name, shape, lower, upper, from_s, to_s))
        self._parts[name] = self._parts.get(name, 0) + 1
        self.part.append(self._parts[name])
        self.place.append(place)

    def refuse(self, where: str, reason: str) -> None:
        self.problems.append(Problem(self.source, where, reason))

    def warn(self, where: str, reason: str) -> None:
        self.problems.append(Problem(self.source, where, reason, Severity.WARNING))
