"""The channel's promises, run at length: ``python -m benchmarks.channel_prove WHAT [--count N] [--seed S]``.

``simulate``  seeded runs of 2–5 nodes: half of them honest, half with a party that lies
``changes``   the same under charters that change, keys that are revoked and stolen, and floods
``forks``     second histories, each to be proved at the first exchange between two holders
``replay``    entries sent again and again, to no effect
``crash``     a writer over SQLite killed with -9 at random, looked at by the next
``rot``       random bits flipped in a store: found before anything is served, or without effect
``syscalls``  each call on the files fails once (strace): EIO, ENOSPC, or the process dies there
``disk-full`` a small volume filled up (needs the right to mount one; else a limit inside SQLite)

Every failure is printed with its seed. Nothing seen in N runs bounds the rate at 3/N with 95 % confidence, no more.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TypeVar

from keepclear.channel.canonical import encode
from keepclear.channel.entry import Draft
from keepclear.channel.fork_proof import verify_fork_proof
from keepclear.channel.protocol import exchange
from keepclear.channel.protocol.fsck import fsck
from keepclear.channel.protocol.gate import Gate
from keepclear.channel.protocol.own_log import Node, Standing, append_own, make_lock, make_ready, standing
from keepclear.channel.protocol.wire import Ask, Keys, Push, WireRecord
from keepclear.edge.channel.store import ChannelLock, ChannelStore, ChannelStoreError
from keepclear.errors import KeepclearError
from keepclear.simulation.channel import simulate
from keepclear.simulation.channel_changes import simulate_changes
from keepclear.simulation.memory_store import MemoryLock, MemoryStore
from keepclear.simulation.parties import exercise_charter, exercise_key

T = TypeVar("T")
NOW_MS = 1_700_000_100_000
THREE = exercise_charter("alfa", "bravo", "charlie")
ROTATE = 50
"""Crashes before a store is looked through entirely and a new one begun."""


def clock() -> int:
    return NOW_MS


def keys_of(party: str) -> Keys:
    return Keys(party, *(exercise_key(party, purpose) for purpose in ("entry", "log", "mirror")))


def memory_node(party: str) -> Node:
    node = Node(MemoryStore(THREE), MemoryLock(), keys_of(party), Gate())
    make_lock(node, {}, now_ms=NOW_MS, by_operator=True)
    return node


def drive(talk: Generator[Ask, bytes, T], one: Node, other: Node) -> T:
    try:
        ask = next(talk)
        while True:
            ask = talk.send(exchange.respond(other, one.party, ask, clock(), clock))
    except StopIteration as stop:
        result: T = stop.value
        return result


def meet(one: Node, other: Node, rng: random.Random) -> None:
    checked = drive(exchange.check(one, other.party, rng.randbytes(32), clock), one, other)
    drive(exchange.catch_up(one, other.party, checked, clock), one, other)


def prove(what: str, seeds: range, run: Callable[[int], str]) -> int:
    """Runs every seed; ``run`` returns a word to be counted, and raises where the promise is broken."""
    counts: dict[str, int] = {}
    failed = 0
    begun_s = time.monotonic()
    for seed in seeds:
        try:
            word = run(seed)
        except Exception as error:
            failed += 1
            print(f"{what}: seed {seed}: {type(error).__name__}: {error}", flush=True)
        else:
            counts[word] = counts.get(word, 0) + 1
    took_s = time.monotonic() - begun_s
    said = ", ".join(f"{word} {n:,}" for word, n in sorted(counts.items()) if word)
    bound = f"; the rate is below {3 / len(seeds):.1e} (95 %)" if not failed else ""
    which = f"{what}: seeds {seeds.start}–{seeds.stop - 1}"
    print(f"{which}: {failed} of {len(seeds):,} failed{bound} [{said}] {took_s:.0f} s")
    return failed


def run_simulation(seed: int) -> str:
    run = simulate(seed // 2, dishonest=bool(seed % 2))
    return "with a fork" if run.forks else "without a fork"


def run_changes(seed: int) -> str:
    changed = simulate_changes(seed // 2, dishonest=bool(seed % 2))
    found = {"stolen keys refused": changed.stolen, "floods": changed.floods, "revocations": changed.revoked}
    return " and ".join(name for name, number in found.items() if number) or "charters only"


def run_fork(seed: int) -> str:
    """A common beginning, two ends, told to two; which party meets which first is by chance."""
    rng = random.Random(seed)
    bravo, charlie, one, two = (memory_node(p) for p in ("bravo", "charlie", "alfa", "alfa"))
    for _ in range(rng.randint(0, 12)):
        draft, salt = Draft("message", rng.randbytes(4)), rng.randbytes(32)
        for node in (one, two):
            append_own(node, [draft], clock=clock, salts=[salt])
    for node, peer in ((one, bravo), (two, charlie)):
        for _ in range(rng.randint(1, 8)):
            drafts = [Draft("message", rng.randbytes(4)) for _ in range(rng.randint(1, 3))]
            append_own(node, drafts, clock=clock, salts=[rng.randbytes(32) for _ in drafts])
        meet(node, peer, rng)
    meet(*rng.sample([bravo, charlie], 2), rng)
    for node in (bravo, charlie):
        if not node.store.forks("alfa") or node.store.forks("bravo") or node.store.forks("charlie"):
            raise AssertionError(f"{node.party} has {len(node.store.forks())} proofs")
        for proof in node.store.forks("alfa"):
            verify_fork_proof(proof, node.store.channel, [THREE])
    return "by entries" if any(p.entries for p in bravo.store.forks()) else "by heads"


class Replay:
    """Old pushes, in any order, any number of times."""

    def __init__(self) -> None:
        self.alfa, self.bravo = memory_node("alfa"), memory_node("bravo")
        self.records = []
        rng = random.Random(0)
        for _ in range(50):
            drafts = [Draft("message", rng.randbytes(16)) for _ in range(4)]
            self.records += append_own(self.alfa, drafts, clock=clock, salts=[rng.randbytes(32) for _ in drafts])
        meet(self.alfa, self.bravo, rng)
        self.before = self.seen()

    def seen(self) -> tuple[object, ...]:
        store = self.bravo.store
        return store.state("alfa"), store.events(), store.forks(), store.checkpoint("alfa"), store.newest_held("alfa")

    def run(self, seed: int) -> str:
        rng = random.Random(seed)
        start = rng.randrange(len(self.records))
        taken = self.records[start : start + rng.randint(1, 8)]
        push = Push("alfa", start, tuple(WireRecord.of(k.record) for k in taken))
        exchange.respond(self.bravo, "alfa", Ask("push", encode(push)), clock(), lambda: clock() + seed * 100)
        if self.seen() != self.before:
            raise AssertionError("a replayed entry had an effect")
        return "without effect"


class Crashes:
    """One store that is written and killed, ROTATE times."""

    def __init__(self, folder: Path) -> None:
        self._parent = folder
        self._number = 0
        self.acknowledged = 0
        self.size, self.root = 0, b""
        self._fresh()

    def _fresh(self) -> None:
        self._folder = self._parent / str(self._number)
        self._folder.mkdir()
        self._number += 1
        self.size, self.root = 0, b""
        with ChannelStore.open(self._folder / "store", THREE) as store, ChannelLock.open(self._folder / "lock") as lock:
            make_lock(Node(store, lock, keys_of("alfa"), Gate()), {}, now_ms=NOW_MS, by_operator=True)

    def run(self, seed: int) -> str:
        rng = random.Random(seed)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            self._write(rng, writing)
        os.close(writing)
        with os.fdopen(reading, "rb") as told:
            first = told.readline()  # it is open and has acknowledged something
            time.sleep(rng.uniform(0, 0.02))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            lines = [first, *told.read().splitlines(keepends=True)]
        last = next((line for line in reversed(lines) if line.endswith(b"\n") and b" " in line), b"")
        if last:
            size, root = last.split()
            self.acknowledged += int(size) - self.size
            self.size, self.root = int(size), bytes.fromhex(root.decode())
        self._look(entirely=(seed + 1) % ROTATE == 0)
        return ""

    def _write(self, rng: random.Random, told: int) -> None:
        try:
            store, lock = ChannelStore.open(self._folder / "store"), ChannelLock.open(self._folder / "lock")
            node = Node(store, lock, keys_of("alfa"), Gate())
            while True:
                drafts = [Draft("message", rng.randbytes(24)) for _ in range(rng.choice((1, 5, 60, 120)))]
                append_own(node, drafts, clock=clock, salts=[rng.randbytes(32) for _ in drafts])
                state = store.state("alfa")
                os.write(told, f"{state.size} {state.root.hex()}\n".encode())
        finally:
            os._exit(1)

    def _look(self, *, entirely: bool) -> None:
        with ChannelStore.open(self._folder / "store") as store, ChannelLock.open(self._folder / "lock") as lock:
            node = Node(store, lock, keys_of("alfa"), Gate())
            state, tree = store.state("alfa"), store.tree("alfa")
            if state.size < self.size or (self.size and tree.root(self.size) != self.root):
                raise AssertionError(f"{self.size} entries were acknowledged, {state.size} are there")
            if standing(state.head, tree, lock.read()) not in (Standing.READY, Standing.REPLAY):
                raise AssertionError("the lock and the store do not agree")
            if entirely:
                make_ready(node)
                findings = [*store.damage(), *fsck(store, "alfa", lock)]
                if findings:
                    raise AssertionError(findings[0])
        if entirely:
            self._fresh()


class Rot:
    """A store of some hundred entries, one bit of which is flipped anew each time."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "rotten"
        with ChannelStore.open(folder / "store", THREE) as store, ChannelLock.open(folder / "lock") as lock:
            node, rng = Node(store, lock, keys_of("alfa"), Gate()), random.Random(0)
            make_lock(node, {}, now_ms=NOW_MS, by_operator=True)
            bravo = memory_node("bravo")
            for _ in range(40):
                drafts = [Draft("message", rng.randbytes(40)) for _ in range(5)]
                append_own(node, drafts, clock=clock, salts=[rng.randbytes(32) for _ in drafts])
                append_own(bravo, drafts[:1], clock=clock, salts=[rng.randbytes(32)])
                meet(node, bravo, rng)
            store._writing.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._good = (folder / "store").read_bytes()
        with ChannelStore.open(folder / "store") as store:
            self._right = self._served(store)

    @staticmethod
    def _served(store: ChannelStore) -> list[object]:
        """All that is ever served or signed from."""
        seen: list[object] = [store.charters(), store.forks()]
        for log in ("alfa", "bravo", "charlie"):
            state, tree = store.state(log), store.tree(log)
            seen += [state, store.records(log, 0), store.newest_held(log), store.wanted(log), store.checkpoint(log)]
            seen += [tree.root(n) for n in range(0, state.size, 7)]
            seen += [store.checkpoint(log, up_to=n) for n in range(1, state.size, 9)]
            seen += [store.held(log, n) for n in range(0, state.size, 11)]
        return seen

    def run(self, seed: int) -> str:
        rng = random.Random(seed)
        data = bytearray(self._good)
        place = rng.randrange(len(data))
        data[place] ^= 1 << rng.randrange(8)
        for leftover in self._path.parent.glob("rotten*"):
            leftover.unlink()
        self._path.write_bytes(data)
        try:
            with ChannelStore.open(self._path) as store:
                served = self._served(store)
        except ChannelStoreError:
            return "found"
        if served != self._right:
            raise AssertionError(f"byte {place}: something else was served")
        return "in unused space, no effect"


def run_disk_full(folder: Path, count: int, seed: int) -> int:
    """Batches until the volume is full, then room is made: nothing false acknowledged, and it goes on unaided."""
    volume = folder / "volume"
    volume.mkdir()
    mounted = os.system(f"mount -t tmpfs -o size=1m tmpfs {volume} 2>/dev/null") == 0  # a path of our own
    if not mounted:
        print("disk-full: a volume cannot be mounted here; SQLite's own page limit is used")
    rng, failed, refused, acknowledged = random.Random(seed), 0, 0, 0
    try:
        for round_number in range(count):
            for leftover in volume.iterdir():
                leftover.unlink()
            with ChannelStore.open(volume / "store", THREE) as store, ChannelLock.open(volume / "lock") as lock:
                if not mounted:
                    store._writing.execute("PRAGMA max_page_count = 150")
                node = Node(store, lock, keys_of("alfa"), Gate())
                make_lock(node, {}, now_ms=NOW_MS, by_operator=True)
                ballast = volume / "ballast"
                ballast.write_bytes(bytes(rng.randrange(200_000, 500_000)) if mounted else b"")
                told = 0
                try:
                    while True:
                        drafts = [Draft("message", rng.randbytes(rng.randrange(2_000))) for _ in range(5)]
                        told = (
                            append_own(node, drafts, clock=clock, salts=[rng.randbytes(32) for _ in drafts])[-1].seq + 1
                        )
                except KeepclearError as error:
                    refused += "disk is full" in str(error)
                ballast.unlink()
                if not mounted:
                    store._writing.execute("PRAGMA max_page_count = 100000")
                append_own(node, [Draft("message", b"again")], clock=clock, salts=[rng.randbytes(32)])
                findings = list(fsck(store, "alfa", lock))
                acknowledged += told
                if findings or store.state("alfa").size < told + 1:
                    failed += 1
                    print(f"disk-full: round {round_number}: {findings[:1]} {store.state('alfa').size} of {told + 1}")
    finally:
        if mounted:
            os.system(f"umount {volume}")
    print(f"disk-full: {failed} of {count} failed; {refused} said the disk is full; {acknowledged:,} acknowledged")
    return failed


CALLS = ("openat", "pwrite64", "fdatasync", "fsync", "ftruncate", "unlink", "pread64")
FAULTS = {"EIO": "error=EIO", "ENOSPC": "error=ENOSPC", "KILL": "signal=KILL"}
WRITER_APPENDS = 3
TYPED, UNTYPED = 2, 3


def write_once(folder: Path) -> int:
    """What is run under strace: a few appends, each acknowledged on standard output."""
    try:
        with ChannelStore.open(folder / "store") as store, ChannelLock.open(folder / "lock") as lock:
            node = Node(store, lock, keys_of("alfa"), Gate())
            for k in range(WRITER_APPENDS):
                append_own(node, [Draft("message", b"%d" % k)] * 3, clock=clock, salts=[bytes(32)] * 3)
                state = store.state("alfa")
                os.write(1, f"{state.size} {state.root.hex()}\n".encode())
    except KeepclearError as error:
        print(error, file=sys.stderr)
        return TYPED
    except Exception as error:
        print(type(error).__name__, error, file=sys.stderr)
        return UNTYPED
    return 0


class Syscalls:
    """Every occurrence of every call on the store's and the lock's files, with every fault."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.points: list[tuple[str, int, str]] = []
        counted = self._traced([])[1]
        for call in CALLS:
            for number in range(1, counted.count(f"{call}(") + 1):
                self.points += [(call, number, fault) for fault in FAULTS]

    def _traced(self, options: list[str]) -> tuple[subprocess.CompletedProcess[str], str]:
        for leftover in self._folder.iterdir():
            leftover.unlink()
        store_path, lock_path = self._folder / "store", self._folder / "lock"
        with ChannelStore.open(store_path, THREE) as store, ChannelLock.open(lock_path) as lock:
            make_lock(Node(store, lock, keys_of("alfa"), Gate()), {}, now_ms=NOW_MS, by_operator=True)
        paths = [
            part for base in (store_path, lock_path) for end in ("", "-wal", "-shm") for part in ("-P", f"{base}{end}")
        ]
        trace = self._folder / "trace"
        command = ["strace", "-f", "-o", str(trace), *paths, *options, sys.executable, "-m", "benchmarks.channel_prove",
                   "write", "--folder", str(self._folder)]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        return done, trace.read_text()

    def run(self, seed: int) -> str:
        call, number, fault = self.points[seed]
        done, _ = self._traced(["-e", f"trace={call}", "-e", f"inject={call}:{FAULTS[fault]}:when={number}"])
        if done.returncode == UNTYPED:
            raise AssertionError(f"{call} {number} {fault}: {done.stderr.strip()[-200:]}")
        told = [line.split() for line in done.stdout.splitlines() if " " in line]
        with ChannelStore.open(self._folder / "store") as store, ChannelLock.open(self._folder / "lock") as lock:
            node = Node(store, lock, keys_of("alfa"), Gate())
            if told and store.tree("alfa").root(int(told[-1][0])).hex() != told[-1][1]:
                raise AssertionError(f"{call} {number} {fault}: an acknowledged entry is lost")
            append_own(node, [Draft("message", b"afterwards")], clock=clock, salts=[bytes(32)])
            findings = [*store.damage(), *fsck(store, "alfa", lock)]
            if findings:
                raise AssertionError(f"{call} {number} {fault}: {findings[0]}")
        return f"{fault}: " + {0: "went on", TYPED: "said so", -9: "died", 137: "died"}.get(done.returncode, "?")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "what", choices=["simulate", "changes", "forks", "replay", "crash", "rot", "syscalls", "disk-full", "write"]
    )
    parser.add_argument("--count", "--seeds", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0, help="the first")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.what == "write":
        return write_once(options.folder)
    seeds = range(options.seed, options.seed + options.count)
    with tempfile.TemporaryDirectory(prefix="channel-prove-", dir=os.environ.get("TMPDIR", "/var/tmp")) as name:
        folder = Path(name)
        if options.what == "simulate":
            return prove("simulate", seeds, run_simulation)
        if options.what == "changes":
            return prove("changes", seeds, run_changes)
        if options.what == "forks":
            return prove("forks", seeds, run_fork)
        if options.what == "replay":
            return prove("replay", seeds, Replay().run)
        if options.what == "rot":
            return prove("rot", seeds, Rot(folder).run)
        if options.what == "syscalls":
            syscalls = Syscalls(folder)
            return prove(
                "syscalls", range(len(syscalls.points))[options.seed : options.seed + options.count], syscalls.run
            )
        if options.what == "disk-full":
            return run_disk_full(folder, options.count, options.seed)
        crashes = Crashes(folder)
        failed = prove("crash", seeds, crashes.run)
        print(f"crash: {crashes.acknowledged:,} entries were acknowledged; SQLite {sqlite3.sqlite_version}")
        return failed


if __name__ == "__main__":
    sys.exit(min(main(), UNTYPED))
