"""OpenSky Network state vectors: the ``/api/states/all`` answer, one or several of them.

Field order and units: OpenSky REST API documentation, «All State Vectors» (already SI; ``geo_altitude`` is the
GNSS height above the WGS84 ellipsoid, ``category`` an integer that comes only with ``extended=1``).
"""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np

from keepclear.feeds.addresses import clean_address, clean_callsign
from keepclear.feeds.decoder import Faults
from keepclear.feeds.formats import DecoderOptions
from keepclear.feeds.json_documents import UNREADABLE, DocumentCutter, repeated_member
from keepclear.feeds.reports import Labels, ReportBatch, TargetCategory, TargetDomain, concatenate
from keepclear.feeds.screening import (
    ALTITUDE_MAX_M,
    SPEED_MAX_MPS,
    directions,
    screen_positions,
    within,
    wrapped_lon_deg,
)  # fmt: skip

__all__ = ["StatesDecoder", "looks_like_states"]

_START = r'\{\s{0,16}"time"\s{0,16}:'
_FIELDS_MIN = 17
"""Through ``position_source``; ``category`` (the 18th) is optional."""

_CATEGORIES = {
    **dict.fromkeys((2, 3, 4, 5, 6, 7, 9), TargetCategory.FIXED),
    8: TargetCategory.ROTARY,
    14: TargetCategory.UAS,
    **dict.fromkeys((10, 11, 12, 15, 16, 17, 18, 19, 20), TargetCategory.OTHER),
}
_GROUND_CATEGORIES = (16, 17, 18, 19, 20)
"""surface vehicles and obstacles"""


class _State(msgspec.Struct, array_like=True):
    icao24: str
    callsign: str | None
    origin_country: str | None
    time_position: float | None
    last_contact: float | None
    longitude: float | None
    latitude: float | None
    baro_altitude: float | None
    on_ground: bool | None
    velocity: float | None
    true_track: float | None
    vertical_rate: float | None
    sensors: Any
    geo_altitude: float | None
    squawk: str | None
    spi: bool | None
    position_source: int | None
    category: int | None = None


class _Document(msgspec.Struct):
    time: float
    states: list[_State] | None


class _Entries(msgspec.Struct):
    time: float | None = None
    states: list[msgspec.Raw] | None = None


_decode_document = msgspec.json.Decoder(_Document).decode
_decode_entries = msgspec.json.Decoder(_Entries).decode
_decode_state = msgspec.json.Decoder(_State).decode


def looks_like_states(head: bytes) -> bool:
    return head.lstrip()[:1] == b"{" and b'"states"' in head and b'"time"' in head


class StatesDecoder:
    """Answers one after the other (JSON lines, concatenated, or one a chunk); a bad state costs only itself.

    ``time_s`` is ``time_position``, which may be older than the answer; states without a position are left out.
    """

    def __init__(self, options: DecoderOptions) -> None:
        self.faults = Faults()
        self._source = options.source
        self._cutter = DocumentCutter(_START, self.faults)
        self._received_s = math.nan

    def decode(self, data: bytes, received_s: float) -> ReportBatch:
        self._received_s = received_s
        documents = self._cutter.feed(data)
        first = self._cutter.documents_seen - len(documents) + 1
        return concatenate([self._document(document, first + i) for i, document in enumerate(documents)])

    def finish(self) -> ReportBatch:
        return concatenate([self._document(d, self._cutter.documents_seen) for d in self._cutter.finish()])

    def _document(self, data: bytes, number: int) -> ReportBatch:
        place = f"document {number}"
        if repeated_member(data, "time", "states"):
            self.faults.add("JSON document names a key twice", place)
            return ReportBatch.empty()
        try:
            whole = _decode_document(data)
            return self._reports(whole.states or [], whole.time, place)
        except UNREADABLE:
            pass
        try:
            entries = _decode_entries(data)
        except UNREADABLE as error:
            self.faults.add("JSON document is malformed", f"{place}: {error}")
            return ReportBatch.empty()
        if entries.states is None:
            self.faults.add("JSON object without states", place)
            return ReportBatch.empty()
        if entries.time is None:
            self.faults.add("state vectors without time", place)
        states: list[_State] = []
        for i, raw in enumerate(entries.states):
            try:
                states.append(_decode_state(raw))
            except UNREADABLE as error:
                self.faults.add("malformed state vector", f"{place}, states[{i}]: {error}")
        return self._reports(states, math.nan if entries.time is None else entries.time, place)

    def _reports(self, states: list[_State], now_s: float, place: str) -> ReportBatch:
        states = [s for s in states if s.latitude is not None and s.longitude is not None]
        if not states:
            return ReportBatch.empty()
        lat_deg = np.array([s.latitude for s in states], dtype=np.float64)
        lon_deg = np.array([s.longitude for s in states], dtype=np.float64)
        time_s = np.array([now_s if s.time_position is None else s.time_position for s in states], dtype=np.float64)
        codes = [s.category or 0 for s in states]
        ground = [TargetDomain.GROUND if c in _GROUND_CATEGORIES else TargetDomain.AIR for c in codes]
        received_s = self._received_s
        batch = ReportBatch.build(
            time_s=time_s,
            received_s=received_s if math.isfinite(received_s) else None,
            lat_deg=lat_deg,
            lon_deg=wrapped_lon_deg(lon_deg),
            altitude_baro_m=within(
                np.array([s.baro_altitude for s in states], dtype=np.float64), -ALTITUDE_MAX_M, ALTITUDE_MAX_M
            ),
            altitude_geo_m=within(
                np.array([s.geo_altitude for s in states], dtype=np.float64), -ALTITUDE_MAX_M, ALTITUDE_MAX_M
            ),
            ground_speed_mps=within(np.array([s.velocity for s in states], dtype=np.float64), 0.0, SPEED_MAX_MPS),
            track_deg=directions(np.array([s.true_track for s in states], dtype=np.float64)),
            vertical_rate_mps=within(
                np.array([s.vertical_rate for s in states], dtype=np.float64), -SPEED_MAX_MPS, SPEED_MAX_MPS
            ),
            on_ground=[-1 if s.on_ground is None else int(s.on_ground) for s in states],
            domain=np.array(ground, dtype=np.uint8),
            category=np.array([_CATEGORIES.get(c, TargetCategory.UNKNOWN) for c in codes], dtype=np.uint8),
            squawk=[int(q) if (q := s.squawk) and len(q) == 4 and q.isascii() and q.isdigit() else -1 for s in states],
            target=Labels.of([clean_address(s.icao24) for s in states]),
            callsign=Labels.of([clean_callsign(s.callsign) for s in states]),
            source=self._source,
        )
        keep = screen_positions(
            time_s, lat_deg, lon_deg, self.faults, lambda row: f"{place}, aircraft {states[row].icao24[:16]}"
        )
        return batch if keep is None else batch.take(keep)
