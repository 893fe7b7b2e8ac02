"""Acting as an operator: one packet an act, decided by Zenith at once, in this process."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from omniva_dagster.cli._home import instance, prepare, store
from omniva_dagster.contracts.ids import EVERYTHING, creator_id_of, derive_id, worker_id_of
from omniva_dagster.contracts.operations.dashboard import Worker
from omniva_dagster.contracts.types import UUID4_PATTERN, format_timestamp

if TYPE_CHECKING:
    import sqlalchemy as sa

    from omniva_dagster.contracts.base import Document
    from omniva_dagster.contracts.decisions import Directive
    from omniva_dagster.contracts.record import Record
    from omniva_dagster.resources.dossiers import Place

OPERATOR = "operator"
_WORKER = "worker:"


@dataclass(frozen=True)
class Subject:
    """What an operator acts on."""

    subject_id: str
    place: Place

    @property
    def words(self) -> str:
        """For people."""
        return "all work" if self.place.scope == "all" else self._named

    @property
    def _named(self) -> str:
        return f"{self.place.scope} {self.place.name or self.subject_id}"


def now() -> str:
    """The time, as contracts write it."""
    return format_timestamp(datetime.now(UTC))


def subject_of(connection: sa.Connection, name: str) -> Subject:
    """What ``name`` means: an id, a creator's slug, ``worker:<name>`` or ``all``."""
    from omniva_dagster.resources.dossiers import NOWHERE, Place, place_of
    from omniva_dagster.state import creators

    if name == "all":
        return Subject(EVERYTHING, Place("all"))
    if name.startswith(_WORKER):
        worker = checked_worker(name.removeprefix(_WORKER))
        return Subject(worker_id_of(worker), Place("worker", worker))
    if re.fullmatch(UUID4_PATTERN[1:-1], name):
        place = place_of(connection, name)
        if place.scope == "clip" and place.partition == NOWHERE:
            raise click.ClickException(
                f"nothing is recorded about {name}; `omniva status` and `omniva control status` "
                "show ids"
            )
        return Subject(name, place)
    slug = creators.get(connection, creators.check_slug(name)).slug
    return Subject(creator_id_of(slug), place_of(connection, creator_id_of(slug)))


def checked_worker(name: str) -> str:
    """The name of a worker pool, or of one of its instances (``editor/host``)."""
    pools = [worker.value for worker in Worker]
    if name.partition("/")[0] not in pools or len(name) > 64:
        raise click.UsageError(f"there is no worker {name!r}; workers: {', '.join(pools)}")
    return name


def decide(
    connection: sa.Connection, acts: Sequence[tuple[Document, str, Subject]], at: str
) -> list[Record[Directive]]:
    """Record operators' acts, each a packet of its own with its id, and have Zenith decide."""
    from omniva_dagster.resources.desk import ZenithDesk
    from omniva_dagster.state import outbox

    for document, act_id, subject in acts:
        evidence = getattr(document, "evidence", None) or getattr(document, "seen", None) or []
        trace = derive_id("trace", subject.place.video_id or subject.subject_id)
        outbox.emit(
            connection,
            outbox.Emission(
                document,
                OPERATOR,
                subject.subject_id,
                trace,
                tuple(evidence),
                subject.place.partition,
                at,
                act_id,
            ),
        )
    return ZenithDesk().attend(connection, at)


def refusals(connection: sa.Connection, act_ids: Sequence[str], subject_id: str) -> list[str]:
    """Why Zenith did not follow acts, in the words of its alerts."""
    from omniva_dagster.state import outbox

    found = [
        outbox.latest(connection, "OperatorAlert", derive_id("alert", act_id, subject_id))
        for act_id in act_ids
    ]
    return [str(packet.payload["message"]) for packet in found if packet is not None]


def show(records: Sequence[Record[Directive]]) -> None:
    """Say what was ordered, and how to undo it."""
    for record in records:
        directive = record.document
        click.echo(f"{directive.kind.value} {directive.subject_id}: {directive.reason}")
        click.echo(f"  undo: {directive.rollback}")


def cancel_now() -> None:
    """Cancel what runs in the scope of a hold; what runs here and now ends by itself."""
    from omniva_dagster.resources.offering import cancel_runs

    with instance() as opened:
        cancelled = cancel_runs(store(), opened, now()).cancelled
    for run_id in cancelled:
        click.echo(f"run {run_id} is being cancelled")


def launch_now(*, at_once: bool) -> int:
    """Run what is wanted by now, in this process; or say who will. How many runs failed."""
    from omniva_dagster.cli._pipeline import run_partition
    from omniva_dagster.resources.offering import offer
    from omniva_dagster.state import intents

    if not at_once:
        with store().read() as connection:
            wanted = [one for one in intents.open_ones(connection) if one.action == intents.LAUNCH]
        if wanted:
            click.echo(
                f"{len(wanted)} runs are wanted: the daemon (`omniva dev`) launches each when it "
                "is due, or `omniva control cycle --now` here"
            )
        return 0
    failed = 0
    with instance() as opened:
        offered = offer(store(), opened, now(), prepare().reoffer_seconds)
        for lost in offered.given_up:
            home = lost.partition
            click.secho(f"{home.creator}, {home.day}: no run could be had", fg="red", err=True)
        for intent in offered.launches:
            home = intent.partition
            result = run_partition(opened, home.creator, home.day, intent.tags)
            failed += not result.success
            said = "done" if result.success else f"failed: {result.failure}"
            click.echo(f"{home.creator}, {home.day}: {said}")
    return failed
