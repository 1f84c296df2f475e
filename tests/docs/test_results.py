"""The columns that the documents name are the columns that the commands write."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from keepclear.feeds.reports import ReportBatch
from keepclear.node import scan
from keepclear.zones.zone_set import ZoneSet

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "reference" / "results.md"


def test_the_scan_columns_are_documented_in_their_order() -> None:
    reports = ReportBatch.build(time_s=np.array([0.0]), lat_deg=[50.0], lon_deg=[30.0], target=["abc123"])
    written = scan(reports, ZoneSet(())).rows.column_names
    documented = re.findall(r"^\| `(\w+)` \|", RESULTS.read_text(), re.MULTILINE)
    assert documented == written
