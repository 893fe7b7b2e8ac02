"""``omniva schemas``: the JSON Schema files, generated from the contracts."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import click

from omniva_dagster.contracts.evolution import Release, Verdict, compare
from omniva_dagster.contracts.registry import MESSAGE_TYPES, message_type, parse
from omniva_dagster.contracts.schema import BASE_ID, INDEX, schema_files, version_of

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
@click.option(
    "--against",
    metavar="DIR|REF",
    help="Compare with the schemas of a folder, or of a commit, branch or tag of git.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
def check(out: Path, against: str | None, as_json: bool) -> None:
    """Exit 1 when the files are not what the contracts say.

    With --against, exit 1 when a contract changed since without the version that its change needs.
    """
    if against is not None:
        _check_versions(_release_at(against, out), as_json)
        return
    files = schema_files()
    changes = differences(out, files)
    if as_json:
        click.echo(json.dumps({"as_the_contracts_say": not changes, "differences": changes}))
    else:
        for line in _described(changes, done=False):
            click.echo(line)
        what = f"{len(changes)} of {len(files)} files differ; run omniva schemas export"
        click.echo(f"{out}: {what if changes else f'{len(files)} files, as the contracts say'}")
    if changes:
        raise SystemExit(1)


@schemas.command()
@_OUT
@click.argument("types", nargs=-1, metavar="[TYPE]...")
def release(out: Path, types: tuple[str, ...]) -> None:
    """Keep the examples of TYPEs (or of all) under released/, to be read by every later version.

    What was released is never changed: an example that changed since is kept beside the former.
    """
    kept = 0
    for name in types or MESSAGE_TYPES:
        model, example = message_type(name), out / "examples" / f"{name}.json"
        parse(name, example.read_bytes())
        kept += _kept(example, out / "released" / version_of(model) / name)
    click.echo(f"{out / 'released'}: {len(types or MESSAGE_TYPES)} examples, {kept} new")


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


def _check_versions(before: Release, as_json: bool) -> None:
    """Say what changed since, and exit 1 where a version was not raised as it should."""
    verdicts = compare(before, Release.of(schema_files()))
    missing = [verdict for verdict in verdicts if not verdict.bumped]
    if as_json:
        found = [_as_object(verdict) for verdict in verdicts]
        click.echo(json.dumps({"compatible": not missing, "messages": found}, indent=2))
    else:
        for verdict in verdicts:
            click.echo("\n".join(_in_lines(verdict)))
        click.echo(
            f"{len(verdicts)} messages changed, {len(missing)} without the version they need"
        )
    if missing:
        raise SystemExit(1)


def _as_object(verdict: Verdict) -> dict[str, object]:
    changes = [
        {"pointer": change.pointer, "needs": change.bump.name.lower(), "what": change.what}
        for change in verdict.changes
    ]
    needs = verdict.needs.name.lower() if verdict.needs else "none"
    versions = {"before": verdict.before, "after": verdict.after}
    given = {key: version for key, version in versions.items() if version}
    return {
        "message": verdict.name,
        **given,
        "needs": needs,
        "bumped": verdict.bumped,
        "changes": changes,
    }


def _in_lines(verdict: Verdict) -> list[str]:
    step = f"{verdict.before or '(none)'} -> {verdict.after or '(none)'}"
    lines = [f"{verdict.name} {step}{'' if verdict.bumped else ': the version is too low'}"]
    return lines + [
        f"  {change.bump.name.lower():6}{change.pointer or '/'}: {change.what}"
        for change in verdict.changes
    ]


def _release_at(source: str, out: Path) -> Release:
    try:
        return Release.of(_files_of(source, out))
    except ValueError as error:
        raise click.BadParameter(f"{source}: {error}") from error


def _files_of(source: str, out: Path) -> dict[str, bytes]:
    """The schema files of a folder, or those that lay in ``out`` at a revision of git."""
    folder = Path(source)
    read = _reader_of_folder(folder) if folder.is_dir() else _reader_of_git(source, out)
    files = {INDEX: read(INDEX)}
    try:
        names = [str(entry["file"]) for entry in json.loads(files[INDEX])["types"]]
    except (KeyError, TypeError, ValueError) as error:
        raise click.BadParameter(f"{INDEX} of {source} lists no messages: {error!r}") from error
    for name in names:
        if not re.fullmatch(r"[A-Za-z0-9_]+\.json", name):
            raise click.BadParameter(f"{INDEX} of {source} lists {name!r}, which is no schema file")
        files[name] = read(name)
    return files


def _reader_of_folder(folder: Path) -> Callable[[str], bytes]:
    def read(name: str) -> bytes:
        try:
            return (folder / name).read_bytes()
        except OSError as error:
            raise click.BadParameter(f"{folder} has no {name}: {error.strerror}") from error

    return read


def _reader_of_git(revision: str, out: Path) -> Callable[[str], bytes]:
    def git(*arguments: str) -> bytes:
        try:
            done = subprocess.run(
                ["git", "-C", str(out.absolute().parent), *arguments],
                check=True,
                capture_output=True,
                timeout=60,
            )
        except (OSError, subprocess.SubprocessError) as error:
            what = f"neither a folder, nor does git know its {out.name}"
            raise click.BadParameter(f"{revision} is {what}: {_reason(error)}") from error
        return done.stdout

    # A revision that looks like an option must not be taken for one.
    name = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    commit = git(*name).decode().strip()
    return lambda file: git("show", f"{commit}:./{out.name}/{file}")


def _reason(error: BaseException) -> str:
    if not isinstance(error, subprocess.CalledProcessError):
        return str(error)
    return error.stderr.decode(errors="replace").strip() or "no such commit"


def _kept(example: Path, folder: Path) -> bool:
    """Put an example among those released, unless one of the same bytes is there."""
    content = example.read_bytes()
    released = sorted(folder.glob("*.json"))
    if any(path.read_bytes() == content for path in released):
        return False
    folder.mkdir(parents=True, exist_ok=True)
    _put(folder / f"{len(released) + 1:03}.json", content)
    return True


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
