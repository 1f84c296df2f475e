"""The day traces of one aircraft that readsb and tar1090 keep. Field meanings: README-json.md of wiedehopf/readsb."""

from __future__ import annotations

import contextlib
import math
import re
from typing import Any

import msgspec
import numpy as np

from keepclear.errors import InputError, LimitExceeded
from keepclear.feeds.addresses import clean_address, clean_callsign
from keepclear.feeds.adsb_quality import accuracy_of_columns, category_of_emitter, domain_of_emitter
from keepclear.feeds.aircraft_columns import squawk_of
from keepclear.feeds.decoder import Faults
from keepclear.feeds.formats import DecoderOptions
from keepclear.feeds.json_documents import DOCUMENT_BYTES_MAX, UNREADABLE, repeated_member
from keepclear.feeds.reports import Labels, ReportBatch
from keepclear.feeds.screening import (
    ALTITUDE_MAX_M,
    SPEED_MAX_MPS,
    directions,
    screen_positions,
    within,
    wrapped_lon_deg,
)  # fmt: skip
from keepclear.quantities import FOOT_M, FT_PER_MIN_MPS, KNOT_MPS

__all__ = ["TraceDecoder", "looks_like_trace"]

CUTS_MAX = 8
"""Ends tried before the damage: a row's details hold a list or two of their own."""
_NAN = math.nan
_AT_BYTE = re.compile(r"\(byte (\d+)\)")


def looks_like_trace(head: bytes) -> bool:
    return head.lstrip()[:1] == b"{" and b'"trace"' in head and b'"icao"' in head


class _Trace(msgspec.Struct):
    icao: str
    timestamp: float
    trace: list[msgspec.Raw]


class TraceDecoder:
    """One aircraft's day: rows of [seconds after ``timestamp``, lat, lon, altitude ft, …, details, …].

    Callsign, squawk, category and quality come in the details of some rows and hold for those that follow.
    """

    def __init__(self, options: DecoderOptions) -> None:
        self.faults = Faults()
        self._source = options.source
        self._parts: list[bytes] = []
        self._bytes = 0

    def decode(self, data: bytes, received_s: float) -> ReportBatch:
        self._bytes += len(data)
        if self._bytes > DOCUMENT_BYTES_MAX:
            raise LimitExceeded(f"trace file larger than {DOCUMENT_BYTES_MAX} bytes: one file is one aircraft's day")
        self._parts.append(data)
        return ReportBatch.empty()

    def finish(self) -> ReportBatch:
        data = b"".join(self._parts)
        self._parts.clear()
        if not data.strip():
            return ReportBatch.empty()
        try:
            trace = msgspec.json.decode(data, type=_Trace)
        except UNREADABLE as error:
            found = _before_damage(data, str(error))
            if found is None:
                raise InputError(f"not a readsb trace file: {error}") from None
            trace, data = found
            self.faults.add("the trace is cut off or damaged: its rows before are kept", f"byte {len(data)}")
        if key := repeated_member(data, "icao", "timestamp", "trace"):
            raise InputError(f"the trace file names {key!r} twice: which one holds?")
        rows: list[tuple[Any, ...]] = []
        held = _Held()
        for i, raw in enumerate(trace.trace):
            try:
                rows.append(_trace_row(raw, trace.timestamp, held))
            except (*UNREADABLE, TypeError, ValueError) as error:
                self.faults.add("malformed trace row", f"trace[{i}]: {error}")
        if not rows:
            return ReportBatch.empty()
        time_s, lat, lon, baro, geo, speed, track, climb, accuracy, ground, squawk, flight, emitter = zip(*rows)
        lat_deg, lon_deg = np.array(lat, dtype=np.float64), np.array(lon, dtype=np.float64)
        batch = ReportBatch.build(
            time_s=time_s,
            lat_deg=lat_deg,
            lon_deg=wrapped_lon_deg(lon_deg),
            altitude_baro_m=within(np.array(baro, dtype=np.float64) * FOOT_M, -ALTITUDE_MAX_M, ALTITUDE_MAX_M),
            altitude_geo_m=within(np.array(geo, dtype=np.float64) * FOOT_M, -ALTITUDE_MAX_M, ALTITUDE_MAX_M),
            ground_speed_mps=within(np.array(speed, dtype=np.float64) * KNOT_MPS, 0.0, SPEED_MAX_MPS),
            track_deg=directions(np.array(track, dtype=np.float64)),
            vertical_rate_mps=within(np.array(climb, dtype=np.float64) * FT_PER_MIN_MPS, -SPEED_MAX_MPS, SPEED_MAX_MPS),
            accuracy_m=np.array(accuracy, dtype=np.float32),
            on_ground=ground,
            domain=np.array([domain_of_emitter(e) for e in emitter], dtype=np.uint8),
            category=np.array([category_of_emitter(e) for e in emitter], dtype=np.uint8),
            squawk=squawk,
            target=Labels.constant(clean_address(trace.icao), len(rows)),
            callsign=Labels.of(flight),
            source=self._source,
        )
        keep = screen_positions(batch.time_s, lat_deg, lon_deg, self.faults, lambda row: f"trace row {row}")
        return batch if keep is None else batch.take(keep)


def _before_damage(data: bytes, reason: str) -> tuple[_Trace, bytes] | None:
    """The trace up to its last whole row before the damage, and the bytes of it; ``None`` where there is no row."""
    at = _AT_BYTE.search(reason)
    end = int(at[1]) if at else len(data)
    for _ in range(CUTS_MAX):
        end = data.rfind(b"]", 0, end)
        if end < 0:
            return None
        whole = data[: end + 1] + b"]}"
        with contextlib.suppress(*UNREADABLE):
            return msgspec.json.decode(whole, type=_Trace), whole
    return None


class _Details(msgspec.Struct):
    flight: str | None = None
    squawk: str | None = None
    category: str | None = None
    nic: float | None = None
    rc: float | None = None
    nac_p: float | None = None


class _Held:
    """What the details rows said last."""

    flight: str | None = None
    squawk: int = -1
    category: str = ""
    accuracy_m: float = _NAN


_ALTITUDE_IS_GEOMETRIC = 8
_decode_row = msgspec.json.Decoder(list[Any]).decode


def _trace_row(raw: msgspec.Raw, start_s: float, held: _Held) -> tuple[Any, ...]:
    row = _decode_row(raw)
    if len(row) < 7:
        raise ValueError(f"{len(row)} fields, at least 7 are needed")
    after_s, lat, lon, altitude, speed, track, flags = row[:7]
    climb, details, _, geo_ft = (*row[7:11], None, None, None, None)[:4]
    if isinstance(details, dict):
        said = msgspec.convert(details, _Details)
        held.flight = clean_callsign(said.flight) or held.flight
        held.squawk = squawk_of(said.squawk) if said.squawk else held.squawk
        held.category = said.category or held.category
        quality = [np.array([_NAN if v is None else v], dtype=np.float64) for v in (said.nac_p, said.nic, said.rc)]
        held.accuracy_m = float(accuracy_of_columns(*quality)[0])
    ground = altitude == "ground"
    baro_ft = None if ground else altitude
    if flags & _ALTITUDE_IS_GEOMETRIC:
        baro_ft, geo_ft = None, geo_ft if geo_ft is not None else baro_ft
    numbers = (start_s + after_s, lat, lon, baro_ft, geo_ft, speed, track, climb)
    checked = tuple(_NAN if n is None else float(n) for n in numbers)
    return (*checked, held.accuracy_m, int(ground), held.squawk, held.flight, held.category)
