"""``omniva validate``: is this document what it says it is, and if not, why not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import click

from omniva_dagster.contracts.errors import ContractError, fault
from omniva_dagster.contracts.registry import message_type as known_type
from omniva_dagster.contracts.registry import parse

MAX_BYTES = 64 * 1024 * 1024
_LINES_SUFFIXES = (".ndjson", ".jsonl")


@dataclass(frozen=True)
class Piece:
    """One document of a file: where it begins and its text, or why there is none."""

    line: int
    text: bytes
    refused: str = ""


@click.command()
@click.argument("message_type", metavar="TYPE")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
)
@click.option("--json", "as_json", is_flag=True, help="One error object a line, for programs.")
def validate(message_type: str, files: tuple[str, ...], as_json: bool) -> None:
    """Check documents of a message TYPE: JSON, or one document a line. ``-`` is standard input.

    Exits 0 when all are valid, 1 when any is not.
    """
    try:
        message_type = known_type(message_type).__name__
    except ContractError as unknown:
        raise click.BadParameter(unknown.message) from None
    valid = invalid = 0
    for name in files:
        with click.open_file(name, "rb") as file:
            for piece in pieces(file, by_line=name.endswith(_LINES_SUFFIXES)):
                error = error_of(message_type, piece)
                valid, invalid = valid + (error is None), invalid + (error is not None)
                if error is not None:
                    _show(name, piece.line, error, as_json)
    if not as_json:
        click.echo(f"{valid} valid, {invalid} not", err=True)
    if invalid:
        raise SystemExit(1)


def pieces(file: IO[bytes], *, by_line: bool) -> Iterator[Piece]:
    """The documents of a file, one in memory at a time, none longer than `MAX_BYTES`.

    A file is read line by line if its first line could be a whole object; else it is one document.
    """
    number, empty = 0, True
    while line := file.readline(MAX_BYTES + 1):
        number += 1
        if not line.strip():
            continue
        if empty and not by_line and not _could_be_whole(line):
            yield _piece(number, line + file.read(MAX_BYTES + 1 - len(line)))
            return
        empty = False
        yield _piece(number, line.rstrip(b"\r\n"))
        while len(line) > MAX_BYTES and not line.endswith(b"\n"):
            line = file.readline(MAX_BYTES + 1)
    if empty:
        yield Piece(1, b"", "holds no document")


def error_of(message_type: str, piece: Piece) -> ContractError | None:
    """Why the document is refused; nothing when it is valid."""
    if piece.refused:
        return ContractError.invalid(message_type, [fault((), piece.refused)])
    try:
        parse(message_type, piece.text)
    except ContractError as error:
        return error
    return None


def _could_be_whole(line: bytes) -> bool:
    text = line.strip()
    return text[:1] not in (b"{", b"[") or text[-1:] in (b"}", b"]")


def _piece(line: int, text: bytes) -> Piece:
    if len(text) > MAX_BYTES:
        return Piece(line, b"", f"is longer than {MAX_BYTES} bytes")
    return Piece(line, text)


def _show(name: str, line: int, error: ContractError, as_json: bool) -> None:
    name = _printable("standard input" if name == "-" else str(Path(name)))
    if as_json:
        details = {"file": name, "line": line, **error.details}
        click.echo(json.dumps({**error.dump(), "details": details}))
        return
    for found in error.faults:
        got = f" (got {found['got']})" if "got" in found else ""
        text = f"{found['pointer'] or '/'} {found['message']}{got}"
        click.echo(f"{name}:{line} {_printable(text)}")


def _printable(text: str) -> str:
    # Keys and values are the sender's: a terminal must not obey them.
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)
