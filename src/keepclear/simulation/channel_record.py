"""A channel's exercise with everything in it that a record can hold, from a seed: for tests, benchmarks and trials.

Two or more parties write messages and answer them, mirror each other now and then, and are witnessed; a key is rotated,
a body erased, a fork proved. Keys are made from names (:mod:`keepclear.simulation.parties`): whoever reads them can
forge them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from keepclear.channel.charter import Charter, SignedCharter, charter_hash
from keepclear.channel.checkpoint import sign_checkpoint
from keepclear.channel.cosignature import cosign
from keepclear.channel.entry import CHARTER_KIND, ERASURE_KIND, Draft, Entry, Record, Reference
from keepclear.channel.fork_proof import ForkProof, prove_fork_by_entries, prove_fork_by_heads
from keepclear.channel.log import LogState, write
from keepclear.channel.merkle import Tree, leaf_hash
from keepclear.channel.record.export import export_files
from keepclear.channel.signature import SigningKey
from keepclear.channel.signed_note import Note
from keepclear.channel.store import Held, Kept
from keepclear.errors import LimitExceeded
from keepclear.simulation.parties import CREATED_MS, exercise_charter, exercise_key, exercise_party, signed_by_all

__all__ = ["Exercise", "ExerciseFiles", "exercise_record"]

REPLIES = ("receipt", "read-back", "answer")
BATCH = 1_000
"""Entries that one read of the exercise's store gives."""


class ExerciseFiles:
    """A record in memory: what :class:`~keepclear.channel.record.layout.ExportFiles` asks for."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def names(self) -> Iterator[str]:
        yield from sorted(self.files)

    def read(self, name: str, limit: int) -> bytes | None:
        data = self.files.get(name)
        if data is not None and len(data) > limit:
            raise LimitExceeded(f"has {len(data):,} bytes, more than {limit:,}", source=name)
        return data


@dataclass(slots=True)
class _Log:
    state: LogState
    tree: Tree = field(default_factory=Tree)
    records: list[Record] = field(default_factory=list)
    notes: dict[int, Note] = field(default_factory=dict)
    held: list[Held] = field(default_factory=list)
    generation: int = 0
    """of the party's keys"""


class Exercise:
    """Also the store of whoever exports: all logs, all bodies. Every step's time is one second later."""

    def __init__(
        self, ids: Sequence[str], *, witnesses: tuple[str, ...] = (), seed: int = 0, name: str = "Exercise"
    ) -> None:
        self.random = random.Random(seed)  # noqa: S311
        charter = msgspec.structs.replace(exercise_charter(*ids, witnesses=witnesses), name=name)
        self.first: SignedCharter = signed_by_all(charter)
        self._charters = [self.first.charter]
        self._witnesses = witnesses
        self._now_ms = CREATED_MS
        self._logs = {party: _Log(LogState.begin(self.first.charter, party)) for party in sorted(ids)}
        self._forks: list[ForkProof] = []
        self._open: dict[str, list[Reference]] = {party: [] for party in ids}
        """messages to each party that it has not answered in full"""

    @property
    def channel(self) -> str:
        return charter_hash(self.first.charter).hex()

    @property
    def now_ms(self) -> int:
        """the time of the last step"""
        return self._now_ms

    @property
    def witnesses(self) -> tuple[str, ...]:
        return self._witnesses

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self._logs)

    # --- what happens ----------------------------------------------------------------------------------------------

    def say(self, party: str, drafts: Sequence[Draft], *, later_ms: int = 1_000) -> None:
        """The party's next entries, and its head signed over them."""
        log = self._logs[party]
        self._now_ms += later_ms
        seen = {other: self._logs[other].state.head for other in self._logs if other != party}
        salts = [self.random.randbytes(32) for _ in drafts]
        if any(draft.kind == CHARTER_KIND for draft in drafts):
            log.generation += party == self.ids[0]
        log.state, records = write(
            log.state, drafts, key=self._key(party, "entry"), seen=seen, at_ms=self._now_ms, salts=salts
        )
        log.records += records
        log.tree.extend(record.leaf for record in records)
        log.notes[log.state.size] = sign_checkpoint(log.state.checkpoint, self._key(party, "log"))

    def message(self, party: str, to: Sequence[str] = (), body: bytes = b'{"text":"exercise"}') -> None:
        self.say(party, [Draft("message", body, to=tuple(to), until_ms=self._now_ms + 600_000)])
        reference = self.reference(party, len(self._logs[party].records) - 1)
        for other in to or self.ids:
            if other != party:
                self._open[other].append(reference)

    def reply(self, party: str, kinds: Sequence[str] = REPLIES) -> None:
        """To the oldest message that the party has not answered, if there is one."""
        if self._open[party]:
            reference = self._open[party].pop(0)
            self.say(party, [Draft(kind, b"{}", to=(reference.party,), re=(reference,)) for kind in kinds])

    def mirror(self, log: str, by: str) -> None:
        """The other party's cosignature on the newest head."""
        self._cosign(log, f"{by}/mirror", self._key(by, "mirror"))

    def witness(self, log: str, name: str) -> None:
        self._cosign(log, name, exercise_key(name, "witness"))

    def erase(self, log: str, seq: int) -> None:
        """Its author takes a body back."""
        kept = self._logs[log]
        self.say(log, [Draft(ERASURE_KIND, b"{}", re=(self.reference(log, seq),))])
        kept.records[seq] = kept.records[seq].without_body()

    def first_message(self, log: str) -> int | None:
        """Its number: what may be erased (a charter may not)."""
        kinds = [Entry.parse(record.payload).kind for record in self._logs[log].records]
        return kinds.index("message") if "message" in kinds else None

    def rotate(self) -> None:
        """The first party gets new keys: the next version of the charter, in every log."""
        before = self._charters[-1]
        generation = before.serial + 1
        first = exercise_party(self.ids[0], generation)
        charter = msgspec.structs.replace(
            before, parties=(first, *before.parties[1:]), serial=generation, previous=charter_hash(before).hex()
        )
        signed = signed_by_all(charter, before, generation + 1)
        self._charters.append(charter)
        for party in self.ids:
            self.say(party, [Draft(CHARTER_KIND, signed.encode())])

    def fork_by_entries(self, party: str) -> None:
        """A second entry in a place that is taken."""
        log = self._logs[party]
        before = LogState.begin(self.first.charter, party)
        _, other = write(
            before, [Draft("message", b"another")], key=exercise_key(party, "entry"), seen={}, at_ms=self._now_ms,
            salts=[self.random.randbytes(32)],
        )  # fmt: skip
        self._forks.append(prove_fork_by_entries(party, log.records[0], other[0]))

    def fork_by_heads(self, party: str) -> None:
        """A second head of the same size."""
        log = self._logs[party]
        size = log.state.size
        strange = replace(log.state.checkpoint, root=leaf_hash(b"another history"))
        other = sign_checkpoint(strange, self._key(party, "log"))
        self._forks.append(prove_fork_by_heads(party, log.notes[size], other))

    def run(self, entries: int) -> None:
        """At least so many entries more of a mixed conversation."""
        chance, wanted = self.random, sum(len(log.records) for log in self._logs.values()) + entries
        while sum(len(log.records) for log in self._logs.values()) < wanted:
            party = chance.choice(self.ids)
            others = [other for other in self.ids if other != party]
            if chance.random() < 0.5:
                self.message(party, [chance.choice(others)] if chance.random() < 0.7 else [])
            else:
                self.reply(party, REPLIES[: chance.randint(1, 3)])
            for other in others:
                if chance.random() < 0.5 and self._logs[party].records:
                    self.mirror(party, other)
            for name in self._witnesses:
                if chance.random() < 0.3 and self._logs[party].records:
                    self.witness(party, name)

    def close(self) -> None:
        """Everybody has everything: the newest heads are held by all and witnessed."""
        for party, log in self._logs.items():
            if log.records:
                for other in self.ids:
                    if other != party:
                        self.mirror(party, other)
                for name in self._witnesses:
                    self.witness(party, name)

    # --- what is kept (keepclear.channel.record.export.Source) -------------------------------------------------------

    def records(self, log: str, start: int) -> list[Kept]:
        batch = self._logs[log].records[start : start + BATCH]
        return [Kept(start + k, record, CREATED_MS) for k, record in enumerate(batch)]

    def checkpoint(self, log: str, *, above: int = -1, up_to: int | None = None) -> Note | None:
        notes = self._logs[log].notes
        if up_to is not None and above == up_to - 1:
            return notes.get(up_to)
        sizes = [size for size in notes if size > above and (up_to is None or size <= up_to)]
        return notes[max(sizes)] if sizes else None

    def held(self, log: str, seq: int) -> list[Held]:
        found: dict[str, Held] = {}
        for held in self._logs[log].held:
            if held.size > seq:
                found.setdefault(held.cosigner, held)  # they come in the order of their sizes
        return list(found.values())

    def newest_held(self, log: str) -> list[Held]:
        return list({held.cosigner: held for held in self._logs[log].held}.values())

    def tree(self, log: str) -> Tree:
        return self._logs[log].tree

    def forks(self) -> tuple[ForkProof, ...]:
        return tuple(self._forks)

    def charters(self) -> tuple[Charter, ...]:
        return tuple(self._charters)

    def files(self) -> dict[str, bytes]:
        """The exported record."""
        return dict(export_files(self, self.first))

    # ---------------------------------------------------------------------------------------------------------------

    def _key(self, party: str, purpose: str) -> SigningKey:
        return exercise_key(party, purpose, self._logs[party].generation)

    def reference(self, party: str, seq: int) -> Reference:
        return Reference(party, seq, self._logs[party].records[seq].leaf.hex())

    def _cosign(self, party: str, name: str, key: SigningKey) -> None:
        log = self._logs[party]
        size = log.state.size
        time_s = self._now_ms // 1000 + 1
        line = cosign(log.notes[size].text, name, key, time_s)
        if all(line.name != known.name for known in log.notes[size].signatures):
            log.notes[size] = log.notes[size].with_signatures([line])
            log.held.append(Held(name, size, time_s, self._now_ms, line))


def exercise_record(seed: int, entries: int = 40) -> dict[str, bytes]:
    """A record that differs with the seed in parties, witnesses and what happened. All of them verify; those whose
    seed is a multiple of five hold a proof of a fork."""
    chance = random.Random(seed)  # noqa: S311
    ids = ("alpha", "bravo", "charlie")[: chance.randint(2, 3)]
    witnesses = ("witness.example/w1",)[: chance.randint(0, 1)]
    exercise = Exercise(ids, witnesses=witnesses, seed=seed, name=f"Exercise {seed}")
    exercise.run(entries // 2)
    if chance.random() < 0.5:
        exercise.rotate()
    exercise.run(entries - entries // 2)
    written = [party for party in ids if exercise.records(party, 0)]
    if chance.random() < 0.5 and exercise.first_message(written[0]) is not None:
        exercise.erase(written[0], exercise.first_message(written[0]) or 0)
    if seed % 5 == 0:
        (exercise.fork_by_entries if seed % 2 else exercise.fork_by_heads)(written[-1])
    if chance.random() < 0.7 or exercise.first.charter.witnesses_needed:
        exercise.close()
    return exercise.files()
