"""``omniva run``: one creator's day, or one video, to published clips."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime

import click

from omniva_dagster.cli._home import instance, prepare, store
from omniva_dagster.cli._pipeline import check_partition, run_partition, shown_progress
from omniva_dagster.cli._report import exit_code, report_of, show
from omniva_dagster.contracts.ids import video_id_of
from omniva_dagster.contracts.types import SLUG_PATTERN, format_timestamp


@click.command()
@click.option("--creator", help="A registered creator's slug.")
@click.option("--day", help="YYYY-MM-DD, the videos' upload date (UTC); today if left out.")
@click.option("--url", help="One video; its creator is registered if need be.")
@click.option(
    "--replan",
    is_flag=True,
    help="Judge again by what Horizon has said of the day since, and promote further clips.",
)
@click.option("--json", "as_json", is_flag=True, help="A JSON object instead of tables.")
def run(creator: str | None, day: str | None, url: str | None, replan: bool, as_json: bool) -> None:
    """One creator's day, or one video by URL, to published clips.

    What was done before is not done again; what failed is tried again. Clips that were promoted
    stay so; videos that have clips get no further ones, unless --replan asks for them.
    """
    prepare()
    if url:
        if day:
            raise click.UsageError("--url finds the day itself; leave out --day")
        creator, day = request(url, creator)
    if not creator:
        raise click.UsageError("name a --creator (see `omniva creators list`) or a --url")
    day = _day(day)
    check_partition(creator, day)
    with instance() as opened, shown_progress(f"{creator}, {day}", not as_json):
        result = run_partition(opened, creator, day, replan=replan)
    report = report_of(creator, day)
    show([report], as_json)
    if not result.success:
        click.secho(f"the run failed: {result.failure}", fg="red", err=True)
        click.echo("run the same command again to resume it", err=True)
        sys.exit(1)
    sys.exit(exit_code([report]))


def request(url: str, slug: str | None = None) -> tuple[str, str]:
    """Ask for one video: its creator (registered if need be) and the day it is put under."""
    from omniva_dagster.cli.creators import register
    from omniva_dagster.resources.build import build_resources
    from omniva_dagster.resources.catalog import StateCatalog
    from omniva_dagster.state import creators as registry
    from omniva_dagster.state import library
    from omniva_dagster.workers.scraper.metadata import platform_of

    scraper = build_resources(prepare())["scraper"].scraper(StateCatalog(store()))
    found = scraper.resolve(url)
    with store().read() as connection:
        video_id = video_id_of(platform_of(found.url).value, found.platform_id)
        held = library.has_video(connection, video_id)
    if held is not None:
        return held.creator, held.day
    slug = slug or slug_of(found.uploader) or slug_of(platform_of(url).value) or "unknown"
    with store().read() as connection:
        known = registry.known(connection, slug)
    if not known:
        register(slug, "", platform_of(url))
        click.echo(
            f"registered {slug} for this video only; to follow the channel: "
            f"omniva creators add {slug} --url <channel>",
            err=True,
        )
    today = datetime.now(UTC).date().isoformat()
    uploaded = (found.uploaded_at or today)[:10]
    in_range = prepare().start_day.isoformat() <= uploaded <= today
    with store().begin() as connection:
        now = format_timestamp(datetime.now(UTC))
        day = registry.request_video(connection, slug, url, uploaded if in_range else today, now)
    return slug, day


def slug_of(name: str) -> str:
    """A creator key from a name as the platform shows it; empty if none can be made."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:63]
    return slug if re.fullmatch(SLUG_PATTERN[1:-1], slug) else ""


def _day(day: str | None) -> str:
    if day is None:
        return datetime.now(UTC).date().isoformat()
    try:
        return datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC).date().isoformat()
    except ValueError:
        raise click.UsageError(f"--day must be a date like 2026-03-04, not {day!r}") from None
