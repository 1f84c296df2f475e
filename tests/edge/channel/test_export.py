"""A record on the disk: whole or absent, the same bytes again, and read only as what it is."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from msgspec.structs import replace

from keepclear.channel.charter import Charter, charter_hash
from keepclear.channel.entry import Draft
from keepclear.channel.protocol import wire
from keepclear.channel.protocol.gate import Gate
from keepclear.channel.protocol.own_log import Node, append_own, make_lock
from keepclear.channel.record.layout import ExportFiles
from keepclear.channel.record.transcript import Spoken
from keepclear.channel.record.verify import verify_export
from keepclear.edge.channel.export import export_record
from keepclear.edge.channel.files import FolderFiles, ZipFiles, open_record
from keepclear.edge.channel.store import ChannelStore
from keepclear.errors import InputError, LimitExceeded, UsageError
from keepclear.simulation.channel_record import Exercise
from keepclear.simulation.memory_store import MemoryLock
from keepclear.simulation.parties import CREATED_MS, exercise_charter, exercise_key, exercise_party, signed_by_all


@pytest.fixture(scope="module")
def exercise() -> Exercise:
    made = Exercise(("alpha", "bravo"), seed=4)
    made.run(12)
    made.close()
    return made


def contents(files: ExportFiles) -> dict[str, bytes | None]:
    return {name: files.read(name, 1 << 20) for name in files.names()}


def test_a_folder_and_a_zip_hold_the_record_and_verify(exercise: Exercise, tmp_path: Path) -> None:
    count = export_record(exercise, (exercise.first,), tmp_path / "record")
    export_record(exercise, (exercise.first,), tmp_path / "record.zip")
    folder, packed = open_record(tmp_path / "record"), open_record(tmp_path / "record.zip")
    assert contents(folder) == contents(packed) == exercise.files()
    assert count == len(exercise.files())
    assert verify_export(folder).verified
    assert verify_export(packed).verified
    assert sorted(path.name for path in tmp_path.iterdir()) == ["record", "record.zip"]


def test_the_same_store_gives_the_same_bytes_again(exercise: Exercise, tmp_path: Path) -> None:
    for name in ("one.zip", "two.zip"):
        export_record(exercise, (exercise.first,), tmp_path / name)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_a_transcript_is_written_from_the_record_in_the_order_of_time(exercise: Exercise, tmp_path: Path) -> None:
    def transcript(charter: Charter, spoken: Iterable[Spoken]) -> Iterable[str]:
        yield f"{charter.name}\n"
        for one in spoken:
            yield f"{one.entry.at_ms} {one.entry.party} {one.entry.seq} {one.body is not None}\n"

    export_record(exercise, (exercise.first,), tmp_path / "record", {"transcript.txt": transcript})
    lines = (tmp_path / "record" / "transcript.txt").read_text().splitlines()
    assert lines[0] == "Exercise"
    assert len(lines) == 1 + sum(len(exercise.records(party, 0)) for party in exercise.ids)
    assert [line.split()[0] for line in lines[1:]] == sorted(line.split()[0] for line in lines[1:])
    assert verify_export(FolderFiles(tmp_path / "record")).verified


def test_it_is_whole_or_absent(exercise: Exercise, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(UsageError, match="is there already"):
        export_record(exercise, (exercise.first,), tmp_path / "there")
    with pytest.raises(InputError, match="cannot be written"):
        export_record(exercise, (exercise.first,), tmp_path / "no" / "record")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match=r"No space left on device.*nothing was left behind"):
        export_record(exercise, (exercise.first,), tmp_path / "record")
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


def test_links_and_oversized_files_are_no_files_of_a_record(exercise: Exercise, tmp_path: Path) -> None:
    export_record(exercise, (exercise.first,), tmp_path / "record")
    checkpoint = tmp_path / "record" / "logs" / "alpha" / "checkpoint"
    checkpoint.rename(tmp_path / "elsewhere")
    checkpoint.symlink_to(tmp_path / "elsewhere")
    files = FolderFiles(tmp_path / "record")
    assert not verify_export(files).verified
    with pytest.raises(InputError, match="cannot be read"):
        files.read("logs/alpha/checkpoint", 1 << 20)
    with pytest.raises(LimitExceeded):
        files.read("charter-0.json", 10)
    with pytest.raises(InputError, match="no such file or folder"):
        open_record(tmp_path / "nothing")


def test_a_zip_may_hold_the_record_in_a_folder_and_a_strange_one_is_refused(exercise: Exercise, tmp_path: Path) -> None:
    def write(name: str, members: Iterable[tuple[str, bytes]]) -> Path:
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for member, data in members:
                archive.writestr(member, data)
        return tmp_path / name

    files = exercise.files()
    inside = write("inside.zip", ((f"record/{name}", data) for name, data in files.items()))
    assert verify_export(ZipFiles(inside)).verified
    beside = write("beside.zip", [*((f"record/{name}", data) for name, data in files.items()), ("other.txt", b"")])
    assert not verify_export(ZipFiles(beside)).verified
    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = write("twice.zip", [*files.items(), ("charter-0.json", b"")])
    with pytest.raises(InputError, match="twice"):
        ZipFiles(twice)
    with pytest.raises(InputError, match=r"no charter-0\.json"):
        ZipFiles(write("empty.zip", []))
    (tmp_path / "torn.zip").write_bytes(inside.read_bytes()[:-30])
    with pytest.raises(InputError, match="neither a record's folder nor a zip"):
        ZipFiles(tmp_path / "torn.zip")
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("charter-0.json", bytes(50_000_000))
    found = verify_export(ZipFiles(bomb))
    assert "has 50,000,000 bytes, more than 1,048,576" in str(found.findings.kept[0])


def test_a_party_that_joined_later_exports_before_the_charter_that_names_it_has_come(tmp_path: Path) -> None:
    """The log in which the others hold that charter may come after the first messages: the export does not wait."""
    first = exercise_charter("alpha", "bravo")
    parties = tuple(exercise_party(party) for party in ("alpha", "bravo", "charlie"))
    second = replace(first, parties=parties, serial=1, previous=charter_hash(first).hex())
    keys = wire.Keys("charlie", *(exercise_key("charlie", purpose) for purpose in ("entry", "log", "mirror")))
    with ChannelStore.open(tmp_path / "charlie.db", first) as store:
        store.learn(second)
        node = Node(store, MemoryLock(), keys, Gate())
        make_lock(node, {}, now_ms=CREATED_MS, by_operator=True)
        append_own(node, [Draft("state", b"{}")], clock=lambda: CREATED_MS, salts=[b"s" * 32])
        charters = (signed_by_all(first), signed_by_all(second, first))
        export_record(store, charters, tmp_path / "record")
    found = verify_export(FolderFiles(tmp_path / "record"))
    assert found.findings.faults == 0, found.findings
    assert [(log.party, log.size) for log in found.logs if log.size] == [("charlie", 1)]
