"""What Zenith wants of Dagster: runs to launch and to cancel, each of them once.

An intent is written in the transaction of the directive behind it. A control cycle offers it to
Dagster; the run that comes of it claims it before it does anything. A daemon that is killed between
the two offers it again; should two runs come of it, the second finds it claimed and ends.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from omniva_dagster.state.partition import Partition
from omniva_dagster.state.tables import intents, restraints

LAUNCH, CANCEL = "launch", "cancel"
OPEN, OFFERED, DONE, VOID = "open", "offered", "done", "void"
# The tag of a run that came of an intent.
TAG = "omniva/intent"
# The tag of a run that is not the first one asked for: those before it came to nothing.
ATTEMPT = "omniva/attempt"
# What a cancel is about: it is void once nothing holds that any more.
SUBJECT = "omniva/subject"


@dataclass(frozen=True)
class Intent:
    """A run to launch (``job`` on ``partition``) or to cancel (``run_id``)."""

    intent_id: str
    action: str
    job: str
    partition: Partition
    directive_id: str
    not_before: str
    tags: dict[str, str] = field(default_factory=dict)
    run_config: dict[str, Any] = field(default_factory=dict)
    run_id: str = ""
    state: str = OPEN
    offered_at: str = ""
    attempt: int = 1

    @property
    def run_key(self) -> str:
        """What Dagster knows a launch by: asked for twice under one key, it launches once."""
        return self.intent_id if self.attempt == 1 else f"{self.intent_id}/{self.attempt}"


def want(connection: sa.Connection, intent: Intent) -> bool:
    """Write an intent down, once by its id; whether it is new."""
    known = sa.select(intents.c.intent_id).where(intents.c.intent_id == intent.intent_id)
    if connection.execute(known).first() is not None:
        return False
    connection.execute(
        intents.insert().values(
            intent_id=intent.intent_id,
            action=intent.action,
            job=intent.job,
            creator=intent.partition.creator,
            day=intent.partition.day,
            directive_id=intent.directive_id,
            body=_body(intent),
            not_before=intent.not_before,
            state=intent.state,
            offered_at="",
            run_id=intent.run_id,
        )
    )
    return True


def due(connection: sa.Connection, now: str, offered_before: str, limit: int = 100) -> list[Intent]:
    """Launches to offer: open ones whose time has come, and those offered before in vain.

    What is wanted of a creator who is held waits until that is lifted, and keeps nobody else.
    """
    held = sa.select(restraints.c.name).where(restraints.c.scope == "creator")
    query = (
        sa.select(intents)
        .where(
            intents.c.action == LAUNCH,
            intents.c.creator.not_in(held),
            sa.or_(
                sa.and_(intents.c.state == OPEN, intents.c.not_before <= now),
                sa.and_(intents.c.state == OFFERED, intents.c.offered_at < offered_before),
            ),
        )
        # Those that nobody was asked for yet go first: runs in Dagster's queue keep none of them.
        .order_by(intents.c.state.desc(), intents.c.not_before, intents.c.intent_id)
        .limit(limit)
    )
    return [_intent(row) for row in connection.execute(query)]


def launches(
    connection: sa.Connection, partition: Partition, due: str, latest: str
) -> list[Intent]:
    """Open launches of a partition that begin between two times: another would do the same."""
    query = sa.select(intents).where(
        intents.c.creator == partition.creator,
        intents.c.day == partition.day,
        intents.c.action == LAUNCH,
        intents.c.state == OPEN,
        intents.c.not_before >= due,
        intents.c.not_before <= latest,
    )
    return [_intent(row) for row in connection.execute(query)]


def get(connection: sa.Connection, intent_id: str) -> Intent | None:
    """The intent of that id."""
    row = connection.execute(sa.select(intents).where(intents.c.intent_id == intent_id)).first()
    return _intent(row) if row else None


def offer(connection: sa.Connection, intent: Intent, now: str) -> bool:
    """Note that Dagster is asked; whether it is us who ask, and not another daemon meanwhile."""
    asked = connection.execute(
        intents.update()
        .where(
            intents.c.intent_id == intent.intent_id,
            intents.c.state == intent.state,
            intents.c.offered_at == intent.offered_at,
        )
        .values(state=OFFERED, offered_at=now)
    )
    return bool(asked.rowcount)


def again(connection: sa.Connection, intent: Intent, due: str) -> bool:
    """Want a launch once more, whose run ended before it claimed it; whether nobody else did."""
    attempt = intent.attempt + 1
    once_more = replace(intent, attempt=attempt, tags={**intent.tags, ATTEMPT: str(attempt)})
    asked = connection.execute(
        intents.update()
        .where(
            intents.c.intent_id == intent.intent_id,
            intents.c.state == OFFERED,
            intents.c.offered_at == intent.offered_at,
            intents.c.run_id == "",
        )
        .values(state=OPEN, offered_at="", not_before=due, body=_body(once_more))
    )
    return bool(asked.rowcount)


def cancels(connection: sa.Connection, limit: int = 100) -> list[Intent]:
    """Cancels that are not done yet, oldest first."""
    query = (
        sa.select(intents)
        .where(intents.c.state.in_([OPEN, OFFERED]), intents.c.action == CANCEL)
        .order_by(intents.c.not_before, intents.c.intent_id)
        .limit(limit)
    )
    return [_intent(row) for row in connection.execute(query)]


def open_ones(connection: sa.Connection, limit: int = 100) -> list[Intent]:
    """What is wanted and not done, the soonest first."""
    query = (
        sa.select(intents)
        .where(intents.c.state.in_([OPEN, OFFERED]))
        .order_by(intents.c.not_before, intents.c.intent_id)
        .limit(limit)
    )
    return [_intent(row) for row in connection.execute(query)]


def claim(connection: sa.Connection, intent_id: str, run_id: str) -> bool:
    """Whether this run is the one that the intent becomes: the first, or the same run again."""
    taken = connection.execute(
        intents.update()
        .where(
            intents.c.intent_id == intent_id,
            intents.c.state.in_([OPEN, OFFERED]),
            intents.c.run_id == "",
        )
        .values(state=DONE, run_id=run_id)
    ).rowcount
    if taken:
        return True
    standing = get(connection, intent_id)
    return standing is not None and standing.run_id == run_id


def settle(connection: sa.Connection, intent_id: str, state: str = DONE) -> bool:
    """An intent is done with: done, or void because what it was for is no more. Whether it was
    still wanted."""
    settled = connection.execute(
        intents.update()
        .where(intents.c.intent_id == intent_id, intents.c.state.in_([OPEN, OFFERED]))
        .values(state=state)
    )
    return bool(settled.rowcount)


def _body(intent: Intent) -> str:
    said = {"tags": intent.tags, "run_config": intent.run_config, "attempt": intent.attempt}
    return json.dumps(said)


def _intent(row: sa.Row[Any]) -> Intent:
    body = json.loads(row.body)
    return Intent(
        row.intent_id,
        row.action,
        row.job,
        Partition(row.creator, row.day),
        row.directive_id,
        row.not_before,
        body["tags"],
        body["run_config"],
        row.run_id,
        row.state,
        row.offered_at,
        body.get("attempt", 1),
    )
