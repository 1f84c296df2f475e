"""``keepclear demo``: the whole flow on simulated traffic that is labelled as such."""

from __future__ import annotations

from typing import Any

import click

from keepclear.cli.options import require_above_zero
from keepclear.cli.progress import say, warm_up_watch

__all__ = ["command"]

PORT = 8180


@click.command(name="demo")
@click.option("--channel", is_flag=True, help="Show the channel instead: two parties, a witness, a line that is cut.")
@click.option("--out", type=click.Path(), help="With --channel: keep the exported record in this folder.")
@click.option("--no-serve", is_flag=True, help="End after the alerts are printed, without the map page.")
@click.option("--seed", default=1, type=click.IntRange(min=0), show_default=True, help="Seed of the simulated traffic.")
@click.option(
    "--flights",
    default=80,
    type=click.IntRange(0, 5000),
    show_default=True,
    help="Scheduled flights beside the incidents.",
)
@click.option("--speed", default=10.0, show_default=True, help="How many times as fast as time the page plays.")
@click.option("--store", type=click.Path(), help="Keep the alerts in this SQLite file.")
@click.option("--format", "format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address that the page is served on.")
@click.option("--port", default=PORT, show_default=True, help="Port that the page is served on.")
def command(**given: Any) -> None:
    """Show the whole flow on simulated traffic: alerts in the terminal, then the live map.

    The traffic and the zones are made by a seeded generator and say so: addresses f0…, call signs SIM…. Nothing is
    read from outside. With --channel: two nodes and a witness, each a process of its own on this machine.
    """
    from pathlib import Path

    if given["out"] and not given["channel"]:
        raise click.UsageError("--out belongs to --channel")
    if given["channel"]:
        from keepclear.cli.demo_channel import channel_demo

        channel_demo(Path(given["out"]) if given["out"] else None)
        return
    from keepclear.cli.watch.outlet import Outlet, open_outlet
    from keepclear.cli.watch.running import interruptible, run_replay
    from keepclear.node import Watch, WatchSettings
    from keepclear.simulation.scenario import scenario_zones
    from keepclear.simulation.traffic import simulate_traffic
    from keepclear.zones.zone_set import ZoneSet

    def new_watch() -> Watch:
        return Watch(ZoneSet.of(scenario_zones()), WatchSettings())

    require_above_zero("--speed", given["speed"])
    traffic = simulate_traffic(given["seed"], flights=given["flights"])
    given["store"] = Path(given["store"]) if given["store"] else None
    minutes = (traffic.time_s.max() - traffic.time_s.min()) / 60.0
    targets = len(traffic.target.names)
    say(f"SIMULATED TRAFFIC, seed {given['seed']}: {len(traffic):,} reports of {targets} targets, {minutes:.0f} min.")
    warm_up_watch()
    with interruptible() as interrupted:
        watch = new_watch()
        with open_outlet(watch, {**given, "serve": False}) as outlet:
            run_replay(watch, [traffic], outlet, None, interrupted)
            outlet.finish(watch)
        say(outlet.summary(watch))
        if given["no_serve"]:
            return
        while not interrupted():
            watch = new_watch()
            with open_outlet(watch, {**given, "serve": True, "store": None}, simulated=True, recorded=True) as shown:
                quiet = Outlet(
                    write=lambda events, watch: None, heartbeat=lambda cycle: None, publisher=shown.publisher
                )
                say(f"It plays {given['speed']:g} times as fast as time, again and again; Ctrl-C ends it.")
                run_replay(watch, [traffic], quiet, given["speed"], interrupted)
