"""Remote ID flights of ASTM F3411 (22a and 19): the JSON that a service provider answers to GET /uss/flights.

Altitudes: ``alt`` is the height above the WGS84 ellipsoid, ``pressure_altitude`` is referred to 1013.25 hPa. The
«no value» numbers of the standard's data dictionary (latitude and longitude both 0, altitudes −1000 m, track 361,
speed 255 m/s, vertical speed 63 m/s) become «not known». A flight marked ``simulated`` is kept, and its source says
«(simulated)». A state or recent position no newer than one already reported is passed over.
"""

from __future__ import annotations

import math

import msgspec

from keepclear.errors import InputError
from keepclear.feeds.decoder import Faults
from keepclear.feeds.formats import DecoderOptions
from keepclear.feeds.json_documents import DocumentCutter, first_repeated_key
from keepclear.feeds.report_rows import ReportRows, clean_label
from keepclear.feeds.reports import ReportBatch, TargetCategory, TargetDomain
from keepclear.quantities import parse_instant

__all__ = ["HORIZONTAL_ACCURACY_M", "FlightsDecoder", "looks_like_flights"]

DOCUMENT_BYTES_MAX = 16 * 1024 * 1024
"""One answer covers a view of at most 7 km diagonal (F3411-22a, NetMaxDisplayAreaDiagonal): some 100 kB."""
FLIGHT_BYTES_MAX = 65_536
"""One flight with a minute of recent positions has some 15 kB."""
FLIGHTS_MAX = 100_000
"""Flights whose latest time is remembered; the oldest gives way."""

HORIZONTAL_ACCURACY_M = {
    "HA10NM": 18520.0,
    "HA4NM": 7408.0,
    "HA2NM": 3704.0,
    "HA1NM": 1852.0,
    "HA05NM": 926.0,
    "HA03NM": 555.6,
    "HA01NM": 185.2,
    "HA005NM": 92.6,
    "HA30m": 30.0,
    "HA10m": 10.0,
    "HA3m": 3.0,
    "HA1m": 1.0,
}
"""95 % radius: the classes are those of the ADS-B NACp. «Unknown» and «more than 10 NM» are not known."""

_NAN = math.nan
_START = (
    r'\{"timestamp": ?(?:"[^"]{20,32}"|\{[^{}]{30,60}\}), ?"(?:flights|no_isas_present)"'
    r'|\{\s{0,16}"(?:flights|no_isas_present)"\s{0,16}:'
)
_UNKNOWN_ALTITUDE_M = -1000.0


class _Time(msgspec.Struct):
    value: str
    format: str = "RFC3339"


class _Position(msgspec.Struct):
    lat: float = 0.0
    lng: float = 0.0
    alt: float = _UNKNOWN_ALTITUDE_M
    accuracy_h: str | None = None
    pressure_altitude: float | None = None


class _State(msgspec.Struct):
    timestamp: str | _Time
    position: _Position
    track: float = 361.0
    speed: float = 255.0
    vertical_speed: float = 63.0
    operational_status: str | None = None
    accuracy_h: str | None = None


class _Recent(msgspec.Struct):
    time: str | _Time
    position: _Position


class _Flight(msgspec.Struct):
    id: str
    current_state: _State | None = None
    recent_positions: list[_Recent] | None = None
    simulated: bool | None = False


class _Answer(msgspec.Struct):
    flights: list[msgspec.Raw] = msgspec.field(default_factory=list)


_decode_answer = msgspec.json.Decoder(_Answer).decode
_decode_flight = msgspec.json.Decoder(_Flight).decode


def looks_like_flights(head: bytes) -> bool:
    """A JSON object with ``flights`` and one of the keys that only remote ID answers have."""
    return (
        head.lstrip()[:1] == b"{"
        and b'"flights"' in head
        and any(
            key in head for key in (b'"current_state"', b'"recent_positions"', b'"aircraft_type"', b'"no_isas_present"')
        )
    )


class FlightsDecoder:
    """Answers one after the other, as a poller or a log gives them; a malformed flight costs only itself."""

    def __init__(self, options: DecoderOptions) -> None:
        self.faults = Faults()
        self.skipped: dict[str, int] = {}
        self._rows = ReportRows(self.faults, options.source)
        self._cutter = DocumentCutter(_START, self.faults, DOCUMENT_BYTES_MAX)
        self._received_s = _NAN
        self._latest_s: dict[str, float] = {}

    def decode(self, data: bytes, received_s: float) -> ReportBatch:
        self._received_s = received_s
        documents = self._cutter.feed(data)
        for number, document in enumerate(documents, self._cutter.documents_seen - len(documents) + 1):
            self._answer(document, f"document {number}")
        return self._rows.take()

    def finish(self) -> ReportBatch:
        for document in self._cutter.finish():
            self._answer(document, f"document {self._cutter.documents_seen}")
        return self._rows.take()

    def _answer(self, document: bytes, place: str) -> None:
        try:
            answer = _decode_answer(document)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self.faults.add("JSON document is malformed, or its flights are no list", place)
            return
        if not answer.flights and b'"flights"' not in document:
            self._skip("document without flights")
        for index, raw in enumerate(answer.flights):
            where = f"{place}, flights[{index}]"
            if len(bytes(raw)) > FLIGHT_BYTES_MAX:
                self.faults.add(f"flight larger than {FLIGHT_BYTES_MAX} bytes", where)
                continue
            if first_repeated_key(bytes(raw)) is not None:
                self.faults.add("flight names a key twice", where)
                continue
            try:
                flight = _decode_flight(raw)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                self.faults.add("flight is malformed", where)
                continue
            self._flight(flight, where)

    def _skip(self, what: str) -> None:
        self.skipped[what] = self.skipped.get(what, 0) + 1

    def _flight(self, flight: _Flight, where: str) -> None:
        state = flight.current_state
        recent = [(self._instant(r.time, where), r.position, None) for r in flight.recent_positions or ()]
        if state is None and not recent:
            self._skip("flight without a position")
            return
        found: list[tuple[float, _Position, _State | None]] = sorted(recent, key=lambda r: r[0])
        if state is not None:
            found.append((self._instant(state.timestamp, where), state.position, state))
        name = clean_label(flight.id)
        for time_s, position, of_state in found:
            if time_s <= self._latest_s.get(name, -math.inf):
                self._skip("position already reported")
            elif position.lat == 0.0 and position.lng == 0.0:
                self._skip("position unknown")
            elif self._add(name, time_s, position, of_state, bool(flight.simulated), where):
                if name not in self._latest_s and len(self._latest_s) >= FLIGHTS_MAX:
                    del self._latest_s[next(iter(self._latest_s))]
                self._latest_s[name] = time_s

    def _instant(self, said: str | _Time, where: str) -> float:
        try:
            return parse_instant(said if isinstance(said, str) else said.value)
        except InputError:
            self.faults.add("time is not RFC 3339 with a zone", where)
            return _NAN

    def _add(
        self, name: str, time_s: float, position: _Position, state: _State | None, simulated: bool, where: str
    ) -> bool:
        if time_s != time_s:
            return False  # counted already
        class_h = position.accuracy_h or (state.accuracy_h if state else None) or ""
        pressure_m = position.pressure_altitude if position.pressure_altitude is not None else _UNKNOWN_ALTITUDE_M
        return self._rows.add(
            where,
            time_s=time_s,
            received_s=self._received_s,
            lat_deg=position.lat,
            lon_deg=position.lng,
            target=name,
            altitude_baro_m=pressure_m if pressure_m > _UNKNOWN_ALTITUDE_M else _NAN,
            altitude_geo_m=position.alt if position.alt > _UNKNOWN_ALTITUDE_M else _NAN,
            ground_speed_mps=state.speed if state and 0.0 <= state.speed < 255.0 else _NAN,
            track_deg=state.track if state and 0.0 <= state.track <= 360.0 else _NAN,
            vertical_rate_mps=state.vertical_speed if state and -63.0 < state.vertical_speed < 63.0 else _NAN,
            accuracy_m=HORIZONTAL_ACCURACY_M.get(class_h, _NAN),
            on_ground={"Ground": 1, "Airborne": 0}.get((state.operational_status or "") if state else "", -1),
            domain=TargetDomain.AIR,
            category=TargetCategory.UAS,
            simulated=simulated,
        )
