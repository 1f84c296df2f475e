"""Two verifiers that share no code give one verdict: on good records, damaged ones, and forgeries signed by true keys.

The one is keepclear.channel.record (OpenSSL), the other tools/second_verifier (libsodium), written from the format's
page. Each seed makes one record: by its remainder a good one, one with a damaged byte or name, or one in which a
party signs what may not be so. Compared are the verdict, and where it is VERIFIED each log's size, root, holders and
witnessed part, and who is proved to have forked. Prints the counts, every seed at which they differ, and the bound 3/N.
Run: ``python -m benchmarks.channel_verifiers [--records N] [--first SEED] [--jobs 2]``.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from keepclear.channel import signature
from keepclear.channel.record.verify import verify_export
from keepclear.errors import InputError
from keepclear.simulation.channel_damage import damaged, forged
from keepclear.simulation.channel_record import ExerciseFiles, exercise_record

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools" / "second_verifier"))
import verify_record as second

signature._judge = lambda: signature.judge_by_openssl  # type: ignore[assignment]  # the second has libsodium
Result = tuple[str, Any, Any]


def record(seed: int) -> tuple[dict[str, bytes], str]:
    kind = seed % 8
    if kind == 0:
        return exercise_record(seed, 10), "good"
    if kind < 5:
        return forged(seed)
    files, done = damaged(exercise_record(seed, 8), random.Random(seed))
    return files, "damage: " + done.split(" ")[0]


def by_package(files: dict[str, bytes]) -> Result:
    try:
        found = verify_export(ExerciseFiles(files))
    except InputError:
        return "NO RECORD", None, None
    if not found.verified:
        return found.verdict, None, None
    logs = {
        log.party: (log.size, log.root, log.witnessed, {p: (h.size, h.time_s) for p, h in log.held.items()})
        for log in found.logs
    }
    return found.verdict, logs, [fork.split(" ")[0] for fork in found.forks]


def by_second(files: dict[str, bytes]) -> Result:
    try:
        found = second.Record(files.get, lambda: iter(sorted(files))).verify()
    except second.NoRecord:
        return "NO RECORD", None, None
    if found.faults:
        return found.verdict, None, None
    logs = {p: (log["size"], log["root"], log["witnessed"], log["held"]) for p, log in found.logs.items()}
    return found.verdict, logs, found.forks


def compare(seeds: range) -> tuple[Counter[tuple[str, str]], list[str]]:
    counts: Counter[tuple[str, str]] = Counter()
    differing = []
    for seed in seeds:
        files, done = record(seed)
        one, other = by_package(files), by_second(files)
        counts[done, one[0]] += 1
        if one != other:
            differing.append(f"seed {seed} ({done}): {one} / {other}")
    return counts, differing


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--records", type=int, default=10_000)
    options.add_argument("--first", type=int, default=0)
    options.add_argument("--jobs", type=int, default=2)
    given = options.parse_args()
    started = time.perf_counter()
    seeds = range(given.first, given.first + given.records)
    parts = [seeds[k : k + 50] for k in range(0, len(seeds), 50)]
    counts: Counter[tuple[str, str]] = Counter()
    differing: list[str] = []
    with ProcessPoolExecutor(given.jobs) as pool:
        for found, lines in pool.map(compare, parts):
            counts.update(found)
            differing += lines
            for line in lines:
                print(line, flush=True)
    for (done, verdict), count in sorted(counts.items()):
        print(f"{done:24}{verdict:14}{count:8,}")
    verdicts = Counter[str]()
    for (_, verdict), count in counts.items():
        verdicts[verdict] += count
    print(
        f"{given.records:,} records (seeds from {given.first}) in {time.perf_counter() - started:.0f} s: "
        f"{dict(verdicts)}; different verdicts: {len(differing)}"
        + ("" if differing else f" (below {3 / given.records:.1e} at 95 %)")
    )
    sys.exit(1 if differing else 0)


if __name__ == "__main__":
    main()
