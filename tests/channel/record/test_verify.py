"""A record that was exported verifies; one that was changed, cut, mixed or forged does not, and the line says where."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from functools import cache

import pytest

from keepclear.channel.charter import charter_digits, charter_hash
from keepclear.channel.entry import Draft
from keepclear.channel.record.layout import decode_bodies, encode_bodies
from keepclear.channel.record.verification import Trust, Verification
from keepclear.channel.record.verification_words import not_proved, proved
from keepclear.channel.record.verify import Expected, verify_export
from keepclear.channel.signed_note import Note
from keepclear.errors import InputError
from keepclear.simulation.channel_damage import damaged
from keepclear.simulation.channel_record import Exercise, ExerciseFiles, exercise_record

WITNESS = "witness.example/w1"
Files = dict[str, bytes]


def verify(files: Files, expected: Expected = Expected()) -> Verification:  # noqa: B008
    return verify_export(ExerciseFiles(files), expected)


def faults(files: Files) -> str:
    return "\n".join(str(finding) for finding in verify(files).findings.kept if finding.fault)


def remarks(files: Files) -> str:
    found = verify(files)
    assert found.verified, faults(files)
    return "\n".join(str(finding) for finding in found.findings.kept)


@pytest.fixture(scope="module")
def exercise() -> Exercise:
    made = Exercise(("alpha", "bravo", "charlie"), witnesses=(WITNESS,), seed=3)
    made.run(30)
    made.rotate()
    made.run(10)
    made.close()
    return made


@pytest.fixture(scope="module")
def written(exercise: Exercise) -> Files:
    return exercise.files()


@pytest.fixture
def files(written: Files) -> Files:
    return dict(written)


@cache
def small(seed: int) -> tuple[Files, Verification]:
    made = exercise_record(seed, 8)
    return made, verify(made)


@pytest.mark.parametrize("seed", range(8))
def test_whatever_an_exercise_wrote_verifies(seed: int) -> None:
    found = verify(exercise_record(seed, 20))
    assert found.verified, [str(finding) for finding in found.findings.kept]
    assert all(log.sound for log in found.logs)


def test_the_same_store_gives_the_same_bytes(exercise: Exercise) -> None:
    assert exercise.files() == exercise.files()


def test_a_log_over_several_tiles_and_levels_verifies() -> None:
    exercise = Exercise(("alpha", "bravo"), seed=1)
    for _ in range(3):
        exercise.say("alpha", [Draft("state", b"{}")] * 256)
    exercise.say("bravo", [Draft("state", b"{}")])
    exercise.say("alpha", [Draft("state", b"{}")] * 5)
    exercise.mirror("alpha", "bravo")
    found = verify(exercise.files())
    assert found.verified
    assert [log.size for log in found.logs] == [773, 1]
    assert found.logs[0].held["bravo"].size == 773


def test_without_anything_from_elsewhere_only_consistency_is_shown(exercise: Exercise, files: Files) -> None:
    first = exercise.first.charter
    assert verify(files).trust is Trust.INTERNAL
    assert "nothing from elsewhere" in not_proved(verify(files))[0]
    for expected in (
        Expected(channel=charter_hash(first).hex()),
        Expected(digits=charter_digits(first).replace(" ", "")),
        Expected(charters=exercise.charters()),
    ):
        found = verify(files, expected)
        assert found.verified
        assert found.trust is Trust.PINNED
        assert "nothing from elsewhere" not in " ".join(not_proved(found))
    other = Exercise(("alpha", "bravo"), name="another").first.charter
    for wrong in (Expected(channel="0" * 64), Expected(digits="0" * 30), Expected(charters=(other,))):
        found = verify(files, wrong)
        assert not found.verified
        assert found.trust is Trust.INTERNAL
        assert proved(found) == []


def test_levels_are_counted_as_far_as_entries_say() -> None:
    exercise = Exercise(("alpha", "bravo"), seed=1)
    for _ in range(4):
        exercise.message("alpha")
    exercise.mirror("alpha", "bravo")
    exercise.message("alpha")
    for kinds in (("receipt", "read-back", "answer"), ("receipt", "read-back"), ("receipt",)):
        exercise.reply("bravo", kinds)
    found = verify(exercise.files())
    assert dict(found.levels["alpha"]) == {"sent": 5, "HELD": 4, "SHOWN": 3, "READ_BACK": 2, "ANSWERED": 1}
    held = found.logs[0].held["bravo"]
    assert held.since(3) is not None
    assert held.since(4) is None


def test_a_reply_after_the_validity_is_late_and_one_from_a_stranger_to_the_message_is_remarked() -> None:
    exercise = Exercise(("alpha", "bravo", "charlie"), seed=1)
    exercise.message("alpha", ["bravo"])
    reference = exercise.reference("alpha", 0)
    exercise.say("charlie", [Draft("receipt", b"{}", re=(reference,))])
    exercise.say("bravo", [Draft("answer", b"{}", re=(reference,))], later_ms=3_600_000)
    text = remarks(exercise.files())
    assert "entry 0 of charlie: answers entry 0 of alpha, which was not addressed to it" in text
    assert "entry 0 of bravo: answers entry 0 of alpha" in text
    assert "after its validity had ended" in text


def test_clocks_that_cannot_be_are_remarked() -> None:
    exercise = Exercise(("alpha", "bravo"), seed=1)
    exercise.message("alpha")
    exercise.say("bravo", [Draft("state", b"{}")], later_ms=-7_200_000)
    exercise.say("alpha", [Draft("state", b"{}")])
    text = remarks(exercise.files())
    assert "entry 0 of bravo: is dated 7,200.0 s before entry 0 of alpha, which it had seen" in text
    assert "entry 1 of alpha: is dated 7,199.0 s before the entry ahead of it" in text


def test_an_erased_body_is_counted_and_denies_nothing() -> None:
    exercise = Exercise(("alpha", "bravo"), seed=1)
    exercise.message("alpha")
    exercise.erase("alpha", 0)
    found = verify(exercise.files())
    assert found.verified
    assert (found.logs[0].bodies, found.logs[0].bodies_absent, found.logs[0].bodies_erased) == (1, 1, 1)


def test_a_fork_is_shown_and_denies_nothing() -> None:
    exercise = Exercise(("alpha", "bravo"), seed=1)
    exercise.message("alpha")
    exercise.fork_by_entries("alpha")
    exercise.mirror("alpha", "bravo")
    exercise.fork_by_heads("alpha")
    found = verify(exercise.files())
    assert found.verified
    assert sorted(found.forks) == [
        "alpha signed two different entries as number 0 of its log",
        "alpha signed two different heads of its log at 1 entries",
    ]


def test_a_tail_that_others_speak_of_is_missed() -> None:
    exercise = Exercise(("alpha", "bravo"), seed=1)
    exercise.message("alpha")
    before = {name: data for name, data in exercise.files().items() if "alpha" in name}
    exercise.message("alpha")
    exercise.reply("bravo")
    exercise.reply("bravo")
    files = {name: data for name, data in exercise.files().items() if "alpha" not in name} | before
    text = remarks(files)
    assert "entry 0 of bravo: had seen entry 1 of alpha; the record ends after 1: the rest is missing" in text
    assert "refers to entry 1 of alpha" in text


def test_a_log_that_is_not_here_is_remarked_and_none_at_all_is_a_fault(files: Files) -> None:
    without = {name: data for name, data in files.items() if "bravo" not in name}
    assert "logs/bravo: the record has no log of bravo" in remarks(without)
    assert "bravo" in " ".join(not_proved(verify(without)))
    charters = {name: data for name, data in files.items() if name.startswith("charter")}
    assert "the record has no log at all" in faults(charters)
    with pytest.raises(InputError, match=r"no exported record: it has no charter-0\.json"):
        verify({name: data for name, data in files.items() if name != "charter-0.json"})


def test_a_log_rewritten_with_true_keys_contradicts_what_others_saw() -> None:
    one, other = (Exercise(("alpha", "bravo"), seed=seed) for seed in (1, 2))
    for exercise in (one, other):
        exercise.message("alpha")
        exercise.reply("bravo")
    strange = {name: data for name, data in other.files().items() if "alpha" in name}
    files = {name: data for name, data in one.files().items() if "alpha" not in name} | strange
    assert "entry 0 of bravo: had seen a head of alpha's log, 1 entries, which the log here never had" in faults(files)
    assert "entry 0 of bravo: refers to an entry 0 of alpha which the log here never had" in faults(files)


def test_what_the_witnesses_did_not_see_is_said() -> None:
    exercise = Exercise(("alpha", "bravo"), witnesses=(WITNESS,), seed=1)
    exercise.message("alpha")
    assert "logs/alpha: no head carries the 1 witnesses' cosignatures" in faults(exercise.files())
    exercise.witness("alpha", WITNESS)
    exercise.message("alpha")
    text = remarks(exercise.files())
    assert "the newest 1 entries are not yet witnessed as the charter asks" in text


def first_name(files: Files, part: str) -> str:
    return min(name for name in files if part in name)


def spoil(part: str, change: Callable[[bytes], bytes]) -> Callable[[Files], None]:
    def apply(files: Files) -> None:
        name = first_name(files, part)
        files[name] = change(files[name])

    return apply


def unsigned(data: bytes) -> bytes:
    whole = json.loads(data)
    del whole["signatures"]["bravo"]
    return json.dumps(whole, sort_keys=True, separators=(",", ":")).encode()


def without_cosigner_order(data: bytes) -> bytes:
    note = Note.parse(data)
    first, *rest = note.signatures
    return Note(note.text, (first, *rest[::-1])).encode()


def with_stranger(data: bytes) -> bytes:
    line = Note.parse(data).signatures[-1].line.replace(WITNESS, "zulu.example/w9")
    return data + line.encode()


def last_byte(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (spoil("charter-0", unsigned), "charter-0.json: the charter is not signed by bravo; nothing is in force until"),
        (spoil("charter-1", last_byte), "charter-1.json: the charter: this is not JSON"),
        (spoil("charter-0", lambda data: data + b"\n"), "charter-0.json: the charter is not written in its one form"),
        (spoil("alpha/tile/entries", lambda d: d[:-1]), "logs/alpha/tile/entries/000.p/"),
        (spoil("alpha/tile/entries", last_byte), "logs/alpha, entry"),
        (spoil("alpha/tile/0", last_byte), "the tile does not hold the hashes of the entries"),
        (spoil("alpha/signatures", last_byte), "the signature does not verify"),
        (spoil("alpha/signatures", lambda data: data[:-1]), "signatures of 64"),
        (spoil("alpha/bodies", last_byte), "is not the one that was signed"),
        (spoil("alpha/bodies", lambda data: data + b"\x00"), "the bundle has not exactly"),
        (spoil("alpha/checkpoint", with_stranger), "the charter knows no key zulu.example/w9"),
        (spoil("alpha/checkpoint", without_cosigner_order), "the cosignatures do not stand in order"),
        (spoil("alpha/checkpoint", lambda data: data[:-5]), "alpha/checkpoint: the last signature line has no end"),
        (spoil("proofs/", last_byte), "proofs/alpha-"),
        (lambda files: files.pop(first_name(files, "bravo/tile/0")), "bravo/tile/0/000.p"),
        (lambda files: files.update({"logs/alpha/tile/0/001": b""}), "logs/alpha/tile/0/001: this record's charters"),
        (lambda files: files.update({"evidence.pdf": b""}), "evidence.pdf: a record has no such file"),
        (lambda files: files.update({"charter-9.json": b""}), "charter-9.json: this record's charters"),
        (lambda files: files.update({"logs/zulu/checkpoint": b""}), "logs/zulu/checkpoint: this record's charters"),
        (lambda files: files.update({"forks/alpha-0.json": b"{}"}), "forks/alpha-0.json: the fork proof"),
        (lambda files: files.pop("charter-1.json"), "the first signature is not by the log key of alpha/keepclear/"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_line_with_its_place(
    files: Files, change: Callable[[Files], object], line: str
) -> None:
    change(files)
    assert line in faults(files)
    assert "Traceback" not in faults(files)


def test_texts_for_people_are_not_read(files: Files) -> None:
    files |= {"transcript.txt": b"\xff", "transcript.uk.html": b"", "README.txt": b""}
    assert verify(files).verified


@pytest.mark.parametrize("seed", range(300))
def test_a_damaged_record_verifies_only_where_it_says_less(seed: int) -> None:
    """The campaign is ``python -m benchmarks.channel_tamper``."""
    files, before = small(seed % 3)
    after, _ = damaged(files, random.Random(seed))
    try:
        found = verify(after)
    except InputError:
        return
    if found.verified:
        heads = {(log.party, log.size, log.root) for log in found.logs}
        assert heads <= {(log.party, log.size, log.root) for log in before.logs}
        assert set(found.forks) <= set(before.forks)
        assert sum(map(len, after.values())) < sum(map(len, files.values()))


@pytest.mark.parametrize("silent", [None, 1, 40, 69])
def test_who_answered_is_counted_of_every_party_however_many_there_are(silent: int | None) -> None:
    made = Exercise([f"p{number:02d}" for number in range(70)])
    made.message("p00")
    for number, party in enumerate(made.ids):
        if number not in (0, silent):
            made.reply(party, ("receipt",))
    levels = verify(made.files()).levels["p00"]
    assert (levels["sent"], levels["SHOWN"]) == (1, 1 if silent is None else 0)


def test_a_bundle_of_bodies_has_one_form() -> None:
    short, large = (bytes(32), b"a" * 65_535), (bytes(32), b"b" * 65_536)
    data = encode_bodies([short, None, large])
    assert decode_bodies(data, 3) == [short, None, large]
    long_form = b"\x02" + bytes(32) + (3).to_bytes(4, "big") + b"abc"
    for spoilt in (data[:-1], data + b"a", b"\x03" + data[1:], b"\x02" + data[1:], long_form, long_form[:30]):
        with pytest.raises(InputError):
            decode_bodies(spoilt, 3 if len(spoilt) > 50 else 1)
