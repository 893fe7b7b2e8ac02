"""Creators: registered here and nowhere else (DESIGN: Partitions)."""

from __future__ import annotations

import re
from dataclasses import dataclass

import sqlalchemy as sa

from omniva_dagster.contracts.errors import ContractError
from omniva_dagster.contracts.ids import creator_id_of
from omniva_dagster.contracts.types import SLUG_PATTERN
from omniva_dagster.contracts.video import Platform
from omniva_dagster.state.tables import creators, requests

ACTIVE, ARCHIVED = "active", "archived"


@dataclass(frozen=True)
class Creator:
    """A registered creator; ``url`` is empty when only single videos are asked for."""

    slug: str
    creator_id: str
    platform: Platform
    url: str
    status: str
    registered_at: str
    consent: str = "granted"
    licence: str = ""


class UnknownCreatorError(LookupError):
    """No creator of that slug is registered."""

    def __init__(self, slug: str) -> None:
        super().__init__(
            f"creator {slug!r} is not registered; register it with "
            f"`omniva creators add {slug} --url <channel>`, or see `omniva creators list`"
        )


def check_slug(slug: str) -> str:
    """The slug, if it is one; `ContractError` saying what a slug is otherwise."""
    if not re.fullmatch(SLUG_PATTERN[1:-1], slug):
        fault = {
            "pointer": "/slug",
            "message": "must start with a letter a-z and go on with at most 62 of a-z 0-9 _ -",
            "got": repr(slug[:80]),
        }
        raise ContractError.invalid("creator", [fault])
    return slug


def register(
    connection: sa.Connection, slug: str, url: str, platform: Platform, at: str
) -> Creator:
    """Register a creator, or bring a registered one up to date and back from the archive."""
    check_slug(slug)
    values = {"url": url, "platform": platform.value, "status": ACTIVE}
    updated = connection.execute(
        creators.update().where(creators.c.slug == slug).values(**values)
    ).rowcount
    if not updated:
        connection.execute(
            creators.insert().values(
                slug=slug, creator_id=creator_id_of(slug), registered_at=at, **values
            )
        )
    return get(connection, slug)


def archive(connection: sa.Connection, slug: str) -> Creator:
    """Take a creator out of schedules; what it has, and its runs in flight, stay."""
    creator = get(connection, slug)
    connection.execute(creators.update().where(creators.c.slug == slug).values(status=ARCHIVED))
    return get(connection, creator.slug)


def get(connection: sa.Connection, slug: str) -> Creator:
    """The creator of that slug; `UnknownCreatorError` otherwise."""
    row = connection.execute(sa.select(creators).where(creators.c.slug == slug)).first()
    if row is None:
        raise UnknownCreatorError(slug)
    return _creator(row)


def all_of(connection: sa.Connection, status: str = "") -> list[Creator]:
    """All creators by slug, or those with a status."""
    query = sa.select(creators).order_by(creators.c.slug)
    if status:
        query = query.where(creators.c.status == status)
    return [_creator(row) for row in connection.execute(query)]


def request_video(connection: sa.Connection, slug: str, url: str, day: str, at: str) -> str:
    """Ask for one video under a day; the day it was first put under, which stands."""
    known = connection.scalar(
        sa.select(requests.c.day).where(requests.c.creator == slug, requests.c.url == url)
    )
    if known is not None:
        return str(known)
    connection.execute(requests.insert().values(creator=slug, url=url, day=day, requested_at=at))
    return day


def requested_videos(connection: sa.Connection, slug: str, day: str) -> list[str]:
    """URLs of the videos asked for one by one under a day, oldest request first."""
    return list(
        connection.scalars(
            sa.select(requests.c.url)
            .where(requests.c.creator == slug, requests.c.day == day)
            .order_by(requests.c.requested_at, requests.c.url)
        )
    )


def _creator(row: sa.Row[tuple[str, ...]]) -> Creator:
    fields = dict(row._mapping)
    return Creator(**{**fields, "platform": Platform(fields["platform"])})
