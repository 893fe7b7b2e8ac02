"""``omniva ledger export``: the ledger's runs in the words of other tools."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from omniva_dagster.cli._ledger_home import at_work, folder_option, layout_of
from omniva_dagster.stardust.errors import LedgerError

if TYPE_CHECKING:
    from omniva_dagster.stardust.layout import Layout
    from omniva_dagster.stardust.openlineage.export import Wanted
    from omniva_dagster.stardust.openlineage.naming import AssetNote, Naming
    from omniva_dagster.stardust.openlineage.posting import Poster


@click.command()
@click.option("--openlineage", is_flag=True, help="As OpenLineage 2-0-2 events, one a line.")
@click.option("--out", default="", help="A file, or - for standard output (the default).")
@click.option("--url", default="", help="Send them to an OpenLineage API, such as Marquez's.")
@click.option("--api-key", default="", help="For that API: secret://env/NAME or secret://file/PATH")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Only runs that the ledger was told of from that day (UTC) on.",
)
@click.option("--run", default="", help="Only the run with that id of Dagster's.")
@click.option("--namespace", default="omniva", show_default=True, help="Of jobs and datasets.")
@click.option(
    "--datasets",
    type=click.Choice(["partition", "asset"]),
    default="partition",
    show_default=True,
    help="What a dataset is: each partition of an asset, or the asset.",
)
@folder_option
def export(
    openlineage: bool,
    out: str,
    url: str,
    api_key: str,
    since: datetime | None,
    run: str,
    namespace: str,
    datasets: str,
    folder: Path | None,
) -> None:
    """Dagster's runs, as the ledger has them, for lineage tools.

    The same ledger gives the same lines: sending them again changes nothing. Exit codes: 0 all
    done, 1 the ledger can't be read or the API refuses, 2 wrong usage.
    """
    if not openlineage:
        raise click.UsageError("say what to export as: --openlineage")
    if api_key and not url:
        raise click.UsageError("--api-key goes with --url")
    if not namespace.strip():
        raise click.UsageError("--namespace must not be empty")
    from omniva_dagster.stardust.openlineage.export import Wanted
    from omniva_dagster.stardust.openlineage.naming import Naming

    wanted = Wanted(since.date() if since else None, run)
    naming = Naming(namespace, by_partition=datasets == "partition", assets=_assets())
    printed = out == "-" or not (out or url)
    with (
        at_work("exporting", visible=not printed),
        _poster(url, api_key) as poster,
        _opened("-" if printed else out) as file,
    ):
        runs, events = _sent(layout_of(folder), naming, wanted, file, poster)
    click.echo(f"{events} events of {runs} runs", err=True)
    if not runs:
        click.echo("the ledger tells of no such run: `omniva ledger sync` first?", err=True)


def _sent(
    layout: Layout, naming: Naming, wanted: Wanted, file: IO[bytes] | None, poster: Poster | None
) -> tuple[int, int]:
    """Write and send; how many runs and events."""
    from omniva_dagster.stardust.openlineage.export import exported

    runs = events = 0
    for lines in exported(layout, naming, wanted):
        for line in lines:
            if file is not None:
                file.write(line + b"\n")
            if poster is not None:
                poster.post(line)
        runs, events = runs + 1, events + len(lines)
    if wanted.run and not runs:
        raise LedgerError(f"{wanted.run}: no such run in the ledger; `omniva ledger sync` first?")
    return runs, events


def _assets() -> dict[str, AssetNote]:
    """What the code says of its assets."""
    from omniva_dagster.assets import CLIP_PIPELINE
    from omniva_dagster.resources.warehouse.arrow import columns_of
    from omniva_dagster.resources.warehouse.io_manager import CONTRACT_KEY, contract_of
    from omniva_dagster.stardust.openlineage.naming import AssetNote

    return {
        "/".join(spec.key.path): AssetNote(
            " ".join((spec.description or "").split()),
            tuple(columns_of(contract_of(spec.metadata))) if CONTRACT_KEY in spec.metadata else (),
        )
        for asset in CLIP_PIPELINE
        for spec in asset.specs
    }


@contextmanager
def _poster(url: str, api_key: str) -> Iterator[Poster | None]:
    if not url:
        yield None
        return
    from omniva_dagster.resources.secrets import secret
    from omniva_dagster.stardust.openlineage.posting import Poster

    with Poster(url, secret(api_key) if api_key else "") as poster:
        yield poster


@contextmanager
def _opened(out: str) -> Iterator[IO[bytes] | None]:
    """Where the lines go; a file is there whole or not at all."""
    if out == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if not out:
        yield None
        return
    from omniva_dagster.workers.durable import sync

    path = Path(out)
    if path.is_dir() or not path.parent.is_dir():
        raise click.UsageError(f"--out {out}: must be a file in a folder that exists")
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with unfinished.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    sync(path.parent)
