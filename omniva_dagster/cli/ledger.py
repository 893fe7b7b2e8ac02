"""``omniva ledger``: query, trace, verify and prove what happened."""

from __future__ import annotations

import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from omniva_dagster.cli._ledger_export import export
from omniva_dagster.cli._ledger_home import (
    NOT_AS_IT_SHOULD_BE,
    PlainGroup,
    at_work,
    folder_option,
    json_option,
    layout_of,
    store_of,
)
from omniva_dagster.cli._ledger_proofs import consistency, prove, verify_proof
from omniva_dagster.cli._ledger_query import dictionary, lineage, sql, stats
from omniva_dagster.cli._report import FAILED_DOCUMENTS

if TYPE_CHECKING:
    from omniva_dagster.resources.ledger import LedgerResource
    from omniva_dagster.stardust.verify import Verification

_WAIT = click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    help="Seconds to wait for another process that writes the ledger.",
)


@click.group(cls=PlainGroup)
def ledger() -> None:
    """What happened, who made it, and a proof that nobody changed it since.

    Exit codes: 0 all done, 1 it could not be done, 2 wrong usage, 3 done, but something is held
    back, 4 the ledger or the proof is not what it should be.
    """


for command in (sql, lineage, stats, dictionary, prove, verify_proof, consistency, export):
    ledger.add_command(command)


@ledger.command()
@click.option(
    "--against",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="A checkpoint kept elsewhere, or the file that an anchor keeps.",
)
@click.option("--key", "keys", multiple=True, help="A public key that the ledger must have.")
@json_option
@folder_option
def verify(
    against: tuple[Path, ...], keys: tuple[str, ...], as_json: bool, folder: Path | None
) -> None:
    """Recompute every hash, link, root, digest and signature; nothing is changed.

    Exits 0 if all is consistent, 4 if not. The home's ledger is compared with the state store too.
    """
    from omniva_dagster.stardust.verify import verify as run

    with at_work("verifying", visible=not as_json):
        result = run(
            layout_of(folder),
            against=[path.read_text(encoding="utf-8", errors="replace") for path in against],
            trusted=keys,
            store=store_of(folder),
        )
    if as_json:
        click.echo(json.dumps(result.dump(), ensure_ascii=False))
    else:
        _show(result)
    sys.exit(0 if result.consistent else NOT_AS_IT_SHOULD_BE)


@ledger.command()
@click.option(
    "--everything",
    is_flag=True,
    help="Compare all of Dagster's log with the ledger, and bring what is missing.",
)
@_WAIT
@json_option
def sync(everything: bool, wait: float, as_json: bool) -> None:
    """Mirror Dagster's log, give every packet its place, sign a checkpoint and anchor it.

    Exits 3 if packets are held back, another process is writing, or the anchor was not reached.
    """
    from dataclasses import asdict

    from omniva_dagster.cli._home import instance

    with at_work("bringing the ledger up to date", visible=not as_json), instance() as opened:
        resource = _resource()
        if everything:
            done = resource.reconcile(opened, everything=True, wait=wait)
        else:
            done = resource.sync(opened, wait=wait)
    sequenced, anchored = done.sequenced, done.sequenced.anchored
    if as_json:
        click.echo(json.dumps(asdict(done), ensure_ascii=False))
    else:
        click.echo(done.summary)
    unsent = anchored is not None and anchored.state == "failed"
    behind = bool(sequenced.held or sequenced.busy or done.mirrored.unreadable or unsent)
    sys.exit(FAILED_DOCUMENTS if behind else 0)


@ledger.command()
@click.option(
    "--before",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Days before this one (UTC); today if left out.",
)
@_WAIT
@json_option
def seal(before: datetime | None, wait: float, as_json: bool) -> None:
    """Make one sorted file with bloom filters of each day that is over."""
    from dataclasses import asdict

    from omniva_dagster.stardust.sealing import seal as run

    now = datetime.now(UTC)
    until: date = before.date() if before else now.date()
    resource = _resource()
    with at_work("sealing", visible=not as_json):
        days = run(resource.store, layout_of(None), before=until, now=now, wait=wait)
    if as_json:
        click.echo(json.dumps({"sealed": [asdict(day) for day in days]}))
        return
    for day in days:
        click.echo(
            f"{day.date}: {day.rows:,} packets, {day.files_before} files before, "
            f"{day.size / 1e6:.1f} MB now"
        )
    click.echo(f"{len(days)} days sealed")


@ledger.command()
@click.option(
    "--against",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="A checkpoint kept elsewhere, or an anchor's file; OMNIVA_LEDGER_ANCHOR's is read anyway.",
)
@click.option(
    "--accept-root",
    default="",
    metavar="HEX",
    help="Vouch for the packets' root, where the checkpoints that signed it are gone.",
)
@_WAIT
@json_option
def repair(against: tuple[Path, ...], accept_root: str, wait: float, as_json: bool) -> None:
    """Finish what was interrupted, and make anew what follows from the packets.

    That is the log's hashes and the manifests; packets that were held back may try again. Packets
    are never changed, and nothing is signed that does not agree with the checkpoints, here and at
    the anchor: a packet that was changed or lost comes back from a copy of the folder only.
    """
    from dataclasses import asdict

    from omniva_dagster.stardust.repair import repair as run

    resource = _resource()
    kept = [path.read_text(encoding="utf-8", errors="replace") for path in against]
    with at_work("repairing", visible=not as_json):
        done = run(
            resource.store,
            layout_of(None),
            now=datetime.now(UTC),
            wait=wait,
            against=kept,
            anchor=resource.anchor,
            accept_root=accept_root,
        )
    if as_json:
        click.echo(json.dumps(asdict(done)))
        return
    click.echo(
        f"{done.leaves:,} hashes and the manifests of {done.days} days follow from the packets and "
        f"are in place; {done.released} held packets may try again: `omniva ledger sync`"
    )


@ledger.command("rotate-key")
@_WAIT
@json_option
def rotate_key(wait: float, as_json: bool) -> None:
    """Sign with a new key from here on; the old one signs that it follows.

    The next sync records it in the ledger.
    """
    from dataclasses import asdict

    from omniva_dagster.stardust.rotation import rotate_key as run

    resource = _resource()
    done = run(resource.store, layout_of(None), now=datetime.now(UTC), wait=wait)
    if as_json:
        click.echo(json.dumps(asdict(done)))
        return
    click.echo(
        f"from {done.tree_size:,} packets on, {done.new_key}\ntakes the place of {done.old_key}"
    )
    click.echo("give it to whoever trusts this ledger, and back up keys/", err=True)


def _resource() -> LedgerResource:
    from omniva_dagster.cli._home import prepare
    from omniva_dagster.resources.ledger import LedgerResource

    found = prepare()
    return LedgerResource(url=found.state_url, home=str(found.home), anchor=found.ledger_anchor)


def _show(result: Verification) -> None:
    from omniva_dagster.stardust.says import shown

    click.secho(shown(result.verdict, 2000), fg="green" if result.consistent else "red")
    click.echo(
        f"{result.packets:,} packets in {result.files} files, {result.checkpoints} checkpoints, "
        f"origin {shown(result.origin) or 'unknown'}, root {result.root}"
    )
    for finding in result.findings[1:]:
        click.echo(f"- {shown(finding, 2000)}")
    if result.count > len(result.findings):
        click.echo(f"and {result.count - len(result.findings)} more")
    for note in result.notes:
        click.secho(note, dim=True)
