"""What a zone format's reader returns and its writer returns: zones, and every single thing that was lost or
refused, with its place. A broken block never takes the good rest with it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from keepclear.zones.model import Zone

__all__ = ["Loss", "Problem", "Severity", "Supersession", "ZoneReading", "ZoneWriting"]


class Severity(StrEnum):
    ERROR = "ERROR"
    """the block was refused"""
    WARNING = "WARNING"
    """the block was read, but something in it was not understood or was mended"""


@dataclass(frozen=True, slots=True)
class Problem:
    """One block's trouble: file, place in it as a person would look for it («line 12», «features[3]»), reason."""

    source: str
    where: str
    reason: str
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        return f"{self.source}, {self.where}: {self.reason}" if self.where else f"{self.source}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Loss:
    """What the target format cannot hold of one zone."""

    zone_id: str
    field: str
    detail: str


@dataclass(frozen=True, slots=True)
class Supersession:
    """A publication that ends another one, in this file or in any read with it."""

    zone_id: str
    issuer: str
    """whose numbering ``zone_id`` belongs to"""
    at_s: float
    by: str
    is_cancellation: bool


@dataclass(frozen=True, slots=True)
class ZoneReading:
    zones: tuple[Zone, ...]
    problems: tuple[Problem, ...] = ()
    supersessions: tuple[Supersession, ...] = ()
    """carried out among ``zones``; whoever reads several files carries them out among all"""


@dataclass(frozen=True, slots=True)
class ZoneWriting:
    data: bytes
    losses: tuple[Loss, ...] = ()
