"""What is no regular file keeps being what it is."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from keepclear.edge.whole_file import write_bytes
from keepclear.errors import InputError


def test_a_pipe_is_written_into_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    came: list[bytes] = []
    reader = threading.Thread(target=lambda: came.append(pipe.read_bytes()))
    reader.start()
    write_bytes(pipe, b"rows")
    reader.join(10.0)
    assert came == [b"rows"]
    assert pipe.is_fifo()
    assert os.listdir(tmp_path) == ["pipe"]


def test_a_link_stays_a_link_and_its_file_is_written(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "there" / "file")
    for data in (b"one", b"two"):
        write_bytes(link, data)
        assert link.is_symlink()
        assert (tmp_path / "there" / "file").read_bytes() == data


def test_a_key_follows_no_link(tmp_path: Path) -> None:
    link, elsewhere = tmp_path / "key", tmp_path / "elsewhere"
    link.symlink_to(elsewhere)
    write_bytes(link, b"secret", private=True)
    assert not link.is_symlink()
    assert not elsewhere.exists()


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="no /dev/full here")
def test_a_full_device_is_one_line_and_stays_a_device() -> None:
    with pytest.raises(InputError, match="cannot be written"):
        write_bytes(Path("/dev/full"), b"x" * 100_000)
    assert Path("/dev/full").is_char_device()
