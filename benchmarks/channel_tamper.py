"""Nobody can change a record unseen: every byte of a small one, and mutations of larger ones, in whatever number.

Each mutation is verified as a whole record: nothing is assumed about what a changed file can touch. To be quick, pure
functions are not computed twice for the same bytes: Ed25519 for a key, message and signature; the reading of a piece of
JSON, of base64, of a note, of a file's name; the chain of charters, and the verification of one log, where every file
that was asked for before is byte for byte the same. And nine in ten verifications end at their first fault, since no
fault is ever taken back; the tenth is done in full, without charters and logs remembered.
A mutation that VERIFIES is looked at more closely. It is *accepted* if the record then states anything that the
original does not: another entry, body, size, root, holder, witness or level. Otherwise it is *withheld*: a whole line,
file or body was taken away and the record states less, which nobody can prevent whoever hands it over from doing.
Run: ``python -m benchmarks.channel_tamper [--bytes] [--mutations N] [--first SEED] [--jobs 2]``.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

from keepclear.channel import canonical, signature, signed_note
from keepclear.channel.charter import Charter
from keepclear.channel.record import layout, verify
from keepclear.channel.record.layout import ExportFiles, decode_bodies, is_for_people
from keepclear.channel.record.verification import Findings, LogReport, Verification
from keepclear.channel.record.verify import read_charters, verify_export
from keepclear.channel.record.verify_log import LogTask, verify_log
from keepclear.channel.tiles import decode_bundle
from keepclear.errors import InputError
from keepclear.simulation import channel_damage
from keepclear.simulation.channel_damage import damaged
from keepclear.simulation.channel_record import Exercise, ExerciseFiles, exercise_record

LARGER_RECORDS, LARGER_ENTRIES = 20, 12
SLICE = 20_000
"""Mutations for each line that is printed."""
PART = 1_000
"""Mutations that a process is given at a time."""
WHOLE_EVERY = 10
REMEMBERED = 20_000
PURE = (
    (signature, "verifies"), (canonical, "decode"), (signed_note, "decode_base64"), (signed_note, "_parse"),
    (layout, "parse_place"), (channel_damage, "exercise_record"),
)  # fmt: skip
"""The package's one function that asks for Ed25519, its one reader of JSON (its structs are immutable), of notes, of
names; and the records of other channels that files are taken from."""


def remember() -> None:
    """In each process: a table before each pure function, wherever it is used."""
    for home, name in PURE:
        asked = getattr(home, name)
        known = lru_cache(REMEMBERED)(getattr(asked, "__wrapped__", asked))
        for module in list(sys.modules.values()):
            if module.__name__.startswith("keepclear.") and getattr(module, name, None) is asked:
                setattr(module, name, known)


class NotedFiles(ExerciseFiles):
    """Notes what is asked for."""

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(files)
        self.asked: dict[str, bytes | None] = {}

    def read(self, name: str, limit: int) -> bytes | None:
        self.asked[name] = self.files.get(name)
        return super().read(name, limit)


@dataclass(frozen=True)
class Remembered:
    """One log's verification in the record as it was made: all that it depended on, and its report."""

    task: LogTask
    asked: dict[str, bytes | None]
    report: LogReport

    def fits(self, task: LogTask, files: dict[str, bytes]) -> bool:
        return self.task == task and all(files.get(name) == data for name, data in self.asked.items())


class Original:
    """A record as it was made: its charters, and each log's verification."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.known: dict[str, Remembered] = {}
        verify_export(ExerciseFiles(files), run=partial(self._learn, files))
        noted = NotedFiles(files)
        self.charters, self.charter_files = read_charters(noted, Findings()), noted.asked

    def read_charters(self, files: ExportFiles, findings: Findings) -> list[Charter]:
        assert isinstance(files, ExerciseFiles)
        if all(files.files.get(name) == data for name, data in self.charter_files.items()):
            return list(self.charters)
        return read_charters(files, findings)

    def _learn(
        self, files: dict[str, bytes], judged: Callable[[LogTask], LogReport], tasks: Sequence[LogTask]
    ) -> Iterator[LogReport]:
        for task in tasks:
            noted = NotedFiles(files)
            report = verify_log(noted, task)
            self.known[task.party] = Remembered(task, noted.asked, replace(report))
            yield report

    def run(
        self, files: dict[str, bytes], judged: Callable[[LogTask], LogReport], tasks: Sequence[LogTask]
    ) -> Iterator[LogReport]:
        for task in tasks:
            known = self.known.get(task.party)
            yield replace(known.report) if known and known.fits(task, files) else judged(task)


@lru_cache(LARGER_RECORDS + 1)
def made(number: int) -> Original:
    return Original(small_record() if number < 0 else larger_record(number))


class Refused(Exception):
    """The first fault."""


def refuse(findings: Findings, kind: str, where: str, what: str) -> None:
    raise Refused


fault = Findings.fault


def small_record() -> dict[str, bytes]:
    """Two entries, two logs, a witness, a proof, a fork."""
    exercise = Exercise(("alpha", "bravo"), witnesses=("witness.example/w1",), seed=7)
    exercise.message("alpha")
    exercise.reply("bravo", ("receipt",))
    exercise.close()
    exercise.fork_by_heads("bravo")
    return exercise.files()


@lru_cache(LARGER_RECORDS)
def larger_record(number: int) -> dict[str, bytes]:
    return exercise_record(number, LARGER_ENTRIES)


def verified(files: dict[str, bytes], number: int, *, whole: bool) -> Verification | None:
    known = made(number)
    verify.read_charters = read_charters if whole else known.read_charters
    Findings.fault = fault if whole else refuse  # type: ignore[assignment,method-assign]
    try:
        found = verify_export(ExerciseFiles(files), run=None if whole else partial(known.run, files))
    except (InputError, Refused):
        return None
    return found if found.verified else None


def statements(files: dict[str, bytes], found: Verification) -> set[Any]:
    """Everything that a verified record states, in pieces."""
    said: set[Any] = {("channel", found.channel, found.charters)} | {("fork", fork) for fork in found.forks}
    for log in found.logs:
        said.add(("log", log.party, log.size, log.root))
        said |= {("held", log.party, by, held.size, held.time_s) for by, held in log.held.items()}
        said |= {("since", log.party, by, n, held.since(n)) for by, held in log.held.items() for n in range(log.size)}
        said |= {("witness", log.party, name, size, time_s) for name, (size, time_s) in log.witnesses.items()}
        for name in (n for n in files if n.startswith(f"logs/{log.party}/tile/entries/")):
            payloads = decode_bundle(files[name])
            bodies = decode_bodies(files[name.replace("tile/entries", "bodies")], len(payloads))
            said |= {("entry", log.party, n, payload) for n, payload in enumerate(payloads)}
            said |= {("body", log.party, n, pair) for n, pair in enumerate(bodies) if pair}
        said |= {("level", log.party, to, n, m) for to, marks in log.marks.items() for n, m in enumerate(marks)}
    return said


@lru_cache(LARGER_RECORDS + 1)
def original(number: int) -> frozenset[Any]:
    files = small_record() if number < 0 else larger_record(number)
    found = verified(files, number, whole=True)
    assert found is not None, "the record as it was made verifies"
    return frozenset(statements(files, found))


def judge(number: int, files: dict[str, bytes], *, whole: bool) -> str:
    found = verified(files, number, whole=whole)
    if found is None:
        return "refused"
    return "withheld" if covers(original(number), statements(files, found)) else "ACCEPTED"


def covers(original: frozenset[Any], said: set[Any]) -> bool:
    """Whether nothing new is said. A mirror whose first line is gone holds since a later one: that is less, not new."""
    for one in said - original:
        if one[0] == "since" and one[4] is None:
            continue
        if one[0] == "since" and any(o[:4] == one[:4] and o[4] <= one[4] for o in original if o[0] == "since" and o[4]):
            continue
        if one[0] in ("held", "witness") and any(
            o[0] == one[0] and o[1:3] == one[1:3] and o[3] >= one[3] for o in original
        ):
            continue
        return False
    return True


def every_byte(part: tuple[int, int]) -> tuple[Counter[str], list[str]]:
    """Every byte set to three other values: its lowest bit turned, its highest, all of them."""
    counts: Counter[str] = Counter()
    lines = []
    files = small_record()
    for number, (name, at) in enumerate(places(files)):
        if number % part[1] != part[0]:
            continue
        for mask in (0x01, 0x80, 0xFF):
            data = bytearray(files[name])
            data[at] ^= mask
            outcome = judge(-1, {**files, name: bytes(data)}, whole=at % WHOLE_EVERY == 0)
            counts[outcome] += 1
            if outcome != "refused":
                lines.append(f"{outcome}: {name}, byte {at}, mask {mask:02x}")
    return counts, lines


def places(files: dict[str, bytes]) -> Iterator[tuple[str, int]]:
    for name in sorted(files):
        if not is_for_people(name):
            yield from ((name, at) for at in range(len(files[name])))


def mutations(seeds: range) -> tuple[Counter[str], list[str]]:
    counts: Counter[str] = Counter()
    lines = []
    for seed in sorted(seeds, key=lambda seed: seed % LARGER_RECORDS):  # one record after the other: the tables hold
        number = seed % LARGER_RECORDS
        files, done = damaged(larger_record(number), random.Random(seed))
        outcome = judge(number, files, whole=seed // LARGER_RECORDS % WHOLE_EVERY == 0)
        counts[outcome] += 1
        if outcome == "ACCEPTED":
            lines.append(f"{outcome}: seed {seed}, {done}")
    return counts, lines


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--bytes", action="store_true", help="every byte of the small record")
    options.add_argument("--mutations", type=int, default=0)
    options.add_argument("--first", type=int, default=0)
    options.add_argument("--jobs", type=int, default=2)
    given = options.parse_args()
    accepted = 0
    with ProcessPoolExecutor(given.jobs, initializer=remember) as pool:
        if given.bytes:
            parts = 20
            what = f"every byte of a record of {sum(map(len, small_record().values())):,} bytes, three values each"
            accepted += tell(what, pool.map(every_byte, [(k, parts) for k in range(parts)]))
        last = given.first + given.mutations
        for first in range(given.first, last, SLICE):
            seeds = range(first, min(first + SLICE, last))
            what = f"mutations of {LARGER_RECORDS} records, seeds from {first}"
            accepted += tell(what, pool.map(mutations, [seeds[k : k + PART] for k in range(0, len(seeds), PART)]))
    sys.exit(1 if accepted else 0)


def tell(what: str, results: Iterable[tuple[Counter[str], list[str]]]) -> int:
    """Prints what came of it; returns how many were accepted."""
    counts: Counter[str] = Counter()
    started = time.perf_counter()
    for found, lines in results:
        counts.update(found)
        for line in lines[:20]:
            print(line, flush=True)
    total = counts.total()
    bound = "" if counts["ACCEPTED"] else f" (below {3 / max(total, 1):.1e} at 95 %)"
    print(
        f"{what}: {total:,} in {time.perf_counter() - started:.0f} s: {counts['refused']:,} refused, "
        f"{counts['withheld']:,} say less and nothing new, {counts['ACCEPTED']} accepted{bound}",
        flush=True,
    )
    return counts["ACCEPTED"]


if __name__ == "__main__":
    main()
