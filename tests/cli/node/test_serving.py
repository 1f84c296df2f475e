"""What a served node says: a clock that is off, once; a backup that was restored; a command that tells nobody."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from keepclear.channel.charter import Charter, SignedCharter, sign_charter
from keepclear.channel.communications import Answered, Line, step
from keepclear.cli.node.serving import Serving, listen_address, notify_commands
from keepclear.edge.channel.node_folder import NodeFolder
from keepclear.errors import UsageError


@pytest.fixture
def folder(tmp_path: Path) -> NodeFolder:
    folders = {party: NodeFolder(tmp_path / party) for party in ("alfa", "bravo")}
    cards = tuple(
        one.create(party=p, name=p, url=f"https://{p}", languages=("en",), desks=(), passphrase="w", scrypt_n=2**10)
        for p, one in folders.items()
    )
    signed = SignedCharter(Charter("Test", 1, cards))
    for party, one in folders.items():
        signed = sign_charter(signed, party, one.keys("w").entry)
    folders["alfa"].join(signed)
    return folders["alfa"]


def serving(folder: NodeFolder) -> Serving:
    return Serving(folder, "w", ("127.0.0.1", 0), frozenset(), {}, True, 0)


def test_a_clock_that_is_an_hour_off_is_said_once_and_its_return_once(
    folder: NodeFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    served = serving(folder)
    link = served._node.links["bravo"]
    for offset_ms in (3_600_000, 3_600_000, 0, 0):
        answered = Answered(1_000, 1_005 + offset_ms, 1_006 + offset_ms, 1_010)
        link.line, _ = step(Line(), answered, 0)
        served._compare_clocks()
    served._node.close()
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(s["event"], s["peer"], s["alarm"]) for s in said] == [("clock", "bravo", True), ("clock", "bravo", False)]
    assert abs(said[0]["offset_ms"] - 3_600_000) < 10


def test_a_command_that_tells_nobody_is_said(folder: NodeFolder, capsys: pytest.CaptureFixture[str]) -> None:
    served = serving(folder)
    served._tell(["/bin/false"], "{}")
    served._tell(["/no/such/command"], "{}")
    served._node.close()
    said = [json.loads(line)["text"] for line in capsys.readouterr().out.splitlines()]
    assert said[0] == "nobody was told by /bin/false: ended with 1"
    assert "/no/such/command" in said[1]


def test_addresses_and_commands_are_read_strictly() -> None:
    assert listen_address(None, "https://line.example:8443") == ("0.0.0.0", 8443)
    assert listen_address("[::1]:9000", "") == ("::1", 9000)
    assert notify_commands(["telephone=ring --now 'the desk'"]) == {"telephone": ["ring", "--now", "the desk"]}
    for wrong in ("9000", "host:", "host:99999"):
        with pytest.raises(UsageError):
            listen_address(wrong, "")
    for wrong in ("telephone", "=ring", "telephone='"):
        with pytest.raises(UsageError):
            notify_commands([wrong])
