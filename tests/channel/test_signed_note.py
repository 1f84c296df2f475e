"""Notes, checkpoints and cosignatures as c2sp.org/signed-note, tlog-checkpoint and tlog-cosignature say."""

from __future__ import annotations

import base64

import pytest

from keepclear.channel.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from keepclear.channel.cosignature import cosign, cosigner_key, find_cosignature
from keepclear.channel.signature import SigningKey
from keepclear.channel.signed_note import Note, NoteKey, NoteSignature
from keepclear.errors import InputError

LOG, MIRROR, OTHER = (SigningKey(bytes([k]) * 32) for k in (1, 2, 3))
NAME = "example.com/log"
TEXT = "One line\n\nand one after an empty one.\n"

# The reference implementation's key, text and signature (golang.org/x/mod/sumdb/note, note_test.go, BSD).
GO_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def signed(text: str, name: str, key: SigningKey) -> NoteSignature:
    return NoteSignature(name, NoteKey(name, 1, key.public).id, key.sign(text.encode()))


def test_the_reference_implementations_note_is_read_and_written_byte_for_byte() -> None:
    key = SigningKey(GO_SEED)
    assert NoteKey("PeterNeumann", 1, key.public).vkey == GO_VKEY
    published = f"{GO_TEXT}\n{GO_LINE}".encode()
    assert Note(GO_TEXT, (signed(GO_TEXT, "PeterNeumann", key),)).encode() == published
    assert Note.parse(published).verified(NoteKey.parse(GO_VKEY))


def test_no_part_of_a_verifier_key_and_no_key_with_a_changed_letter_is_one() -> None:
    for begin in range(len(GO_VKEY)):
        for end in range(begin + 1, len(GO_VKEY) + 1):
            if end - begin < len(GO_VKEY):
                with pytest.raises(InputError):
                    NoteKey.parse(GO_VKEY[begin:end])
    for at in range(len(GO_VKEY)):
        with pytest.raises(InputError):
            NoteKey.parse(GO_VKEY[:at] + chr(ord(GO_VKEY[at]) + 1) + GO_VKEY[at + 1 :])


def test_the_text_ends_at_the_last_empty_line() -> None:
    note = Note(TEXT, (signed(TEXT, NAME, LOG),))
    assert Note.parse(note.encode()) == note


def test_a_signature_of_an_unknown_key_is_ignored_and_a_bad_one_of_a_known_key_spoils_the_note() -> None:
    good, strange = signed(TEXT, NAME, LOG), signed(TEXT, NAME, OTHER)  # the same name, another id
    key = NoteKey(NAME, 1, LOG.public)
    assert Note(TEXT, (strange, good)).verified(key)
    assert not Note(TEXT, (strange,)).verified(key)
    spoilt = NoteSignature(NAME, key.id, OTHER.sign(TEXT.encode()))
    with pytest.raises(InputError, match="does not verify"):
        Note(TEXT, (good, spoilt)).verified(key)


def test_a_note_of_many_signatures_is_read() -> None:
    keys = [SigningKey(bytes([k]) * 32) for k in range(1, 101)]
    note = Note(TEXT, tuple(signed(TEXT, f"key{k}", key) for k, key in enumerate(keys)))
    assert Note.parse(note.encode()).verified(NoteKey("key99", 1, keys[-1].public))


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:-1],
        lambda data: data.replace(b"\n\n\xe2\x80\x94", b"\n\xe2\x80\x94"),
        lambda data: data.replace(b"\xe2\x80\x94", b"-"),
        lambda data: data.replace(b"One", b"One\t"),
        lambda data: data.replace(b"One", b"One\xff"),
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: data.replace(b"example.com/log", b"example.com+log"),
        lambda data: data.replace(b"example.com/log", b"example.com log"),
        lambda data: data.replace(b"example.com/log", "example.com\u2003log".encode()),
        lambda data: data.replace(b"==\n", b"=\n"),
        lambda data: data + b"\n",
        lambda data: data + b"more\n",
        lambda data: b"",
    ],
)  # fmt: skip
def test_whatever_is_not_exactly_a_note_is_refused(change: object) -> None:
    data = Note(TEXT, (NoteSignature(NAME, b"1234", bytes(64 + 8)),)).encode()  # 76 bytes: «==» at the end
    assert data.endswith(b"=\n")
    assert callable(change)
    with pytest.raises(InputError):
        Note.parse(change(data))


def test_a_checkpoint_has_three_lines_and_numbers_without_leading_zeros() -> None:
    checkpoint = Checkpoint("example.com/log", 20_852_163, bytes(range(32)))
    assert checkpoint.text.split("\n")[1:] == ["20852163", base64.b64encode(bytes(range(32))).decode(), ""]
    assert Checkpoint.parse(checkpoint.text) == checkpoint
    for text in (
        checkpoint.text.replace("20852163", "020852163"),
        checkpoint.text.replace("20852163", "+20852163"),
        checkpoint.text.replace("20852163", "-1"),
        checkpoint.text.replace("example.com/log", ""),
        checkpoint.text + "an extension line\n",
        checkpoint.text[:-1],
        Checkpoint("example.com/log", 1, bytes(31)).text,
    ):
        with pytest.raises(InputError):
            Checkpoint.parse(text)


def test_a_log_signs_for_its_own_origin_only() -> None:
    checkpoint = Checkpoint(NAME, 7, bytes(32))
    note = sign_checkpoint(checkpoint, LOG)
    assert open_checkpoint(note, NAME, LOG.public) == checkpoint
    for origin, public in ((f"{NAME}/2", LOG.public), (NAME, OTHER.public)):
        with pytest.raises(InputError):
            open_checkpoint(note, origin, public)


def test_a_cosignature_states_a_time_and_is_no_plain_signature_of_the_same_key() -> None:
    note = sign_checkpoint(Checkpoint(NAME, 7, bytes(32)), LOG)
    line = cosign(note.text, "bravo/mirror", MIRROR, 1_700_000_000)
    assert len(line.blob) == 8 + 64
    message = f"cosignature/v1\ntime 1700000000\n{note.text}"
    assert line.blob == (1_700_000_000).to_bytes(8, "big") + MIRROR.sign(message.encode())
    key = cosigner_key("bravo/mirror", MIRROR.public)
    both = note.with_signatures([line])
    assert (found := find_cosignature(both, key)) is not None
    assert found.time_s == 1_700_000_000
    assert NoteKey("bravo/mirror", 1, MIRROR.public).id != key.id
    later = NoteSignature(line.name, line.key_id, (1_700_000_001).to_bytes(8, "big") + line.blob[8:])
    assert find_cosignature(note.with_signatures([later]), key) is None
