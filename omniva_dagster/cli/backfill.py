"""``omniva backfill``: a creator's range of days, one run each, resumed where it was cut off."""

from __future__ import annotations

import sys
import uuid
from datetime import UTC, date, datetime, timedelta

import click

from omniva_dagster.cli._home import instance, prepare
from omniva_dagster.cli._pipeline import check_partition, run_partition, shown_progress
from omniva_dagster.cli._report import exit_code, report_of, show


@click.command()
@click.option("--creator", required=True, help="A registered creator's slug.")
@click.option("--from", "first", required=True, help="First day, YYYY-MM-DD.")
@click.option("--to", "last", required=True, help="Last day, YYYY-MM-DD, included.")
@click.option("--dry-run", is_flag=True, help="Only say which days would run.")
@click.option("--all", "everything", is_flag=True, help="Also days that are complete.")
@click.option("--json", "as_json", is_flag=True, help="A JSON object a day instead of tables.")
def backfill(
    creator: str, first: str, last: str, dry_run: bool, everything: bool, as_json: bool
) -> None:
    """Run a range of days that are not complete, oldest first.

    A day is complete when its publications are materialized and no document of it failed. Cut off
    anywhere, the same command goes on from there.
    """
    prepare()
    days = _days(first, last)
    for day in (days[0], days[-1]):
        check_partition(creator, day)
    with instance() as opened:
        done = set() if everything else _complete(opened, creator, days)
        due = [day for day in days if day not in done]
        click.echo(f"{len(due)} of {len(days)} days to run, {len(done)} complete", err=True)
        if dry_run:
            for day in due:
                click.echo(day)
            return
        tags = {"omniva/backfill": str(uuid.uuid4())}
        failed = []
        for number, day in enumerate(due, 1):
            with shown_progress(f"{creator}, {day} ({number} of {len(due)})", not as_json):
                result = run_partition(opened, creator, day, tags)
            if not result.success:
                failed.append(result)
    reports = [report_of(creator, day) for day in due]
    show(reports, as_json)
    for result in failed:
        click.secho(f"{result.day} failed: {result.failure}", fg="red", err=True)
    sys.exit(1 if failed else exit_code(reports))


def _days(first: str, last: str) -> list[str]:
    try:
        begin, end = date.fromisoformat(first), date.fromisoformat(last)
    except ValueError as error:
        raise click.UsageError(f"days are written YYYY-MM-DD: {error}") from None
    if begin > end:
        raise click.UsageError(f"--from {first} is after --to {last}")
    if end > datetime.now(UTC).date():
        raise click.UsageError(f"--to {last} is in the future")
    return [(begin + timedelta(days=n)).isoformat() for n in range((end - begin).days + 1)]


def _complete(opened: object, creator: str, days: list[str]) -> set[str]:
    from dagster import AssetKey, DagsterInstance

    from omniva_dagster.partitions import partition_key

    assert isinstance(opened, DagsterInstance)
    published = opened.get_materialized_partitions(AssetKey("publications"))
    return {
        day
        for day in days
        if partition_key(creator, day) in published and not report_of(creator, day).failed
    }
