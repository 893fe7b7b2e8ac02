"""Taking publications down from the command line, at once and in sight."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from omniva_dagster.cli._home import instance, prepare, store
from omniva_dagster.cli._pipeline import shown_progress

if TYPE_CHECKING:
    from omniva_dagster.resources.withdrawals import Taken

# Done, but not all of it could be taken down.
FAILED = 3


def withdraw_now(*, creator: str = "", clip_id: str = "", visible: bool = True) -> list[Taken]:
    """Take down what Zenith's cancel is on (of a creator, or of one clip); what came of each.

    What fails stays recalled: the sensor `takedowns` and the next call try it again. The ledger is
    brought up to date afterwards.
    """
    from omniva_dagster.resources import progress
    from omniva_dagster.resources.build import build_resources
    from omniva_dagster.resources.withdrawals import STAGE, withdraw_due

    publisher = build_resources(prepare())["publisher"].publisher
    with shown_progress(f"taking down {creator or clip_id}", visible):
        taken = withdraw_due(
            store(),
            publisher,
            logging.getLogger("omniva.takedown"),
            creator=creator,
            clip_id=clip_id,
            heard=lambda label, fraction: progress.report(STAGE, label, fraction),
        )
    _bring_ledger_up_to_date()
    return taken


def show(
    slug: str, planned: int, taken: list[Taken], stopped: Sequence[str], as_json: bool
) -> None:
    """What a revocation came to: clips held and taken down, and the runs that are cancelled."""
    failed = [item for item in taken if item.document is None]
    if as_json:
        click.echo(json.dumps(_as_json(slug, planned, taken, stopped), ensure_ascii=False))
        return
    click.echo(
        f"{slug}: consent is withdrawn; {planned} planned clips are held, "
        f"{len(taken) - len(failed)} posted ones were taken down, {len(failed)} could not be"
    )
    tell(taken)
    for run_id in stopped:
        click.echo(f"  run {run_id} is being cancelled")
    if failed:
        click.echo(
            f"they are tried again every few minutes while the daemon runs, or now: "
            f"omniva creators revoke {slug} --reason '<as before>'",
            err=True,
        )


def tell(taken: list[Taken]) -> None:
    """A line for each publication: taken down, or why not and what to do."""
    for item in taken:
        if item.document is not None:
            click.echo(f"  withdrawn  {item.label}")
        else:
            click.secho(f"  failed     {item.label}: {item.fault}", fg="red", err=True)


def _as_json(slug: str, planned: int, taken: list[Taken], stopped: Sequence[str]) -> dict[str, Any]:
    return {
        "creator": slug,
        "held": planned,
        "withdrawn": [item.document.dump() for item in taken if item.document is not None],
        "failed": [
            {"clip_id": item.standing.clip_id, "title": item.label, "message": item.fault}
            for item in taken
            if item.document is None
        ],
        "cancelled_runs": list(stopped),
    }


def _bring_ledger_up_to_date() -> None:
    """Nothing is lost where that fails: what was done stands in the outbox."""
    from omniva_dagster.resources.build import build_resources
    from omniva_dagster.stardust.errors import LedgerError

    with instance() as opened:
        try:
            build_resources(prepare())["ledger"].sync(opened, wait=10.0)
        except (LedgerError, OSError) as error:
            click.secho(f"the ledger is not up to date: {error}", fg="yellow", err=True)
