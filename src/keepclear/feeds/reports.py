"""A batch of reports in columns: the one thing that every feed yields and every later stage takes.

One row is one report: one position of one target at one instant. Unknown numbers are ``nan``, unknown labels
have code -1. Barometric and geometric altitude are kept apart and never mixed (practice R2.7).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from enum import IntEnum
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from keepclear.errors import InputError

__all__ = [
    "Float32s", "Floats", "Labels", "ReportBatch", "TargetCategory", "TargetDomain", "concatenate", "constant_column",
    "dense_column", "is_constant",
]  # fmt: skip

Floats = npt.NDArray[np.float64]
Float32s = npt.NDArray[np.float32]


class TargetDomain(IntEnum):
    UNKNOWN = 0
    AIR = 1
    GROUND = 2
    SEA = 3


class TargetCategory(IntEnum):
    UNKNOWN = 0
    FIXED = 1
    ROTARY = 2
    UAS = 3
    OTHER = 4


@dataclass(frozen=True, slots=True)
class Labels:
    """A dictionary-encoded text column: ``names[codes[i]]`` is row i's label, code -1 is «none»."""

    codes: npt.NDArray[np.int32]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.codes)

    @staticmethod
    def of(values: Iterable[str | None]) -> Labels:
        """Encode plain strings; ``None`` and ``""`` become «none»."""
        rows = list(values)
        names = tuple(v for v in dict.fromkeys(rows) if v)
        code: dict[str | None, int] = {name: i for i, name in enumerate(names)}
        code[None] = code[""] = -1
        return Labels(np.fromiter(map(code.__getitem__, rows), dtype=np.int32, count=len(rows)), names)

    @staticmethod
    def constant(value: str, length: int) -> Labels:
        return Labels(constant_column(0 if value else -1, length, np.int32), (value,) if value else ())

    def take(self, rows: npt.NDArray[Any] | slice) -> Labels:
        return Labels(_taken(self.codes, rows), self.names)

    def at(self, row: int) -> str:
        code = int(self.codes[row])
        return self.names[code] if code >= 0 else ""

    def strings(self) -> list[str]:
        return [self.names[c] if c >= 0 else "" for c in self.codes.tolist()]


@dataclass(frozen=True, slots=True)
class ReportBatch:
    """Columns of equal length. ``len(batch)`` is the number of reports."""

    time_s: Floats
    """time of measurement (applicability), POSIX seconds UTC"""
    received_s: Floats
    """time of receipt, POSIX seconds UTC; equals ``time_s`` where a recording does not say"""
    lat_deg: Floats
    lon_deg: Floats
    """in [-180, 180)"""
    altitude_baro_m: Floats
    """pressure altitude (STD, 1013.25 hPa)"""
    altitude_geo_m: Floats
    """height above the WGS84 ellipsoid"""
    ground_speed_mps: Float32s
    track_deg: Float32s
    """direction of motion over ground, true, [0, 360)"""
    vertical_rate_mps: Float32s
    accuracy_m: Float32s
    """95 % radius of the horizontal position"""
    on_ground: npt.NDArray[np.int8]
    """1 yes, 0 no, -1 not known"""
    domain: npt.NDArray[np.uint8]
    """:class:`TargetDomain`"""
    category: npt.NDArray[np.uint8]
    """:class:`TargetCategory`"""
    squawk: npt.NDArray[np.int16]
    """the four octal digits read as a decimal number (7700), -1 not known"""
    target: Labels
    """who: 24-bit address in lower-case hex for Mode S («508035»), MMSI, remote ID serial, CoT uid …"""
    callsign: Labels
    source: Labels
    """which feed or sensor said so"""

    def __len__(self) -> int:
        return len(self.time_s)

    def __post_init__(self) -> None:
        n = len(self.time_s)
        for f in fields(self):
            if len(getattr(self, f.name)) != n:
                raise InputError(f"column {f.name} has {len(getattr(self, f.name))} rows, time_s has {n}")

    def take(self, rows: npt.NDArray[Any] | slice) -> ReportBatch:
        """The chosen rows (indices, mask or slice), labels shared."""
        columns: dict[str, Any] = {}
        for f in fields(self):
            column = getattr(self, f.name)
            if f.name == "received_s" and self.received_s is self.time_s:
                columns[f.name] = columns["time_s"]
            else:
                columns[f.name] = column.take(rows) if isinstance(column, Labels) else _taken(column, rows)
        return ReportBatch(**columns)

    def dense(self, names: Sequence[str]) -> ReportBatch:
        """The same batch with these columns as plain writable memory, as compiled kernels want them."""
        columns: dict[str, Any] = {name: dense_column(getattr(self, name)) for name in names}
        return replace(self, **columns)

    @staticmethod
    def empty() -> ReportBatch:
        """The batch without rows: always the same one, because most calls of a decoder complete no report."""
        return _empty()

    @staticmethod
    def build(
        *,
        time_s: npt.ArrayLike,
        lat_deg: npt.ArrayLike,
        lon_deg: npt.ArrayLike,
        target: Labels | Sequence[str | None],
        received_s: npt.ArrayLike | None = None,
        altitude_baro_m: npt.ArrayLike | None = None,
        altitude_geo_m: npt.ArrayLike | None = None,
        ground_speed_mps: npt.ArrayLike | None = None,
        track_deg: npt.ArrayLike | None = None,
        vertical_rate_mps: npt.ArrayLike | None = None,
        accuracy_m: npt.ArrayLike | None = None,
        on_ground: npt.ArrayLike | None = None,
        domain: npt.ArrayLike | TargetDomain = TargetDomain.UNKNOWN,
        category: npt.ArrayLike | TargetCategory = TargetCategory.UNKNOWN,
        squawk: npt.ArrayLike | None = None,
        callsign: Labels | Sequence[str | None] | None = None,
        source: Labels | Sequence[str | None] | str = "",
    ) -> ReportBatch:
        """Columns from whatever a decoder has; what it does not have becomes «not known».

        ``None`` entries are not accepted inside numeric columns: write ``nan``.
        """
        t = np.asarray(time_s, dtype=np.float64)
        n = len(t)

        def numbers(values: npt.ArrayLike | None, dtype: Any, missing: float) -> npt.NDArray[Any]:
            if values is None:
                return constant_column(missing, n, dtype)
            array = np.asarray(values, dtype=dtype)
            return constant_column(array, n, dtype) if array.ndim == 0 else array

        def labels(values: Labels | Sequence[str | None] | str | None) -> Labels:
            if isinstance(values, Labels):
                return values
            if values is None or isinstance(values, str):
                return Labels.constant(values or "", n)
            return Labels.of(values)

        return ReportBatch(
            time_s=t,
            received_s=t if received_s is None else numbers(received_s, np.float64, np.nan),
            lat_deg=np.asarray(lat_deg, dtype=np.float64),
            lon_deg=np.asarray(lon_deg, dtype=np.float64),
            altitude_baro_m=numbers(altitude_baro_m, np.float64, np.nan),
            altitude_geo_m=numbers(altitude_geo_m, np.float64, np.nan),
            ground_speed_mps=numbers(ground_speed_mps, np.float32, np.nan),
            track_deg=numbers(track_deg, np.float32, np.nan),
            vertical_rate_mps=numbers(vertical_rate_mps, np.float32, np.nan),
            accuracy_m=numbers(accuracy_m, np.float32, np.nan),
            on_ground=numbers(on_ground, np.int8, -1),
            domain=numbers(domain, np.uint8, 0),
            category=numbers(category, np.uint8, 0),
            squawk=numbers(squawk, np.int16, -1),
            target=labels(target),
            callsign=labels(callsign),
            source=labels(source),
        )


@cache
def _empty() -> ReportBatch:
    return ReportBatch.build(time_s=[], lat_deg=[], lon_deg=[], target=[])


def concatenate(batches: Sequence[ReportBatch]) -> ReportBatch:
    """One batch of all rows in order, the label dictionaries merged."""
    batches = [batch for batch in batches if len(batch)]
    if not batches:
        return ReportBatch.empty()
    if len(batches) == 1:
        return batches[0]
    columns: dict[str, Any] = {}
    for f in fields(ReportBatch):
        if f.name == "received_s" and all(batch.received_s is batch.time_s for batch in batches):
            columns[f.name] = columns["time_s"]
            continue
        parts = [getattr(batch, f.name) for batch in batches]
        columns[f.name] = _merge(parts) if isinstance(parts[0], Labels) else _joined(parts)
    return ReportBatch(**columns)


def _merge(parts: Sequence[Labels]) -> Labels:
    most = max((part.names for part in parts), key=len)
    # A decoder that adds names as it hears them gives dictionaries that begin alike.
    if all(part.names is most or most[: len(part.names)] == part.names for part in parts):
        return Labels(_joined([part.codes for part in parts]), most)
    index: dict[str, int] = {}
    codes: list[npt.NDArray[np.int32]] = []
    for part in parts:
        remap = np.array([*(index.setdefault(name, len(index)) for name in part.names), -1], dtype=np.int32)
        codes.append(remap[part.codes])  # code -1 picks the appended -1
    return Labels(np.concatenate(codes), tuple(index))


# A column in which every row says the same (mostly: nothing) is one value seen n times through a stride of 0: it
# takes no memory, and joining or choosing rows of it costs nothing. Such a column is read-only.


def constant_column(value: Any, length: int, dtype: Any) -> npt.NDArray[Any]:
    """``length`` rows that all say ``value``."""
    # What np.broadcast_to gives, at a third of its price: a live feed makes a dozen of these for every few reports.
    one = np.asarray(value, dtype=dtype)
    column: npt.NDArray[Any] = np.ndarray((length,), one.dtype, one, 0, (0,))
    column.flags.writeable = False
    return column


def dense_column(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The same values as plain writable memory: any other layout would compile every kernel that takes it anew."""
    return column if column.flags.c_contiguous and column.flags.writeable else np.array(column)


def is_constant(column: npt.NDArray[Any]) -> bool:
    return len(column) > 0 and column.strides == (0,)


def _joined(parts: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    filled = [part for part in parts if len(part)] or parts[:1]
    first = filled[0]
    if all(is_constant(part) and part[0].tobytes() == first[0].tobytes() for part in filled):
        return np.broadcast_to(first[:1].reshape(()), (sum(len(part) for part in filled),))
    return np.concatenate(filled)


def _taken(column: npt.NDArray[Any], rows: npt.NDArray[Any] | slice) -> npt.NDArray[Any]:
    if not is_constant(column):
        return column[rows]
    if isinstance(rows, slice):
        count = len(range(*rows.indices(len(column))))
    else:
        count = int(np.count_nonzero(rows)) if rows.dtype == np.bool_ else len(rows)
    return np.broadcast_to(column[:1].reshape(()), (count,))
