"""``keepclear watch``: live feeds against zones and each other, with prediction, alerts and heartbeat."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

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
from keepclear.cli.progress import say, warm_up_watch
from keepclear.cli.scan_finding import say_gaps
from keepclear.cli.track_reading import say_faults
from keepclear.cli.watch.outlet import open_outlet
from keepclear.cli.watch.running import interruptible, run_live, run_replay
from keepclear.cli.watch.zone_files import ZoneFileWatch
from keepclear.cli.zone_decisions import ZoneDecisions, decisions_option
from keepclear.errors import InputError, UsageError

__all__ = ["command"]

PORT = 8180
ZONES_MANY = 2_000
"""From here on indexing takes long enough to be said."""


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
@click.option("--well-clear", is_flag=True, help="Use the well-clear volume of DO-365: 4,000 ft, 450 ft, 35 s.")
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
    from keepclear.alerts.state import AlertState
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
        thresholds=thresholds_of(given["horizontal"], given["vertical"], given["well_clear"]),
        pairs=not given["no_pairs"],
        cycle_s=given["cycle_s"],
        assume_active=given["assume_active"],
        assumptions=altitude_assumptions(given["qnh"], given["ground_elevation"]),
        parties=parties_of(given["parties"]),
    )
    watched = ZoneFileWatch(given["zone_files"], given["firs"])
    zones = read_zone_options(given["zone_files"], given["firs"])
    watched.begin()
    if given["decisions"] is not None:
        zones = watched.hold_against(ZoneDecisions(given["decisions"]), zones, time.time())
    options = decoder_options(given["start"], given["receiver"], given["columns"], given["source"])
    # In a store several runs meet: each alert's id begins with the instant of its run's first cycle.
    watch = Watch(zones, settings, alerts=AlertState.empty("" if given["store"] else "1"))
    warm_up_watch(address.format for address in addresses)
    if len(zones) >= ZONES_MANY:
        say(f"keepclear: indexing {len(zones):,} zones …")
    watch.prepare_zones()  # now, so that the first cycle is as prompt as the others
    say_gaps(watch.gaps)
    with open_outlet(watch, given, recorded=not live) as outlet, interruptible() as interrupted:
        if live:
            run_live(watch, addresses, options, outlet, watched, interrupted)
        else:
            from keepclear.edge.recordings import read_recordings

            recording = read_recordings(addresses, options)
            run_replay(watch, recording, outlet, speed, interrupted)
            say_faults(recording)
            if not outlet.cycles and not interrupted():
                raise InputError(f"no position could be read from {', '.join(feeds)}: nothing can be said")
            say(outlet.summary(watch))
            outlet.end(watch)
            if outlet.publisher is not None and not interrupted():
                say(f"The recording is at its end; the page stays at {outlet.publisher.url} until you press Ctrl-C.")
                while not interrupted():
                    time.sleep(0.2)
        outlet.finish(watch)
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
