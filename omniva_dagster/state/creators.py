"""Creators: registered here and nowhere else (DESIGN: Partitions), with what they agreed to."""

from __future__ import annotations

import re
from dataclasses import dataclass

import sqlalchemy as sa

from omniva_dagster.contracts.consent import ConsentRecord, ConsentStatus
from omniva_dagster.contracts.errors import ContractError
from omniva_dagster.contracts.ids import creator_id_of, derive_id
from omniva_dagster.contracts.types import SLUG_PATTERN
from omniva_dagster.contracts.video import Platform
from omniva_dagster.state import outbox
from omniva_dagster.state.partition import Partition
from omniva_dagster.state.tables import creators, requests

ACTIVE, ARCHIVED = "active", "archived"
GRANTED, REVOKED = ConsentStatus.GRANTED.value, ConsentStatus.REVOKED.value
PRODUCER = "operator"
# What a registration says of consent where the operator says nothing else.
AS_AGREED = "as agreed with the creator"


@dataclass(frozen=True)
class Creator:
    """A registered creator; ``url`` is empty when only single videos are asked for."""

    slug: str
    creator_id: str
    platform: Platform
    url: str
    status: str
    registered_at: str
    consent: str = GRANTED
    licence: str = ""


@dataclass(frozen=True)
class Statement:
    """What an operator states of a creator's consent; what is left empty stays as it was."""

    stated_by: str = "unknown"
    licence: str = ""
    terms: str = ""
    reason: str = ""


class UnknownCreatorError(LookupError):
    """No creator of that slug is registered."""

    def __init__(self, slug: str) -> None:
        super().__init__(
            f"creator {slug!r} is not registered; register it with "
            f"`omniva creators add {slug} --url <channel>`, or see `omniva creators list`"
        )


class ConsentWithdrawnError(LookupError):
    """The creator does not agree any more: nothing of theirs is worked on."""

    def __init__(self, slug: str) -> None:
        super().__init__(
            f"{slug} withdrew consent: nothing of theirs is fetched, cut or posted; should they "
            f"agree again: omniva creators grant {slug} --consent '<how and when it was given>'"
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
    connection: sa.Connection,
    slug: str,
    url: str,
    platform: Platform,
    at: str,
    statement: Statement | None = None,
) -> Creator:
    """Register a creator, or bring a registered one up to date and back from the archive.

    With a first registration consent is recorded as given; later on, where something else is
    stated. `ConsentWithdrawnError` where it, or the consent of who has that channel, was withdrawn.
    """
    check_slug(slug)
    refuse_revoked(connection, slug, url)
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
    if statement is not None or not updated:
        said = statement or Statement()
        state_consent(connection, slug, ConsentStatus.GRANTED, said, at)
    return get(connection, slug)


def state_consent(
    connection: sa.Connection, slug: str, status: ConsentStatus, statement: Statement, at: str
) -> str | None:
    """Record what a creator says of consent; the packet, or None if that is what holds already.

    Zenith hears the packet and acts on it. Raises `UnknownCreatorError`, and `ContractError` for
    words that are empty or too long.
    """
    creator = get(connection, slug)
    before = outbox.latest(connection, ConsentRecord.__name__, creator.creator_id)
    standing = ConsentRecord.parse(before.payload) if before else None
    record = _record_of(creator, status, statement, standing, at)
    if standing is not None and _says_the_same(standing, record):
        return None
    connection.execute(
        creators.update()
        .where(creators.c.slug == slug)
        .values(consent=status.value, licence=record.licence)
    )
    packet = outbox.emit(
        connection,
        outbox.Emission(
            record,
            PRODUCER,
            creator.creator_id,
            derive_id("trace", creator.creator_id),
            (before.packet_id,) if before else (),
            Partition(slug, at[:10]),
            at,
        ),
    )
    return packet.packet_id


def consent_of(connection: sa.Connection, slug: str) -> tuple[ConsentRecord, str] | None:
    """What a creator said last of consent, and its packet; None if nothing was ever recorded."""
    packet = outbox.latest(connection, ConsentRecord.__name__, creator_id_of(slug))
    return (ConsentRecord.parse(packet.payload), packet.packet_id) if packet else None


def willing(connection: sa.Connection, slug: str) -> Creator:
    """The creator of that slug, who agrees to be worked for.

    Raises `UnknownCreatorError` and `ConsentWithdrawnError`.
    """
    creator = get(connection, slug)
    if creator.consent == REVOKED:
        raise ConsentWithdrawnError(slug)
    return creator


def refuse_revoked(connection: sa.Connection, slug: str, url: str = "") -> None:
    """Raise `ConsentWithdrawnError` if that creator, or who has that channel, withdrew consent."""
    # The same channel under another name is the same creator.
    named = creators.c.slug == slug
    same = named | (creators.c.url == url) if url else named
    query = sa.select(creators.c.slug).where(same, creators.c.consent == REVOKED)
    refused = connection.scalar(query.order_by(creators.c.slug).limit(1))
    if refused is not None:
        raise ConsentWithdrawnError(refused)


def followed(connection: sa.Connection) -> list[Creator]:
    """Whom the schedules work for: active, with a channel, and agreeing to it."""
    return [
        creator
        for creator in all_of(connection, ACTIVE)
        if creator.url and creator.consent == GRANTED
    ]


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


def known(connection: sa.Connection, slug: str) -> bool:
    """Whether a creator of that slug is registered."""
    query = sa.select(creators.c.slug).where(creators.c.slug == slug)
    return connection.execute(query).first() is not None


def all_of(connection: sa.Connection, status: str = "") -> list[Creator]:
    """All creators by slug, or those with a status."""
    query = sa.select(creators).order_by(creators.c.slug)
    if status:
        query = query.where(creators.c.status == status)
    return [_creator(row) for row in connection.execute(query)]


def request_video(connection: sa.Connection, slug: str, url: str, day: str, at: str) -> str:
    """Ask for one video under a day; the day it was first put under, which stands.

    Raises `UnknownCreatorError` and `ConsentWithdrawnError`.
    """
    willing(connection, slug)
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


def _record_of(
    creator: Creator,
    status: ConsentStatus,
    statement: Statement,
    standing: ConsentRecord | None,
    at: str,
) -> ConsentRecord:
    # What was stated stands until something else is.
    stands = standing is not None and standing.status is status
    when = f"on {at[:10]}" if standing else "at registration"
    said_by = f"stated by {statement.stated_by} {when}"
    return ConsentRecord.parse(
        {
            "creator_id": creator.creator_id,
            "slug": creator.slug,
            "status": status.value,
            "licence": statement.licence or creator.licence or AS_AGREED,
            "terms": statement.terms or (standing.terms if stands and standing else said_by),
            "stated_by": statement.stated_by,
            "reason": statement.reason or f"consent was {status.value}",
            "recorded_at": at,
        }
    )


def _says_the_same(standing: ConsentRecord, record: ConsentRecord) -> bool:
    said = [(item.status, item.licence, item.terms) for item in (standing, record)]
    return said[0] == said[1]
