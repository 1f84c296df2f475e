"""What is compiled before a watch listens is all that its cycles need."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import pkgutil, importlib, sys
import keepclear
from keepclear.cli.progress import warm_up_watch
from keepclear.feeds.formats import DecoderOptions, make_decoder
from keepclear.node import Watch
from keepclear.simulation.scenario import scenario_zones
from keepclear.simulation.traffic import simulate_traffic
from keepclear.zones.zone_set import ZoneSet

def compiled():
    found = {}
    for name, module in list(sys.modules.items()):
        if ".kernels" in name and name.startswith("keepclear."):
            for attribute, value in vars(module).items():
                if hasattr(value, "signatures"):
                    found[f"{name}.{attribute}"] = len(value.signatures)
    return found

warm_up_watch(["beast", "readsb"])
before = compiled()
traffic = simulate_traffic(1, flights=300)
watch = Watch(ZoneSet.of(scenario_zones()))
begin_s = float(traffic.time_s.min()) + 600.0
for k in range(3):
    now_s = begin_s + 60.0 * k
    rows = (traffic.time_s > now_s - 10.0) & (traffic.time_s <= now_s)
    cycle = watch.step(traffic.take(rows), now_s)
assert len(cycle.picture) > 100 and len(cycle.situations), (len(cycle.picture), len(cycle.situations))
document = b'{"now": %.1f, "aircraft": [{"hex": "4ca1fa", "lat": 50.0, "lon": 30.0, "alt_baro": 30000}]}'
watch.step(make_decoder("readsb", DecoderOptions()).decode(document % now_s + b"\\n", now_s), now_s + 1.0)
frames = bytes.fromhex("1a33000000000001408d40621d58c382d690c8ac2863a71a33000000500001408d40621d58c386435cc412692ad6")
watch.step(make_decoder("beast", DecoderOptions()).decode(frames, now_s), now_s + 2.0)
after = compiled()
print({name: (before.get(name, 0), count) for name, count in after.items() if count > before.get(name, 0)})
"""


def test_a_watchs_first_cycles_compile_nothing_once_it_was_warmed_up() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == "{}"
