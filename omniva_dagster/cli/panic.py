"""``omniva panic`` and ``omniva resume``: everything stops at once, and goes on again."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from uuid import uuid4

import click

from omniva_dagster.cli import _control
from omniva_dagster.cli._home import operator, prepare, store

if TYPE_CHECKING:
    import sqlalchemy as sa

    from omniva_dagster.contracts.base import Document
    from omniva_dagster.state.restraints import Restraint

Act = tuple["Document", str, _control.Subject]


@click.command()
@click.option("--creator", "creators", multiple=True, metavar="SLUG", help="Only this creator's.")
@click.option("--worker", "workers", multiple=True, metavar="NAME", help="Only this worker's.")
@click.option("--reason", required=True, help="Why; it goes into the ledger.")
def panic(creators: tuple[str, ...], workers: tuple[str, ...], reason: str) -> None:
    """Stop all work at once, or that of some creators or workers.

    What is in work stops within seconds and leaves nothing half made; runs in flight are cancelled.
    `omniva resume` lifts it, and what was stopped is taken up again.
    """
    prepare()
    at = _control.now()
    with store().begin() as connection:
        named = {
            "creator": [_control.subject_of(connection, slug).place.name for slug in creators],
            "worker": [_control.checked_worker(name) for name in workers],
        }
        pressed = {scope: names for scope, names in named.items() if names} or {"all": []}
        acts = [_press(connection, scope, names, reason, at) for scope, names in pressed.items()]
        records = _control.decide(connection, acts, at)
    _control.show(records)
    for _, signal_id, _ in acts:
        click.echo(f"to go on: omniva resume --signal {signal_id} --reason ...")
    _control.cancel_now()


@click.command()
@click.option("--signal", "signals", multiple=True, metavar="ID", help="Which press to lift.")
@click.option("--all", "everything", is_flag=True, help="Every press in force.")
@click.option("--reason", required=True, help="Why it is safe; it goes into the ledger.")
@click.option("--now", "at_once", is_flag=True, help="Run here what was stopped, without a daemon.")
def resume(signals: tuple[str, ...], everything: bool, reason: str, at_once: bool) -> None:
    """Lift the panic button, and take up again what it stopped."""
    prepare()
    at = _control.now()
    with store().begin() as connection:
        lifted = _chosen(pressed_in(connection), signals, everything=everything)
        acts = [_lift(connection, item, reason, at) for item in lifted]
        records = _control.decide(connection, acts, at)
    _control.show(records)
    if not records:
        click.echo("work stays held on other grounds: omniva control status")
    sys.exit(1 if _control.launch_now(at_once=at_once) else 0)


def pressed_in(connection: sa.Connection) -> list[Restraint]:
    """The presses of the panic button in force, oldest first."""
    from omniva_dagster.state import decisions

    wide = [
        item
        for scope in ("all", "worker", "creator")
        for item in decisions.restraints_of(connection, scope=scope)
    ]
    return [item for item in wide if item.rule == "panic"]


def _chosen(
    pressed: list[Restraint], signals: tuple[str, ...], *, everything: bool
) -> list[Restraint]:
    if not pressed:
        raise click.ClickException("the panic button is not pressed; see omniva control status")
    if everything:
        return pressed
    if not signals and len({item.ground for item in pressed}) == 1:
        return pressed
    known = ", ".join(f"{item.ground} ({item.name or 'all'})" for item in pressed)
    if not signals:
        raise click.UsageError(f"say which with --signal, or --all: {known}")
    unknown = set(signals) - {item.ground for item in pressed}
    if unknown:
        raise click.UsageError(f"not in force: {', '.join(sorted(unknown))}; in force: {known}")
    return [item for item in pressed if item.ground in signals]


def _press(connection: sa.Connection, scope: str, names: list[str], reason: str, at: str) -> Act:
    from omniva_dagster.contracts.cognition.failures import PanicSignal

    signal = PanicSignal.parse(
        {
            "signal_id": str(uuid4()),
            "operator": operator(),
            "scope": scope,
            "subjects": list(dict.fromkeys(names)),
            "reason": reason[:1900],
            "pressed_at": at,
        }
    )
    return signal, signal.signal_id, _control.subject_of(connection, "all")


def _lift(connection: sa.Connection, item: Restraint, reason: str, at: str) -> Act:
    from omniva_dagster.contracts.cognition.zenith import OverrideRequest
    from omniva_dagster.resources.dossiers import Place

    request = OverrideRequest.parse(
        {
            "request_id": str(uuid4()),
            "operator": operator(),
            "subject_id": item.subject_id,
            "overrides": item.directive_id,
            "kind": "release",
            "reason": reason[:1900],
            "evidence": [item.ground_packet_id],
            "requested_at": at,
        }
    )
    place = Place(item.scope, item.name, item.partition)
    return request, request.request_id, _control.Subject(item.subject_id, place)
