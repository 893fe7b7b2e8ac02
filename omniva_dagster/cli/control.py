"""``omniva control``: what Zenith holds and why, what it wants, and its log."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from omniva_dagster.cli import _control
from omniva_dagster.cli._home import prepare, store

if TYPE_CHECKING:
    import sqlalchemy as sa

    from omniva_dagster.state.restraints import Restraint

_SHOWN = 200


@click.group()
def control() -> None:
    """Zenith's control cycle: what is held, what is wanted, what was decided."""


@control.command()
@click.option("--json", "as_json", is_flag=True, help="A JSON object instead of tables.")
def status(as_json: bool) -> None:
    """What is held, why, since when, and what would lift it; what is wanted of Dagster."""
    prepare()
    with store().read() as connection:
        found = standing(connection)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    _show(found)


@control.command()
@click.option("--now", "at_once", is_flag=True, help="Run here what is due, without a daemon.")
@click.option("--json", "as_json", is_flag=True, help="A JSON object instead of a line.")
def cycle(at_once: bool, as_json: bool) -> None:
    """One control cycle in this process: hear everything that waits, and decide."""
    from omniva_dagster.resources.control import run_cycle
    from omniva_dagster.resources.impact import settle_up

    home = prepare().home
    report = run_cycle(store(), _control.now())
    settle_up(store(), home, report.at)
    if as_json:
        said = {
            "cycle": report.number,
            "heard": report.heard,
            "directives": [record.document.dump() for record in report.directives],
            "verdicts": report.verdicts,
            "alerts": report.alerts,
            "troubles": list(report.troubles),
        }
        click.echo(json.dumps(said, ensure_ascii=False))
    else:
        click.echo(report.summary)
        _control.show(report.directives)
        for alert in report.told:
            click.secho(f"look at: {_line(alert.title)}: {_line(alert.message)}", fg="yellow")
    failed = 0 if as_json and not at_once else _control.launch_now(at_once=at_once)
    sys.exit(1 if failed or report.troubles else 0)


@control.command()
@click.option("--last", default=20, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def log(last: int, as_json: bool) -> None:
    """The latest directives, newest first, each with its evidence and the way back."""
    from omniva_dagster.state import decisions

    prepare()
    with store().read() as connection:
        found = decisions.latest(connection, last)
    for directive in found:
        if as_json:
            click.echo(json.dumps(directive.dump(), ensure_ascii=False))
            continue
        click.echo(
            f"{directive.issued_at}  {directive.kind.value:10} {directive.subject_id}  "
            f"{_line(directive.reason)}"
        )
        for text in directive.overrode:
            click.echo(f"    overrode: {_line(text)}")
        click.echo(f"    evidence: {', '.join(directive.evidence)}")
        click.echo(f"    undo: {_line(directive.rollback)}")
    if not found and not as_json:
        click.echo("nothing was decided yet")


@control.command()
@click.option("--last", default=20, show_default=True, type=click.IntRange(1, 1_000))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def alerts(last: int, as_json: bool) -> None:
    """What a person must look at, newest first, each with what to do about it."""
    from omniva_dagster.state import outbox

    prepare()
    with store().read() as connection:
        found = outbox.recent(connection, "OperatorAlert", last)
    for packet in found:
        alert = packet.payload
        if as_json:
            click.echo(json.dumps({**alert, "packet_id": packet.packet_id}, ensure_ascii=False))
            continue
        click.echo(f"{alert['raised_at']}  {alert['severity']:8} {_line(alert['title'])}")
        click.echo(f"    {' '.join(alert['message'].split())}")
        click.echo(f"    evidence: {', '.join(alert['evidence'])}")
    if not found and not as_json:
        click.echo("there is nothing to look at")


def standing(connection: sa.Connection) -> dict[str, Any]:
    """How Zenith's control stands, as JSON."""
    from omniva_dagster.state import cycles, decisions, inboxes, intents

    last = cycles.last(connection, "zenith")
    held = [
        item
        for scope in decisions.SCOPES
        for item in decisions.restraints_of(connection, scope=scope, limit=_SHOWN)
    ]
    return {
        "cycle": {"number": last.number, "at": last.at} if last else None,
        "waiting": {
            name: inboxes.count(connection, name)
            for name in (inboxes.PARADOX, inboxes.ECLIPSE, inboxes.ZENITH)
        },
        "held": [_as_json(item) for item in held[:_SHOWN]],
        "wanted": [
            {
                "intent_id": intent.intent_id,
                "action": intent.action,
                "creator": intent.partition.creator,
                "day": intent.partition.day,
                "not_before": intent.not_before,
                "state": intent.state,
                "directive_id": intent.directive_id,
            }
            for intent in intents.open_ones(connection, _SHOWN)
        ],
    }


def _as_json(item: Restraint) -> dict[str, Any]:
    return {
        "subject_id": item.subject_id,
        "scope": item.scope,
        "name": item.name,
        "kind": item.kind.value,
        "rule": item.rule,
        "reason": item.reason,
        "since": item.since,
        "until": item.until,
        "directive_id": item.directive_id,
        "evidence": item.ground_packet_id,
        "lifted_by": item.lifted_by,
    }


def _show(found: dict[str, Any]) -> None:
    last = found["cycle"]
    click.echo(f"last cycle: {last['number']} at {last['at']}" if last else "no cycle yet")
    waiting = ", ".join(f"{count} for {name}" for name, count in found["waiting"].items())
    click.echo(f"waiting to be heard: {waiting}")
    click.echo(f"held: {len(found['held']) or 'nothing'}")
    for row in found["held"]:
        what = "all work" if row["scope"] == "all" else f"{row['scope']} {_name(row)}"
        ends = f", until {row['until']}" if row["until"] else ""
        click.echo(f"  {row['kind']} on {what}, since {row['since']}{ends}")
        click.echo(f"    why: {row['rule']}: {_line(row['reason'])}")
        click.echo(f"    to lift it: {row['lifted_by']}")
    click.echo(f"wanted of Dagster: {len(found['wanted']) or 'nothing'}")
    for row in found["wanted"]:
        where = f"{row['creator']}, {row['day']}" if row["day"] else row["creator"] or "all"
        click.echo(f"  {row['action']} {where}, not before {row['not_before']} ({row['state']})")


def _name(row: dict[str, Any]) -> str:
    return str(row["name"] or row["subject_id"])


def _line(text: str) -> str:
    return " ".join(text.split())[:300]
