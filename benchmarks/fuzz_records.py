"""What is fuzzed of the channel: every file of a record, every message between nodes, a record with one file replaced.

Whatever parses is in its one canonical form, so it must be written again as the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import cache, partial
from typing import Any

from keepclear.channel.canonical import encode
from keepclear.channel.charter import SignedCharter
from keepclear.channel.checkpoint import Checkpoint
from keepclear.channel.entry import Draft, Entry
from keepclear.channel.fork_proof import ForkProof
from keepclear.channel.protocol import exchange, wire
from keepclear.channel.protocol.gate import Gate
from keepclear.channel.protocol.own_log import Node, append_own, make_lock
from keepclear.channel.protocol.witness import Submission
from keepclear.channel.record.layout import decode_bodies, decode_signatures
from keepclear.channel.record.proof_file import ProofFile
from keepclear.channel.record.verify import verify_export
from keepclear.channel.signed_note import Note, NoteKey
from keepclear.channel.tiles import Tile, decode_bundle, encode_bundle
from keepclear.simulation.channel_record import Exercise, ExerciseFiles
from keepclear.simulation.memory_store import MemoryLock, MemoryStore
from keepclear.simulation.parties import exercise_charter, exercise_key

NOW_MS = 1_700_000_100_000

MESSAGES: dict[str, Any] = {
    "check-request": wire.CheckRequest, "check-reply": wire.CheckReply, "push": wire.Push,
    "push-answer": wire.PushAnswer, "pull": wire.Pull, "roots-request": wire.RootsRequest,
    "roots-reply": wire.RootsReply,
    "fork-request": wire.ForkRequest, "fork-proofs": wire.ForkProofs,
}  # fmt: skip


@cache
def exercise() -> Exercise:
    made = Exercise(("alfa", "bravo"), witnesses=("referee",), seed=1)
    made.message("alfa", body=b'{"text":"a"}')
    made.reply("bravo")
    made.mirror("alfa", "bravo")
    made.witness("alfa", "referee")
    made.fork_by_entries("alfa")
    made.fork_by_heads("bravo")
    made.close()
    return made


@cache
def record() -> dict[str, bytes]:
    from keepclear.channel.record.export import export_files

    made = exercise()
    return dict(export_files(made, made.first))


def _exactly(parse: Callable[[bytes], Any], data: bytes) -> None:
    assert parse(data).encode() == data, "not the one form"


def _as_a_file(parse: Callable[[bytes], Any], data: bytes) -> None:
    """Files may end with a line feed."""
    assert parse(data).encode() == data.removesuffix(b"\n"), "not the one form"


def _text(parse: Callable[[str], Any], shown: str, data: bytes) -> None:
    text = data.decode("latin-1")
    assert getattr(parse(text), shown).strip() == text.strip(), "not the one form"


def _message(name: str, data: bytes) -> None:
    assert encode(wire.parse(data, MESSAGES[name], what="the message")) == data, "not the one form"


def _entry(data: bytes) -> None:
    assert encode(Entry.parse(data)) == data, "not the one form"


def _bundle(data: bytes) -> None:
    assert encode_bundle(decode_bundle(data)) == data, "not the one form"


def _counted(decode: Callable[[bytes, int], list[Any]], data: bytes) -> None:
    if data:
        assert len(decode(data[1:], data[0])) == data[0]


def _whole(data: bytes) -> None:
    """The first byte says which file of the record is replaced by the rest."""
    if data:
        files = dict(record())
        name = sorted(files)[data[0] % len(files)]
        verify_export(ExerciseFiles({**files, name: data[1:]}))


TARGETS: dict[str, Callable[[bytes], None]] = {
    "channel:charter": partial(_as_a_file, SignedCharter.parse),
    "channel:note": partial(_exactly, Note.parse),
    "channel:note-key": partial(_text, NoteKey.parse, "vkey"),
    "channel:checkpoint": partial(_text, Checkpoint.parse, "text"),
    "channel:tile-path": partial(_text, Tile.parse, "path"),
    "channel:entry": _entry,
    "channel:bundle": _bundle,
    "channel:signatures": partial(_counted, decode_signatures),
    "channel:bodies": partial(_counted, decode_bodies),
    "channel:proof": partial(_exactly, ProofFile.parse),
    "channel:fork-proof": partial(_as_a_file, ForkProof.parse),
    "channel:submission": partial(_exactly, Submission.parse),
    **{f"channel:{name}": partial(_message, name) for name in MESSAGES},
    "channel:record": _whole,
}


def seeds(kind: str) -> list[bytes]:
    """The files of a small exercise, and what its nodes say to each other."""
    files, made = record(), exercise()
    match kind:
        case "record":
            return [bytes([number]) + files[name] for number, name in enumerate(sorted(files))]
        case "charter":
            return [made.first.encode()]
        case "note-key":
            return [party.mirror.vkey.encode() for party in made.first.charter.parties]
        case "checkpoint":
            return [note.text.encode() for note in _notes(files)[:2]]
        case "note":
            return [note.encode() for note in _notes(files)[:4]]
        case "tile-path":
            return [b"tile/0/x001/234.p/7", b"tile/entries/000"]
        case "entry":
            return [kept.record.payload for kept in made.records("alfa", 0)[:2]]
        case "submission":
            return [Submission(0, (bytes(32),), _notes(files)[0]).encode()]
        case "signatures" | "bodies":
            sizes = {party: len(made.records(party, 0)) for party in made.ids}
            found = [(party, data) for name, data in files.items() for party in sizes if f"{party}/{kind}" in name]
            return [bytes([sizes[party]]) + data for party, data in found]
        case "roots-request":
            return [encode(wire.RootsRequest("alfa", (1, 2)))]
        case "roots-reply":
            return [encode(wire.RootsReply("alfa", ("0" * 64, None)))]
        case "fork-request":
            return [encode(wire.ForkRequest("alfa"))]
        case "fork-proofs":
            return [encode(wire.ForkProofs(tuple(proof.encode() for proof in made.forks())))]
        case "bundle":
            return [data for name, data in files.items() if "tile/entries" in name]
        case "proof":
            return [data for name, data in files.items() if data.startswith(b"c2sp.org/tlog-proof")][:2]
        case "fork-proof":
            return [proof.encode() for proof in made.forks()]
    return said()[kind]


def _notes(files: dict[str, bytes]) -> list[Note]:
    return [Note.parse(data) for name, data in sorted(files.items()) if "checkpoint" in name or "head" in name]


def two_nodes() -> list[Node]:
    """alfa and bravo, with an entry each, who have not met."""
    charter = exercise_charter("alfa", "bravo")
    nodes = []
    for number, party in enumerate(("alfa", "bravo")):
        keys = wire.Keys(party, *(exercise_key(party, purpose) for purpose in ("entry", "log", "mirror")))
        node = Node(MemoryStore(charter), MemoryLock(), keys, Gate())
        make_lock(node, {}, now_ms=NOW_MS, by_operator=True)
        append_own(node, [Draft("message", b"{}", ())], clock=lambda: NOW_MS, salts=[bytes([number]) * 32])
        nodes.append(node)
    return nodes


@cache
def said() -> dict[str, list[bytes]]:
    """One exchange between two nodes, every request and every answer."""
    now_ms, nodes = NOW_MS, two_nodes()
    found: dict[str, list[bytes]] = {name: [] for name in MESSAGES}
    asked = {"check": ("check-request", "check-reply"), "push": ("push", "push-answer"), "pull": ("pull", "push")}

    def drive(talk: Generator[Any, bytes, Any]) -> Any:
        try:
            ask = next(talk)
            while True:
                answer = exchange.respond(nodes[1], "alfa", ask, now_ms, lambda: now_ms)
                if ask.path in asked:
                    for name, body in zip(asked[ask.path], (ask.body, answer)):
                        found[name].append(body)
                ask = talk.send(answer)
        except StopIteration as stop:
            return stop.value

    checked = drive(exchange.check(nodes[0], "bravo", bytes(32), lambda: now_ms))
    drive(exchange.catch_up(nodes[0], "bravo", checked, lambda: now_ms))
    return found
