"""The fields of an ``aircraft.json`` as columns, and the reports that they make."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from keepclear.feeds.addresses import CleanLabels, clean_address, clean_callsign
from keepclear.feeds.adsb_quality import accuracy_of_columns, category_of_emitter, domain_of_emitter
from keepclear.feeds.decoder import Faults
from keepclear.feeds.reports import Floats, Labels, ReportBatch
from keepclear.feeds.screening import (
    ALTITUDE_MAX_M,
    SPEED_MAX_MPS,
    directions,
    screen_positions,
    within,
    wrapped_lon_deg,
)  # fmt: skip
from keepclear.quantities import FOOT_M, FT_PER_MIN_MPS, KNOT_MPS

__all__ = ["AircraftColumns", "PlainReader", "squawk_of"]

_ROWS = 1024


@dataclass(frozen=True, slots=True)
class AircraftColumns:
    """One row an aircraft with a position; the format's own units, nan where it says nothing."""

    lat_deg: Floats
    lon_deg: Floats
    nic: Floats
    rc_m: Floats
    seen_pos_s: Floats
    alt_baro_ft: Floats
    alt_geom_ft: Floats
    gs_kt: Floats
    track_deg: Floats
    baro_rate_fpm: Floats
    geom_rate_fpm: Floats
    nac_p: Floats
    on_ground: npt.NDArray[np.int8] | int
    squawk: npt.NDArray[np.int16]
    emitter: npt.NDArray[np.int64]
    """which of ``emitters``"""
    emitters: Sequence[str]
    target: Labels
    callsign: Labels

    def reports(
        self, now_s: float, received_s: float | None, source: str, faults: Faults, where: Callable[[int], str]
    ) -> ReportBatch:
        """``now_s`` is the document's instant; ``where(row)`` names a row that is refused."""
        rate_fpm = np.where(np.isnan(self.baro_rate_fpm), self.geom_rate_fpm, self.baro_rate_fpm)
        batch = ReportBatch.build(
            time_s=now_s - np.nan_to_num(self.seen_pos_s),
            received_s=received_s,
            lat_deg=self.lat_deg,
            lon_deg=wrapped_lon_deg(self.lon_deg),
            altitude_baro_m=within(self.alt_baro_ft * FOOT_M, -ALTITUDE_MAX_M, ALTITUDE_MAX_M),
            altitude_geo_m=within(self.alt_geom_ft * FOOT_M, -ALTITUDE_MAX_M, ALTITUDE_MAX_M),
            ground_speed_mps=within(self.gs_kt * KNOT_MPS, 0.0, SPEED_MAX_MPS),
            track_deg=directions(self.track_deg),
            vertical_rate_mps=within(rate_fpm * FT_PER_MIN_MPS, -SPEED_MAX_MPS, SPEED_MAX_MPS),
            accuracy_m=accuracy_of_columns(self.nac_p, self.nic, self.rc_m),
            on_ground=self.on_ground,
            domain=np.array([domain_of_emitter(code) for code in self.emitters], dtype=np.uint8)[self.emitter],
            category=np.array([category_of_emitter(code) for code in self.emitters], dtype=np.uint8)[self.emitter],
            squawk=self.squawk,
            target=self.target,
            callsign=self.callsign,
            source=source,
        )
        keep = screen_positions(batch.time_s, self.lat_deg, self.lon_deg, faults, where)
        return batch if keep is None else batch.take(keep)


class PlainReader:
    """Documents as plain as receivers write them, read in one compiled pass that makes no object an aircraft."""

    def __init__(self) -> None:
        self._room = 0
        self._grow(_ROWS)
        self._targets = _PackedLabels(clean_address)
        self._callsigns = _PackedLabels(clean_callsign)

    def _grow(self, rows: int) -> None:
        from keepclear.feeds.kernels.aircraft_json import NUMBERS

        self._room = rows
        self._now = np.empty(1)
        self._numbers = np.empty((NUMBERS, rows))
        self._names = np.empty((2, rows), np.uint64)
        self._emitter = np.empty(rows, np.uint16)
        self._squawk = np.empty(rows, np.int16)
        self._on_ground = np.empty(rows, np.int8)

    def read(self, data: bytes) -> tuple[float, AircraftColumns] | None:
        """The document's instant and its columns; ``None`` where it must be read the long way."""
        from keepclear.feeds.kernels.aircraft_json import NOT_PLAIN, ROOM_WANTED, read_aircraft

        text = np.frombuffer(data, np.uint8)
        while True:
            n = read_aircraft(text, self._now, self._numbers, self._names, self._emitter, self._squawk, self._on_ground)
            if n != ROOM_WANTED:
                break
            self._grow(2 * self._room)
        if n == NOT_PLAIN:
            return None
        numbers = self._numbers[:, :n].copy()
        lat, lon, nic, rc, seen_pos, alt_baro, alt_geom, gs, track, baro_rate, geom_rate, nac_p = numbers
        codes, emitter = np.unique(self._emitter[:n], return_inverse=True)
        on_ground = self._on_ground[:n]
        return float(self._now[0]), AircraftColumns(
            lat_deg=lat, lon_deg=lon, nic=nic, rc_m=rc, seen_pos_s=seen_pos, alt_baro_ft=alt_baro,
            alt_geom_ft=alt_geom, gs_kt=gs, track_deg=track, baro_rate_fpm=baro_rate, geom_rate_fpm=geom_rate,
            nac_p=nac_p, on_ground=on_ground.copy() if on_ground.any() else 0, squawk=self._squawk[:n].copy(),
            emitter=emitter, emitters=[_unpacked(code) for code in codes.tolist()],
            target=self._targets.labels(self._names[0, :n]), callsign=self._callsigns.labels(self._names[1, :n]),
        )  # fmt: skip


class _PackedLabels:
    """Labels of texts that stand as eight characters in a number. A feed says mostly what it said a second ago."""

    def __init__(self, clean: Callable[[str | None], str]) -> None:
        self._labels = CleanLabels(lambda packed: clean(_unpacked(packed)))
        self._last = np.empty(0, np.uint64)
        self._said = Labels.constant("", 0)

    def labels(self, packed: npt.NDArray[np.uint64]) -> Labels:
        if not np.array_equal(packed, self._last):
            self._last, self._said = packed.copy(), self._labels.labels(packed.tolist())
        return self._said


def _unpacked(packed: int) -> str:
    return packed.to_bytes(8, "little").rstrip(b"\0").decode("ascii")


def squawk_of(text: str | None) -> int:
    """The four digits as a decimal number, -1 for anything else."""
    return int(text) if text and len(text) == 4 and text.isascii() and text.isdigit() else -1
