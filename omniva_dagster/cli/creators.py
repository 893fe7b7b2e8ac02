"""``omniva creators``: who is worked for, and what they agreed to."""

from __future__ import annotations

import dataclasses
import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from omniva_dagster.cli._home import instance, operator, prepare, store
from omniva_dagster.contracts.consent import ConsentStatus
from omniva_dagster.contracts.types import format_timestamp
from omniva_dagster.contracts.video import Platform

if TYPE_CHECKING:
    import sqlalchemy as sa

_CONSENT = "How and when the creator agreed, and where that is documented."
_LICENCE = "What the videos may be used for."


def register(slug: str, url: str, platform: Platform, consent: str = "", licence: str = "") -> None:
    """Register a creator in state and as a Dagster partition; safe to repeat.

    Consent is recorded with the first registration, and again where something else is stated.
    """
    from omniva_dagster.partitions import CREATORS
    from omniva_dagster.state import creators as registry

    said = registry.Statement(operator(), licence, consent, "registration")
    with store().begin() as connection:
        registry.register(connection, slug, url, platform, _now(), said)
        _tell_zenith(connection, slug)
    with instance() as opened:
        opened.add_dynamic_partitions(CREATORS, [slug])


@click.group()
def creators() -> None:
    """Register, list and archive creators; record and withdraw their consent."""


@creators.command()
@click.argument("slug")
@click.option("--url", required=True, help="Channel, playlist, feed or video.")
@click.option(
    "--platform",
    type=click.Choice([platform.value for platform in Platform]),
    help="Taken from the URL if left out.",
)
@click.option("--consent", default="", help=_CONSENT)
@click.option("--licence", default="", help=_LICENCE)
def add(slug: str, url: str, platform: str | None, consent: str, licence: str) -> None:
    """Register the creator SLUG (a-z, then a-z 0-9 _ -), or bring it up to date.

    Registering somebody states that they agree to it; say how with --consent.
    """
    from omniva_dagster.state.creators import check_slug
    from omniva_dagster.workers.scraper import UrlPolicy
    from omniva_dagster.workers.scraper.metadata import platform_of

    check_slug(slug)
    UrlPolicy(allow_private_hosts=prepare().allow_private_hosts).check(url)
    chosen = Platform(platform) if platform else platform_of(url)
    register(slug, url, chosen, consent, licence)
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
        said = f"consent {creator.consent}"
        terms = creator.licence or registry.AS_AGREED
        click.echo(
            f"{creator.slug:20} {creator.status:9} {creator.platform.value:10} {said:16} "
            f"{source}  ({terms})"
        )


@creators.command()
@click.argument("slug")
@click.option("--json", "as_json", is_flag=True, help="The record as JSON.")
def consent(slug: str, as_json: bool) -> None:
    """What the creator SLUG said last of consent, and the packet that says so."""
    from omniva_dagster.state import creators as registry

    with store().read() as connection:
        creator = registry.get(connection, slug)
        found = registry.consent_of(connection, slug)
    if found is None:
        click.echo(
            f"{creator.slug}: {creator.consent}, never recorded (registered by an earlier "
            f"version); record it: omniva creators grant {slug} --consent '<how and when>'"
        )
        return
    record, packet_id = found
    if as_json:
        click.echo(json.dumps({**record.dump(), "packet_id": packet_id}, ensure_ascii=False))
        return
    click.echo(f"{slug}: {record.status.value} since {record.recorded_at}, for: {record.licence}")
    click.echo(f"  {record.terms}; entered by {record.stated_by}: {record.reason}")
    click.echo(f"  packet {packet_id}")


@creators.command()
@click.argument("slug")
@click.option("--consent", "terms", required=True, help=_CONSENT)
@click.option("--licence", default="", help=_LICENCE)
@click.option("--reason", default="", help="Why it is recorded now.")
def grant(slug: str, terms: str, licence: str, reason: str) -> None:
    """Record that the creator SLUG agrees, as after a revocation.

    Work goes on where it was stopped. What was withdrawn stays withdrawn.
    """
    from omniva_dagster.cli._control import launch_now
    from omniva_dagster.state import creators as registry

    said = registry.Statement(operator(), licence, terms, reason)
    with store().begin() as connection:
        before = registry.get(connection, slug)
        registry.state_consent(connection, slug, ConsentStatus.GRANTED, said, _now())
        _tell_zenith(connection, slug)
        creator = registry.get(connection, slug)
    again = " again" if before.consent == registry.REVOKED else ""
    click.echo(f"{slug} agrees{again}, for: {creator.licence}")
    if again:
        click.echo("what was withdrawn stays withdrawn; what was planned goes on with the next run")
        launch_now(at_once=False)


@creators.command()
@click.argument("slug")
@click.option("--reason", required=True, help="Why consent was withdrawn, for the record.")
@click.option("--consent", "terms", default="", help="How and when it was withdrawn.")
@click.option("--json", "as_json", is_flag=True, help="A JSON object instead of lines.")
def revoke(slug: str, reason: str, terms: str, as_json: bool) -> None:
    """The creator SLUG withdrew consent: stop their work, and take down what is posted.

    Runs in flight stop at their next step. Receipts stay in the ledger. Exit code 3 where something
    could not be taken down; run it again, or leave it to the sensor `takedowns`.
    """
    from omniva_dagster.cli._takedown import FAILED, show, withdraw_now
    from omniva_dagster.resources.offering import cancel_runs
    from omniva_dagster.state import creators as registry
    from omniva_dagster.state import publishing

    said = registry.Statement(operator(), "", terms, reason)
    with store().begin() as connection:
        registry.state_consent(connection, slug, ConsentStatus.REVOKED, said, _now())
        _tell_zenith(connection, slug)
        clips = publishing.clips_of(connection, slug)
    planned = sum(not clip.status for clip in clips)
    taken = withdraw_now(creator=slug, visible=not as_json)
    with instance() as opened:
        stopped = cancel_runs(store(), opened, _now()).cancelled
    show(slug, planned, taken, stopped, as_json)
    if any(item.document is None for item in taken):
        sys.exit(FAILED)


@creators.command()
@click.argument("slug")
def archive(slug: str) -> None:
    """Take a creator out of the schedules; what it has, and its runs in flight, stay."""
    from omniva_dagster.state import creators as registry

    with store().begin() as connection:
        registry.archive(connection, slug)
    click.echo(f"archived {slug}; bring it back with `omniva creators add`")


def _tell_zenith(connection: sa.Connection, slug: str) -> None:
    """Have what was just said of consent decided on, in the transaction that recorded it."""
    from omniva_dagster.resources.desk import ZenithDesk
    from omniva_dagster.state import creators as registry

    found = registry.consent_of(connection, slug)
    if found is not None:
        ZenithDesk().attend(connection, _now(), [found[1]])


def _now() -> str:
    return format_timestamp(datetime.now(UTC))
