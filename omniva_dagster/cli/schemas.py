"""``omniva schemas``: the JSON Schema files, generated from the contracts."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import click

from omniva_dagster.contracts.schema import BASE_ID, schema_files

_OUT = click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("schemas"),
    show_default=True,
    help="Folder of the schema files.",
)


@click.group()
def schemas() -> None:
    """The JSON Schema files of every message."""


@schemas.command()
@_OUT
def export(out: Path) -> None:
    """Write the files, delete those of messages that are no more, say what changed."""
    files = schema_files()
    out.mkdir(parents=True, exist_ok=True)
    changes = differences(out, files)
    for name, change in changes.items():
        if change == "stale":
            (out / name).unlink()
        else:
            _put(out / name, files[name])
    for line in _described(changes, done=True):
        click.echo(line)
    click.echo(f"{out}: {len(files)} files, {len(changes)} changed")


@schemas.command()
@_OUT
def check(out: Path) -> None:
    """Exit 1 when the files are not what the contracts say."""
    files = schema_files()
    changes = differences(out, files)
    for line in _described(changes, done=False):
        click.echo(line)
    if changes:
        click.echo(f"{out}: {len(changes)} of {len(files)} files differ; run omniva schemas export")
        raise SystemExit(1)
    click.echo(f"{out}: {len(files)} files, as the contracts say")


def differences(folder: Path, files: dict[str, bytes]) -> dict[str, str]:
    """What ``folder`` lacks or has wrong, by file name: ``missing``, ``different`` or ``stale``.

    Stale is a file of ours (its ``$id`` tells) of a message that is no more; what else lies there
    is not looked at.
    """
    found: dict[str, str] = {}
    for name, content in files.items():
        path = folder / name
        if not path.is_file():
            found[name] = "missing"
        elif path.read_bytes() != content:
            found[name] = "different"
    others = (path for path in sorted(folder.glob("*.json")) if path.name not in files)
    return found | {path.name: "stale" for path in others if _is_ours(path)}


def _is_ours(path: Path) -> bool:
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, OSError):
        return False
    return isinstance(content, dict) and str(content.get("$id", "")).startswith(BASE_ID)


def _described(changes: dict[str, str], *, done: bool) -> list[str]:
    words = {"missing": "added", "different": "rewritten", "stale": "deleted"}
    return [f"{words[change] if done else change:10}{name}" for name, change in changes.items()]


def _put(path: Path, content: bytes) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
