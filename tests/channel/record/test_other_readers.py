"""Programs of others that know nothing of Keepclear read an exported record by the C2SP specifications alone.

tlog-scales (Python, Apache-2.0) reads the log as tiles and makes proofs from them; metamorphic-log (Rust, Apache-2.0 or
MIT) verifies notes, checkpoints and proofs. Neither knows charters, entries or bodies, which are ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import metamorphic_log  # type: ignore[import-untyped]
import pytest
from tlog_scales.backend import LocalBackend
from tlog_scales.reader import TilesReader
from tlog_scales.signing import PlainEd25519Signer, Vkey
from tlog_scales.tiles import leaf_hash
from tlog_scales.tlog import Checkpoint, ConsistencyProofInvalid, InclusionProof, InclusionProofInvalid

from keepclear.channel.charter import origin_of
from keepclear.channel.checkpoint import log_key, open_checkpoint
from keepclear.channel.cosignature import cosigner_key
from keepclear.channel.merkle import verify_consistency, verify_inclusion
from keepclear.channel.record.proof_file import ProofFile
from keepclear.channel.signed_note import Note, NoteKey
from keepclear.simulation.channel_record import Exercise
from keepclear.simulation.parties import exercise_key

WITNESS = "witness.example/w1"
LONG = 300
"""More than a tile."""


@pytest.fixture(scope="module")
def exercise() -> Exercise:
    made = Exercise(("alpha", "bravo"), witnesses=(WITNESS,), seed=5)
    made.run(20)
    for _ in range(LONG // 3):
        made.message("alpha")
    made.run(20)
    for _ in range(2 * LONG // 3):
        made.message("alpha")
    made.close()
    return made


@pytest.fixture(scope="module")
def record(exercise: Exercise, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("record")
    for name, data in exercise.files().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def log_vkey(exercise: Exercise, party: str) -> NoteKey:
    return log_key(origin_of(party, exercise.channel), exercise_key(party, "log").public)


def cosigners(party: str) -> Iterator[NoteKey]:
    """Whoever holds or witnesses that party's log."""
    other = "bravo" if party == "alpha" else "alpha"
    yield cosigner_key(f"{other}/mirror", exercise_key(other, "mirror").public)
    yield cosigner_key(WITNESS, exercise_key(WITNESS, "witness").public)


def heads(record: Path, party: str) -> list[bytes]:
    folder = record / "logs" / party
    smaller = sorted((folder / "checkpoints").iterdir(), key=lambda path: int(path.name))
    return [path.read_bytes() for path in (*smaller, folder / "checkpoint")]


@pytest.mark.parametrize("party", ["alpha", "bravo"])
def test_a_reader_of_tiles_finds_every_entry_and_the_root_that_was_signed(
    exercise: Exercise, record: Path, party: str
) -> None:
    reader = TilesReader(LocalBackend(record / "logs" / party))
    checkpoint = reader.get_checkpoint()
    assert (party == "alpha") is (checkpoint.size > LONG)
    for key in (log_vkey(exercise, party), *cosigners(party)):
        checkpoint.verify(Vkey.from_string(key.vkey))
    assert reader.calculate_root_hash() == checkpoint.root_hash
    kept = [held.record for held in exercise.records(party, 0)]
    assert [reader.get_entry(k) for k in range(checkpoint.size)] == [r.payload for r in kept]


@pytest.mark.parametrize("party", ["alpha", "bravo"])
def test_proofs_made_from_the_tiles_are_accepted_here_and_there(record: Path, party: str) -> None:
    reader = TilesReader(LocalBackend(record / "logs" / party))
    size = reader.get_checkpoint().size
    root = reader.calculate_root_hash()
    for index in range(0, size, 7):
        leaf, proof = leaf_hash(reader.get_entry(index)), reader.get_inclusion_proof(index, size)
        assert verify_inclusion(leaf, index, size, proof.node_hashes, root)
        metamorphic_log.verify_inclusion(index, size, leaf, proof.node_hashes, root)
    for old in range(1, size, 11):
        steps = reader.get_consistency_proof(old, size)
        steps.check(old_root := reader.mth(0, old), root)
        assert verify_consistency(old, old_root, size, root, steps.node_hashes)
        metamorphic_log.verify_consistency(old, size, steps.node_hashes, old_root, root)
        with pytest.raises(ConsistencyProofInvalid):
            steps.check(root, old_root)


@pytest.mark.parametrize("party", ["alpha", "bravo"])
def test_every_head_of_the_record_is_a_checkpoint_to_others(exercise: Exercise, record: Path, party: str) -> None:
    own, strangers = log_vkey(exercise, party), log_vkey(exercise, "bravo" if party == "alpha" else "alpha")
    for data in heads(record, party):
        text = data.decode()
        found = metamorphic_log.checkpoint_verify(text, [own.vkey])
        ours = open_checkpoint(Note.parse(data), own.name, own.public)
        assert (found.origin, found.size, found.root) == (ours.origin, ours.size, ours.root)
        assert metamorphic_log.verify_signed_note(text, [own.vkey]) == 1
        with pytest.raises(metamorphic_log.VerifyError):
            metamorphic_log.checkpoint_verify(text, [strangers.vkey])
        with pytest.raises(metamorphic_log.VerifyError):
            metamorphic_log.checkpoint_verify(re.sub(r"\n\d+\n", f"\n{ours.size + 1}\n", text, count=1), [own.vkey])


def test_every_proof_file_proves_its_entry_to_others(exercise: Exercise, record: Path) -> None:
    files = list((record / "proofs").iterdir())
    assert len(files) > 50
    for path in files:
        party, seq = path.stem.rsplit("-", 1)
        proof = ProofFile.parse(path.read_bytes())
        entry = exercise.records(party, int(seq))[0].record
        note, hashes = proof.checkpoint.encode().decode(), list(proof.path)
        vkey = log_vkey(exercise, party).vkey
        metamorphic_log.checkpoint_verify_inclusion(note, [vkey], int(seq), entry.leaf, hashes)
        head = Checkpoint.from_text(note)
        head.verify(Vkey.from_string(vkey))
        InclusionProof(int(seq), head.size, hashes).check(entry.leaf, head.root_hash)
        with pytest.raises(InclusionProofInvalid):
            InclusionProof(int(seq), head.size, hashes).check(leaf_hash(b"another"), head.root_hash)
        with pytest.raises(metamorphic_log.VerifyError):
            metamorphic_log.checkpoint_verify_inclusion(note, [vkey], int(seq), leaf_hash(b"another"), hashes)


def test_a_checkpoint_that_others_signed_is_read_here() -> None:
    seed = bytes(range(32))
    signer = PlainEd25519Signer("example.com/log", seed)
    theirs = Checkpoint.make_signed("example.com/log", 7, bytes(32), [signer]).serialize().encode()
    key = NoteKey.parse(signer.vkey.serialize())  # type: ignore[no-untyped-call]
    assert open_checkpoint(Note.parse(theirs), "example.com/log", key.public).size == 7
