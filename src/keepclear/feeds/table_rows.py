"""Arrow columns become a report batch: units, labels and times, without a copy where the file has them our way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from keepclear.errors import InputError
from keepclear.feeds.decoder import Faults
from keepclear.feeds.report_rows import clean_label
from keepclear.feeds.reports import Floats, Labels, ReportBatch, TargetCategory, TargetDomain, constant_column
from keepclear.feeds.screening import (
    ACCURACY_MAX_M,
    ALTITUDE_MAX_M,
    SPEED_MAX_MPS,
    directions,
    screen_positions,
    within,
    wrapped_lon_deg,
)  # fmt: skip
from keepclear.feeds.table_columns import Column

__all__ = ["TableRows"]

_DTYPES: dict[str, Any] = {
    "time_s": np.float64, "received_s": np.float64, "lat_deg": np.float64, "lon_deg": np.float64,
    "altitude_baro_m": np.float64, "altitude_geo_m": np.float64, "ground_speed_mps": np.float32,
    "track_deg": np.float32, "vertical_rate_mps": np.float32, "accuracy_m": np.float32,
}  # fmt: skip
_BOUNDS = {
    "altitude_baro_m": (-ALTITUDE_MAX_M, ALTITUDE_MAX_M), "altitude_geo_m": (-ALTITUDE_MAX_M, ALTITUDE_MAX_M),
    "ground_speed_mps": (0.0, SPEED_MAX_MPS), "track_deg": (-360.0, 720.0),
    "vertical_rate_mps": (-SPEED_MAX_MPS, SPEED_MAX_MPS), "accuracy_m": (0.0, ACCURACY_MAX_M),
}  # fmt: skip
_NANOSECONDS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
_YEAR_1990_S, _YEAR_2100_S = 631_152_000.0, 4_102_444_800.0
_TRUE, _FALSE = ("true", "1", "yes", "t"), ("false", "0", "no", "f")


class TableRows:
    """Turns record batches with the resolved ``columns`` into report batches."""

    def __init__(self, columns: Sequence[Column], faults: Faults, source: str, zone_shift_s: float | None) -> None:
        self._columns = columns
        self._faults = faults
        self._source = source
        self._zone_shift_s = zone_shift_s
        self._zoned: set[str] = set()
        """Columns whose first time had a zone: a later one without is a bad row, not a table that leaves it out."""
        self._unzoned: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self._names: dict[str, tuple[Any, tuple[str, ...], npt.NDArray[np.int32] | None]] = {}

    def batch(self, arrays: Sequence[Any], where: Callable[[int], str]) -> ReportBatch:
        """``arrays`` stand in the order of the columns, one pyarrow array each. Rows without a place are faults."""
        n = len(arrays[0])
        found: dict[str, Any] = {}
        for column, array in zip(self._columns, arrays):
            found[column.ours] = self._read(column, array)
        if "track_deg" in found:
            found["track_deg"] = directions(found["track_deg"])
        for ours, dtype in _DTYPES.items():
            if ours not in found and ours != "received_s":
                found[ours] = constant_column(np.nan, n, dtype)
        time_s = found["time_s"]
        lat_deg, lon_deg = found["lat_deg"], found["lon_deg"]
        found.setdefault("received_s", time_s)
        found.setdefault("on_ground", constant_column(-1, n, np.int8))
        found.setdefault("squawk", constant_column(-1, n, np.int16))
        found.setdefault("domain", constant_column(0, n, np.uint8))
        found.setdefault("category", constant_column(0, n, np.uint8))
        nobody = Labels(constant_column(-1, n, np.int32), ())
        found.setdefault("callsign", nobody)
        found.setdefault("source", Labels(constant_column(0, n, np.int32), (self._source,)) if self._source else nobody)
        found["lon_deg"] = wrapped_lon_deg(lon_deg)
        batch = ReportBatch(**found)
        if len(self._unzoned):
            self._faults.add_all("time has no zone, though earlier ones have", self._unzoned.tolist(), where)
            rows = np.delete(np.arange(n), self._unzoned)
            self._unzoned = self._unzoned[:0]
            batch = batch.take(rows)
            keep = screen_positions(
                batch.time_s, batch.lat_deg, batch.lon_deg, self._faults, lambda row: where(int(rows[row]))
            )
        else:
            keep = screen_positions(time_s, lat_deg, lon_deg, self._faults, where)
        return batch if keep is None else batch.take(keep)

    def _read(self, column: Column, array: Any) -> Any:
        try:
            if column.ours in ("time_s", "received_s"):
                return self._times(column, array)
            if column.ours in _DTYPES:
                return _numbers(array, _DTYPES[column.ours], column.factor, _BOUNDS.get(column.ours))
            if column.ours == "on_ground":
                return _flags(array)
            if column.ours == "squawk":
                return _squawks(array)
            if column.ours in ("domain", "category"):
                return _codes(array, TargetDomain if column.ours == "domain" else TargetCategory)
            return self._labels(column, array)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
            raise InputError(
                f"column {column.name!r} of type {array.type} cannot be read as {column.ours}: {str(error)[:200]}"
            ) from None

    def _times(self, column: Column, array: Any) -> Floats:
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        if pa.types.is_string(array.type) or pa.types.is_large_string(array.type) or _is_view(array.type):
            return self._parsed(column, pc.utf8_trim_whitespace(array.cast(pa.string())))
        if pa.types.is_timestamp(array.type):
            shift_s = 0.0
            if array.type.tz is None:
                if self._zone_shift_s is None:
                    raise _without_zone(column)
                shift_s = self._zone_shift_s
            a_second = 1_000_000_000 // _NANOSECONDS[array.type.unit]
            counts = _numbers(array.cast(pa.int64()), np.float64, 1.0)
            return counts / a_second - shift_s if shift_s else counts / a_second
        times = _numbers(array, np.float64, column.factor)
        return times if column.unit else _sized(times)

    def _parsed(self, column: Column, texts: Any) -> Floats:
        """Seconds of texts that are numbers or ISO 8601 instants, row by row; ``nan`` for a text that is neither."""
        null = pa.scalar(None, pa.string())
        numeric = pc.match_substring_regex(texts, r"^[0-9]{1,19}(\.[0-9]*)?$")
        numbers = _numbers(pc.if_else(numeric, texts, null).cast(pa.float64()), np.float64, column.factor)
        time_s = numbers if column.unit else _sized(numbers)
        if pc.all(pc.fill_null(numeric, False)).as_py():
            if len(texts):
                self._zoned.add(column.ours)
            return time_s
        iso = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?"
        zoned = pc.match_substring_regex(texts, iso + r"(Z|[+-]\d{2}(:?\d{2})?)$")
        local = pc.match_substring_regex(texts, iso + r"$")
        if self._zone_shift_s is None:
            unzoned = np.flatnonzero(pc.fill_null(local, False).to_numpy(zero_copy_only=False))
            told = np.flatnonzero(pc.fill_null(pc.or_(numeric, zoned), False).to_numpy(zero_copy_only=False))
            if len(told) and not (len(unzoned) and unzoned[0] < told[0]):
                self._zoned.add(column.ours)
            if len(unzoned) and column.ours not in self._zoned:
                raise _without_zone(column)
            if column.ours == "time_s":
                self._unzoned = unzoned
        absolute = _instants(pc.if_else(zoned, texts, null), pa.timestamp("ns", "UTC"))
        time_s = np.where(np.isnan(absolute), time_s, absolute)
        if self._zone_shift_s is not None and pc.any(local).as_py():
            naive = _instants(pc.if_else(local, texts, null), pa.timestamp("ns")) - self._zone_shift_s
            time_s = np.where(np.isnan(naive), time_s, naive)
        return time_s

    def _labels(self, column: Column, array: Any) -> Labels:
        if not pa.types.is_dictionary(array.type):
            array = array.cast(pa.string()).dictionary_encode()
        dictionary = array.dictionary
        kept = self._names.get(column.ours)
        if kept is not None and kept[0].equals(dictionary):
            _, names, remap = kept
        else:
            try:
                texts = dictionary.cast(pa.string()).to_pylist()
            except UnicodeDecodeError:
                raise InputError(f"column {column.name!r} holds text that is not UTF-8") from None
            names, remap = _clean_names(texts, column.is_address)
            self._names[column.ours] = (dictionary, names, remap)
        indices = array.indices
        if indices.null_count:
            indices = pc.fill_null(indices, pa.scalar(-1, indices.type))
        codes = _numpy(indices, np.int32)
        if len(codes) and not -1 <= codes.min() <= codes.max() < len(dictionary):
            raise InputError(f"column {column.name!r} points beyond its own dictionary")
        return Labels(codes if remap is None else remap[codes], names)


def _without_zone(column: Column) -> InputError:
    return InputError(
        f"column {column.name!r} has times without a zone: say which with --column time_zone=Z (or an offset as +02:00)"
    )


def _clean_names(texts: list[str | None], is_address: bool) -> tuple[tuple[str, ...], npt.NDArray[np.int32] | None]:
    """Trimmed, printable names and the way from the file's codes to them; ``None`` where the codes can stay."""
    cleaned = [clean_label(text or "") for text in texts]
    if is_address:
        cleaned = [text.lower() for text in cleaned]
    index = {name: i for i, name in enumerate(dict.fromkeys(name for name in cleaned if name))}
    if len(index) == len(cleaned):
        return tuple(cleaned), None
    codes = [index.get(name, -1) for name in cleaned]
    return tuple(index), np.array([*codes, -1], dtype=np.int32)  # code -1 picks the appended -1


def _instants(texts: Any, kind: Any) -> Floats:
    """Seconds; the few that match the pattern but are no date (31 February), and nulls, become ``nan``."""
    try:
        stamps = texts.cast(kind)
    except pa.ArrowInvalid:
        stamps = pa.array([_instant_or_none(t, kind) for t in texts.to_pylist()], type=kind)
    return _numbers(stamps.cast(pa.int64()), np.float64, 1.0) / 1e9


def _instant_or_none(text: str | None, kind: Any) -> Any:
    try:
        return pa.scalar(text, pa.string()).cast(kind).value
    except pa.ArrowInvalid:
        return None


def _is_view(kind: Any) -> bool:
    return bool(pa.types.is_string_view(kind))


def _numpy(array: Any, dtype: Any) -> npt.NDArray[Any]:
    """The values of an array without nulls, the file's own memory where type and layout allow."""
    buffer = array.buffers()[1]
    kind = array.type.to_pandas_dtype()
    if buffer is None:
        return np.zeros(len(array), dtype=dtype)
    size = np.dtype(kind).itemsize
    if buffer.size < (array.offset + len(array)) * size:
        raise InputError("a column is shorter than its table says")
    values: npt.NDArray[Any] = np.frombuffer(buffer, dtype=kind, count=len(array), offset=array.offset * size)
    if values.dtype == dtype:
        # A read-only array is another type to the compiled kernels: such a one is copied.
        return values if values.flags.writeable else values.copy()
    return values.astype(dtype)


def _numbers(
    array: Any, dtype: Any, factor: float = 1.0, bounds: tuple[float, float] | None = None
) -> npt.NDArray[Any]:
    """A numeric column, nulls and what lies out of bounds as ``nan``."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if not (pa.types.is_floating(array.type) or pa.types.is_integer(array.type)):
        array = array.cast(pa.float64())
    if array.null_count:
        array = pc.fill_null(array.cast(pa.float64(), safe=False), np.nan)
    # Bounds are looked at before the numbers are narrowed: 10³⁰⁸ has no single precision.
    values = _numpy(array, np.float64 if factor != 1.0 or pa.types.is_float64(array.type) else dtype)
    if factor != 1.0:
        values = values * factor
    return (within(values, *bounds) if bounds else values).astype(dtype, copy=False)


def _sized(times: Floats) -> Floats:
    """Unix times in s, ms, µs or ns by which of them lies in 1990–2100; what lies in none stays and is refused."""
    if len(times) and _YEAR_1990_S <= times.min() <= times.max() < _YEAR_2100_S:
        return times
    scaled = np.full(len(times), np.nan)
    for scale in (1.0, 1e3, 1e6, 1e9):
        fits = (times >= _YEAR_1990_S * scale) & (times < _YEAR_2100_S * scale)
        scaled[fits] = times[fits] / scale
    return scaled


def _flags(array: Any) -> npt.NDArray[np.int8]:
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type) or _is_view(array.type):
        lowered = pc.utf8_lower(pc.utf8_trim_whitespace(array.cast(pa.string())))
        yes = pc.is_in(lowered, pa.array(_TRUE)).to_numpy(zero_copy_only=False)
        no = pc.is_in(lowered, pa.array(_FALSE)).to_numpy(zero_copy_only=False)
        return np.where(yes, 1, np.where(no, 0, -1)).astype(np.int8)
    if pa.types.is_boolean(array.type):
        array = array.cast(pa.int8())
    values = _numbers(array, np.float64)
    return np.where(values == 1.0, 1, np.where(values == 0.0, 0, -1)).astype(np.int8)


def _squawks(array: Any) -> npt.NDArray[np.int16]:
    """Four octal digits, as text («0412») or as the decimal number they look like (412)."""
    if not (pa.types.is_integer(array.type) or pa.types.is_floating(array.type)):
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        texts = pc.utf8_trim_whitespace(array.cast(pa.string()))
        octal = pc.match_substring_regex(texts, r"^[0-7]{1,4}(\.0)?$")
        array = pc.if_else(octal, texts, pa.scalar(None, pa.string())).cast(pa.float64())
    values = _numbers(array, np.float64)
    valid = (values >= 0.0) & (values <= 7777.0)
    return np.where(valid, np.where(valid, values, 0.0), -1).astype(np.int16)


def _codes(array: Any, kind: type[TargetDomain] | type[TargetCategory]) -> npt.NDArray[np.uint8]:
    """Our codes, as numbers or by name in either case; anything else is UNKNOWN."""
    if pa.types.is_integer(array.type) or pa.types.is_floating(array.type):
        values = _numbers(array, np.float64)
        return np.where((values >= 0) & (values < len(kind)), np.nan_to_num(values), 0).astype(np.uint8)
    if not pa.types.is_dictionary(array.type):
        array = array.cast(pa.string()).dictionary_encode()
    by_name = {member.name: int(member) for member in kind}
    names = [by_name.get((text or "").strip().upper(), 0) for text in array.dictionary.cast(pa.string()).to_pylist()]
    codes = _numpy(pc.fill_null(array.indices, pa.scalar(-1, array.indices.type)), np.int32)
    by_code: npt.NDArray[np.uint8] = np.array([*names, 0], dtype=np.uint8)  # code -1 picks the appended 0
    coded: npt.NDArray[np.uint8] = by_code[codes]
    return coded
