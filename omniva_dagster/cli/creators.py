"""``omniva creators``: who is worked for."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime

import click

from omniva_dagster.cli._home import instance, prepare, store
from omniva_dagster.contracts.types import format_timestamp
from omniva_dagster.contracts.video import Platform


def register(slug: str, url: str, platform: Platform) -> None:
    """Register a creator in state and as a Dagster partition; safe to repeat."""
    from omniva_dagster.partitions import CREATORS
    from omniva_dagster.state import creators as registry

    with store().begin() as connection:
        registry.register(connection, slug, url, platform, format_timestamp(datetime.now(UTC)))
    with instance() as opened:
        opened.add_dynamic_partitions(CREATORS, [slug])


@click.group()
def creators() -> None:
    """Register, list and archive creators."""


@creators.command()
@click.argument("slug")
@click.option("--url", required=True, help="Channel, playlist, feed or video.")
@click.option(
    "--platform",
    type=click.Choice([platform.value for platform in Platform]),
    help="Taken from the URL if left out.",
)
def add(slug: str, url: str, platform: str | None) -> None:
    """Register the creator SLUG (a-z, then a-z 0-9 _ -), or bring it up to date."""
    from omniva_dagster.state.creators import check_slug
    from omniva_dagster.workers.scraper import UrlPolicy
    from omniva_dagster.workers.scraper.metadata import platform_of

    check_slug(slug)
    UrlPolicy(allow_private_hosts=prepare().allow_private_hosts).check(url)
    chosen = Platform(platform) if platform else platform_of(url)
    register(slug, url, chosen)
    click.echo(f"registered {slug} ({chosen.value}): {url}")
    click.echo(f"next: omniva run --creator {slug} --day {datetime.now(UTC).date()}")


@creators.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_(as_json: bool) -> None:
    """All creators."""
    from omniva_dagster.state import creators as registry

    with store().read() as connection:
        found = registry.all_of(connection)
    if as_json:
        for creator in found:
            click.echo(json.dumps(dataclasses.asdict(creator)))
        return
    if not found:
        click.echo("no creators yet: omniva creators add <slug> --url <channel>")
    for creator in found:
        source = creator.url or "(only videos asked for by `omniva run --url`)"
        click.echo(f"{creator.slug:20} {creator.status:9} {creator.platform.value:10} {source}")


@creators.command()
@click.argument("slug")
def archive(slug: str) -> None:
    """Take a creator out of the schedules; what it has, and its runs in flight, stay."""
    from omniva_dagster.state import creators as registry

    with store().begin() as connection:
        registry.archive(connection, slug)
    click.echo(f"archived {slug}; bring it back with `omniva creators add`")
