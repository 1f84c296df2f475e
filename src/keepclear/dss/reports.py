"""Reports of a problem with a peer (F3548-21, ErrorReport): kept, and echoed with an id."""

from __future__ import annotations

from typing import Any

import msgspec

from keepclear.dss.airspace import Airspace
from keepclear.dss.records import Change, Kind, Report
from keepclear.dss.refusal import bad
from keepclear.dss.request import Caller, Moment, Outcome
from keepclear.dss.utm_messages import ExchangeRecord

__all__ = ["make"]

REPORT_BYTES_MAX = 256 * 1024
"""A report carries one exchange with its bodies."""
REPORTS_MAX = 1_000
"""The newest are kept; who reports in a loop pushes out only reports."""


class _ErrorReport(msgspec.Struct, frozen=True):
    exchange: ExchangeRecord


def make(airspace: Airspace, caller: Caller, moment: Moment, document: Any, body: bytes) -> Outcome:
    """``document`` is the parsed body: it is echoed with the fields that we do not know."""
    try:
        msgspec.convert(document, _ErrorReport)
    except msgspec.ValidationError as error:
        raise bad(str(error)) from None
    if len(body) > REPORT_BYTES_MAX:
        raise bad(f"the report has {len(body):,} bytes; at most {REPORT_BYTES_MAX:,}")
    report = Report(moment.new_id(), caller.subject, moment.now_us, body.decode())
    changes = [Change(Kind.REPORT, report.id, report)]
    surplus = len(airspace.reports) + 1 - REPORTS_MAX
    if surplus > 0:
        oldest = sorted(airspace.reports.values(), key=lambda r: (r.received_us, r.id))[:surplus]
        changes += [Change(Kind.REPORT, r.id, None) for r in oldest]
    return Outcome({**document, "report_id": report.id}, changes)
