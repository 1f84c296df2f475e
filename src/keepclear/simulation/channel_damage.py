"""Records of an exercise made bad on purpose: damaged in their bytes, or forged by parties who sign what is not so.

For tests and benchmarks of verifiers. Nothing here says which of them must fail: a forged value may be harmless. Two
verifiers must agree on each.
"""

from __future__ import annotations

import json
import random
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from typing import Any

from keepclear.channel.checkpoint import Checkpoint, sign_checkpoint
from keepclear.channel.cosignature import cosign
from keepclear.channel.entry import Draft, Record, Reference
from keepclear.channel.fork_proof import prove_fork_by_entries, prove_fork_by_heads
from keepclear.channel.merkle import Tree, leaf_hash
from keepclear.channel.record.layout import encode_bodies
from keepclear.channel.signature import in_context
from keepclear.channel.signed_note import Note
from keepclear.channel.tiles import encode_bundle
from keepclear.simulation.channel_record import Exercise, exercise_record
from keepclear.simulation.parties import exercise_key

__all__ = ["damaged", "forged"]

STRANGE: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 2**53 - 1, 2**53, 2**64, 10**400, "", "0", "a", "A", "alpha", "zulu", "a" * 63,
    "a" * 64, "-a", "a.b", "é", "\x7f", "\x00", "𐀀", "\ue000", "0" * 64, "f" * 64, "F" * 64, "01" + "0" * 62,
    [], {}, [[]],
    ["alpha"], ["zulu", "alpha"], {"alpha": {"size": 0, "root": "0" * 64}}, {"size": 1}, 1.0, 1.5, "https://a",
    "http://a",
    "https://a b", " ", "\n", "\u2028", "a" * 200, "a" * 201,
)  # fmt: skip
"""Values that readers of JSON are known to differ on, and some that fit where they should not."""


def damaged(files: dict[str, bytes], chance: random.Random) -> tuple[dict[str, bytes], str]:
    """The record with one change to its bytes or its names, and what was done. Never the record as it was."""
    while True:
        after = dict(files)
        done = chance.choice(_DAMAGES)(after, chance)
        if after != files:
            return after, done


def _pick(files: dict[str, bytes], chance: random.Random) -> str:
    return chance.choice(sorted(files))


def _flip(files: dict[str, bytes], chance: random.Random) -> str:
    name = _pick(files, chance)
    data = bytearray(files[name])
    for _ in range(chance.choice((1, 1, 1, 1, 2, 8))):
        if data:
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    files[name] = bytes(data)
    return f"flip {name}"


def _replace(files: dict[str, bytes], chance: random.Random) -> str:
    name = _pick(files, chance)
    data = bytearray(files[name])
    at = chance.randrange(len(data) + 1)
    width = chance.choice((0, 1, 1, 2, 32, 64))
    data[at : at + width] = chance.randbytes(chance.choice((0, 1, 1, 2, 32)))
    files[name] = bytes(data)
    return f"replace {name}"


def _move(files: dict[str, bytes], chance: random.Random) -> str:
    """A piece of some file to another place."""
    name, source = _pick(files, chance), _pick(files, chance)
    at, begin = chance.randrange(len(files[name]) + 1), chance.randrange(len(files[source]) + 1)
    width = chance.choice((1, 32, 33, 64, 100, 500))
    piece = files[source][begin : begin + width]
    over = chance.choice((0, len(piece)))
    files[name] = files[name][:at] + piece + files[name][at + over :]
    return f"move {source} to {name}"


def _cut(files: dict[str, bytes], chance: random.Random) -> str:
    name = _pick(files, chance)
    files[name] = files[name][: chance.randrange(len(files[name]) + 1)]
    return f"cut {name}"


def _lines(files: dict[str, bytes], chance: random.Random) -> str:
    """A line of text taken out, put twice, or exchanged."""
    name = chance.choice(sorted(n for n in files if "checkpoint" in n or n.endswith(".tlog-proof")))
    lines = files[name].split(b"\n")
    a, b = chance.randrange(len(lines)), chance.randrange(len(lines))
    action = chance.randrange(3)
    if action == 0:
        del lines[a]
    elif action == 1:
        lines.insert(b, lines[a])
    else:
        lines[a], lines[b] = lines[b], lines[a]
    files[name] = b"\n".join(lines)
    return f"lines {name}"


def _names(files: dict[str, bytes], chance: random.Random) -> str:
    one, other = _pick(files, chance), _pick(files, chance)
    action = chance.randrange(4)
    if action == 0:
        files[one], files[other] = files[other], files[one]
    elif action == 1:
        del files[one]
    elif action == 2:
        files[one] = files[other]
    else:
        files[f"{one}{chance.choice(('x', '/0', '.p/1', '~'))}"] = files[one]
    return f"names {one} {other}"


def _foreign(files: dict[str, bytes], chance: random.Random) -> str:
    """A file of another channel whose parties have the same names and keys."""
    foreign = exercise_record(chance.randrange(10_000), 6)
    name = _pick(foreign, chance)
    files[name] = foreign[name]
    return f"foreign {name}"


_DAMAGES: tuple[Callable[[dict[str, bytes], random.Random], str], ...] = (
    _flip, _flip, _flip, _replace, _replace, _move, _cut, _lines, _names, _foreign,
)  # fmt: skip


def forged(seed: int) -> tuple[dict[str, bytes], str]:
    """A record in which somebody with true keys signs what may not be so; and what was done."""
    chance = random.Random(seed)  # noqa: S311
    witnesses = ("witness.example/w1",)[: chance.randint(0, 1)]
    exercise = Exercise(("alpha", "bravo"), witnesses=witnesses, seed=seed)
    for party in exercise.ids:
        exercise.message(party)
    exercise.run(chance.randint(0, 8))
    forge = chance.choice(_FORGERIES)
    if forge is not _unwitnessed:
        exercise.close()
    files = forge(exercise, chance)
    return exercise.files() if files is None else files, forge.__name__.strip("_")


def _seen(exercise: Exercise, chance: random.Random) -> dict[str, bytes]:
    """An entry that states heads of other logs, true or not."""
    head = {"size": chance.randint(0, 8), "root": sha256(chance.randbytes(1)).hexdigest()}
    if chance.random() < 0.3:
        head = {"size": 0, "root": sha256(b"").hexdigest()}
    other = chance.choice(("bravo", "bravo", "alpha", "zulu"))
    return _resign_last(exercise, lambda value: value["seen"].update({other: head}))


def _reference(exercise: Exercise, chance: random.Random) -> None:
    leaf = exercise.records("bravo", 0)[0].record.leaf if chance.random() < 0.5 else chance.randbytes(32)
    reference = Reference(chance.choice(("bravo", "bravo", "zulu")), chance.choice((0, 0, 1, 900)), leaf.hex())
    exercise.say("alpha", [Draft("receipt", b"{}", re=(reference,))])
    exercise.close()


def _payload(exercise: Exercise, chance: random.Random) -> dict[str, bytes]:
    """The last entry's JSON with strange values, properly signed and covered by a signed head."""
    return _resign_last(exercise, lambda value: _strangely(value, chance), _printer(chance))


def _later_charter(exercise: Exercise, chance: random.Random) -> dict[str, bytes]:
    """A second version of the charter with strange values, signed by all as it stands."""
    exercise.rotate()
    exercise.close()
    files = exercise.files()
    whole = json.loads(files["charter-1.json"])
    charter = whole["charter"]
    _strangely(charter, chance)
    digest = sha256(_print(charter)).digest()
    for part, generation in (("signatures", 1), ("approvals", 0)):
        for party in list(whole[part]):
            key = exercise_key(party, "entry", generation if party == exercise.ids[0] else 0)
            whole[part][party] = b64encode(key.sign(in_context("charter", digest))).decode()
    if chance.random() < 0.2:
        _strangely(whole, chance)
    files["charter-1.json"] = _printer(chance)(whole)
    if chance.random() < 0.7:  # without the entries that bring another version
        shorter = Exercise(exercise.ids, witnesses=exercise.witnesses, seed=1)
        shorter.message("alpha")
        shorter.close()
        return {**shorter.files(), "charter-1.json": files["charter-1.json"]}
    return files


def _unwitnessed(exercise: Exercise, chance: random.Random) -> None:
    """Whatever was witnessed by chance."""


def _stranger(exercise: Exercise, chance: random.Random) -> dict[str, bytes]:
    """A line on a head by a key of no party, or by a party's key for another purpose."""
    files = exercise.files()
    name = "logs/alpha/checkpoint"
    note = Note.parse(files[name])
    owner, purpose = chance.choice((("zulu", "mirror"), ("bravo", "entry"), ("bravo", "mirror"), ("alpha", "mirror")))
    line = cosign(
        note.text, f"{owner}/mirror", exercise_key(owner, purpose), chance.choice((0, 2**63 - 1, 1_700_000_000))
    )
    first, *rest = note.signatures
    files[name] = Note(note.text, (first, *sorted([*rest, line], key=lambda s: (s.name, s.key_id)))).encode()
    return files


def _wrong_head(exercise: Exercise, chance: random.Random) -> dict[str, bytes]:
    files = exercise.files()
    name = "logs/bravo/checkpoint"
    checkpoint = Checkpoint.parse(Note.parse(files[name]).text)
    purpose, root = chance.choice((("entry", checkpoint.root), ("log", bytes(32)), ("log", checkpoint.root)))
    files[name] = sign_checkpoint(replace(checkpoint, root=root), exercise_key("bravo", purpose)).encode()
    return files


def _revoked(exercise: Exercise, chance: random.Random) -> dict[str, bytes]:
    """What follows a revocation, or comes without its charter."""
    if chance.random() < 0.7:
        exercise.say("bravo", [Draft("key-revocation", b"{}")])
    if chance.random() < 0.3:
        exercise.close()
        return exercise.files()
    return _append(exercise, "bravo", chance.choice(("message", "charter", "key-revocation")), b"{}")


def _rewritten(exercise: Exercise, chance: random.Random) -> dict[str, bytes]:
    """The whole log of one party anew, with true keys, beside the others as they were."""
    other = Exercise(exercise.ids, witnesses=exercise.witnesses, seed=chance.randrange(1_000))
    other.run(chance.randint(1, 6))
    other.close()
    files, strange = exercise.files(), other.files()
    kept = {name: data for name, data in files.items() if "bravo" not in name}
    return kept | {name: data for name, data in strange.items() if "bravo" in name}


def _shorter(exercise: Exercise, chance: random.Random) -> dict[str, bytes]:
    """One log as it was before, beside the others as they are."""
    before = {name: data for name, data in exercise.files().items() if "bravo" in name}
    exercise.message("bravo")
    exercise.reply("alpha")
    exercise.message("alpha")
    exercise.close()
    after = {name: data for name, data in exercise.files().items() if "bravo" not in name}
    return after | before


def _forks(exercise: Exercise, chance: random.Random) -> dict[str, bytes]:
    """Proofs of forks that may prove nothing."""
    files = exercise.files()
    records = [kept.record for kept in exercise.records("bravo", 0)]
    key = exercise_key("bravo", chance.choice(("entry", "entry", "log")))
    one, other = chance.choice(records), chance.choice(records)
    if chance.random() < 0.5:
        if chance.random() < 0.5:
            value = json.loads(other.payload)
            value["prev"] = chance.choice((value["prev"], "0" * 64))
            value["at_ms"] += chance.randint(0, 1)
            payload = _print(value)
            other = Record(payload, key.sign(in_context("entry", payload)))
        proof = prove_fork_by_entries(chance.choice(("bravo", "bravo", "alpha", "zulu")), one, other)
    else:
        tree, strange = Tree(r.leaf for r in records), Tree(leaf_hash(bytes([k])) for k in range(len(records)))
        small, large = sorted(chance.randint(0, len(records)) for _ in range(2))
        a, b = (chance.choice((tree, strange)) for _ in range(2))
        origin = f"bravo/keepclear/{exercise.channel[:32]}"
        heads = [
            sign_checkpoint(Checkpoint(origin, size, t.root(size)), exercise_key("bravo", "log"))
            for size, t in ((small, a), (large, b))
        ]
        path = b.consistency_proof(small, large) if small > 0 else []
        if small & (small - 1) == 0 and 0 < small < large:
            path = [b.root(small), *path]
        if chance.random() < 0.3:
            path = path[chance.randint(0, 1) :] + [bytes(32)] * chance.randint(0, 1)
        if chance.random() < 0.1:
            heads[0] = heads[0].with_signatures([cosign(heads[0].text, "x", exercise_key("x", "witness"), 1)])
        proof = prove_fork_by_heads("bravo", heads[0], heads[1], path)
    files[f"forks/{proof.party}-{chance.choice((0, 0, 7))}.json"] = proof.encode()
    return files


_FORGERIES: tuple[Callable[[Exercise, random.Random], dict[str, bytes] | None], ...] = (
    _seen, _seen, _reference, _payload, _payload, _payload, _later_charter, _later_charter, _unwitnessed, _stranger,
    _wrong_head, _revoked, _rewritten, _shorter, _forks, _forks,
)  # fmt: skip


def _print(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _printer(chance: random.Random) -> Callable[[Any], bytes]:
    """Mostly the canonical one."""
    strange: list[Callable[[Any], bytes]] = [
        lambda value: json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode(),
        lambda value: json.dumps(value, ensure_ascii=False, sort_keys=False, separators=(",", ":")).encode(),
        lambda value: json.dumps(value, ensure_ascii=False, sort_keys=True).encode(),
        lambda value: _print(value) + b"\n",
        lambda value: b"\xef\xbb\xbf" + _print(value),
        lambda value: _print(value).replace(b'"v":1', b'"v":1.0').replace(b"alpha", b"\\u0061lpha", 1),
        lambda value: _print(value).replace(b'"v":1', b'"v":1,"v":1'),
    ]
    return chance.choice(strange) if chance.random() < 0.25 else _print


def _strangely(value: Any, chance: random.Random) -> None:
    """One place in a JSON object changed."""
    while True:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        if not keys:
            return
        key = chance.choice(keys)
        inner = value[key]
        if isinstance(inner, dict | list) and inner and chance.random() < 0.7:
            value = inner
            continue
        break
    action = chance.randrange(6)
    if action == 0:
        del value[key]
    elif action == 1 and isinstance(value, dict):
        value[chance.choice(("x", "é", "v2", "\ue000", "𐀀"))] = chance.choice(STRANGE)
    elif action == 1:
        value.append(inner)
    elif action == 2 and isinstance(inner, int):
        value[key] = inner + chance.choice((-1, 1))
    else:
        value[key] = chance.choice(STRANGE)


def _resign_last(
    exercise: Exercise, change: Callable[[Any], Any], printer: Callable[[Any], bytes] = _print
) -> dict[str, bytes]:
    """The newest entry of the first party changed and signed anew, as if it had been written so."""
    exercise.close()
    files = exercise.files()
    last = exercise.records("alpha", 0)[-1].record
    value = json.loads(last.payload)
    change(value)
    with suppress(ValueError):  # a value that cannot be printed
        payload = printer(value)
        signature = exercise_key("alpha", "entry").sign(in_context("entry", payload))
        _rewrite(exercise, files, "alpha", replace(last, payload=payload, signature=signature), kept=-1)
    return files


def _append(exercise: Exercise, party: str, kind: str, body: bytes) -> dict[str, bytes]:
    """An entry more, that an honest party would not write."""
    exercise.close()
    files = exercise.files()
    last = exercise.records(party, 0)[-1]
    salt = bytes(32)
    value = json.loads(last.record.payload) | {
        "seq": last.seq + 1, "prev": last.record.leaf.hex(), "kind": kind, "re": [],
        "body": sha256(in_context("body", salt + body)).hexdigest(),
    }  # fmt: skip
    payload = _print(value)
    signature = exercise_key(party, "entry").sign(in_context("entry", payload))
    _rewrite(exercise, files, party, Record(payload, signature, salt, body), kept=None)
    return files


def _rewrite(exercise: Exercise, files: dict[str, bytes], party: str, last: Record, kept: int | None) -> None:
    """A log of less than 256 entries with another end, its head signed and cosigned by true keys."""
    records = [*[held.record for held in exercise.records(party, 0)][:kept], last]
    for name in [n for n in files if n.startswith((f"logs/{party}/", f"proofs/{party}-")) and "/checkpoints/" not in n]:
        del files[name]
    tree = Tree(record.leaf for record in records)
    width = len(records)
    files[f"logs/{party}/tile/entries/000.p/{width}"] = encode_bundle([r.payload for r in records])
    files[f"logs/{party}/tile/0/000.p/{width}"] = tree.hashes(0, 0, width)
    files[f"logs/{party}/signatures/000.p/{width}"] = b"".join(r.signature for r in records)
    pairs = [None if r.salt is None or r.body is None else (r.salt, r.body) for r in records]
    files[f"logs/{party}/bodies/000.p/{width}"] = encode_bodies(pairs)
    origin = f"{party}/keepclear/{exercise.channel[:32]}"
    note = sign_checkpoint(Checkpoint(origin, width, tree.root()), exercise_key(party, "log"))
    names = [(f"{other}/mirror", other, "mirror") for other in exercise.ids if other != party]
    names += [(name, name, "witness") for name in exercise.witnesses]
    lines = [cosign(note.text, name, exercise_key(owner, purpose), 1_700_001_000) for name, owner, purpose in names]
    files[f"logs/{party}/checkpoint"] = note.with_signatures(sorted(lines, key=lambda s: s.name)).encode()
