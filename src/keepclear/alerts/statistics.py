"""What the alerts were worth: counts by type and review, and how early they came (practice §2: keep every alert,
judge each afterwards, take statistics from the justified ones)."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from keepclear.alerts.model import Alert, AlertType, ReviewVerdict

__all__ = ["TypeStatistics", "alert_statistics"]


@dataclass(frozen=True, slots=True)
class TypeStatistics:
    """Of one type. Every share is given with what it is a share of; nan where that is nothing."""

    type: AlertType
    alerts: int
    ended: int
    reviewed: int
    justified: int
    nuisance: int
    false: int
    justified_share: float
    """of those reviewed"""
    acknowledged: int
    acknowledge_median_s: float
    """from raising to the first acknowledgement, of those acknowledged"""
    warning_median_s: float
    """from raising to the first actual infringement, of the justified that became actual; 0 if told at once"""
    duration_median_s: float
    """from raising to the end, of those ended"""


def alert_statistics(alerts: Iterable[Alert]) -> list[TypeStatistics]:
    """One row a type that occurs, in the order of :class:`AlertType`. Exempt tracks are no alerts and left out."""
    by_type: dict[AlertType, list[Alert]] = {}
    for alert in alerts:
        if not alert.exempt:
            by_type.setdefault(alert.type, []).append(alert)
    return [_of(type, by_type[type]) for type in AlertType if type in by_type]


def _of(type: AlertType, alerts: list[Alert]) -> TypeStatistics:
    verdicts = [alert.review.verdict for alert in alerts if alert.review is not None]
    justified = [a for a in alerts if a.review is not None and a.review.verdict is ReviewVerdict.JUSTIFIED]
    ended = [a for a in alerts if math.isfinite(a.ended_s)]
    seen = [a.acknowledgements[0].at_s - a.raised_s for a in alerts if a.acknowledgements]
    return TypeStatistics(
        type=type,
        alerts=len(alerts),
        ended=len(ended),
        reviewed=len(verdicts),
        justified=len(justified),
        nuisance=verdicts.count(ReviewVerdict.NUISANCE),
        false=verdicts.count(ReviewVerdict.FALSE),
        justified_share=len(justified) / len(verdicts) if verdicts else math.nan,
        acknowledged=len(seen),
        acknowledge_median_s=_median(seen),
        warning_median_s=_median([a.entered_s - a.raised_s for a in justified if math.isfinite(a.entered_s)]),
        duration_median_s=_median([a.ended_s - a.raised_s for a in ended]),
    )


def _median(values: list[float]) -> float:
    return statistics.median(values) if values else math.nan
