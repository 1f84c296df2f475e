"""The decisions' promises, run at length: ``python -m benchmarks.decisions_prove simulate [--seed S] [--count N]``.

Every seed is a body that decides over the real channel, with partitions, crashes, restored backups, wrong clocks, two
representatives, late and double positions; every second one has a party that tells two histories. No two nodes may show
contrary outcomes for the same heads, and after healing all agree (:mod:`keepclear.simulation.decisions`).

Every failure is printed with its seed. Nothing seen in N runs bounds the rate at 3/N with 95 % confidence, no more.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from functools import lru_cache

from keepclear.channel import signature
from keepclear.simulation.decisions import sit

PROGRESS = 1_000
"""Runs between two lines."""
REMEMBERED = 4_096


def simulate(first: int, count: int) -> int:
    failed, begun_s, cpu_s = 0, time.monotonic(), time.process_time()
    states: Counter[str] = Counter()
    met: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    for done, seed in enumerate(range(first, first + count), 1):
        try:
            run = sit(seed // 2, dishonest=bool(seed % 2))
        except Exception as error:
            failed += 1
            print(f"simulate: seed {seed}: {type(error).__name__}: {error}", flush=True)
        else:
            states += run.states
            met += run.met
            for name in ("acts", "void", "contradictions", "comparisons", "forks", "unlike"):
                totals[name] += getattr(run, name)
        if done % PROGRESS == 0 or done == count:
            bound = f"; the rate is below {3 / done:.1e} (95 %)" if not failed else ""
            print(f"simulate: seeds {first}–{seed}: {failed} of {done:,} failed{bound} "
                  f"[{time.monotonic() - begun_s:.0f} s, {1_000 * (time.process_time() - cpu_s) / done:.0f} ms a run]\n"
                  f"  ended: {', '.join(f'{s} {n:,}' for s, n in states.most_common())}\n"
                  f"  of the runs: {', '.join(f'{s} {100 * n / done:.0f} %' for s, n in sorted(met.items()))}\n"
                  f"  {', '.join(f'{name} {n:,}' for name, n in totals.items())}", flush=True)  # fmt: skip
    return failed


def remember_signatures() -> None:
    """The same few hundred are verified by every node: once is enough for what is counted here."""
    judge = lru_cache(REMEMBERED)(signature.verifies)
    for name, module in list(sys.modules.items()):
        if name.startswith("keepclear.") and getattr(module, "verifies", None) is signature.verifies:
            module.verifies = judge  # type: ignore[attr-defined]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["simulate"])
    parser.add_argument("--count", "--seeds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0, help="the first")
    options = parser.parse_args()
    remember_signatures()
    return min(1, simulate(options.seed, options.count))


if __name__ == "__main__":
    sys.exit(main())
