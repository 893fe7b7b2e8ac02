"""The ledger's keys: made once, kept private, replaced in the open.

``keys/signing.key`` is the private half in use (PKCS #8, readable by its owner alone).
``keys/1.pub``, ``2.pub`` ... are the public halves, oldest first, and ``2.txt`` ... the notes by
which each but the first was introduced: signed by the key before it and by itself, naming the size
of the log from which on it alone signs. So a key that leaks after it was replaced signs nothing
new, and old checkpoints keep their signatures.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from omniva_dagster.stardust import files
from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.notes import Note, NoteError, PublicKey, parse_note, signed_by

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PRIVATE = "signing.key"
NEXT = "signing.key.next"
_ROTATION = "omniva ledger: a new key"


@dataclass(frozen=True)
class Key:
    """A public key, the size of the log from which on it signs, and the note that says so."""

    public: PublicKey
    since: int
    introduced_by: str = ""


@dataclass(frozen=True)
class Keyring:
    """The public keys of a log, oldest first, each introduced by the one before it."""

    keys: tuple[Key, ...]

    @classmethod
    def read(cls, folder: Path) -> Keyring:
        """The keys in ``keys/``. Raises `LedgerError` if there are none or the chain is broken."""
        keys: list[Key] = []
        for number in range(1, _count(folder) + 1):
            public = _public(folder / f"{number}.pub")
            if not keys:
                keys.append(Key(public, 0))
                continue
            try:
                keys.append(introduced(keys[-1], _text(folder / f"{number}.txt")))
            except NoteError as error:
                raise LedgerError(f"keys/{number}.txt {error}") from None
            if keys[-1].public != public:
                raise LedgerError(f"keys/{number}.pub is not the key that keys/{number}.txt names")
        if not keys:
            raise LedgerError(
                "keys/1.pub is missing: without it no signature can be checked; restore it"
            )
        return cls(tuple(keys))

    @property
    def publics(self) -> list[PublicKey]:
        """All of them."""
        return [key.public for key in self.keys]

    def during(self, size: int) -> list[PublicKey]:
        """Whose signature counts for a log of that size: one key, or both where they changed."""
        ends = [key.since for key in self.keys[1:]]
        return [
            key.public
            for key, end in zip(self.keys, [*ends, size], strict=True)
            if key.since <= size <= end
        ]

    def signer(self, note: Note, size: int) -> PublicKey:
        """The key of that time that signed; `NoteError` if none did."""
        signers = note.signers(self.publics)
        valid = [key for key in signers if key in self.during(size)]
        if not valid:
            raise NoteError(f"is signed by {signers[0]}, which is not the key of that time")
        return valid[0]

    def verify(self, text: str, lines: Sequence[str]) -> PublicKey:
        """Whichever key signed ``text`` by one of the signature lines; `NoteError` if none."""
        note = parse_note(text + "\n" + "".join(f"{line}\n" for line in lines))
        if note.text != text:
            raise NoteError("is no signed text: it holds an empty line")
        return note.signers(self.publics)[0]


@dataclass(frozen=True)
class SigningKeys:
    """The private half in use."""

    public: PublicKey
    private: Ed25519PrivateKey

    @property
    def origin(self) -> str:
        """The log's name, which is its keys' name."""
        return self.public.name

    def sign(self, text: str) -> str:
        """The signed note of a text that ends in a newline."""
        return signed_by(text, [(self.public, self.private)])

    def lines(self, text: str) -> list[str]:
        """The note's signature lines alone."""
        return self.sign(text)[len(text) + 1 : -1].split("\n")


@dataclass(frozen=True)
class Rotation:
    """A new key, and the note in which the old one and the new one say so."""

    origin: str
    old_key: str
    new_key: str
    tree_size: int
    note: str


def signing_keys(folder: Path, origin: str, *, create: bool) -> SigningKeys:
    """The key to sign with; made, if ``create``, where there has never been one.

    Whoever creates knows that the log is empty. Raises `LedgerError` where the private half is
    gone or belongs to another key or log: a second key beside the first would look like a forgery.
    """
    if not _count(folder):
        if not create:
            raise LedgerError(
                f"the keys in {folder} are missing: restore them from a backup; a log that has "
                "packets gets no new key by itself"
            )
        _make_first(folder, origin)
    newest = Keyring.read(folder).keys[-1].public
    if newest.name != origin:
        raise LedgerError(
            f"{folder} holds the keys of {newest.name}, not of {origin}: this is another ledger's "
            "folder, or another ledger's database; point OMNIVA_HOME to the right one"
        )
    private = _private(folder / PRIVATE)
    if private.public_key().public_bytes_raw() != newest.raw:
        private = _private(folder / NEXT)
        if private.public_key().public_bytes_raw() != newest.raw:
            raise LedgerError(
                f"{folder / PRIVATE} is not the private half of the newest key, {newest}: "
                "restore the one that belongs to it"
            )
        files.rename(folder / NEXT, folder / PRIVATE)
        files.sync_folder(folder)
    return SigningKeys(newest, private)


def rotate(folder: Path, origin: str, tree_size: int) -> Rotation:
    """Replace the signing key, from ``tree_size`` leaves on.

    The new key's introduction is written before it is used, so that a process killed in between
    leaves either the old key or the new one in force. The caller records it as a packet.
    """
    old = signing_keys(folder, origin, create=False)
    private = _generated()
    new = PublicKey(origin, private.public_key().public_bytes_raw())
    text = f"{_ROTATION}\n{origin}\n{tree_size}\n{new}\n"
    note = signed_by(text, [(old.public, old.private), (new, private)])
    number = _count(folder) + 1
    files.replace(folder / NEXT, _encoded(private), mode=0o600)
    files.replace(folder / f"{number}.txt", note.encode())
    files.replace(folder / f"{number}.pub", f"{new}\n".encode())
    files.rename(folder / NEXT, folder / PRIVATE)
    files.sync_folder(folder)
    return Rotation(origin, str(old.public), str(new), tree_size, note)


def _make_first(folder: Path, origin: str) -> None:
    private = _generated()
    public = PublicKey(origin, private.public_key().public_bytes_raw())
    files.make_folder(folder, mode=0o700)
    files.replace(folder / PRIVATE, _encoded(private), mode=0o600)
    files.replace(folder / "1.pub", f"{public}\n".encode())


def introduced(before: Key, raw: str) -> Key:
    """The key that a rotation's note introduces; `NoteError` unless both keys signed it."""
    note = parse_note(raw)
    lines = note.text[:-1].split("\n")
    if (
        len(lines) != 4
        or lines[0] != _ROTATION
        or not re.fullmatch(r"0|[1-9][0-9]{0,15}", lines[2])
    ):
        raise NoteError("does not introduce a key")
    key = PublicKey.parse(lines[3])
    if {lines[1], key.name} != {before.public.name}:
        raise NoteError("introduces a key of another log")
    if key == before.public or int(lines[2]) < before.since:
        raise NoteError("introduces a key that came before")
    for signer in (before.public, key):
        note.signers([signer])
    return Key(key, int(lines[2]), raw)


def _private(path: Path) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        # A copy or a restore may have let others in.
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
        key = load_pem_private_key(path.read_bytes(), password=None)
    except FileNotFoundError:
        raise LedgerError(f"{path} is missing: restore it from a backup") from None
    except ValueError:
        raise LedgerError(f"{path} is no private key: restore it from a backup") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise LedgerError(f"{path} is no Ed25519 key: restore it")
    return key


def _generated() -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.generate()


def _encoded(key: Ed25519PrivateKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _count(folder: Path) -> int:
    """How many public keys there are: numbered from 1 without a gap."""
    try:
        names = {path.name for path in folder.iterdir()}
    except FileNotFoundError:
        return 0
    count = sum(bool(re.fullmatch(r"[1-9][0-9]*\.pub", name)) for name in names)
    if not {f"{number}.pub" for number in range(1, count + 1)} <= names:
        raise LedgerError(f"a public key is missing among {count} in {folder}: restore it")
    return count


def _public(path: Path) -> PublicKey:
    text = _text(path)
    try:
        key = PublicKey.parse(text.removesuffix("\n"))
    except NoteError as error:
        raise LedgerError(f"keys/{path.name}: {error}; restore it") from None
    if text != f"{key}\n":
        raise LedgerError(f"keys/{path.name} is not one line: restore it")
    return key


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise LedgerError(f"keys/{path.name} is missing: restore it") from None
    except (OSError, UnicodeError) as error:
        raise LedgerError(f"keys/{path.name} can't be read ({error}): restore it") from None
