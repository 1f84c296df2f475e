"""Whom a zone binds, judged from what a track shows. What a track does not show is a doubt, never an answer."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from keepclear.feeds.reports import ReportBatch, TargetCategory, TargetDomain
from keepclear.zones.model import Category, Domain, Subject

__all__ = ["binds", "domains_bound", "subject_doubt"]

_CATEGORY: dict[int, Category] = {
    TargetCategory.FIXED: Category.FIXED,
    TargetCategory.ROTARY: Category.ROTARY,
    TargetCategory.UAS: Category.UAS,
}
_KINDS = frozenset(_CATEGORY.values())


def domains_bound(domains: frozenset[Domain]) -> npt.NDArray[np.bool_]:
    """By :class:`TargetDomain`: can a zone of these domains bind a target of that? An unknown one it can."""
    allowed = np.zeros(4, dtype=bool)
    allowed[TargetDomain.UNKNOWN] = True
    for domain in domains:
        allowed[TargetDomain[domain.name]] = True
    return allowed


def binds(domains: frozenset[Domain], reports: ReportBatch) -> npt.NDArray[np.bool_] | None:
    """Which reports a zone of these domains can bind; ``None`` for all of them.

    A target of unknown domain is bound by every zone. An aircraft on the ground is not in the air.
    """
    mask = domains_bound(domains)[np.minimum(reports.domain, 3)]
    if Domain.AIR in domains and Domain.GROUND not in domains:
        mask = mask & ~((reports.on_ground == 1) & (reports.domain != TargetDomain.SEA))
    return None if mask.all() else mask


def subject_doubt(subject: Subject, party: str, category: int) -> str:
    """``""`` bound for sure; ``"party"`` or ``"category"`` not known from the track; ``"not bound"``."""
    if subject.parties:
        if party and party not in subject.parties:
            return "not bound"
        if not party:
            return "party"
    if subject.categories:
        known = _CATEGORY.get(category)
        if known in subject.categories:
            return ""
        # CIVIL and STATE are never shown by a track; a known kind decides only if the zone names kinds alone.
        if known is not None and subject.categories <= _KINDS:
            return "not bound"
        return "category"
    return ""
