"""Senseless numbers, broken side files, full disks, closed pipes: one line, the right exit code, nothing half-done."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from keepclear.cli.main import run
from keepclear.cli.watch.zone_files import ZoneFileWatch
from keepclear.edge.alert_store import AlertStore

SRC = Path(__file__).resolve().parents[2] / "src"


def zone(id: str, east: float) -> dict[str, object]:
    ring = [[29, 49], [east, 49], [east, 51], [29, 51], [29, 49]]
    return {
        "type": "Feature",
        "id": id,
        "properties": {"id": id},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "z.geojson").write_text(json.dumps(zone("Z1", 31.0)))
    rows = [f"{1_700_000_000 + 10 * k},50.0,{28.5 + k * 0.02:.4f},abc123,9000" for k in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["time_s,lat_deg,lon_deg,target,altitude_baro_m", *rows]) + "\n")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "head.csv").write_text("time_s,lat_deg,lon_deg,target\n")
    (tmp_path / "latin.csv").write_bytes(b"target,party\nabc123,\xff\n")
    (tmp_path / "short.csv").write_text("target,party\nabc123\n")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("scan t.csv -z z.geojson --gap -5", "--gap -5: write a number above 0"),
        ("scan t.csv -z z.geojson --gap nan", "--gap nan"),
        ("scan t.csv -z z.geojson --merge-gap nan", "--merge-gap nan"),
        ("scan t.csv -z z.geojson --qnh nan", "QNH nan"),
        ("scan t.csv -z z.geojson --ground-elevation 200:100", "lower one first"),
        ("scan t.csv -z z.geojson --receiver nan,nan", "--receiver"),
        ("scan t.csv -z z.geojson --column lat_deg=nix", "no column 'nix'"),
        ("scan t.csv -z z.geojson --parties latin.csv", "latin.csv: is no CSV text in UTF-8"),
        ("scan t.csv -z z.geojson --parties short.csv", "short.csv, line 2: a row needs both"),
        ("scan t.csv -z z.geojson --parties other.csv", "other.csv: the first line must name"),
        ("scan empty.csv -z z.geojson", "empty.csv: is empty"),
        ("scan head.csv -z z.geojson", "no position could be read from head.csv: nothing can be said"),
        ("scan t.csv -z empty.csv", "empty.csv: the file is empty"),
        ("encounters t.csv --gap 0", "--gap 0"),
        ("encounters t.csv --horizontal nan", "--horizontal nan: write a number above 0"),
        ("encounters head.csv", "no position could be read"),
        ("watch t.csv -z z.geojson --cycle 0", "--cycle 0"),
        ("watch t.csv -z z.geojson --cycle nan", "--cycle nan"),
        ("watch t.csv -z z.geojson --look-ahead nan", "look-ahead nan"),
        ("watch t.csv -z z.geojson --store /nowhere/a.sqlite", "/nowhere/a.sqlite: cannot be opened"),
        ("watch head.csv -z z.geojson", "no position could be read"),
        ("watch http://:80 -z z.geojson", "http://HOST/PATH"),
        ("demo --no-serve --seed -1", "--seed"),
        ("demo --no-serve --flights -3", "--flights"),
        ("demo --speed 0", "--speed 0"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("folder")
def test_a_senseless_call_is_one_line_and_exit_code_2(call: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(call.split()) == 2
    captured = capsys.readouterr()
    lines = [line for line in captured.err.splitlines() if "first run" not in line]
    assert len(lines) == 1
    assert said in lines[0]
    assert not captured.out


def keepclear(*arguments: str, cwd: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "keepclear.cli.main", *arguments],
        cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(SRC)},
    )  # fmt: skip


@pytest.mark.parametrize(("sent", "said"), [(b"", "-: nothing came"), (b"\x00\x01 what is this", "no feed format")])
def test_a_watched_pipe_that_says_nothing_is_a_wrong_input(folder: Path, sent: bytes, said: str) -> None:
    with keepclear("watch", "-", "-z", "z.geojson", cwd=folder) as process:
        _, err = process.communicate(sent, timeout=120)
    assert process.returncode == 2, err.decode()
    assert said in err.decode()
    assert b"Traceback" not in err


def test_a_reader_that_goes_away_ends_watch_and_scan_quietly(folder: Path) -> None:
    for arguments in (
        ("watch", "t.csv", "-z", "z.geojson", "--format", "json"),
        ("scan", "t.csv", "-z", "z.geojson", "--format", "csv"),
    ):  # fmt: skip
        with keepclear(*arguments, cwd=folder) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.close()
            said = process.stderr.read()
            code = process.wait(timeout=120)
        assert code == 141, said.decode()
        assert b"Traceback" not in said


def wait_until_it_waits(process: subprocess.Popen[bytes]) -> None:
    """Until every one of twenty looks in a second finds it asleep with nothing done since the look before."""
    quiet, before = 0, ""
    while quiet < 20 and process.poll() is None:
        time.sleep(0.05)
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        state, spent = fields[0], "+".join(fields[11:13])
        quiet, before = quiet + 1 if state == "S" and spent == before else 0, spent


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux says whether a process waits")
def test_ctrl_c_ends_a_replayed_watch_with_its_summary(folder: Path) -> None:
    """At a hundredth of the recorded speed, so that the signal comes while it waits for the end of a cycle."""
    arguments = ("watch", "t.csv", "-z", "z.geojson", "--speed", "0.01", "--format", "json", "--store", "a.sqlite")
    with keepclear(*arguments, cwd=folder) as process:
        while not (folder / "a.sqlite").exists() and process.poll() is None:
            time.sleep(0.05)
        wait_until_it_waits(process)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=90)  # a cycle at this speed would take 100 s
    assert process.returncode == 0, err.decode()
    assert err.decode().splitlines()[-1].startswith("Alerts: none.")


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "tiny"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(disk)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False)
    except OSError as error:
        pytest.skip(f"no mount here: {error}")
    if mounted.returncode:
        pytest.skip(f"no small file system may be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("suffix", ["csv", "json", "parquet"])
def test_a_full_disk_leaves_nothing_half_written(
    folder: Path, tiny_disk: Path, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tiny_disk / "fill").write_bytes(b"x" * 14_000)
    assert run(["scan", "t.csv", "-z", "z.geojson", "--out", f"{tiny_disk}/rows.{suffix}"]) == 2
    assert "No space left on device); nothing was left behind" in capsys.readouterr().err
    assert [path.name for path in tiny_disk.iterdir()] == ["fill"]


def test_a_full_disk_under_log_store_and_lines_does_not_end_a_watch(folder: Path, tiny_disk: Path) -> None:
    """The store is elsewhere or its alerts wait; what cannot be said or listed is not worth the watch."""
    (tiny_disk / "fill").write_bytes(b"x" * 16_384)
    call = ("watch", "t.csv", "-z", "z.geojson", "--format", "json", "--store", "a.sqlite")
    with (tiny_disk / "log").open("wb") as log, (tiny_disk / "lines").open("wb") as lines:
        done = subprocess.run(
            [sys.executable, "-m", "keepclear.cli.main", *call], cwd=folder, stdout=lines, stderr=log, check=False,
            env={**os.environ, "PYTHONPATH": str(SRC)},
        )  # fmt: skip
    assert done.returncode == 1
    assert run(["alerts", "list", "--store", str(folder / "a.sqlite")]) == 1, "its alert was kept"


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_cut_by_a_full_disk_is_never_taken_for_whole(folder: Path, tiny_disk: Path, unbuffered: str) -> None:
    """Without Python's buffers stdout took what there was room for, and the exit code was 0."""
    zones = [zone(f"Z{k}", 31.0) for k in range(200)]
    (folder / "many.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": zones}))
    with (tiny_disk / "out").open("wb") as out:
        done = subprocess.run(
            [sys.executable, "-m", "keepclear.cli.main", "zones", "convert", "many.geojson", "--to", "geojson"],
            cwd=folder, stdout=out, stderr=subprocess.PIPE, check=False,
            env={**os.environ, "PYTHONPATH": str(SRC), "PYTHONUNBUFFERED": unbuffered},
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == b"keepclear: the output cannot be written (No space left on device)\n"


def test_a_store_can_be_read_where_the_disk_is_full_and_none_is_left_that_could_not_be_made(
    folder: Path, tiny_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(["mount", "-o", "remount,size=160k", str(tiny_disk)], check=True)
    with AlertStore.open(tiny_disk / "kept.sqlite"):
        pass
    (tiny_disk / "fill").write_bytes(b"x" * (160 * 1024 - (tiny_disk / "kept.sqlite").stat().st_size))
    assert run(["alerts", "list", "--store", str(tiny_disk / "kept.sqlite")]) == 0
    assert run(["watch", "t.csv", "-z", str(folder / "z.geojson"), "--store", str(tiny_disk / "new.sqlite")]) == 2
    assert "the disk is full: make room" in capsys.readouterr().err
    assert not list(tiny_disk.glob("new*"))


def test_r2_11_a_damaged_edit_withdraws_no_zone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "zones.geojson"

    size = iter(range(100))

    def write(*features: object) -> None:
        path.write_text(json.dumps({"type": "FeatureCollection", "features": features}) + " " * next(size))

    write(zone("A", 31.0), zone("B", 30.0))
    watched = ZoneFileWatch((path,), ())
    watched.begin()
    assert watched.changed(10.0) is None, "nothing was edited"
    broken = zone("B", 30.0) | {"geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}}
    write(zone("A", 32.0), broken)
    assert watched.changed(20.0) is None
    said = capsys.readouterr().err
    assert said.startswith("keepclear: the zones stay as they were: ")
    assert "zones.geojson" in said
    path.unlink()
    assert watched.changed(30.0) is None
    assert watched.changed(40.0) is None
    assert capsys.readouterr().err.count("\n") == 1, "said once, not every two seconds"
    write(zone("A", 32.0), zone("B", 30.0))
    edited = watched.changed(50.0)
    assert sorted(z.id for z in edited) == ["A", "B"]
    assert watched.outdated == ""
    write()
    assert watched.changed(60.0) is None, "an emptied file withdraws nothing"
    assert "the zones stay as they were" in capsys.readouterr().err
    assert watched.outdated.startswith("the zones stay as they were: the files hold no zone any more")
    write(zone("A", 32.0))
    assert [z.id for z in watched.changed(70.0)] == ["A"]
    assert watched.outdated == ""
