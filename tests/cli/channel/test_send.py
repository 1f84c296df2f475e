"""Before a message is sent: translations are labelled, a second role reads it, a position lies where it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from keepclear.cli.main import run
from keepclear.edge.channel import keys as channel_keys

SEND = ["channel", "send", "--node", "alfa", "--kind", "NOTIFICATION", "--none-else-affected", "--by", "duty officer"]


@pytest.fixture
def joined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A channel whose charter wants two roles for FLASH."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KEEPCLEAR_PASSPHRASE", "several quiet words")
    monkeypatch.setattr(channel_keys.create_keys, "__kwdefaults__", {"scrypt_n": 2**10})
    for party in ("alfa", "bravo"):
        assert run(["node", "init", "--node", party, "--party", party, "--name", party.title(),
                    "--url", f"https://{party}.example:8443"]) == 0  # fmt: skip
    cards = ["--card", "alfa/card.json", "--card", "bravo/card.json", "--timer", "flash.roles=2"]
    assert run(["channel", "charter", "new", "--name", "Line", *cards, "--out", "charter.json"]) == 0
    for party in ("alfa", "bravo"):
        assert run(["channel", "charter", "sign", "--node", party, "charter.json"]) == 0
    capsys.readouterr()
    assert run(["channel", "charter", "show", "charter.json"]) == 0
    digits = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("digits"))
    assert run(["channel", "join", "--node", "alfa", "--digits", digits.rpartition(": ")[2], "charter.json"]) == 0
    return tmp_path


def test_a_translation_is_shown_as_one_with_its_translator_and_never_without(
    joined: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = ["--text", "Keep clear.", "--text-language", "en", "--translation", "uk=Не наближатися."]
    assert run([*SEND, *text]) == 2
    assert "--translation needs --translator" in capsys.readouterr().err
    assert run([*SEND, *text, "--translator", "linguist on duty", "--translation", "fr"]) == 2
    assert "--translation reads TAG=TEXT" in capsys.readouterr().err
    assert run([*SEND, *text, "--translator", "linguist on duty"]) == 0
    number = capsys.readouterr().out.split()[0]
    assert run(["channel", "show", "--node", "alfa", number]) == 0
    shown = capsys.readouterr().out
    assert shown.index("Keep clear.") < shown.index("Не наближатися.")
    assert "linguist on duty" in shown


def test_where_the_charter_asks_for_two_roles_one_alone_sends_nothing(
    joined: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flash = [*SEND, "--precedence", "FLASH"]
    for again in ([], ["--verified-by", "duty officer"]):
        assert run([*flash, *again]) == 2
        assert "a second role" in capsys.readouterr().err
    assert run([*flash, "--verified-by", "shift leader"]) == 0
    assert run(SEND) == 0, "the charter asks for it of FLASH alone"
    assert run([*SEND, "--verified-by", "duty officer"]) == 2, (
        "who claims a second pair of eyes has another role read it"
    )


def test_how_far_a_position_may_lie_from_its_place_is_the_senders_to_tighten(
    joined: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (joined / "places.csv").write_text("name,lat,lon,radius_km\nKyiv,50.45,30.52,1\n")
    near = [*SEND, "--gazetteer", "places.csv", "--position", "50.48,30.52;Kyiv"]  # some 2.3 km outside
    assert run(near) == 0
    assert run([*near, "--place-limit", "2000"]) == 2
    assert "km outside Kyiv" in capsys.readouterr().err
