"""The picture as it travels: rounded columns, whole at first, then only the rows that changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from keepclear.errors import InputError
from keepclear.server.messages import PictureColumns

__all__ = ["TravellingPicture", "difference", "travelling", "whole"]

# Decimals kept of each moving column. 1e-5° is about a metre: finer than a screen shows, far coarser than nothing.
_DECIMALS = {
    "lon_deg": 5, "lat_deg": 5, "altitude_m": 0, "ground_speed_mps": 1, "track_deg": 0, "vertical_rate_mps": 1,
    "time_s": 1,
}  # fmt: skip
_SMALL = ("status", "flags", "exempt")
_NAMES = ("altitude_datum", "target", "callsign", "source")
_SMALL_NAMES = ("domain", "category", "squawk")
TRACKS_MAX = 50_000
"""Tracks sent to a page. More would freeze a browser; the message says how many were left out."""
SITUATIONS_MAX = 2_000
"""Situations drawn. The alerts panel is not bounded by it."""


@dataclass(frozen=True, slots=True)
class TravellingPicture:
    """One cycle's picture, keys ascending, numbers rounded as they are sent."""

    now_s: float
    key: npt.NDArray[np.int64]
    moving: dict[str, npt.NDArray[Any]]
    names: dict[str, npt.NDArray[Any]]
    situations: dict[str, Any]
    tracks_omitted: int
    situations_omitted: int


def travelling(columns: PictureColumns) -> TravellingPicture:
    """Check, round and sort. Raises :class:`InputError` where columns differ in length or a key comes twice."""
    key = np.asarray(columns["key"], dtype=np.int64)
    moving: dict[str, npt.NDArray[Any]] = {}
    names: dict[str, npt.NDArray[Any]] = {}
    given: dict[str, Any] = dict(columns)
    for name in (*_DECIMALS, *_SMALL, *_NAMES, *_SMALL_NAMES):
        if len(given[name]) != len(key):
            raise InputError(f"column {name} has {len(given[name])} rows, key has {len(key)}")
    order = np.argsort(key, kind="stable")
    kept = order[:TRACKS_MAX]
    key = key[kept]
    if np.any(key[1:] == key[:-1]):
        raise InputError("a track's key comes twice in one picture")
    for name, decimals in _DECIMALS.items():
        moving[name] = np.round(np.asarray(given[name], dtype=np.float64)[kept], decimals)
    for name in _SMALL:
        moving[name] = np.asarray(given[name], dtype=np.int64)[kept]
    for name in _NAMES:
        names[name] = np.asarray(given[name], dtype=object)[kept]
    for name in _SMALL_NAMES:
        names[name] = np.asarray(given[name], dtype=np.int64)[kept]
    situations = columns["situations"]
    total = len(situations["key"])
    shown: dict[str, Any] = {name: _plain(column)[:SITUATIONS_MAX] for name, column in situations.items()}
    return TravellingPicture(
        now_s=float(columns["now_s"]),
        key=key,
        moving=moving,
        names=names,
        situations=shown,
        tracks_omitted=len(order) - len(kept),
        situations_omitted=max(0, total - SITUATIONS_MAX),
    )


def whole(picture: TravellingPicture) -> dict[str, Any]:
    """The message that replaces whatever the page shows."""
    return _message(picture, np.arange(len(picture.key)), np.arange(len(picture.key)), [], full=True)


def difference(before: TravellingPicture, after: TravellingPicture) -> dict[str, Any]:
    """The message that turns ``before`` into ``after``: changed rows, names of new or renamed tracks, keys gone."""
    place = np.searchsorted(before.key, after.key)
    place_safe = np.minimum(place, max(len(before.key) - 1, 0))
    known = before.key[place_safe] == after.key if len(before.key) else np.zeros(len(after.key), dtype=bool)
    old = place_safe[known]
    moved, renamed = ~known, ~known
    for changed, sides in ((moved, "moving"), (renamed, "names")):
        here, there = getattr(after, sides), getattr(before, sides)
        for name, column in here.items():
            now, then = column[known], there[name][old]
            same = now == then
            if now.dtype.kind == "f":
                same |= np.isnan(now) & np.isnan(then)
            changed[np.flatnonzero(known)[~same.astype(bool)]] = True
    gone = np.setdiff1d(before.key, after.key, assume_unique=True).tolist()
    return _message(after, np.flatnonzero(moved), np.flatnonzero(renamed), gone, full=False)


def _message(
    picture: TravellingPicture, rows: npt.NDArray[Any], named: npt.NDArray[Any], gone: list[int], *, full: bool
) -> dict[str, Any]:
    return {
        "now_s": picture.now_s,
        "full": full,
        "tracks": len(picture.key),
        "tracks_omitted": picture.tracks_omitted,
        "situations_omitted": picture.situations_omitted,
        "key": picture.key[rows].tolist(),
        **{name: column[rows].tolist() for name, column in picture.moving.items()},
        "names": {
            "key": picture.key[named].tolist(),
            **{name: column[named].tolist() for name, column in picture.names.items()},
        },
        "gone": gone,
        "situations": picture.situations,
    }


def _plain(column: Any) -> list[Any]:
    return column.tolist() if isinstance(column, np.ndarray) else list(column)
