"""Signed notes and checkpoints as C2SP has them, and the keys that sign."""

from __future__ import annotations

import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniva_dagster.stardust import checkpoints, files, keys
from omniva_dagster.stardust.checkpoints import (
    kept_sizes,
    latest_checkpoint,
    read_checkpoint,
    sign_checkpoint,
    verified,
    write_checkpoint,
)
from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.keys import Keyring, rotate, signing_keys
from omniva_dagster.stardust.notes import NoteError, PublicKey, parse_note, signed_by

ORIGIN = "omniva-ledger/0123456789ab"
# The example of C2SP's signed-note and of Go's golang.org/x/mod/sumdb/note.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = """If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
"""  # noqa: E501


@pytest.fixture
def signing(tmp_path: Path) -> keys.SigningKeys:
    """A ledger's first key."""
    return signing_keys(tmp_path / "keys", ORIGIN, create=True)


def test_a_note_that_go_signed_is_understood() -> None:
    key = PublicKey.parse(GO_KEY)
    assert str(key) == GO_KEY
    assert parse_note(GO_NOTE).signers([key]) == [key]
    with pytest.raises(NoteError, match="is wrong"):
        parse_note(GO_NOTE.replace("answer", "Answer")).signers([key])


@given(text=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30))
def test_any_text_that_can_be_signed_reads_back(text: str) -> None:
    private = keys._generated()
    public = PublicKey(ORIGIN, private.public_key().public_bytes_raw())
    note = signed_by(f"{text}\nand more\n", [(public, private)])
    assert parse_note(note.encode()).text == f"{text}\nand more\n"
    assert parse_note(note).signers([public]) == [public]


@pytest.mark.parametrize("text", ["no newline", "two\n\nparts\n", "a\ttab\n", "\x00\n", ""])
def test_what_would_not_read_back_is_not_signed(signing: keys.SigningKeys, text: str) -> None:
    with pytest.raises(NoteError):
        signing.sign(text)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n\n",
        b"text\n",
        b"text\n\n",
        "text\n\n— name\n".encode(),
        "text\n\n— name !!!!\n".encode(),
        b"text\n\n- name AAAAAAAAAA==\n",
        "text\n\n— na me AAAAAAAAAA==\n".encode(),
        "text\n\n— name AAAAAAAAAB==\n".encode(),
        "text\n\n— name AAAAAAAAAA==".encode(),
        b"\xff\n\n",
        ("text\n\n" + "— name AAAAAAAAAA==\n" * 101).encode(),
        b"text" * (5 << 20),
    ],
)
def test_what_is_no_note_is_refused(raw: bytes) -> None:
    with pytest.raises(NoteError):
        parse_note(raw)


@pytest.mark.parametrize(
    "text", ["", "a+b+c", GO_KEY[:-1], GO_KEY.replace("c74f", "c74e"), GO_KEY.replace("Peter", "P")]
)
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        PublicKey.parse(text)


def test_unknown_signatures_are_ignored_and_false_ones_are_not(
    signing: keys.SigningKeys, tmp_path: Path
) -> None:
    other = signing_keys(tmp_path / "other", "witness.example", create=True)
    text = "one\n"
    both = signed_by(text, [(other.public, other.private), (signing.public, signing.private)])
    assert parse_note(both).signers([signing.public]) == [signing.public]
    with pytest.raises(NoteError, match="no trusted key"):
        parse_note(other.sign(text)).signers([signing.public])
    false = both.replace("one\n", "two\n", 1)
    with pytest.raises(NoteError, match="is wrong"):
        parse_note(false).signers([signing.public])


def test_signature_lines_alone_sign_the_text(signing: keys.SigningKeys, tmp_path: Path) -> None:
    keyring = Keyring.read(tmp_path / "keys")
    lines = signing.lines('{"a":1}\n')
    assert keyring.verify('{"a":1}\n', lines) == signing.public
    for text, given_lines in (('{"a":2}\n', lines), ('{"a":1}\n', []), ("x\n\ny\n", lines)):
        with pytest.raises(NoteError):
            keyring.verify(text, given_lines)


@pytest.mark.part("STA-3")
def test_a_checkpoint_has_the_three_lines_of_a_transparency_log(
    signing: keys.SigningKeys, tmp_path: Path
) -> None:
    note = sign_checkpoint(signing, ORIGIN, 7, bytes(range(32)))
    assert note.startswith(
        f"{ORIGIN}\n7\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n— {ORIGIN} "
    )
    found = verified(note, Keyring.read(tmp_path / "keys"))
    assert (found.origin, found.size, found.root) == (ORIGIN, 7, bytes(range(32)))
    assert sign_checkpoint(signing, ORIGIN, 7, bytes(range(32))) == note


@pytest.mark.parametrize(
    "text",
    [
        f"{ORIGIN}\n7\n",
        f"{ORIGIN}\n07\nAA==\n",
        f"{ORIGIN}\n-1\nx\n",
        f"{ORIGIN}\n7\nAA==\n",
        "\n7\n",
    ],
)
def test_what_is_signed_and_no_checkpoint_is_refused(signing: keys.SigningKeys, text: str) -> None:
    with pytest.raises(NoteError):
        read_checkpoint(signing.sign(text) if text[0] != "\n" else text)


def test_writing_a_checkpoint_again_changes_nothing(
    signing: keys.SigningKeys, tmp_path: Path
) -> None:
    assert latest_checkpoint(tmp_path / "cp") is None
    for size in (3, 5, 5):
        write_checkpoint(tmp_path / "cp", sign_checkpoint(signing, ORIGIN, size, bytes(32)))
    assert kept_sizes(tmp_path / "cp") == [3, 5]
    latest = latest_checkpoint(tmp_path / "cp")
    assert latest
    assert latest.size == 5


def test_old_checkpoints_are_thinned_and_the_first_and_newest_stay(
    signing: keys.SigningKeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "_MOST", 16)
    for size in range(60):
        write_checkpoint(tmp_path, sign_checkpoint(signing, ORIGIN, size, bytes(32)))
    kept = kept_sizes(tmp_path)
    assert len(kept) <= 16
    assert kept[0] == 0
    assert kept[-8:] == list(range(52, 60))


@pytest.mark.part("STA-3")
def test_the_key_is_made_once_and_is_its_owners_alone(
    signing: keys.SigningKeys, tmp_path: Path
) -> None:
    folder = tmp_path / "keys"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "signing.key").stat().st_mode) == 0o600
    assert signing_keys(folder, ORIGIN, create=True).public == signing.public
    (folder / "signing.key").chmod(0o644)
    assert signing_keys(folder, ORIGIN, create=False).public == signing.public
    assert stat.S_IMODE((folder / "signing.key").stat().st_mode) == 0o600
    assert str(signing.private) not in repr(signing) or "PRIVATE" not in repr(signing)


def test_a_log_that_has_packets_gets_no_new_key_by_itself(
    signing: keys.SigningKeys, tmp_path: Path
) -> None:
    folder = tmp_path / "keys"
    with pytest.raises(LedgerError, match="gets no new key by itself"):
        signing_keys(tmp_path / "none", ORIGIN, create=False)
    with pytest.raises(LedgerError, match="another ledger's"):
        signing_keys(folder, "omniva-ledger/other", create=True)
    (folder / "signing.key").write_bytes(b"rubbish")
    with pytest.raises(LedgerError, match="is no private key"):
        signing_keys(folder, ORIGIN, create=True)
    (folder / "signing.key").unlink()
    with pytest.raises(LedgerError, match="restore it"):
        signing_keys(folder, ORIGIN, create=True)


def test_reading_keys_makes_none(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="without it no signature can be checked"):
        Keyring.read(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_new_key_is_introduced_by_the_old_one(signing: keys.SigningKeys, tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    rotation = rotate(folder, ORIGIN, 10)
    new = signing_keys(folder, ORIGIN, create=False)
    assert (rotation.old_key, rotation.new_key) == (str(signing.public), str(new.public))
    keyring = Keyring.read(folder)
    old_note = sign_checkpoint(signing, ORIGIN, 10, bytes(32))
    assert verified(old_note, keyring).size == 10
    assert verified(sign_checkpoint(new, ORIGIN, 10, bytes(32)), keyring).size == 10
    for signer, size in ((signing, 11), (new, 9)):
        with pytest.raises(NoteError, match="not the key of that time"):
            verified(sign_checkpoint(signer, ORIGIN, size, bytes(32)), keyring)
    rotate(folder, ORIGIN, 20)
    assert len(Keyring.read(folder).keys) == 3
    assert verified(old_note, Keyring.read(folder)).size == 10


def test_a_key_that_nobody_introduced_is_refused(signing: keys.SigningKeys, tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    stranger = signing_keys(tmp_path / "other", ORIGIN, create=True)
    (folder / "2.pub").write_text(f"{stranger.public}\n")
    text = f"omniva ledger: a new key\n{ORIGIN}\n5\n{stranger.public}\n"
    (folder / "2.txt").write_text(stranger.sign(text))
    with pytest.raises(LedgerError, match="no trusted key"):
        Keyring.read(folder)
    (folder / "2.txt").write_text(signing.sign(text))
    with pytest.raises(LedgerError, match="no trusted key"):
        Keyring.read(folder)
    (folder / "2.pub").unlink()
    (folder / "3.pub").write_text(f"{stranger.public}\n")
    with pytest.raises(LedgerError, match="public key is missing"):
        Keyring.read(folder)


class _Stopped(Exception):  # noqa: N818
    pass


def test_a_rotation_killed_at_any_step_leaves_a_key_that_signs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = ("replace", "rename", "sync_folder")
    real = {name: getattr(files, name) for name in steps}
    for stop_at in range(6):
        folder = tmp_path / str(stop_at)
        signing_keys(folder, ORIGIN, create=True)
        done = [0]

        def step(
            *given: Any, name: str, stop_at: int = stop_at, done: list[int] = done, **more: Any
        ) -> None:
            if done[0] == stop_at:
                raise _Stopped
            done[0] += 1
            real[name](*given, **more)

        with monkeypatch.context() as patch:
            for name in steps:
                patch.setattr(
                    files, name, lambda *given, name=name, **more: step(*given, name=name, **more)
                )
            with suppress(_Stopped):
                rotate(folder, ORIGIN, 3)
        usable = signing_keys(folder, ORIGIN, create=False)
        note = sign_checkpoint(usable, ORIGIN, 4, bytes(32))
        assert verified(note, Keyring.read(folder)).size == 4
        rotate(folder, ORIGIN, 4)
        assert signing_keys(folder, ORIGIN, create=False).public != usable.public
