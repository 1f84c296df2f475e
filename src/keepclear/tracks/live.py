"""The live picture: reports folded into the newest state of every track, batch by batch."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from keepclear.errors import UsageError
from keepclear.feeds.reports import Labels, ReportBatch, TargetDomain
from keepclear.tracks.assemble import JUMP_SPEED_LIMITS, TIME_SLACK_S, UNKNOWN_ACCURACY_M
from keepclear.tracks.names import NameTable
from keepclear.tracks.picture import Picture, TrackFlag, TrackStatus

__all__ = ["TRACKS_MAX", "LiveLimits", "TrackCounts", "TrackState", "step"]

TRACKS_MAX = 250_000
"""Tracks held at once: ten times the aircraft in the air worldwide, some 60 MB. Beyond it the oldest stale tracks
make room, and where there are none new targets are refused; both are counted and shown as OVERFLOW."""
FUTURE_MAX_S = 10.0
"""A report dated further ahead of now would stand as «newest» against every honest one after it."""
SPOOFING_SHOWN_S = 60.0
"""How long a track stays marked after an impossible jump."""
BASELINE_MIN_S, BASELINE_S, BASELINE_MAX_S = 2.0, 8.0, 60.0
"""Motion is derived over at least 2 s (shorter, and position error is all one sees), at most some 8 s (longer,
and a turn is missed), and never across a minute's silence."""
_ROOM = 1024
_COMPACT_AT = 4096
"""Dead slots or unused names tolerated before the state is packed: packing costs about a full cycle."""

_TEXT = ("target", "callsign", "source")
_KEPT_IF_UNKNOWN = {"squawk": -1, "domain": 0, "category": 0}


@dataclass(frozen=True, slots=True)
class LiveLimits:
    """When a track counts as stale and as ended, seconds since its newest report, by domain; and how many fit.

    Defaults: air traffic reports about once a second, road users every few, ships at anchor every three minutes.
    """

    stale_s: tuple[float, float, float, float] = (60.0, 15.0, 60.0, 240.0)
    """by :class:`TargetDomain`: unknown, air, ground, sea"""
    end_s: tuple[float, float, float, float] = (300.0, 60.0, 300.0, 900.0)
    tracks_max: int = TRACKS_MAX

    def __post_init__(self) -> None:
        if any(not 0.0 < s < e for s, e in zip(self.stale_s, self.end_s)):
            raise UsageError("a track must go stale before it ends, both after more than 0 s")
        if self.tracks_max < 1:
            raise UsageError("at least one track must fit")


@dataclass(frozen=True, slots=True)
class TrackCounts:
    """What became of the reports since the start. Nothing is left out of the picture uncounted."""

    accepted: int = 0
    late: int = 0
    """not newer than what is known of the track: the state stays"""
    future: int = 0
    """dated more than FUTURE_MAX_S ahead"""
    unusable: int = 0
    """without a target, a time or a place on Earth"""
    jumps: int = 0
    """founded a second body under a known label"""
    evicted: int = 0
    """stale tracks dropped early to make room"""
    refused: int = 0
    """reports of new targets for which there was no room"""


def _number_columns() -> dict[str, Any]:
    empty = ReportBatch.empty()
    return {f.name: getattr(empty, f.name).dtype for f in fields(ReportBatch) if f.name not in _TEXT}


@dataclass(slots=True)
class TrackState:
    """The tracks in columns, one slot each. It is consumed by :func:`step`: the arrays are changed in place, so
    keep the state that step returns and no other. :class:`Picture` is a copy and stays as it was."""

    columns: dict[str, npt.NDArray[Any]]
    """newest report by slot, text as codes of the name tables"""
    slots: dict[str, npt.NDArray[Any]]
    """the bookkeeping of the kernel, by slot"""
    table: npt.NDArray[np.int64]
    names: dict[str, NameTable]
    used: int = 0
    next_key: int = 0
    counts: TrackCounts = field(default_factory=TrackCounts)

    @staticmethod
    def empty(room: int = _ROOM) -> TrackState:
        """No tracks yet, with room for some; it grows up to the limits' ``tracks_max``."""
        columns = {name: np.zeros(0, dtype=dtype) for name, dtype in _number_columns().items()}
        columns |= {name: np.zeros(0, dtype=np.int32) for name in _TEXT}
        slots: dict[str, npt.NDArray[Any]] = {
            "pair": np.zeros(0, dtype=np.int64), "primary": np.zeros(0, dtype=np.bool_),
            "twin": np.zeros(0, dtype=np.int64), "live": np.zeros(0, dtype=np.uint8),
            "at": np.zeros((0, 4)), "anchor": np.zeros((0, 5)), "motion": np.zeros((0, 3)),
            "first_s": np.zeros(0), "jump_s": np.zeros(0), "reports": np.zeros(0, dtype=np.uint8),
            "key": np.zeros(0, dtype=np.int64), "winner": np.zeros(0, dtype=np.int64),
        }  # fmt: skip
        state = TrackState(columns, slots, np.full(4, -1, dtype=np.int64), {name: NameTable() for name in _TEXT})
        _resize(state, room)
        return state

    @property
    def capacity(self) -> int:
        return len(self.slots["pair"])

    def __len__(self) -> int:
        """Tracks held."""
        return int(np.count_nonzero(self.slots["live"][: self.used]))


def step(
    state: TrackState, batch: ReportBatch, now_s: float, limits: LiveLimits | None = None
) -> tuple[TrackState, Picture]:
    """Fold a batch in and take the picture at ``now_s``.

    A track is a (source, target). The newest report by time of measurement stands; later-coming older ones are
    counted and change nothing. A report that its track cannot have reached founds a second track beside it, both
    marked SPOOFING_SUSPECTED, so that one wild position never moves the real track. Callsign, squawk, domain and
    category stay known from earlier reports. Ended tracks are in this picture for the last time (practice R2.10).
    """
    limits = limits or LiveLimits()
    done = 0
    full = False
    pairs, text = _encoded(state, batch)
    while True:
        done = _fold(state, batch, pairs, text, done, now_s, full)
        if done >= len(batch):
            break
        full = not _make_room(state, now_s, limits)
        pairs, text = _encoded(state, batch)
    status = _status(state, now_s, limits)
    picture = _picture(state, status, now_s)
    state.slots["live"][: state.used][status == TrackStatus.ENDED] = 0
    _tidy(state)
    return state, picture


def _encoded(state: TrackState, batch: ReportBatch) -> tuple[npt.NDArray[np.int64], dict[str, npt.NDArray[np.int32]]]:
    """The (source, target) pair of each report as one number, -1 without a target; and the text columns' codes."""
    text = {name: state.names[name].codes_of(getattr(batch, name)) for name in _TEXT}
    return _paired(text["source"], text["target"]), text


def _paired(source: npt.NDArray[np.int32], target: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    pair = ((source.astype(np.int64) + 1) << 32) | target
    pair[target < 0] = -1
    return pair


_SPEED_LIMITS = np.array([JUMP_SPEED_LIMITS[domain] for domain in sorted(TargetDomain)], dtype=np.float64)


_FOLLOWED = (
    "time_s", "lat_deg", "lon_deg", "accuracy_m", "domain", "altitude_baro_m", "altitude_geo_m", "ground_speed_mps",
    "track_deg",
)  # fmt: skip


def _fold(
    state: TrackState,
    batch: ReportBatch,
    pairs: npt.NDArray[np.int64],
    text: dict[str, npt.NDArray[np.int32]],
    begin: int,
    now_s: float,
    full: bool,
) -> int:
    """Fold rows from ``begin`` on; returns the first row not taken because a slot was wanting."""
    from keepclear.tracks.kernels.follow import fold  # compiled code is loaded on first use only

    if not len(batch):
        return 0
    slots = state.slots
    seen = batch.dense(_FOLLOWED)
    touched = np.empty(min(len(batch) - begin, state.capacity), dtype=np.int64)
    tally = np.zeros(9, dtype=np.int64)
    next_key = state.next_key
    tally[0], tally[1] = state.used, next_key
    done = fold(
        begin, pairs, seen.time_s, seen.lat_deg, seen.lon_deg, seen.accuracy_m, seen.domain,
        seen.altitude_baro_m, seen.altitude_geo_m, seen.ground_speed_mps, seen.track_deg,
        now_s + FUTURE_MAX_S, _SPEED_LIMITS, TIME_SLACK_S, UNKNOWN_ACCURACY_M,
        BASELINE_MIN_S, BASELINE_S, BASELINE_MAX_S, full, state.table, slots["pair"],
        slots["primary"], slots["twin"], slots["live"], slots["at"], slots["anchor"], slots["motion"],
        slots["first_s"], slots["jump_s"], slots["reports"], slots["key"], slots["winner"], touched, tally,
    )  # fmt: skip
    state.used, state.next_key = int(tally[0]), int(tally[1])
    c = state.counts
    accepted, late, future, unusable, jumps, refused = (int(v) for v in tally[3:])
    state.counts = replace(
        c, accepted=c.accepted + accepted, late=c.late + late, future=c.future + future,
        unusable=c.unusable + unusable, jumps=c.jumps + jumps, refused=c.refused + refused,
    )  # fmt: skip
    _take_over(state, batch, text, touched[: int(tally[2])], next_key)
    return int(done)


def _take_over(
    state: TrackState,
    batch: ReportBatch,
    text: dict[str, npt.NDArray[np.int32]],
    touched: npt.NDArray[np.int64],
    next_key: int,
) -> None:
    """Copy the winning reports into the columns. Tracks numbered from ``next_key`` on are new: what stands in their
    slots is another's, however many reports of the new track the batch held."""
    rows = state.slots["winner"][touched]
    state.slots["winner"][touched] = -1
    fresh = state.slots["key"][touched] >= next_key
    into, taken = _run(touched), _run(rows)
    for name, column in state.columns.items():
        given = (text[name] if name in _TEXT else getattr(batch, name))[taken]
        if name == "callsign" or name in _KEPT_IF_UNKNOWN:
            unknown = given == _KEPT_IF_UNKNOWN.get(name, -1)
            if unknown.any():
                given = np.where(unknown & ~fresh, column[into], given)
        column[into] = given


def _run(rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64] | slice:
    """The same rows as a slice where they follow each other, which a steady feed's do."""
    n = len(rows)
    if n and rows[-1] - rows[0] == n - 1 and bool((rows[1:] > rows[:-1]).all()):
        return slice(int(rows[0]), int(rows[0]) + n)
    return rows


def _status(state: TrackState, now_s: float, limits: LiveLimits) -> npt.NDArray[np.uint8]:
    """0 for slots without a track."""
    used = state.used
    age = now_s - state.slots["at"][:used, 0]
    domain = np.minimum(state.columns["domain"][:used], len(limits.stale_s) - 1)
    status = np.full(used, TrackStatus.LIVE, dtype=np.uint8)
    status[age > np.array(limits.stale_s)[domain]] = TrackStatus.STALE
    status[age > np.array(limits.end_s)[domain]] = TrackStatus.ENDED
    status[state.slots["live"][:used] == 0] = 0
    return status


def _picture(state: TrackState, status: npt.NDArray[np.uint8], now_s: float) -> Picture:
    rows: npt.NDArray[np.int64] | slice = slice(0, state.used)
    if np.count_nonzero(status) < state.used:
        rows = np.flatnonzero(status)
    slots = state.slots

    def copied(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
        taken = column[rows]
        return taken.copy() if isinstance(rows, slice) else taken

    columns: dict[str, Any] = {name: copied(column) for name, column in state.columns.items()}
    for name in _TEXT:
        columns[name] = Labels(columns[name], state.names[name].names)
    motion = copied(slots["motion"])
    for name, derived in (("ground_speed_mps", 0), ("track_deg", 1), ("vertical_rate_mps", 2)):
        missing = np.isnan(columns[name])
        if missing.any():
            columns[name][missing] = motion[missing, derived]
    flags = np.zeros(len(motion), dtype=np.uint8)
    flags[now_s - copied(slots["jump_s"]) <= SPOOFING_SHOWN_S] |= np.uint8(TrackFlag.SPOOFING_SUSPECTED)
    flags[copied(slots["reports"]) == 1] |= np.uint8(TrackFlag.SINGLE_REPORT)
    return Picture(now_s, copied(slots["key"]), ReportBatch(**columns), copied(status), flags, copied(slots["first_s"]))


def _make_room(state: TrackState, now_s: float, limits: LiveLimits) -> bool:
    """Pack, grow, or evict the oldest stale tracks; False where none of it helps."""
    alive = len(state)
    if state.used - alive > state.capacity // 8:
        _pack(state)
    elif state.capacity < limits.tracks_max:
        _resize(state, min(2 * state.capacity, limits.tracks_max))
    else:
        stale = np.flatnonzero(_status(state, now_s, limits) >= TrackStatus.STALE)
        oldest = stale[np.argsort(state.slots["at"][stale, 0], kind="stable")][: max(1, state.capacity // 16)]
        state.slots["live"][oldest] = 0
        state.counts = replace(state.counts, evicted=state.counts.evicted + len(oldest))
        _pack(state)
    return state.used < state.capacity


def _tidy(state: TrackState) -> None:
    alive = len(state)
    too_many = max(_COMPACT_AT, alive)
    if state.used - alive > too_many or any(len(table) - alive > too_many for table in state.names.values()):
        _pack(state)


def _pack(state: TrackState) -> None:
    """Close the gaps that dropped tracks left, forget unused names, build the table anew."""
    used, slots = state.used, state.slots
    live = slots["live"][:used] != 0
    # The second body under a label takes the first one's place where that one is gone.
    orphaned = slots["primary"][:used] & ~live & (slots["twin"][:used] >= 0)
    heirs = slots["twin"][:used][orphaned]
    slots["primary"][heirs] = True
    twin = slots["twin"][:used]
    twin[(twin >= 0) & ~live[twin]] = -1
    kept = np.flatnonzero(live)
    new_slot = np.full(used + 1, -1, dtype=np.int64)
    new_slot[kept] = np.arange(len(kept))
    slots["twin"][:used] = new_slot[twin]
    for columns in (slots, state.columns):
        for column in columns.values():
            column[: len(kept)] = column[kept]
    state.used = len(kept)
    slots["live"][state.used :] = 0
    for name in _TEXT:
        codes = state.columns[name][: state.used]
        codes[:] = state.names[name].pack(codes)[codes]
    slots["pair"][: state.used] = _paired(state.columns["source"][: state.used], state.columns["target"][: state.used])
    _rehash(state)


def _resize(state: TrackState, capacity: int) -> None:
    for columns in (state.slots, state.columns):
        for name, column in columns.items():
            grown = np.zeros((capacity, *column.shape[1:]), dtype=column.dtype)
            grown[: len(column)] = column
            if name == "winner":
                grown[len(column) :] = -1
            columns[name] = grown
    state.table = np.empty(1 << (2 * capacity).bit_length(), dtype=np.int64)
    _rehash(state)


def _rehash(state: TrackState) -> None:
    from keepclear.tracks.kernels.follow import rehash

    rehash(state.slots["pair"], state.slots["primary"], state.used, state.table)
