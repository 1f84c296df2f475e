"""The watch says in every cycle whether it can be believed, and why not."""

from __future__ import annotations

import json

from keepclear.alerts.events import heartbeat_line, heartbeat_text
from keepclear.alerts.heartbeat import BeatState, Heartbeat, take_heartbeat
from keepclear.feeds.health import FeedHealth, FeedState
from keepclear.tracks.live import TrackCounts


def feed(state: FeedState, reason: str = "") -> FeedHealth:
    return FeedHealth("north", state, reason, 1.0, 0.0, 10, 0, 0, 0)


def beat(
    *feeds: FeedHealth, now_s: float = 0.0, took_s: float = 0.1, dropped: int = 0, refused: int = 0,
    previous: Heartbeat | None = None,
) -> Heartbeat:  # fmt: skip
    return take_heartbeat(
        now_s, feeds, cycle_duration_s=took_s, cycle_period_s=1.0, dropped=dropped,
        tracks=TrackCounts(refused=refused), previous=previous,
    )  # fmt: skip


def test_all_well_is_ok() -> None:
    well = beat(feed(FeedState.UP))
    assert well.state is BeatState.OK
    assert well.reasons == ()
    assert well.page_state == "OK"


def test_r2_10_a_lost_or_missing_feed_is_shown_as_degraded_never_as_silence() -> None:
    ill = beat(feed(FeedState.UP), feed(FeedState.DOWN, "connection refused"))
    assert ill.state is BeatState.DEGRADED
    assert ill.reasons == ("north: DOWN, connection refused",)
    assert {f.name: f.state for f in ill.functions}["APW"] is BeatState.DEGRADED
    assert beat().state is BeatState.DEGRADED
    assert beat(feed(FeedState.ENDED)).page_state == "ENDED"


def test_r2_10_zones_that_are_not_what_their_files_say_are_degraded_with_the_reason() -> None:
    reason = "the zones stay as they were: broken"
    seen = take_heartbeat(0.0, [feed(FeedState.UP)], cycle_duration_s=0.1, cycle_period_s=1.0, zones_outdated=reason)
    assert (seen.state, seen.reasons) == (BeatState.DEGRADED, (reason,))


def test_losses_overflow_and_are_shown_for_a_minute() -> None:
    first = beat(feed(FeedState.UP), now_s=0.0, refused=3)
    assert first.state is BeatState.OVERFLOW
    assert "3 reports of new targets refused" in first.reasons[0]
    later = beat(feed(FeedState.UP), now_s=59.0, refused=3, previous=first)
    assert later.state is BeatState.OVERFLOW
    assert beat(feed(FeedState.UP), now_s=61.0, refused=3, previous=later).state is BeatState.OK
    assert beat(feed(FeedState.UP), now_s=61.0, refused=3, dropped=1, previous=later).page_state == "OVERLOAD"


def test_a_late_cycle_is_overload_and_outranks_the_rest() -> None:
    late = beat(feed(FeedState.DOWN), took_s=1.5, dropped=1)
    assert late.state is BeatState.OVERLOAD
    assert len(late.reasons) == 3


def test_it_is_one_line_for_programs_and_one_for_people() -> None:
    ill = beat(feed(FeedState.DEGRADED, "stalled"))
    document = json.loads(heartbeat_line(ill))
    assert document["heartbeat"] == "1970-01-01T00:00:00Z"
    assert document["state"] == "DEGRADED"
    assert document["functions"]["FEEDS"] == "DEGRADED"
    assert document["functions"]["TRACKS"] == "ok"
    assert heartbeat_text(ill) == "1970-01-01T00:00:00Z watch DEGRADED: north: DEGRADED, stalled"
