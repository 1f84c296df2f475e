"""Is the watch itself to be believed? Per function ok, DEGRADED, OVERFLOW or OVERLOAD (ASTERIX CAT004, practice §2).

A watch that says nothing must have said that it is awake: the heartbeat is sent in every cycle, news or not
(practice R2.10). Pure: the numbers come from outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

from keepclear.feeds.health import FeedHealth, FeedState
from keepclear.tracks.live import TrackCounts

__all__ = ["BeatState", "Heartbeat", "WatchFunction", "take_heartbeat"]

LOSS_SHOWN_S = 60.0
"""How long a loss of reports or situations is shown after it happened, so that nobody misses it by a blink."""
OVERLOAD_SHARE = 1.0
"""A cycle that takes its whole period leaves the next one late."""


class BeatState(IntEnum):
    """In this order, so that a larger number is worse."""

    OK = 0
    DEGRADED = 1
    """a sensor is lost or not to be believed"""
    OVERFLOW = 2
    """more came than there is room for: something was not looked at"""
    OVERLOAD = 3
    """cycles take longer than their period: what is said is late"""

    def __str__(self) -> str:
        return "ok" if self is BeatState.OK else self.name


@dataclass(frozen=True, slots=True)
class WatchFunction:
    name: str
    """FEEDS, ZONES, TRACKS, CYCLE, or the alerts: APW, STCA …"""
    state: BeatState
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    now_s: float
    functions: tuple[WatchFunction, ...]
    lost: int = 0
    """reports and situations not looked at since the start"""
    lost_s: float = -float("inf")
    """when that last grew"""
    ended: bool = False
    """every feed was a recording and has come to its end"""

    @property
    def state(self) -> BeatState:
        """The worst of the functions."""
        return max((function.state for function in self.functions), default=BeatState.OK)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Each function that is not ok, with why, each reason once."""
        return tuple(dict.fromkeys(f.reason for f in self.functions if f.state is not BeatState.OK and f.reason))

    @property
    def page_state(self) -> Literal["OK", "DEGRADED", "OVERLOAD", "ENDED"]:
        """The one word for a map page: what overflows is as good as overloaded to whoever looks at it."""
        if self.ended:
            return "ENDED"
        if self.state >= BeatState.OVERFLOW:
            return "OVERLOAD"
        return "OK" if self.state is BeatState.OK else "DEGRADED"


def take_heartbeat(
    now_s: float,
    health: Sequence[FeedHealth],
    *,
    cycle_duration_s: float,
    cycle_period_s: float,
    dropped: int = 0,
    tracks: TrackCounts | None = None,
    overflowed: int = 0,
    zones_outdated: str = "",
    previous: Heartbeat | None = None,
) -> Heartbeat:
    """The state of the watch after a cycle.

    ``dropped`` (reports before they reached the tracks) and ``overflowed`` (situations without room) count from the
    start, as ``tracks`` does; ``previous`` tells what of it is new. Without it every loss since the start shows.
    No feed at all is DEGRADED: nothing can be seen. So are zones that are not what their files say now, with
    ``zones_outdated`` as the reason.
    """
    tracks = tracks or TrackCounts()
    lost = dropped + tracks.refused + tracks.evicted + overflowed
    grew = lost > (previous.lost if previous else 0)
    lost_s = now_s if grew else previous.lost_s if previous else -float("inf")
    feeds = _feeds(health)
    losses = [
        (dropped, "reports dropped before they were read: too many came"),
        (tracks.refused, "reports of new targets refused: no room for more tracks"),
        (tracks.evicted, "stale tracks dropped early to make room"),
        (overflowed, "situations not judged: no room for more"),
    ]
    zones = WatchFunction("ZONES", BeatState.DEGRADED if zones_outdated else BeatState.OK, zones_outdated)
    watching = [feeds, zones]
    if now_s - lost_s <= LOSS_SHOWN_S:
        reason = "; ".join(f"{count} {what}" for count, what in losses if count)
        watching.append(WatchFunction("TRACKS", BeatState.OVERFLOW, reason))
    else:
        watching.append(WatchFunction("TRACKS", BeatState.OK))
    if cycle_duration_s > OVERLOAD_SHARE * cycle_period_s:
        reason = f"a cycle took {cycle_duration_s:.2f} s, its period is {cycle_period_s:g} s: warnings come late"
        watching.append(WatchFunction("CYCLE", BeatState.OVERLOAD, reason))
    else:
        watching.append(WatchFunction("CYCLE", BeatState.OK))
    worst = max(watching, key=lambda function: function.state)
    alerts = [WatchFunction(name, worst.state, worst.reason) for name in ("APW", "STCA")]
    ended = bool(health) and all(feed.state is FeedState.ENDED for feed in health)
    return Heartbeat(now_s, (*watching, *alerts), lost, lost_s, ended)


def _feeds(health: Sequence[FeedHealth]) -> WatchFunction:
    if not health:
        return WatchFunction("FEEDS", BeatState.DEGRADED, "no feed: nothing can be seen")
    ill = [feed for feed in health if feed.state not in (FeedState.UP, FeedState.ENDED)]
    if all(feed.state is FeedState.ENDED for feed in health):
        return WatchFunction("FEEDS", BeatState.DEGRADED, "every feed has ended: nothing more can be seen")
    if not ill:
        return WatchFunction("FEEDS", BeatState.OK)
    reason = "; ".join(f"{feed.name}: {feed.state}{f', {feed.reason}' if feed.reason else ''}" for feed in ill)
    return WatchFunction("FEEDS", BeatState.DEGRADED, reason)
