"""What one intent's write costs the rules, against how many live intents there are in its cell and around it.

    python -m benchmarks.dss_growth [--picture growth.svg]

In one process, without HTTP and database: what grows is here. «in the cell»: all share the cell and the time, in bands
of altitude apart, so that no key is needed; «overlapping»: all overlap, and the key holds them all; «around»: one in
each place of a region of 200 km.
"""

from __future__ import annotations

import argparse
import json
import math
import secrets
import time
import uuid
from pathlib import Path

from keepclear.dss import intents
from keepclear.dss.airspace import Airspace
from keepclear.dss.cells import cover_circle
from keepclear.dss.extent import Extent
from keepclear.dss.instants import HOUR_US
from keepclear.dss.intents import PreparedIntent
from keepclear.dss.records import Change, IntentState, Kind, OperationalIntent
from keepclear.dss.request import Caller, Moment
from keepclear.space.geometry import Circle

NOW_US = 1_800_000_000_000_000
LIVE = (10, 100, 1_000, 10_000, 100_000)
OVERLAPPING_MAX = 10_000
"""A key of 100,000 OVNs is 3.6 MB a request: no use of the service."""


def extent(lat: float, lng: float, low_m: float, high_m: float) -> Extent:
    return Extent(cover_circle(Circle(lng, lat, 100.0)), low_m, high_m, NOW_US, NOW_US + HOUR_US)


def airspace_of(live: int, where: str) -> tuple[Airspace, frozenset[str]]:
    airspace = Airspace()
    side = math.ceil(math.sqrt(live))
    here = extent(46.0, 7.0, 0.0, 100.0)
    key = set()
    for k in range(live):
        if where == "around":
            placed = extent(45.0 + 2.0 * (k // side) / side, 6.0 + 2.6 * (k % side) / side, 0.0, 100.0)
        elif where == "in the cell":
            placed = Extent(here.cells, 200.0 + k, 200.5 + k, here.start_us, here.end_us)
        else:
            placed = here
        ovn = secrets.token_urlsafe(24)
        if where == "overlapping":
            key.add(ovn)
        record = OperationalIntent(str(uuid.uuid4()), "u", IntentState.ACCEPTED, 1, ovn, "https://u", placed)
        airspace.apply([Change(Kind.INTENT, record.id, record)])
    return airspace, frozenset(key)


def cost_us(airspace: Airspace, key: frozenset[str], times: int = 200) -> float:
    caller = Caller("u", frozenset())
    moment = Moment(NOW_US, lambda: str(uuid.uuid4()), lambda: secrets.token_urlsafe(24))
    here = extent(46.0, 7.0, 0.0, 100.0)
    known = key | {intent.ovn for intent in airspace.intents.meeting(here)}
    wanted = PreparedIntent(here, IntentState.ACCEPTED, "https://u", known, None, None, None)
    name, ovn = str(uuid.uuid4()), None
    began_s = time.process_time()
    for _ in range(times):
        outcome = intents.put(airspace, caller, moment, name, ovn, wanted)
        airspace.apply(outcome.changes)
        ovn = outcome.answer.operational_intent_reference.ovn
    return (time.process_time() - began_s) / times * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--picture", type=Path, help="SVG or PNG")
    given = parser.parse_args()
    curves: dict[str, list[tuple[int, float]]] = {}
    for where in ("around", "in the cell", "overlapping"):
        for live in LIVE:
            if where == "overlapping" and live > OVERLAPPING_MAX:
                continue
            airspace, key = airspace_of(live, where)
            cost = cost_us(airspace, key)
            curves.setdefault(where, []).append((live, cost))
            print(json.dumps({"where": where, "live": live, "write_us": round(cost, 1)}))
    if given.picture:
        draw(curves, given.picture)


def draw(curves: dict[str, list[tuple[int, float]]], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4))
    axes = figure.subplots()
    for where, points in curves.items():
        axes.loglog(*zip(*points), marker="o", label=where)
    axes.set_xlabel("live intents")
    axes.set_ylabel("processor time of one write in the rules (µs)")
    axes.legend()
    figure.savefig(path, dpi=100)


if __name__ == "__main__":
    main()
