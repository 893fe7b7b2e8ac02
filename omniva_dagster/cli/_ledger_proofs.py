"""``omniva ledger prove | verify-proof | consistency``: proofs to give away, and to check."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from omniva_dagster.cli._ledger_home import (
    NOT_AS_IT_SHOULD_BE,
    folder_option,
    json_option,
    layout_of,
)
from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.says import says, shown

_MOST_BYTES = 64 << 20
_OUT = click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write; standard output if left out.",
)


@click.command()
@click.argument("packet")
@click.option(
    "--size",
    type=click.IntRange(min=1),
    help="Under the checkpoint of so many packets; the latest if left out.",
)
@_OUT
@folder_option
def prove(packet: str, size: int | None, out: Path | None, folder: Path | None) -> None:
    """A proof that PACKET, by its id, is in the ledger: one JSON file to give away."""
    from omniva_dagster.stardust.proofs import prove as make

    proof = make(layout_of(folder), packet, size=size)
    _write(proof, out)
    if out is not None:
        index, tree = proof["inclusion"]["leaf_index"], proof["inclusion"]["tree_size"]
        click.echo(f"{out}: packet {packet} is leaf {index} of {tree}", err=True)


@click.command("verify-proof")
@click.argument("file", type=click.File("rb"))
@click.option(
    "--key",
    "keys",
    multiple=True,
    help="A public key that you trust (the text of keys/1.pub), or a file that holds it.",
)
@click.option(
    "--checkpoint",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A checkpoint that you kept. For a proof of consistency: the old one.",
)
@json_option
def verify_proof(file: Any, keys: tuple[str, ...], checkpoint: Path | None, as_json: bool) -> None:
    """Check a proof from `prove` or `consistency`, with nothing but what you trust.

    Needs no ledger. Exits 0 if it proves what it says, 4 if not.
    """
    from omniva_dagster.stardust.proofs import ProofError

    if not keys and checkpoint is None:
        raise click.UsageError("say what you trust: --key KEY, or --checkpoint FILE")
    raw = file.read(_MOST_BYTES)
    kept = _text(checkpoint) if checkpoint else None
    try:
        shows = _checked(raw, _keys(keys), kept)
    except ProofError as error:
        if as_json:
            click.echo(json.dumps({"proven": False, "problem": str(error)}))
        else:
            click.secho(f"not proven: {shown(error, 2000)}", fg="red")
        sys.exit(NOT_AS_IT_SHOULD_BE)
    if as_json:
        click.echo(json.dumps({"proven": True, **shows}, ensure_ascii=False))
    else:
        _show(shows)


@click.command()
@click.argument("old")
@click.argument("new", required=False)
@_OUT
@folder_option
def consistency(old: str, new: str | None, out: Path | None, folder: Path | None) -> None:
    """A proof that the log of OLD packets is the beginning of that of NEW (the latest).

    Each is a number of packets, or the file of a checkpoint, whose root must then be the ledger's.
    """
    from omniva_dagster.stardust.proofs import ProofError, verify_consistency_proof
    from omniva_dagster.stardust.proofs import consistency as make

    size, note = _size(old)
    proof = make(layout_of(folder), size, _size(new)[0] if new is not None else None)
    if note is not None:
        try:
            verify_consistency_proof(proof, note)
        except ProofError as error:
            click.secho(f"not consistent: {shown(error, 2000)}", fg="red", err=True)
            sys.exit(NOT_AS_IT_SHOULD_BE)
    _write(proof, out)
    after = proof["checkpoint"].split("\n")[1]
    click.echo(f"the first {size} packets are the beginning of the log of {after}", err=True)


def _checked(raw: bytes, keys: list[str], kept: str | None) -> dict[str, Any]:
    """What a proof of either kind shows, as JSON; `ProofError`."""
    from omniva_dagster.stardust.proofs import (
        ProofError,
        verify_consistency_proof,
    )
    from omniva_dagster.stardust.proofs import verify_proof as inclusion

    try:
        kind = json.loads(raw).get("format", "")
    except (ValueError, AttributeError, RecursionError):
        raise ProofError("is no JSON object") from None
    if kind == "omniva-ledger-consistency":
        if kept is None:
            raise click.UsageError("a proof of consistency needs the old --checkpoint FILE")
        after = verify_consistency_proof(raw, kept, trusted=keys)
        return {"kind": "consistency", "origin": after.origin, "tree_size": after.size}
    proven = inclusion(raw, trusted=keys, checkpoint=kept)
    return {
        "kind": "inclusion",
        "origin": proven.checkpoint.origin,
        "tree_size": proven.checkpoint.size,
        "entry": proven.entry,
        "message": proven.message,
    }


def _show(shows: dict[str, Any]) -> None:
    origin, size = shown(shows["origin"]), shows["tree_size"]
    if shows["kind"] == "consistency":
        click.secho(f"proven: {origin} of {size} packets begins with your checkpoint", fg="green")
        return
    entry = shows["entry"]
    click.secho(
        f"proven: leaf {entry['leaf_index']} of {size} in {origin} is packet {entry['packet_id']}",
        fg="green",
    )
    click.echo(
        f"{entry['message_type']} by {shown(entry['producer'])}, emitted {entry['emitted_at']}, "
        f"sequenced {entry['sequenced_at']}"
    )
    payload = shows["message"].get("payload", {})
    click.echo(says(entry["message_type"], payload if isinstance(payload, dict) else {}))


def _size(given: str) -> tuple[int, str | None]:
    """A number of packets, and the checkpoint's note if it was given as a file."""
    from omniva_dagster.stardust.checkpoints import read_checkpoint
    from omniva_dagster.stardust.notes import NoteError

    if given.isascii() and given.isdigit() and len(given) < 17:
        return int(given), None
    path = Path(given)
    if not path.is_file():
        raise click.UsageError(f"{given!r} is neither a number of packets nor a checkpoint's file")
    try:
        note = _text(path)
        return read_checkpoint(note)[0].size, note
    except NoteError as error:
        raise LedgerError(f"{given} {error}") from None


def _keys(given: tuple[str, ...]) -> list[str]:
    return [_text(Path(key)).strip() if _is_file(key) else key.strip() for key in given]


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        return False


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise LedgerError(f"{path} can't be read: {error}") from None


def _write(document: dict[str, Any], out: Path | None) -> None:
    text = json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True)
    if out is None:
        click.echo(text)
    else:
        out.write_text(f"{text}\n", encoding="utf-8")
