"""From nothing to a joined channel, as two secretaries do it; each wrong step is one line and changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from keepclear.cli.main import run
from keepclear.edge.channel import keys as channel_keys


@pytest.fixture
def exchange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KEEPCLEAR_PASSPHRASE", "several quiet words")
    monkeypatch.setattr(channel_keys.create_keys, "__kwdefaults__", {"scrypt_n": 2**10})
    for party in ("alfa", "bravo"):
        assert run(["node", "init", "--node", party, "--party", party, "--name", party.title(),
                    "--url", f"https://{party}.example:8443"]) == 0  # fmt: skip
    cards = ["--card", "alfa/card.json", "--card", "bravo/card.json"]
    assert run(["channel", "charter", "new", "--name", "Line", *cards, "--out", "charter.json"]) == 0
    return tmp_path


def digits(capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    run(["channel", "charter", "show", "charter.json"])
    shown = capsys.readouterr().out
    return next(line.rpartition(": ")[2] for line in shown.splitlines() if line.startswith("digits"))


def test_a_charter_is_made_signed_compared_and_joined(exchange: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["channel", "charter", "show", "charter.json"]) == 1, "signatures are missing"
    for party in ("alfa", "bravo"):
        assert run(["channel", "charter", "sign", "--node", party, "charter.json"]) == 0
    assert run(["channel", "charter", "show", "charter.json"]) == 0
    said = digits(capsys)
    for party in ("alfa", "bravo"):
        assert run(["channel", "join", "--node", party, "--digits", said, "charter.json"]) == 0
        assert run(["channel", "join", "--node", party, "--digits", said.replace(" ", ""), "charter.json"]) == 0
    assert (exchange / "alfa" / "charter.json").read_bytes() == (exchange / "bravo" / "charter.json").read_bytes()


def test_nobody_joins_unsigned_or_with_other_digits(exchange: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["channel", "charter", "sign", "--node", "alfa", "charter.json"]) == 0
    assert run(["channel", "join", "--node", "alfa", "--digits", digits(capsys), "charter.json"]) == 2
    assert "not signed by bravo" in capsys.readouterr().err
    assert run(["channel", "charter", "sign", "--node", "bravo", "charter.json"]) == 0
    for wrong, words in (([], "ask another party"), (["--digits", "12345 " * 6], "Do not join")):
        assert run(["channel", "join", "--node", "alfa", *wrong, "charter.json"]) == 2
        assert words in capsys.readouterr().err
    assert not (exchange / "alfa" / "charter.json").exists()


def test_secrets_are_only_for_their_owner_and_never_in_the_clear(exchange: Path) -> None:
    kept = exchange / "alfa"
    keys = channel_keys.open_keys(kept, "several quiet words")
    assert {oct((kept / name).stat().st_mode & 0o777) for name in ("keys.json", "tls-key.pem")} == {"0o600"}
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in (kept / "tls-key.pem").read_bytes()
    assert keys.tls_password not in "".join(p.read_text() for p in kept.iterdir())
    assert "entry" not in repr(keys)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (["node", "init", "--node", "alfa", "--party", "alfa", "--name", "A", "--url", "https://a"], "keys already"),
        (["node", "init", "--node", "c", "--party", "Charlie!", "--name", "A", "--url", "https://a"], "the party"),
        (["node", "init", "--node", "c", "--party", "c", "--name", "A", "--url", "http://a"], "the party"),
        (["node", "init", "--node", "c", "--party", "c", "--name", "A", "--url", "https://a", "--desk", "AIR=x@y"],
         "--desk reads"),
        (["channel", "charter", "sign", "--node", "nobody", "charter.json"], "keepclear node init"),
        (["channel", "charter", "sign", "--node", "alfa", "alfa/card.json"], "alfa/card.json"),
        (["channel", "charter", "show", "missing.json"], "missing.json: "),
        (["channel", "charter", "new", "--name", "x", "--card", "alfa/card.json", "--out", "o.json"], "the charter"),
        (["channel", "charter", "new", "--name", "x", "--card", "charter.json", "--out", "o.json"], "the card"),
        (["channel", "charter", "new", "--name", "x", "--witness", "w", "--out", "o.json"], "VKEY@URL"),
    ],
)  # fmt: skip
def test_a_wrong_step_is_one_line(
    exchange: Path, capsys: pytest.CaptureFixture[str], call: list[str], words: str
) -> None:
    capsys.readouterr()
    assert run(call) == 2
    said = capsys.readouterr().err
    assert words in said
    assert len(said.splitlines()) == 1
    assert not (exchange / "o.json").exists()


def test_a_wrong_passphrase_and_a_damaged_key_file_are_told_apart(
    exchange: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEEPCLEAR_PASSPHRASE", "other words")
    assert run(["channel", "charter", "sign", "--node", "alfa", "charter.json"]) == 2
    assert "the passphrase does not open the keys" in capsys.readouterr().err
    file = exchange / "alfa" / "keys.json"
    file.write_bytes(file.read_bytes()[:-9])
    assert run(["channel", "charter", "sign", "--node", "alfa", "charter.json"]) == 2
    assert "the key file is damaged" in capsys.readouterr().err


@pytest.fixture
def joined(exchange: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    for party in ("alfa", "bravo"):
        assert run(["channel", "charter", "sign", "--node", party, "charter.json"]) == 0
    said = digits(capsys)
    for party in ("alfa", "bravo"):
        assert run(["channel", "join", "--node", party, "--digits", said, "charter.json"]) == 0
    return exchange


def test_after_a_revocation_new_keys_speak_under_a_new_charter_that_all_have_signed(
    joined: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    send = ["channel", "send", "--node", "alfa", "--kind", "TEST", "--test-text", "T01", "--by", "duty officer"]
    assert run(send) == 0
    assert run(["node", "revoke-key", "--node", "alfa", "--yes"]) == 0
    assert run(send) == 2
    assert "only a new charter may follow" in capsys.readouterr().err
    assert run(["node", "new-keys", "--node", "alfa"]) == 0
    new = ["channel", "charter", "new", "--name", "Line", "--after", "charter.json", "--card", "alfa/keys-1/card.json"]
    assert run([*new, "--out", "next.json"]) == 0
    assert run(["channel", "charter", "enact", "--node", "alfa", "next.json"]) == 2
    assert "not signed by" in capsys.readouterr().err
    for party in ("alfa", "bravo"):
        assert run(["channel", "charter", "sign", "--node", party, "--after", "charter.json", "next.json"]) == 0
    for party in ("alfa", "bravo"):
        assert run(["channel", "charter", "enact", "--node", party, "next.json"]) == 0
    assert run(send) == 0
    capsys.readouterr()
    assert run(["channel", "log", "--node", "alfa", "--format", "json"]) == 0
    kinds = [json.loads(line)["kind"] for line in capsys.readouterr().out.splitlines()]
    assert kinds == ["message", "key-revocation", "charter", "message"]


def test_what_a_party_declares_goes_into_its_log(joined: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = ["--node", "alfa", "--by", "duty officer"]
    for call in (
        ["suspend", "--desk", "AIR", "--reason", "holiday"],
        ["resume"],
        ["deny", "--forces", "OWN", "--area", "50.45,30.52", "--radius", "9000", "--from", "2027-05-01T06:00:00Z",
         "--until", "2027-05-02T06:00:00Z"],
        ["incident", "--category", "AIRPROX", "--at", "2026-05-01T06:00:00Z", "--owner", "alfa", "--owner", "bravo"],
    ):  # fmt: skip
        assert run(["channel", call[0], *own, *call[1:]]) == 0, capsys.readouterr().err
    assert run(["channel", "erase", "--node", "alfa", "--yes", "0"]) == 0
    capsys.readouterr()
    assert run(["channel", "log", "--node", "alfa", "--format", "json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["kind"] for row in rows] == ["suspension", "resumption", "denial", "incident", "erasure"]
    assert [row["body"] for row in rows] == ["erased", "here", "here", "here", "here"]
    for wrong, words in (
        (["erase", "--node", "alfa", "--yes", "99"], "no entry 99"),
        (["incident", *own, "--category", "WAR", "--at", "2026-05-01T06:00:00Z", "--owner", "alfa"], "--category is"),
        (["deny", *own, "--forces", "OWN", "--area", "50,30", "--radius", "1", "--from", "2027-05-01T06:00:00Z",
          "--until", "2027-06-01T06:00:00Z"], "within 7 days"),
        (["show", "--node", "alfa", "ALFA-2026-0009"], "there is no message"),
        (["read-back", *own, "ALFA-2026-0009"], "there is no message"),
        (["send", *own, "--kind", "WARNING", "--area", "50,30", "--radius", "10"], "affected"),
        (["send", *own, "--kind", "TEST", "--text", "attack at dawn", "--text-language", "en"], "approved"),
        (["send", *own, "--kind", "NOTIFICATION", "--none-else-affected", "--position", "91,30"], "latitude"),
    ):  # fmt: skip
        assert run(["channel", *wrong]) == 2, wrong
        said = capsys.readouterr().err
        assert words in said, (wrong, said)
        assert len(said.splitlines()) == 1


def test_what_no_line_carries_is_carried_by_hand_with_the_same_proof(
    joined: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    send = ["channel", "send", "--node", "alfa", "--kind", "TEST", "--test-text", "T02", "--by", "duty officer"]
    assert run(send) == 0
    assert run(["channel", "carry-out", "--node", "alfa", "bravo", "out.bundle"]) == 0
    assert run(["channel", "carry-in", "--node", "bravo", "out.bundle"]) == 0
    assert run(["channel", "carry-in", "--node", "bravo", "out.bundle"]) == 0, "twice does no harm"
    assert run(["channel", "carry-out", "--node", "bravo", "alfa", "back.bundle"]) == 0
    assert run(["channel", "carry-in", "--node", "alfa", "back.bundle"]) == 0
    capsys.readouterr()
    run(["channel", "inbox", "--all", "--node", "alfa", "--format", "json"])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["state"] for row in rows] == ["DELIVERED"]
    data = (joined / "out.bundle").read_bytes()
    (joined / "cut.bundle").write_bytes(data[: len(data) // 2])
    (joined / "none.bundle").write_bytes(b"hello")
    for name, code in (("cut.bundle", (1, 2)), ("none.bundle", (2,)), ("back.bundle", (2,))):
        assert run(["channel", "carry-in", "--node", "bravo", name]) in code, name
        said = capsys.readouterr().err
        assert len(said.splitlines()) == 1, said
