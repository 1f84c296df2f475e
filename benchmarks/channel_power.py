"""Power cuts: the writes of a real writer are recorded with strace, and the power is cut between any two of them.

What was flushed is on the disk; of what was not, every 512-byte sector may be there or not, by chance. From each such
image the store and the lock file are opened: all that was acknowledged before the cut must be there, nothing damaged,
and the log must go on. Run: ``python -m benchmarks.channel_power [--cuts N] [--seed S]``.
"""

from __future__ import annotations

import argparse
import random
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.channel_prove import NOW_MS, THREE, clock, keys_of
from keepclear.channel.entry import Draft
from keepclear.channel.protocol.fsck import fsck
from keepclear.channel.protocol.gate import Gate
from keepclear.channel.protocol.own_log import Node, append_own, make_lock
from keepclear.edge.channel.store import ChannelLock, ChannelStore

SECTOR = 512
CALLS = "pwrite64,fdatasync,fsync,ftruncate,write,unlink"
_CALL = re.compile(r'^\d+ +(\w+)\((?:(\d+)<([^>]*)>(?:, "([^"]*)")?(?:, (\d+))?(?:, (\d+))?|"([^"]*)")\) += (\d+)')


@dataclass(frozen=True, slots=True)
class Call:
    kind: str
    path: str
    data: bytes
    place: int


def _plain(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def recorded(folder: Path) -> tuple[dict[str, bytes], list[Call]]:
    """The files before, and every call that changes or flushes them, acknowledgements among them."""
    with ChannelStore.open(folder / "store", THREE) as store, ChannelLock.open(folder / "lock") as lock:
        make_lock(Node(store, lock, keys_of("alfa"), Gate()), {}, now_ms=NOW_MS, by_operator=True)
    before = {str(p): p.read_bytes() for p in folder.iterdir()}
    trace = folder.parent / "trace"
    command = ["strace", "-f", "-y", "-xx", "-s", "9000000", "-o", str(trace), "-e", f"trace={CALLS}", sys.executable,
               "-m", "benchmarks.channel_prove", "write", "--folder", str(folder)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    calls = []
    for line in trace.read_text().splitlines():
        found = _CALL.match(line)
        if not found:
            continue
        kind, number, path, data, one, two, unlinked, _ = found.groups()
        name = _plain(unlinked if unlinked is not None else path).decode()
        if kind == "write" and number == "1":
            calls.append(Call("told", "", _plain(data), 0))
        elif name.startswith(str(folder)) and not name.endswith("-shm"):
            place = int(two or 0) if kind == "pwrite64" else int(one or 0)
            calls.append(Call(kind, name, _plain(data) if data else b"", place))
    told = sum(c.kind == "told" for c in calls)
    assert told == len(done.stdout.splitlines()), "an acknowledgement was not recorded"
    return before, calls


def image(before: dict[str, bytes], calls: list[Call], rng: random.Random) -> dict[str, bytes]:
    """What a disk may hold after these calls and no more."""
    files = {path: bytearray(data) for path, data in before.items()}
    waiting: dict[str, list[Call]] = {}
    for call in calls:
        if call.kind in ("fdatasync", "fsync"):
            for late in waiting.pop(call.path, []):
                _apply(files, late, None)
        elif call.kind != "told":
            waiting.setdefault(call.path, []).append(call)
    for late in (c for calls_of in waiting.values() for c in calls_of):
        _apply(files, late, rng)
    return {path: bytes(data) for path, data in files.items()}


def _apply(files: dict[str, bytearray], call: Call, rng: random.Random | None) -> None:
    if call.kind == "unlink":
        if rng is None or rng.random() < 0.5:
            files.pop(call.path, None)
        return
    data = files.setdefault(call.path, bytearray())
    if call.kind == "ftruncate":
        if rng is None or rng.random() < 0.5:
            del data[call.place :]
        return
    for at in range(0, len(call.data), SECTOR):
        if rng is None or rng.random() < 0.5:
            piece, place = call.data[at : at + SECTOR], call.place + at
            data.extend(bytes(max(0, place + len(piece) - len(data))))
            data[place : place + len(piece)] = piece


def look(folder: Path, files: dict[str, bytes], told: list[bytes]) -> str | None:
    """What is wrong with an image."""
    for leftover in folder.iterdir():
        leftover.unlink()
    for path, data in files.items():
        Path(path).write_bytes(data)
    with ChannelStore.open(folder / "store") as store, ChannelLock.open(folder / "lock") as lock:
        if told:
            size, root = told[-1].split()
            tree = store.tree("alfa")
            if len(tree) < int(size) or tree.root(int(size)).hex() != root.decode():
                return f"{int(size)} entries were acknowledged, {len(tree)} are there"
        node = Node(store, lock, keys_of("alfa"), Gate())
        append_own(node, [Draft("message", b"afterwards")], clock=clock, salts=[bytes(32)])
        return next(iter([*store.damage(), *fsck(store, "alfa", lock)]), None)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    failed = acknowledged = 0
    with tempfile.TemporaryDirectory(prefix="channel-power-", dir="/var/tmp") as name:
        folder = Path(name) / "files"
        folder.mkdir()
        before, calls = recorded(folder)
        for seed in range(options.seed, options.seed + options.cuts):
            rng = random.Random(seed)
            cut = calls[: rng.randrange(len(calls) + 1)]
            told = [c.data for c in cut if c.kind == "told"]
            acknowledged += bool(told)
            try:
                wrong = look(folder, image(before, cut, rng), told)
            except Exception as error:
                wrong = f"{type(error).__name__}: {error}"
            if wrong:
                failed += 1
                print(f"power: seed {seed}, after {len(cut)} of {len(calls)} calls: {wrong}", flush=True)
    bound = f"; the rate is below {3 / options.cuts:.1e} (95 %)" if not failed else ""
    print(f"power: {failed} of {options.cuts:,} cuts failed{bound}; {len(calls)} calls recorded, "
          f"{acknowledged:,} cuts came after an acknowledgement")  # fmt: skip
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
