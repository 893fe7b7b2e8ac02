"""``omniva horizon``: what campaigns are to reach, how clips did, and what follows from it."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from omniva_dagster.cli._home import prepare, store
from omniva_dagster.contracts.types import format_timestamp

if TYPE_CHECKING:
    from omniva_dagster.contracts.campaign import Campaign
    from omniva_dagster.resources.recalibration import Made


@click.group()
def horizon() -> None:
    """Campaign goals, engagement history, and the guidance that follows from them."""


@horizon.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
def import_(file: Path, as_json: bool) -> None:
    """Bring in how clips did, from a CSV or Parquet FILE, and look at the goals again.

    Columns: clip_id, platform, published_at, observed_at, views, likes, comments, shares,
    watched_seconds, retention; for clips not made here creator, and post in place of clip_id.
    What is there already stays; a file with a wrong row is not imported at all.
    """
    from omniva_dagster.contracts.errors import ContractError
    from omniva_dagster.resources.engagement import ImportRefusedError, import_file
    from omniva_dagster.resources.goals import read_goals
    from omniva_dagster.resources.recalibration import recalibrate

    opened, now = store(), format_timestamp(datetime.now(UTC))
    try:
        found = import_file(opened, file, now)
    except ImportRefusedError as error:
        raise click.ClickException(str(error)) from None
    made, wrong = [], ""
    try:
        made = (
            recalibrate(opened, read_goals(), now, found.creators, anew=True) if found.new else []
        )
    except ContractError as error:
        # What was brought in is in: the goals are looked at again when they are right.
        wrong = f"the goals were not looked at again: {error}; see: omniva horizon goals check"
    if as_json:
        said = {"rows": found.rows, "new": found.new, "guidance": [_as_json(one) for one in made]}
        click.echo(json.dumps({**said, "goals": wrong} if wrong else said))
    else:
        click.echo(f"{found.rows} rows, {found.new} new")
        if found.new and not wrong:
            _tell(made)
    if wrong:
        click.echo(wrong, err=True)
        sys.exit(_IN_PART)


@horizon.command()
@click.option("--creator", help="Of one creator; all that are active if left out.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for programs.")
def show(creator: str | None, as_json: bool) -> None:
    """The guidance in force: goals, weights of hours, what is wanted, warnings."""
    from omniva_dagster.resources.guidance import recorded_for
    from omniva_dagster.state import creators as registry

    today = datetime.now(UTC).date().isoformat()
    with store().read() as connection:
        if creator:
            registry.get(connection, registry.check_slug(creator))
        slugs = [one.slug for one in registry.all_of(connection, registry.ACTIVE)]
        found = {slug: recorded_for(connection, slug, today) for slug in slugs}
    if not slugs and not as_json:
        click.echo("no active creators; add one: omniva creators add <slug> --url ...")
    for slug in [creator] if creator else slugs:
        recorded = found.get(slug)
        body = recorded.body if recorded else None
        if as_json:
            click.echo(json.dumps({"creator": slug, "guidance": body}))
        elif body is None:
            click.echo(f"{slug}: no campaign; goals stand in {prepare().home / 'goals.yaml'}")
        else:
            click.echo("\n".join(_in_lines(slug, body)))


@horizon.command()
@click.option("--creator", help="For one creator; all that are active if left out.")
def recalibrate(creator: str | None) -> None:
    """Make today's guidance anew, from the goals and history as they are."""
    from omniva_dagster.resources.goals import read_goals
    from omniva_dagster.resources.recalibration import recalibrate as make
    from omniva_dagster.state import creators as registry

    opened, now = store(), format_timestamp(datetime.now(UTC))
    if creator:
        with opened.read() as connection:
            registry.get(connection, registry.check_slug(creator))
    _tell(make(opened, read_goals(), now, [creator] if creator else None, anew=True))


@horizon.group()
def goals() -> None:
    """The goals file."""


@goals.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
def check(file: Path | None) -> None:
    """Check FILE (the home's goals.yaml if left out): every wrong field, with its line."""
    from omniva_dagster.contracts.errors import ContractError
    from omniva_dagster.resources.goals import goals_path, read_goals

    prepare()
    path = file or goals_path()
    try:
        found = read_goals(path)
    except ContractError as error:
        for fault in error.faults:
            click.echo(f"{path}: {fault['pointer'] or '/'}: {fault['message']}", err=True)
        sys.exit(1)
    if found is None:
        raise click.ClickException(f"there is no {path}; docs/advisors.md shows one")
    for campaign in found.campaigns:
        click.echo(_described(campaign))
    count = len(found.campaigns)
    click.echo(f"{path}: {count} campaign{'' if count == 1 else 's'}, all well")


def _described(campaign: Campaign) -> str:
    who = ", ".join(campaign.creators) if campaign.creators else "all creators"
    wants = []
    if campaign.cadence:
        wants.append(f"{campaign.cadence.clips_per_week:g} clips a week")
    wants += [f"{goal.target:g} {goal.measure.value} a clip" for goal in campaign.growth or []]
    wants += [f"{part.share:.0%} about {part.subject}" for part in campaign.mix or []]
    wants += [f"{len(campaign.windows)} windows"] if campaign.windows else []
    return f"{campaign.name}: {who}, {campaign.since} to {campaign.until}: {', '.join(wants)}"


def _tell(made: list[Made]) -> None:
    for one in made:
        if one.fresh:
            click.echo(f"{one.creator}: guidance for {one.day} (campaign {one.campaign})")
        for warning in one.warnings:
            click.secho(f"  {warning}", fg="yellow")
    if not any(one.fresh for one in made):
        click.echo("no guidance was made: no campaign runs for whom this is about")


def _as_json(made: Made) -> dict[str, Any]:
    return {
        "creator": made.creator,
        "campaign": made.campaign,
        "fresh": made.fresh,
        "warnings": list(made.warnings),
        "turned": made.turned,
    }


def _in_lines(slug: str, body: dict[str, Any]) -> list[str]:
    window = body["goal_window"]
    lines = [
        f"{slug}: campaign {body['campaign']}, {window['since'][:10]} to {window['until'][:10]}, "
        f"as of {body['made_at']}"
    ]
    lines += [f"  ! {warning}" for warning in body["warnings"]]
    lines += [f"  goal {goal}: {pull:+.2f}" for goal, pull in body["gradients"].items()]
    ranked = sorted(body["slots"], key=lambda slot: (-slot[2], slot[0], slot[1]))
    shown = ranked if len(ranked) <= 2 * _EACH else [*ranked[:_EACH], *ranked[-_EACH:]]
    lines += [f"  {_DAYS[slot[0]]} {slot[1]:02d}:00 {slot[3]}" for slot in shown]
    if len(ranked) > len(shown):
        between = len(ranked) - len(shown)
        lines.append(f"  and {between} hours between these (--json shows all)")
    wanted = list(body["subjects"].items())[:10]
    lines += [f"  about {subject}: {value:.2f} (0.5 is neutral)" for subject, value in wanted]
    return lines


_IN_PART = 3  # exit code: done, but not all of it
_EACH = 5  # best and worst hours that are shown
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
