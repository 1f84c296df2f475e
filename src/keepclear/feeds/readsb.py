"""readsb, dump1090 and tar1090 JSON: ``aircraft.json`` as polled, and the day traces of one aircraft.

Field meanings: README-json.md of wiedehopf/readsb. ``alt_geom`` is the GNSS height above the WGS84 ellipsoid.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from keepclear.errors import InputError, LimitExceeded
from keepclear.feeds.addresses import ADDRESS_CHARACTERS_MAX, CleanLabels, clean_address, clean_callsign
from keepclear.feeds.adsb_quality import accuracy_of_columns, category_of_emitter, domain_of_emitter
from keepclear.feeds.decoder import Faults
from keepclear.feeds.formats import DecoderOptions
from keepclear.feeds.json_documents import (
    DOCUMENT_BYTES_MAX,
    UNREADABLE,
    DocumentCutter,
    first_repeated_key,
    named_twice,
    repeated_member,
)
from keepclear.feeds.reports import Floats, Labels, ReportBatch, concatenate
from keepclear.feeds.screening import (
    ALTITUDE_MAX_M,
    SPEED_MAX_MPS,
    directions,
    screen_positions,
    within,
    wrapped_lon_deg,
)  # fmt: skip
from keepclear.quantities import FOOT_M, FT_PER_MIN_MPS, KNOT_MPS

__all__ = ["AircraftJsonDecoder", "TraceDecoder", "looks_like_aircraft_json", "looks_like_trace"]

_NAN = math.nan
_START = r'\{\s{0,16}"now"\s{0,16}:'
_NOW = re.compile(rb'"now"\s{0,16}:\s{0,16}(\d{1,12}(?:\.\d{1,9})?)')
_ENTRY = re.compile(rb"\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}")
_ONCE = (b'"hex"', b'"lat"', b'"lon"', b'"alt_baro"', b'"alt_geom"', b'"seen_pos"')

_ALSO_HELD = (b'"lat"', b'"lon"', b'"seen_pos"')
"""named once more by an entry's ``lastPosition``"""
_OUTERMOST = ("now", "aircraft")
_COUNTED = (*_ONCE, *(f'"{key}"'.encode() for key in _OUTERMOST))


class _LastPosition(msgspec.Struct, gc=False):
    lat: float | None = None
    lon: float | None = None
    nic: float | None = None
    rc: float | None = None
    seen_pos: float | None = None


class _Aircraft(msgspec.Struct, gc=False):
    hex: str
    flight: str | None = None
    lat: float | None = None
    lon: float | None = None
    alt_baro: float | str | None = _NAN
    alt_geom: float | None = _NAN
    gs: float | None = _NAN
    track: float | None = _NAN
    baro_rate: float | None = _NAN
    geom_rate: float | None = _NAN
    squawk: str | None = None
    category: str | None = None
    nic: float | None = _NAN
    rc: float | None = _NAN
    nac_p: float | None = _NAN
    seen_pos: float | None = _NAN
    lastPosition: _LastPosition | None = None  # noqa: N815 - the format's own name


class _Document(msgspec.Struct, gc=False):
    now: float
    aircraft: list[_Aircraft]


class _Entries(msgspec.Struct):
    now: float | None = None
    aircraft: list[msgspec.Raw] = msgspec.field(default_factory=list)


_decode_document = msgspec.json.Decoder(_Document).decode
_decode_entries = msgspec.json.Decoder(_Entries).decode
_decode_aircraft = msgspec.json.Decoder(_Aircraft).decode


def looks_like_aircraft_json(head: bytes) -> bool:
    """An object with ``now`` and ``aircraft`` near its beginning."""
    return head.lstrip()[:1] == b"{" and b'"aircraft"' in head and b'"now"' in head


def looks_like_trace(head: bytes) -> bool:
    return head.lstrip()[:1] == b"{" and b'"trace"' in head and b'"icao"' in head


class AircraftJsonDecoder:
    """Documents one after the other, as a poller or a log gives them; one bad entry costs only itself.

    ``time_s`` is ``now`` − ``seen_pos``: a position held over from earlier (``lastPosition``) carries its own,
    older time. Aircraft without any position give no report.
    """

    def __init__(self, options: DecoderOptions) -> None:
        self.faults = Faults()
        self._source = options.source
        self._cutter = DocumentCutter(_START, self.faults)
        self._received_s = _NAN
        self._addresses = CleanLabels(clean_address)
        self._callsigns = CleanLabels(clean_callsign)

    def decode(self, data: bytes, received_s: float) -> ReportBatch:
        self._received_s = received_s
        if self._cutter.idle:
            try:  # a polled answer is one whole document: no need to look for its end
                document = _decode_document(data)
            except UNREADABLE:
                pass
            else:
                self._cutter.documents_seen += 1
                return self._reports(document.aircraft, document.now, data)
        documents = self._cutter.feed(data)
        first = self._cutter.documents_seen - len(documents) + 1
        return concatenate([self._document(document, first + i) for i, document in enumerate(documents)])

    def finish(self) -> ReportBatch:
        return concatenate([self._document(d, self._cutter.documents_seen) for d in self._cutter.finish()])

    def _document(self, data: bytes, number: int) -> ReportBatch:
        try:
            document = _decode_document(data)
            return self._reports(document.aircraft, document.now, data, f"document {number}, ")
        except UNREADABLE:
            pass
        place = f"document {number}, "
        try:
            entries = _decode_entries(data)
            raws, now_s = [bytes(raw) for raw in entries.aircraft], entries.now
            if b'"aircraft"' not in data:
                self.faults.add("JSON object without aircraft", f"document {number}")
        except UNREADABLE as error:
            self.faults.add("JSON document is malformed", f"{place}{error}")
            aircraft_at = data.find(b'"aircraft"')
            raws = [m.group() for m in _ENTRY.finditer(data, aircraft_at)] if aircraft_at >= 0 else []
            said = _NOW.search(data)
            now_s = float(said.group(1)) if said else None
        aircraft: list[_Aircraft] = []
        for i, raw in enumerate(raws):
            try:
                aircraft.append(_decode_aircraft(raw))
            except UNREADABLE as error:
                self.faults.add("malformed aircraft entry", f"{place}aircraft[{i}]: {error}")
        return self._reports(aircraft, self._received_s if now_s is None else now_s, data, place)

    def _reports(self, aircraft: list[_Aircraft], now_s: float, data: bytes, place: str = "") -> ReportBatch:
        from keepclear.feeds.kernels.json_keys import count_keys  # compiled code is loaded on first use only

        counts = dict(zip(_COUNTED, count_keys(data, _COUNTED), strict=True))
        if any(counts[key] > 1 for key in _COUNTED[len(_ONCE) :]) and named_twice(data, *_OUTERMOST):
            self.faults.add("JSON document names a key twice", place)
            return ReportBatch.empty()
        aircraft = self._addressed(_located(self._without_repeated_keys(aircraft, counts, data, place)), place)
        if not aircraft:
            return ReportBatch.empty()
        # A list a field is three times as fast as rows turned on their side.
        lat_deg, lon_deg = _floats([a.lat for a in aircraft]), _floats([a.lon for a in aircraft])
        nac_p, nic = _floats([a.nac_p for a in aircraft]), _floats([a.nic for a in aircraft])
        rc_m, seen_pos_s = _floats([a.rc for a in aircraft]), _floats([a.seen_pos for a in aircraft])
        baro_rate = _floats([a.baro_rate for a in aircraft])
        geo_rate = _floats([a.geom_rate for a in aircraft])
        emitters = [a.category for a in aircraft]
        baro_ft = [a.alt_baro for a in aircraft]
        on_ground: Any = 0
        if str in set(map(type, baro_ft)):  # «ground» in the place of an altitude
            on_ground = [ft == "ground" for ft in baro_ft]
            baro_ft = [None if isinstance(ft, str) else ft for ft in baro_ft]
        kinds = {code: number for number, code in enumerate(set(emitters))}
        kind = np.fromiter(map(kinds.__getitem__, emitters), dtype=np.intp, count=len(emitters))
        batch = ReportBatch.build(
            time_s=now_s - np.nan_to_num(seen_pos_s),
            received_s=self._received_s if math.isfinite(self._received_s) else None,
            lat_deg=lat_deg,
            lon_deg=wrapped_lon_deg(lon_deg),
            altitude_baro_m=within(_floats(baro_ft) * FOOT_M, -ALTITUDE_MAX_M, ALTITUDE_MAX_M),
            altitude_geo_m=within(_floats([a.alt_geom for a in aircraft]) * FOOT_M, -ALTITUDE_MAX_M, ALTITUDE_MAX_M),
            ground_speed_mps=within(_floats([a.gs for a in aircraft]) * KNOT_MPS, 0.0, SPEED_MAX_MPS),
            track_deg=directions(_floats([a.track for a in aircraft])),
            vertical_rate_mps=within(
                np.where(np.isnan(baro_rate), geo_rate, baro_rate) * FT_PER_MIN_MPS, -SPEED_MAX_MPS, SPEED_MAX_MPS
            ),
            accuracy_m=accuracy_of_columns(nac_p, nic, rc_m),
            on_ground=on_ground,
            domain=np.array([domain_of_emitter(code or "") for code in kinds], dtype=np.uint8)[kind],
            category=np.array([category_of_emitter(code or "") for code in kinds], dtype=np.uint8)[kind],
            squawk=_squawks([a.squawk for a in aircraft]),
            target=self._addresses.labels([a.hex for a in aircraft]),
            callsign=self._callsigns.labels([a.flight for a in aircraft]),
            source=self._source,
        )
        keep = screen_positions(
            batch.time_s, lat_deg, lon_deg, self.faults, lambda row: f"{place}aircraft {aircraft[row].hex[:16]}"
        )
        return batch if keep is None else batch.take(keep)

    def _addressed(self, aircraft: list[_Aircraft], place: str) -> list[_Aircraft]:
        lengths = set(map(len, [a.hex for a in aircraft]))
        if not lengths or 6 <= min(lengths) <= max(lengths) <= ADDRESS_CHARACTERS_MAX:
            return aircraft
        addressed = [a for a in aircraft if 6 <= len(a.hex) <= ADDRESS_CHARACTERS_MAX]
        for _ in range(len(aircraft) - len(addressed)):
            self.faults.add("hex is not an address", place)
        return addressed

    def _without_repeated_keys(
        self, aircraft: list[_Aircraft], counts: dict[bytes, int], data: bytes, place: str
    ) -> list[_Aircraft]:
        """An entry that names who or where twice is refused. The counts in the bytes show at once that none does."""
        allowed = len(aircraft)
        more = [key for key in _ONCE if counts[key] > allowed]
        if not more:
            return aircraft
        allowed += sum(a.lastPosition is not None for a in aircraft)
        if all(key in _ALSO_HELD and counts[key] <= allowed for key in more):
            return aircraft
        at = data.find(b'"aircraft"')
        repeated = {
            i for i, found in enumerate(_ENTRY.finditer(data, at)) if first_repeated_key(found.group()) is not None
        }
        for i in sorted(repeated):
            self.faults.add("aircraft entry names a key twice", f"{place}aircraft[{i}]")
        return [a for i, a in enumerate(aircraft) if i not in repeated]


def _located(aircraft: list[_Aircraft]) -> list[_Aircraft]:
    """Those with a position; one held over from earlier stands in with its own time and quality."""
    if None not in [a.lat for a in aircraft] and None not in [a.lon for a in aircraft]:
        return aircraft
    for a in aircraft:
        if a.lat is None and a.lastPosition is not None:
            last = a.lastPosition
            a.lat, a.lon, a.nic, a.rc, a.seen_pos = last.lat, last.lon, last.nic, last.rc, last.seen_pos
            a.nac_p = None
    return [a for a in aircraft if a.lat is not None and a.lon is not None]


def _floats(values: Sequence[Any]) -> Floats:
    return np.array(values, dtype=np.float64)


def _squawks(texts: Sequence[str | None]) -> npt.NDArray[np.int16]:
    codes = {text: _squawk(text) for text in set(texts)}
    return np.fromiter(map(codes.__getitem__, texts), dtype=np.int16, count=len(texts))


def _squawk(text: str | None) -> int:
    return int(text) if text and len(text) == 4 and text.isascii() and text.isdigit() else -1


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
            raise InputError(f"not a readsb trace file: {error}") from None
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
        held.squawk = _squawk(said.squawk) if said.squawk else held.squawk
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
