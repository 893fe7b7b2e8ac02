"""Signed notes: text with Ed25519 signatures under it (C2SP signed-note).

A note is the text, which ends in a newline, an empty line, and a line for each signature::

    — <key name> <base64 of 4 bytes of key id and 64 bytes of signature>

Any tool that reads Go's checksum database or a Certificate Transparency log's checkpoints reads
these. Whoever checks a note says which keys it trusts; what others signed beside them is ignored.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from omniva_dagster.stardust.errors import LedgerError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_ED25519 = b"\x01"
_MARK = "— "
_MOST_SIGNATURES = 100  # as Go's reader has it
_MOST_BYTES = 16 << 20  # a day of many files; nothing honest is near
_NAME = re.compile(r"[^\s+]{1,255}")


class NoteError(LedgerError):
    """A note that is malformed, or not signed by a trusted key."""


@dataclass(frozen=True)
class PublicKey:
    """A verifier key: whose signatures count."""

    name: str
    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != 32 or not _NAME.fullmatch(self.name):
            raise NoteError("a public key is a name without spaces or + and 32 bytes of Ed25519")

    @property
    def key_id(self) -> bytes:
        """Four bytes that tell which of a name's keys signed."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.raw).digest()[:4]

    def __str__(self) -> str:
        encoded = base64.b64encode(_ED25519 + self.raw).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    @classmethod
    def parse(cls, text: str) -> PublicKey:
        """``<name>+<hex of key id>+<base64>``; `NoteError` for anything else."""
        name, _, rest = text.partition("+")
        key_id, _, encoded = rest.partition("+")
        data = _decoded(encoded)
        if data[:1] != _ED25519:
            raise NoteError("is not an Ed25519 key: <name>+<8 hexadecimal digits>+<base64>")
        key = cls(name, data[1:])
        if key.key_id.hex() != key_id:
            raise NoteError("the key's id does not follow from its name and bytes: copied wrongly?")
        return key

    def signed(self, text: str, signature: bytes) -> bool:
        """Whether this key signed the text."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, text.encode())
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True)
class Signature:
    """One signature line, believed by nobody yet."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True)
class Note:
    """A note taken apart; `signers` says who really signed."""

    text: str
    signatures: tuple[Signature, ...]

    def signers(self, keys: Iterable[PublicKey]) -> list[PublicKey]:
        """Those of ``keys`` that signed, in their order.

        Raises `NoteError` where a line claims to be by one of them and is not, and where none of
        them signed: a note that says something false of a trusted key is worth nothing.
        """
        found = []
        for key in keys:
            for line in self.signatures:
                if (line.name, line.key_id) == (key.name, key.key_id):
                    if not key.signed(self.text, line.signature):
                        raise NoteError(f"the signature by {key.name}+{key.key_id.hex()} is wrong")
                    found.append(key)
                    break
        if not found:
            names = ", ".join(f"{line.name}+{line.key_id.hex()}" for line in self.signatures)
            raise NoteError(f"is signed by no trusted key, only by {names}")
        return found


def signed_by(text: str, signers: Iterable[tuple[PublicKey, Ed25519PrivateKey]]) -> str:
    """The note of a text (which must end in a newline), one signature line a signer."""
    if not text.endswith("\n") or "\n\n" in text or _controls(text):
        raise NoteError("a note's text is lines without control characters, none of them empty")
    lines = []
    for public, private in signers:
        data = public.key_id + private.sign(text.encode())
        lines.append(f"{_MARK}{public.name} {base64.b64encode(data).decode()}\n")
    return f"{text}\n{''.join(lines)}"


def parse_note(raw: str | bytes) -> Note:
    """The note's parts. Raises `NoteError` for what is no signed note; checks no signature."""
    if not isinstance(raw, str | bytes):
        raise NoteError("is no signed note: not even text")
    if len(raw) > _MOST_BYTES:
        raise NoteError("is too long for a signed note")
    try:
        note = raw.decode() if isinstance(raw, bytes) else raw
        note.encode()
    except UnicodeError:
        raise NoteError("is no signed note: not UTF-8") from None
    text, gap, lines = note.rpartition("\n\n")
    if not gap or not text or not lines.endswith("\n") or _controls(note):
        raise NoteError("is no signed note: text, an empty line, signature lines")
    signatures = tuple(_signature(line) for line in lines[:-1].split("\n"))
    if len(signatures) > _MOST_SIGNATURES:
        raise NoteError("has too many signatures")
    return Note(text + "\n", signatures)


def _signature(line: str) -> Signature:
    mark, rest = line[: len(_MARK)], line[len(_MARK) :]
    name, _, encoded = rest.partition(" ")
    data = _decoded(encoded)
    if mark != _MARK or not _NAME.fullmatch(name) or len(data) < 5:
        raise NoteError("has a malformed signature line")
    return Signature(name, data[:4], data[4:])


def _decoded(encoded: str) -> bytes:
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return b""
    # Unused bits that are not zero would be a second spelling of the same bytes.
    return data if base64.b64encode(data).decode() == encoded else b""


def _controls(text: str) -> bool:
    return any(character < " " and character != "\n" for character in text)
