"""readsb, dump1090 and tar1090 JSON: ``aircraft.json`` as polled.

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

from keepclear.feeds.addresses import ADDRESS_CHARACTERS_MAX, CleanLabels, clean_address, clean_callsign
from keepclear.feeds.aircraft_columns import AircraftColumns, PlainReader, squawk_of
from keepclear.feeds.decoder import Faults
from keepclear.feeds.formats import DecoderOptions
from keepclear.feeds.json_documents import (
    UNREADABLE,
    DocumentCutter,
    first_repeated_key,
    named_twice,
)
from keepclear.feeds.reports import Floats, ReportBatch, concatenate

__all__ = ["AircraftJsonDecoder", "looks_like_aircraft_json"]

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
        self._reader = PlainReader()

    def decode(self, data: bytes, received_s: float) -> ReportBatch:
        self._received_s = received_s
        if self._cutter.idle:  # a polled answer is one whole document: no need to look for its end
            reports = self._plain(data)
            if reports is not None:
                self._cutter.documents_seen += 1
                return reports
            try:
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
        reports = self._plain(data, f"document {number}, ")
        if reports is not None:
            return reports
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
        emitters = [a.category or "" for a in aircraft]
        kinds = {code: number for number, code in enumerate(set(emitters))}
        baro_ft = [a.alt_baro for a in aircraft]
        on_ground: npt.NDArray[np.int8] | int = 0
        if str in set(map(type, baro_ft)):  # «ground» in the place of an altitude
            on_ground = np.array([ft == "ground" for ft in baro_ft], dtype=np.int8)
            baro_ft = [None if isinstance(ft, str) else ft for ft in baro_ft]
        columns = AircraftColumns(
            lat_deg=_floats([a.lat for a in aircraft]),
            lon_deg=_floats([a.lon for a in aircraft]),
            nic=_floats([a.nic for a in aircraft]),
            rc_m=_floats([a.rc for a in aircraft]),
            seen_pos_s=_floats([a.seen_pos for a in aircraft]),
            alt_baro_ft=_floats(baro_ft),
            alt_geom_ft=_floats([a.alt_geom for a in aircraft]),
            gs_kt=_floats([a.gs for a in aircraft]),
            track_deg=_floats([a.track for a in aircraft]),
            baro_rate_fpm=_floats([a.baro_rate for a in aircraft]),
            geom_rate_fpm=_floats([a.geom_rate for a in aircraft]),
            nac_p=_floats([a.nac_p for a in aircraft]),
            on_ground=on_ground,
            squawk=np.array([squawk_of(a.squawk) for a in aircraft], dtype=np.int16),
            emitter=np.fromiter(map(kinds.__getitem__, emitters), dtype=np.int64, count=len(emitters)),
            emitters=list(kinds),
            target=self._addresses.labels([a.hex for a in aircraft]),
            callsign=self._callsigns.labels([a.flight for a in aircraft]),
        )
        return self._made(columns, now_s, place)

    def _plain(self, data: bytes, place: str = "") -> ReportBatch | None:
        read = self._reader.read(data)
        return None if read is None else self._made(read[1], read[0], place)

    def _made(self, columns: AircraftColumns, now_s: float, place: str) -> ReportBatch:
        if not len(columns.lat_deg):
            return ReportBatch.empty()
        return columns.reports(
            now_s, self._received_s if math.isfinite(self._received_s) else None, self._source, self.faults,
            lambda row: f"{place}aircraft {columns.target.at(row)}",
        )  # fmt: skip

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
