"""A small picture that tests publish: three tracks, one of them moving."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from keepclear.server.messages import PictureColumns

Pictures = Callable[..., PictureColumns]


@pytest.fixture
def picture() -> Pictures:
    def build(now_s: float = 0.0, keys: tuple[int, ...] = (1, 2, 3), **changes: Any) -> PictureColumns:
        n = len(keys)
        columns: dict[str, Any] = {
            "now_s": now_s, "key": list(keys), "lon_deg": [float(key) for key in keys], "lat_deg": [50.0] * n,
            "altitude_m": [math.nan] * n, "altitude_datum": [""] * n, "ground_speed_mps": [100.0] * n,
            "track_deg": [90.0] * n, "vertical_rate_mps": [math.nan] * n, "time_s": [0.0] * n, "status": [1] * n,
            "flags": [0] * n, "exempt": [0] * n, "target": [f"{key:06x}" for key in keys], "callsign": [""] * n,
            "source": ["s"] * n, "domain": [1] * n, "category": [1] * n, "squawk": [-1] * n,
            "situations": {
                "kind": [], "key": [], "other": [], "verdict": [], "time_to_s": [], "at_lon_deg": [],
                "at_lat_deg": [], "exempt": [],
            },
        }  # fmt: skip
        return {**columns, **changes}  # type: ignore[typeddict-item]

    return build
