"""How fast a record verifies, beside the floor that its signatures set, and whether memory stays flat.

Makes a record of two logs (once; kept in --place): messages with bodies, and receipts, read-backs and answers that
refer to them, in batches, with a signed head and cosignatures at the end. Verifies it in one process and in one a log.
The floor is Ed25519 alone: verifications a second of one core in the same process, just before and just after. Prints
the ratio, by the clock and in processor time, and the peak resident memory above that of the program with nothing read.
Run: ``python -m benchmarks.channel_verify [--entries N] [--place DIR] [--jobs 2] [--judge openssl]``.
"""

from __future__ import annotations

import argparse
import hashlib
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from keepclear.channel import signature
from keepclear.channel.charter import charter_hash
from keepclear.channel.checkpoint import sign_checkpoint
from keepclear.channel.cosignature import cosign
from keepclear.channel.entry import Draft, Record, Reference
from keepclear.channel.log import LogState, write
from keepclear.channel.record.layout import bodies_path, encode_bodies, log_folder, signatures_path
from keepclear.channel.record.tile_builder import TileBuilder
from keepclear.channel.record.verify import Expected
from keepclear.channel.signature import SigningKey, verifies
from keepclear.channel.tiles import TILE_WIDTH, Tile, encode_bundle
from keepclear.cli.verify.run import run_verification
from keepclear.edge.channel.files import FolderFiles
from keepclear.simulation.parties import CREATED_MS, exercise_charter, exercise_key, signed_by_all

BATCH = 64
BODY = b'{"desk":"AIR","kind":"NOTIFICATION","precedence":"ROUTINE","text":"' + b"x" * 200 + b'"}'
FLOOR_SIGNATURES = 20_000


class LogWriter:
    def __init__(self, place: Path, party: str, size: int) -> None:
        self.place, self.party, self.size = place, party, size
        self.kept: list[Record] = []
        self.tiles = TileBuilder(size)
        self.written = 0

    def add(self, records: list[Record]) -> None:
        self.kept += records
        while len(self.kept) >= TILE_WIDTH or (self.kept and self.written + len(self.kept) == self.size):
            part, self.kept = self.kept[:TILE_WIDTH], self.kept[TILE_WIDTH:]
            tile = Tile(-1, self.written // TILE_WIDTH, len(part))
            self.write(f"{log_folder(self.party)}/{tile.path}", encode_bundle([r.payload for r in part]))
            self.write(signatures_path(self.party, tile), b"".join(r.signature for r in part))
            self.write(bodies_path(self.party, tile), encode_bodies([(r.salt or b"", r.body or b"") for r in part]))
            for record in part:
                for built, hashes in self.tiles.add(record.leaf):
                    self.write(f"{log_folder(self.party)}/{built.path}", hashes)
            self.written += len(part)

    def write(self, name: str, data: bytes) -> None:
        path = self.place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def make(place: Path, entries: int) -> None:
    signed = signed_by_all(exercise_charter("alpha", "bravo"))
    place.mkdir(parents=True)
    (place / "charter-0.json").write_bytes(signed.encode())
    size = entries // 2
    states = {party: LogState.begin(signed.charter, party) for party in ("alpha", "bravo")}
    writers = {party: LogWriter(place, party, size) for party in states}
    references: list[Reference] = []
    kinds = ("receipt", "read-back", "answer")
    number = 0
    while states["bravo"].size < size:
        for party, other in (("alpha", "bravo"), ("bravo", "alpha")):
            count = min(BATCH, size - states[party].size)
            if party == "alpha":
                drafts = [Draft("message", BODY, to=(other,))] * count
            else:
                drafts = [Draft(kinds[k % 3], b"{}", to=(other,), re=(references[k // 3],)) for k in range(count)]
            salts = [hashlib.sha256(b"%d" % (number + k)).digest() for k in range(count)]
            number += count
            first = states[party].size
            states[party], records = write(
                states[party], drafts, key=exercise_key(party, "entry"), seen={other: states[other].head},
                at_ms=CREATED_MS + number, salts=salts,
            )  # fmt: skip
            writers[party].add(records)
            if party == "alpha":
                references = [Reference(party, first + k, r.leaf.hex()) for k, r in enumerate(records)]
    for party, other in (("alpha", "bravo"), ("bravo", "alpha")):
        note = sign_checkpoint(states[party].checkpoint, exercise_key(party, "log"))
        line = cosign(note.text, f"{other}/mirror", exercise_key(other, "mirror"), CREATED_MS // 1000 + number)
        (place / "logs" / party / "checkpoint").write_bytes(note.with_signatures([line]).encode())
    assert charter_hash(signed.charter).hex() == states["alpha"].channel


class Spent:
    """Seconds since it was made, by the clock and of this process."""

    def __init__(self) -> None:
        self._begun = time.perf_counter(), time.process_time()

    @property
    def seconds(self) -> tuple[float, float]:
        return time.perf_counter() - self._begun[0], time.process_time() - self._begun[1]


def floor() -> tuple[float, float]:
    """Seconds that one payload's signature takes, of payloads as long as the record's."""
    key = SigningKey(bytes(32))
    messages = [b"%0600d" % k for k in range(2_000)]
    signatures = [key.sign(message) for message in messages]
    spent = Spent()
    for _ in range(FLOOR_SIGNATURES // len(messages)):
        for message, signed in zip(messages, signatures):
            assert verifies(key.public, message, signed)
    clock_s, process_s = spent.seconds
    return clock_s / FLOOR_SIGNATURES, process_s / FLOOR_SIGNATURES


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def use_judge(name: str | None) -> None:
    if name:
        judge = {"openssl": signature.judge_by_openssl, "libsodium": signature.judge_by_libsodium()}[name]
        assert judge is not None, "PyNaCl is not installed"
        signature._judge = lambda: judge  # type: ignore[assignment]


def one_process(place: Path, judge: str | None) -> str:
    use_judge(judge)
    first, before_mb = floor(), peak_mb()
    spent = Spent()
    found = run_verification(FolderFiles(place), Expected(), 1)
    clock_s, process_s = spent.seconds
    after_mb, second = peak_mb(), floor()
    assert found.verified, [str(finding) for finding in found.findings.kept]
    read = sum(log.size for log in found.logs)
    by_clock, by_process = ((a + b) / 2 for a, b in zip(first, second))
    return (
        f"{read:,} entries, one process: {clock_s:.1f} s by the clock, {process_s:.1f} s of the processor: "
        f"{read / clock_s:,.0f} and {read / process_s:,.0f} entries/s; signatures alone {1 / by_clock:,.0f}/s: "
        f"{clock_s / read / by_clock:.2f} times their time by the clock, {process_s / read / by_process:.2f} of the "
        f"processor; peak {after_mb:.0f} MB, {after_mb - before_mb:.0f} MB above the program"
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--entries", type=int, default=1_000_000)
    options.add_argument("--place", type=Path, default=Path("out/channel-verify"))
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--judge", choices=("openssl", "libsodium"), help="libsodium if it is installed")
    options.add_argument("--make-only", action="store_true")
    options.add_argument("--once", action="store_true", help="not a tenth of it before")
    given = options.parse_args()
    use_judge(given.judge)
    for entries in (given.entries,) if given.once else (given.entries // 10, given.entries):
        place = given.place / str(entries)
        if not place.exists():
            started = time.perf_counter()
            make(place, entries)
            print(f"made {entries:,} entries in {time.perf_counter() - started:.0f} s", flush=True)
        if given.make_only:
            continue
        with ProcessPoolExecutor(1) as pool:  # a process of its own, for its memory
            print(pool.submit(one_process, place, given.judge).result(), flush=True)
    if not given.make_only and given.jobs > 1:
        started = time.perf_counter()
        found = run_verification(FolderFiles(place), Expected(), given.jobs)
        seconds = time.perf_counter() - started
        assert found.verified
        print(f"in {given.jobs} processes: {seconds:.1f} s, {given.entries / seconds:,.0f} entries/s")


if __name__ == "__main__":
    main()
