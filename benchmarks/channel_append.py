"""Entries a second into a log on SQLite with group commit, beside what the disk's flush alone costs, in one run.

Run: ``python -m benchmarks.channel_append [--seconds S] [--threads N] [--folder DIR]``. Each thread appends one entry
of 200 bytes at a time and waits until it is durable (store and lock file): what a busy node does.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import threading
import time
from pathlib import Path

from keepclear.channel.entry import Draft
from keepclear.channel.protocol.gate import Gate
from keepclear.channel.protocol.own_log import Node, make_lock
from keepclear.channel.protocol.wire import Keys
from keepclear.edge.channel.store import ChannelLock, ChannelStore
from keepclear.edge.channel.writer import ChannelWriter
from keepclear.simulation.parties import exercise_charter, exercise_key

CHARTER = exercise_charter("alfa", "bravo")
BODY = bytes(200)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def flush_ms(folder: Path, count: int = 200) -> float:
    """The median of writing a page at the end of a file and flushing it."""
    taken = []
    with (folder / "flush").open("wb", buffering=0) as file:
        for _ in range(count):
            begun = time.perf_counter()
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
            taken.append((time.perf_counter() - begun) * 1_000)
    return statistics.median(taken)


def appended(folder: Path, threads: int, seconds: float) -> tuple[float, list[float]]:
    """Entries a second, and how long each append took in milliseconds."""
    folder.mkdir()
    with ChannelStore.open(folder / "store", CHARTER) as store, ChannelLock.open(folder / "lock") as lock:
        keys = Keys("alfa", *(exercise_key("alfa", purpose) for purpose in ("entry", "log", "mirror")))
        node = Node(store, lock, keys, Gate())
        make_lock(node, {}, now_ms=now_ms(), by_operator=True)
        writer, taken, end = ChannelWriter(node, now_ms), [], time.perf_counter() + seconds

        def work() -> None:
            mine = []
            while (begun := time.perf_counter()) < end:
                writer.append([Draft("message", BODY)])
                mine.append((time.perf_counter() - begun) * 1_000)
            taken.extend(mine)

        begun = time.perf_counter()
        workers = [threading.Thread(target=work) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return store.state("alfa").size / (time.perf_counter() - begun), sorted(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 16, 128])
    parser.add_argument("--folder", default="/var/tmp", help="on the disk to be measured")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        print(f"one flush of one page: {flush_ms(folder):.2f} ms (an append takes two: lock file and store)")
        for threads in options.threads:
            rate, taken = appended(folder / str(threads), threads, options.seconds)
            p50, p99 = taken[len(taken) // 2], taken[len(taken) * 99 // 100]
            print(f"{threads:4} threads: {rate:7,.0f} entries/s; an append p50 {p50:.2f} ms, p99 {p99:.2f} ms")


if __name__ == "__main__":
    main()
