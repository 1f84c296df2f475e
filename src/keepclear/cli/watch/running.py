"""A watch kept running: over a recording by its own time, or over live feeds by the clock on the wall."""

from __future__ import annotations

import contextlib
import gc
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from keepclear.cli.main import ENDING, SAME_S, end_now
from keepclear.cli.progress import say
from keepclear.cli.scan_finding import say_gaps
from keepclear.errors import InputError

if TYPE_CHECKING:
    from types import FrameType

    from keepclear.cli.watch.outlet import Outlet
    from keepclear.cli.watch.zone_files import ZoneFileWatch
    from keepclear.node import Watch

__all__ = ["interruptible", "run_live", "run_replay"]

CYCLE_SHORTEST_S = 0.02
"""Cycles start at least this far apart: datagrams that come one by one are looked at together."""
GARBAGE_THRESHOLD = 20_000
"""Objects made before a collection of the young: Python's 700 is every few alerts."""
SWITCH_S = 0.000_5
"""How long a decoding thread may keep the cycle waiting: Python's 5 ms, met several times, is half a cycle."""


def run_replay(
    watch: Watch, batches: Any, outlet: Outlet, speed: float | None, interrupted: Callable[[], bool],
    *, sorted_by_time: bool | None = None,
) -> None:  # fmt: skip
    """A recording through the watch, by its own time."""
    from keepclear.edge.replay import replay
    from keepclear.feeds.health import FeedHealth, FeedState

    rate, played, told = 0.0, 0, 0

    def sleep(seconds: float) -> None:
        until_s = time.monotonic() + seconds
        while not interrupted() and (left_s := until_s - time.monotonic()) > 0.0:
            time.sleep(min(left_s, 0.2))

    cycles = replay(batches, cycle_s=watch.settings.cycle_s, speed=speed, sorted_by_time=sorted_by_time, sleep=sleep)
    for cycle in cycles:
        rate += 0.1 * (len(cycle.reports) / watch.settings.cycle_s - rate)
        played += len(cycle.reports)
        state, reason = FeedState.UP, ""
        if speed is not None and cycle.late_s > 5.0 * watch.settings.cycle_s:
            state, reason = FeedState.DEGRADED, f"the replay is {cycle.late_s:.0f} s behind"
        elif cycle.left_out > told:
            state, reason = FeedState.DEGRADED, f"{cycle.left_out:,} reports left out: older than what was played"
            told = cycle.left_out
        health = [FeedHealth("recording", state, reason, rate, 0.0, played, 0, cycle.left_out, 0)]
        outlet.take(watch.step(cycle.reports, cycle.now_s, health), watch, health)
        if interrupted():
            return


def run_live(
    watch: Watch, addresses: list[Any], options: Any, outlet: Outlet, watched: ZoneFileWatch,
    interrupted: Callable[[], bool],
) -> None:  # fmt: skip
    from keepclear.edge.listeners import Listeners
    from keepclear.feeds.formats import make_decoder
    from keepclear.feeds.health import judge
    from keepclear.feeds.reports import concatenate

    for address in addresses:
        if address.format is not None:
            make_decoder(address.format, options)  # what can never work is said at once, not tried for ever
    # What lives as long as the watch need not be looked through again by every collection of garbage, which would
    # hold up a cycle by tens of milliseconds.
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD)
    sys.setswitchinterval(SWITCH_S)
    listeners = Listeners(addresses, options)
    listeners.start()
    try:
        began_s = -1e18
        while not interrupted():
            # News is looked at as it comes; without any, a cycle still runs in time, so that tracks age visibly.
            quiet = not listeners.arrived.wait(min(0.2, watch.settings.cycle_s))
            since_s = time.monotonic() - began_s
            if quiet and since_s < watch.settings.cycle_s:
                continue
            if since_s < CYCLE_SHORTEST_S:
                time.sleep(CYCLE_SHORTEST_S - since_s)
            began_s = time.monotonic()
            now_s = time.time()
            edited = watched.changed(now_s)
            if edited is not None:
                before = {gap.text for gap in watch.gaps}
                watch.replace_zones(watch.zones.edited(edited))
                say(f"keepclear: {watched.why}")
                watch.prepare_zones()
                say_gaps([gap for gap in watch.gaps if gap.text not in before])
            watch.zones_outdated = watched.outdated
            batch = concatenate(listeners.take())
            health = [judge(counts, now_s) for counts in listeners.counts]
            dropped = sum(counts.dropped for counts in listeners.counts)
            outlet.take(watch.step(batch, now_s, health, dropped=dropped), watch, health)
            if listeners.ended:
                failed = [counts for counts in listeners.counts if counts.error]
                if failed and not sum(counts.reports for counts in listeners.counts):
                    raise InputError(failed[0].error, source=failed[0].name)
                break
        say(outlet.summary(watch))
    finally:
        listeners.stop()


@contextlib.contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Ctrl-C, SIGTERM or a terminal that closes end the watch between two cycles, so that nothing is left half-written;
    again later, they end it where it stands (in the middle of reading a long recording, say)."""
    stopped_s: list[float] = []

    def stop(number: int, frame: FrameType | None) -> None:
        if not stopped_s:
            stopped_s.append(time.monotonic())
        elif time.monotonic() - stopped_s[0] >= SAME_S:
            end_now(number, frame)

    heeded = [s for s in ENDING if s in (signal.SIGINT, signal.SIGTERM) or signal.getsignal(s) is not signal.SIG_IGN]
    previous = {s: signal.signal(s, stop) for s in heeded}
    try:
        yield lambda: bool(stopped_s)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
