"""``keepclear watch``: live feeds against zones and each other, with prediction, alerts and heartbeat."""

from __future__ import annotations

import contextlib
import gc
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keepclear.cli.encounters import thresholds_of
from keepclear.cli.options import (
    altitude_assumptions,
    altitude_options,
    decoder_options,
    feed_options,
    parties_of,
    read_zone_options,
    require_above_zero,
    zone_options,
)
from keepclear.cli.progress import counted, say, warm_up_watch
from keepclear.cli.track_reading import say_faults
from keepclear.cli.zone_decisions import ZoneDecisions, decisions_option
from keepclear.errors import InputError, KeepclearError, UsageError

if TYPE_CHECKING:
    from keepclear.alerts.model import AlertEvent
    from keepclear.channel_alerts import AlertSender
    from keepclear.edge.alert_store import AlertStore
    from keepclear.feeds.health import FeedHealth
    from keepclear.node import Cycle, Watch
    from keepclear.server.publish import Publisher

__all__ = ["Outlet", "command", "interruptible", "open_outlet", "run_replay"]

HEARTBEAT_S = 10.0
"""How often a heartbeat line is written when nothing changes; a change of state is written at once."""
CYCLE_SHORTEST_S = 0.02
"""Cycles start at least this far apart: datagrams that come one by one are looked at together."""
GARBAGE_THRESHOLD = 20_000
"""Objects made before a collection of the young: Python's 700 is every few alerts."""
SWITCH_S = 0.000_5
"""How long a decoding thread may keep the cycle waiting: Python's 5 ms, met several times, is half a cycle."""
PORT = 8180


@click.command(name="watch")
@click.argument("feeds", nargs=-1, required=True, metavar="FEED…")
@zone_options
@decisions_option
@altitude_options
@feed_options
@click.option(
    "--look-ahead",
    "look_ahead_s",
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="How far ahead infringements and encounters are predicted.",
)
@click.option("--horizontal", metavar="NM", type=float, help="Horizontal separation in nautical miles.  [default: 5]")
@click.option("--vertical", metavar="FT", type=float, help="Vertical separation in feet.  [default: 1000]")
@click.option("--no-pairs", is_flag=True, help="Do not watch tracks against each other.")
@click.option(
    "--cycle",
    "cycle_s",
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="Longest time between two cycles; news is looked at as it comes.",
)
@click.option(
    "--speed",
    default="full",
    show_default=True,
    metavar="FACTOR",
    help="Recordings: 1 as recorded, 10 ten times as fast, full as fast as possible.",
)
@click.option("--store", type=click.Path(path_type=Path), help="Keep every alert in this SQLite file.")
@click.option(
    "--format",
    "format",
    type=click.Choice(["text", "json"]),
    help="Text for people (default on a terminal) or JSON lines.",
)
@click.option(
    "--channel",
    "channel_node",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Tell alerts to the other parties through the channel of this node; live feeds only.",
)
@click.option("--channel-to", multiple=True, metavar="PARTY", help="Only these parties; all if not given.")
@click.option("--channel-by", default="watch", show_default=True, metavar="ROLE", help="Which role says so.")
@click.option("--serve", is_flag=True, help="Also show the live map page.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address that the page is served on.")
@click.option("--port", default=PORT, show_default=True, help="Port that the page is served on.")
@click.pass_context
def command(ctx: click.Context, /, feeds: tuple[str, ...], **given: Any) -> None:
    """Watch feeds against zones and against each other: who is, or will be, where they must not be.

    FEED is tcp://HOST:PORT, udp://ADDRESS:PORT, http://… (polled), poll:FILE (a file that is written anew), stdin or a
    recording, which is replayed by its own time; add #FORMAT where a feed is not recognised. The zone files are
    read again when they change.

    \b
    Examples:
      keepclear watch tcp://127.0.0.1:30005#beast --zones closure.txt --firs firs.geojson.gz --serve
      keepclear watch recording.csv --zones closure.txt --firs firs.geojson.gz --assume-active --speed 10
    """
    from keepclear.alerts.engine import AlertState
    from keepclear.edge.feed_address import FeedKind, parse_feed
    from keepclear.node import Watch, WatchSettings

    addresses = [parse_feed(feed) for feed in feeds]
    live = [a for a in addresses if a.live or a.kind is FeedKind.STDIN]
    if live and len(live) < len(addresses):
        raise UsageError("a recording and a live feed cannot be watched together: their clocks differ")
    if given["channel_node"] is not None and not live:
        raise UsageError("a recording is not told to the others: what was is not what is; --channel needs a live feed")
    require_above_zero("--cycle", given["cycle_s"])
    speed = speed_of(given["speed"])
    settings = WatchSettings(
        look_ahead_s=given["look_ahead_s"],
        thresholds=thresholds_of(given["horizontal"], given["vertical"], False),
        pairs=not given["no_pairs"],
        cycle_s=given["cycle_s"],
        assume_active=given["assume_active"],
        assumptions=altitude_assumptions(given["qnh"], given["ground_elevation"]),
        parties=parties_of(given["parties"]),
    )
    watched = _ZoneFileWatch(given["zone_files"], given["firs"])
    zones = read_zone_options(given["zone_files"], given["firs"])
    watched.begin()
    if given["decisions"] is not None:
        zones = watched.hold_against(ZoneDecisions(given["decisions"]), zones, time.time())
    options = decoder_options(given["start"], given["receiver"], given["columns"])
    # In a store several runs meet: each alert's id begins with the instant of its run's first cycle.
    watch = Watch(zones, settings, alerts=AlertState.empty("" if given["store"] else "1"))
    warm_up_watch(address.format for address in addresses)
    with open_outlet(watch, given) as outlet, interruptible() as interrupted:
        if live:
            _run_live(watch, addresses, options, outlet, watched, interrupted)
        else:
            from keepclear.edge.recordings import read_recordings

            recording = read_recordings(addresses, options)
            run_replay(watch, recording, outlet, speed, interrupted)
            say_faults(recording)
            if not outlet.cycles and not interrupted():
                raise InputError(f"no position could be read from {', '.join(feeds)}: nothing can be said")
            say(outlet.summary(watch))
            if outlet.publisher is not None and not interrupted():
                say(f"The recording is at its end; the page stays at {outlet.publisher.url} until you press Ctrl-C.")
                while not interrupted():
                    time.sleep(0.2)
    if outlet.raised.total():
        ctx.exit(1)


def speed_of(text: str) -> float | None:
    """``None`` for full speed."""
    if text == "full":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not speed > 0.0:
        raise UsageError(f"--speed {text}: write a factor above 0, or full")
    return speed


@dataclass(slots=True)
class Outlet:
    """Where a cycle's news goes: lines, the store, the page."""

    write: Callable[[Sequence[AlertEvent], Watch], None]
    heartbeat: Callable[[Cycle], None]
    store: AlertStore | None = None
    publisher: Publisher | None = None
    sender: AlertSender | None = None
    raised: Counter[str] = field(default_factory=Counter)
    """alerts by type"""
    cycles: int = 0
    _beat_s: float = field(default=-1e18)
    _beat_state: str = ""

    def take(self, cycle: Cycle, watch: Watch, health: list[FeedHealth]) -> None:
        from keepclear.alerts.model import EventKind

        self.cycles += 1
        if cycle.events:
            self.write(cycle.events, watch)
            self.raised.update(event.alert.type for event in cycle.events if event.kind is EventKind.RAISED)
            for event in cycle.events:
                self._tell(event)
            if self.store is not None:
                self.store.record(cycle.events, watch.zones)
        acknowledged = list(self._acknowledged(watch))
        if acknowledged:
            self.write(acknowledged, watch)
            cycle.events.extend(acknowledged)
        state = f"{cycle.heartbeat.state}{cycle.heartbeat.reasons}"
        if state != self._beat_state or cycle.now_s - self._beat_s >= HEARTBEAT_S:
            self.heartbeat(cycle)
            self._beat_s, self._beat_state = cycle.now_s, state
        if self.publisher is not None:
            self.publisher.publish(cycle, watch, health)

    def _tell(self, event: AlertEvent) -> None:
        """Through the channel. A line or a disk that fails stops no alert here."""
        if self.sender is None:
            return
        held_back = self.sender.held_back
        try:
            number = self.sender.take(event)
        except KeepclearError as error:
            say(f"the channel could not take it: {error}")
            return
        if number:
            say(f"{event.alert.id} is told to the other parties as {number}")
        if self.sender.held_back > held_back:
            say(f"{event.alert.id} is not told: too many at once; {self.sender.held_back} held back so far")

    def _acknowledged(self, watch: Watch) -> Iterator[AlertEvent]:
        """Acknowledgements that other processes wrote into the store («alerts ack»); they are kept there already."""
        if self.store is None:
            return
        for whose, alert_id, seen in self.store.acknowledged_elsewhere():
            with contextlib.suppress(UsageError):  # of another run, or ended meanwhile
                if whose == watch.settings.alerts.judged_by:
                    yield watch.acknowledge(alert_id, seen.by_role, seen.at_s)

    def summary(self, watch: Watch) -> str:
        counts = watch.alerts.counts
        alerts = ", ".join(f"{number:,} {name}" for name, number in sorted(self.raised.items())) or "none"
        least = "at least " if counts.at_least else ""
        return (
            f"Alerts: {alerts}. {least}{counted(counts.violations, 'violation')} of zones by "
            f"{counted(counts.targets, 'target')} in {counted(counts.tracks, 'track')}, "
            f"{counts.exempt:,} exempt inside; {counted(self.cycles, 'cycle')}."
        )


@contextlib.contextmanager
def open_outlet(watch: Watch, given: dict[str, Any], *, simulated: bool = False) -> Iterator[Outlet]:
    """The outlet that the options ask for; closes the store and the server in the end."""
    from keepclear.alerts.events import event_line, event_text, heartbeat_line, heartbeat_text

    as_json = given["format"] == "json" or (given["format"] is None and not sys.stdout.isatty())

    def write(events: Sequence[AlertEvent], watch: Watch) -> None:
        text = event_line if as_json else event_text
        # At once: a closed region full of traffic has a hundred lines a cycle.
        click.echo("\n".join(text(event, watch.zones) for event in events))

    def heartbeat(cycle: Cycle) -> None:
        if as_json:
            click.echo(heartbeat_line(cycle.heartbeat))
        elif cycle.heartbeat.reasons:
            say(heartbeat_text(cycle.heartbeat))

    outlet = Outlet(write, heartbeat)
    with contextlib.ExitStack() as closing:
        if given.get("store") is not None:
            from keepclear.edge.alert_store import AlertStore

            outlet.store = closing.enter_context(AlertStore.open(given["store"]))
        if given.get("channel_node") is not None:
            outlet.sender = _sender(given)
        if given.get("serve"):
            from keepclear.server.publish import Publisher

            outlet.publisher = closing.enter_context(
                Publisher.start(watch, host=given["host"], port=given["port"], simulated=simulated)
            )
            say(f"The map is at {outlet.publisher.url}")
        yield outlet


def _sender(given: dict[str, Any]) -> AlertSender:
    from keepclear.channel_alerts import AlertSender
    from keepclear.cli.channel.messages import reading, writing

    node, read = writing(given["channel_node"], None), reading(given["channel_node"])
    to = tuple(read.charter.party(party).id for party in given["channel_to"])
    return AlertSender(node, read.correspondence, given["channel_by"], to)


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


def _run_live(
    watch: Watch, addresses: list[Any], options: Any, outlet: Outlet, watched: _ZoneFileWatch,
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
                watch.replace_zones(watch.zones.edited(edited))
                say(f"keepclear: {watched.why}")
            batch = concatenate(listeners.take())
            health = [judge(counts, now_s) for counts in listeners.counts]
            dropped = sum(counts.dropped for counts in listeners.counts)
            outlet.take(watch.step(batch, now_s, health, dropped=dropped), watch, health)
            if listeners.ended:
                failed = [counts for counts in listeners.counts if counts.error]
                if failed and not sum(counts.reports for counts in listeners.counts):
                    raise InputError(failed[0].error, source=failed[0].name)
                say(outlet.summary(watch))
                return
    finally:
        listeners.stop()


@dataclass(slots=True)
class _ZoneFileWatch:
    """Notices when the zone files were written anew. A broken edit is said, and the zones stay as they were.

    An edit with an error that was not there before counts as broken even where other blocks can be read: a zone
    whose block is damaged, or half written at this moment, has not been withdrawn by anybody.
    """

    files: tuple[Path, ...]
    firs: tuple[Path, ...]
    _checked_s: float = 0.0
    _stamp: tuple[tuple[str, int, int], ...] | None = None
    why: str = ""
    """the last change"""
    _known_errors: frozenset[str] = frozenset()
    _said: str = ""
    _decisions: ZoneDecisions | None = None
    _plain: Any = None
    """the zones as they were read, without flags"""
    _flagged: Any = None

    def __post_init__(self) -> None:
        with contextlib.suppress(OSError):
            self._stamp = self._stamps()  # before the zones are read, so that no edit falls between

    def begin(self) -> None:
        """Errors that the files have from the start were said then; they do not make a later edit broken."""
        from keepclear.errors import KeepclearError
        from keepclear.node import read_zones

        with contextlib.suppress(KeepclearError, OSError):
            self._known_errors = frozenset(str(e) for e in read_zones(*self.files, firs=list(self.firs)).errors)

    def hold_against(self, decisions: ZoneDecisions, zones: Any, now_s: float) -> Any:
        """From now on zones are flagged by the decisions that they cite, anew where those change."""
        self._decisions, self._plain = decisions, zones
        self._flagged = decisions.flag(zones, now_s)
        return self._flagged

    def _restood(self, now_s: float) -> Any:
        """The zones where a decision stands otherwise than before."""
        if self._decisions is None:
            return None
        flagged = self._decisions.flag(self._plain, now_s)
        if flagged == self._flagged:
            return None
        self._flagged, self.why = flagged, "what zones rest on has changed"
        return flagged

    def changed(self, now_s: float) -> Any:
        if now_s - self._checked_s < 2.0:
            return None
        self._checked_s = now_s
        from keepclear.errors import KeepclearError
        from keepclear.node import read_zones

        try:
            stamp = self._stamps()
            if stamp == self._stamp:
                return self._restood(now_s)
            self._stamp = stamp
            load = read_zones(*self.files, firs=list(self.firs))
        except (KeepclearError, OSError) as error:
            return self._stay(str(error))
        errors = [str(error) for error in load.errors]
        new = [error for error in errors if error not in self._known_errors]
        if new or not len(load.zones):
            return self._stay(
                new[0] + (f" (and {len(new) - 1} more)" if len(new) > 1 else "")
                if new
                else "the files hold no zone any more; to end one, give it an end or the status WITHDRAWN"
            )
        self._known_errors, self._said = frozenset(errors), ""
        self.why = "the zone files changed and were read again"
        return load.zones if self._decisions is None else self.hold_against(self._decisions, load.zones, now_s)

    def _stay(self, reason: str) -> None:
        if reason != self._said:
            say(f"keepclear: the zones stay as they were: {reason}")
            self._said = reason

    @property
    def outdated(self) -> str:
        """Why the zones are not what the files say now; for the heartbeat, which shows it as DEGRADED."""
        return f"the zones stay as they were: {self._said}" if self._said else ""

    def _stamps(self) -> tuple[tuple[str, int, int], ...]:
        return tuple(
            (str(p), p.stat().st_mtime_ns, p.stat().st_size)
            for f in (*self.files, *self.firs)
            for p in ([f] if not f.is_dir() else sorted(f.rglob("*")))
        )


@contextlib.contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Ctrl-C and SIGTERM end the watch between two cycles, so that nothing is left half-written. Said twice, they end
    it where it stands (in the middle of reading a long recording, say)."""
    stopped: list[int] = []

    def stop(number: int, frame: object) -> None:
        if stopped:
            raise KeyboardInterrupt
        stopped.append(number)

    previous = {s: signal.signal(s, stop) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(stopped)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
