"""A round of Eclipse: what it heard, how the workers do, what it proposes. One transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from omniva_dagster import state as db
from omniva_dagster.contracts.cognition.eclipse import QuarantineInstruction
from omniva_dagster.contracts.cognition.failures import (
    AbnormalLog,
    HealthDeviation,
    TimeoutAlert,
    WorkerErrorEvent,
)
from omniva_dagster.contracts.errors import ContractError
from omniva_dagster.contracts.ids import EVERYTHING
from omniva_dagster.contracts.reasons import ReasonCode
from omniva_dagster.contracts.registry import MESSAGE_TYPES
from omniva_dagster.engines import eclipse
from omniva_dagster.resources.aside import set_aside
from omniva_dagster.resources.recovery.failing import plan_failures
from omniva_dagster.resources.recovery.routes import reroutes_in_force
from omniva_dagster.resources.recovery.silence import notice_silence, notice_timeouts
from omniva_dagster.resources.recovery.writing import PRODUCER, propose

if TYPE_CHECKING:
    import sqlalchemy as sa

    from omniva_dagster.state.health import Instance

_FAILURES = (WorkerErrorEvent, HealthDeviation, TimeoutAlert, AbnormalLog)


def eclipse_round(connection: sa.Connection, now: str) -> list[str]:
    """Hear what waits, look at who is silent or isolated, propose; the packets of the proposals.

    Every query goes through an index on what is open, so a quiet round costs the same whatever
    the history. Run again after it was cut off, it comes to the same.
    """
    notice_silence(connection, now)
    notice_timeouts(connection, now)
    waiting = db.inboxes.waiting(connection, db.inboxes.ECLIPSE)
    heard = _readable(connection, waiting, now)
    before = _health(connection, heard, now)
    situation = eclipse.Situation(
        now=now,
        heard=heard,
        health=tuple(_known(item) for item in before),
        lately=_lately(connection, now) if heard else (),
        routes=reroutes_in_force(connection, now),
        last_crisis_at=_last_crisis(connection),
    )
    advice = eclipse.advise(situation)
    proposed = [propose(connection, document, now) for document in advice.proposals]
    quarantines = {
        document.instruction_id: packet_id
        for document, packet_id in zip(advice.proposals, proposed, strict=True)
        if isinstance(document, QuarantineInstruction)
    }
    probing = []
    for old, new in zip(before, advice.health, strict=True):
        _settle(connection, old, new, quarantines)
        if new.standing is eclipse.Standing.PROBATION and old.state != new.standing.value:
            probing.append(old)
    planned = plan_failures(connection, db.recoveries.unplanned(connection), now)
    planned += _probes(connection, probing, now)
    db.inboxes.answered(connection, db.inboxes.ECLIPSE, waiting)
    return list(dict.fromkeys([*planned, *proposed]))


def _readable(
    connection: sa.Connection, waiting: Sequence[db.inboxes.Heard], now: str
) -> tuple[eclipse.Heard, ...]:
    """What was heard, without what is not what its contract says: that is set aside."""
    heard = []
    for item in waiting:
        try:
            document = MESSAGE_TYPES[item.message_type].parse(item.payload)
        except ContractError as error:
            set_aside(connection, PRODUCER, item, error, now)
            continue
        heard.append(eclipse.Heard(item.packet_id, document))
    return tuple(heard)


def _health(
    connection: sa.Connection, heard: tuple[eclipse.Heard, ...], now: str
) -> list[Instance]:
    """Who is in trouble, who failed just now, and who could stand in for them."""
    found = {(item.worker, item.instance): item for item in db.health.troubled(connection)}
    documents = [item.document for item in heard if isinstance(item.document, _FAILURES)]
    pools = {document.worker for document in documents} | {worker for worker, _ in found}
    for item in db.health.of_workers(connection, sorted(pools - {eclipse.CREATOR_POOL})):
        found[item.worker, item.instance] = item
    for slug in _failing_creators(connection, now) if documents else ():
        item_of = db.health.get(connection, eclipse.CREATOR_POOL, slug)
        if item_of is not None:
            found[item_of.worker, item_of.instance] = item_of
    return [found[key] for key in sorted(found)]


def _failing_creators(connection: sa.Connection, now: str) -> list[str]:
    return sorted({item.creator for item in _lately(connection, now) if item.creator})


def _lately(connection: sa.Connection, now: str) -> tuple[eclipse.Lately, ...]:
    moment = eclipse.later(now, -eclipse.LIMITS.crisis_window_seconds)
    return tuple(
        eclipse.Lately(item.worker, item.creator, item.subject_id, item.failure_packet_id)
        for item in db.recoveries.since(connection, moment)
        # A document that only a person can mend says nothing about the house.
        if eclipse.policy_of(ReasonCode(item.reason_code)).blame is not eclipse.Blame.DOCUMENT
    )


def _last_crisis(connection: sa.Connection) -> str:
    packet = db.outbox.latest(connection, "CrisisEscalation", EVERYTHING, PRODUCER)
    return str(packet.payload["issued_at"]) if packet else ""


def _known(item: Instance) -> eclipse.Health:
    return eclipse.Health(
        item.worker,
        item.instance,
        eclipse.Standing(item.state),
        item.consecutive_failures,
        ReasonCode(item.reason_code) if item.reason_code else None,
        item.failed_at,
        item.failure_packet_id,
        item.streak_packet_id,
        item.succeeded_at,
        item.success_packet_id,
        item.strikes,
        item.quarantine_id,
        item.quarantine_packet_id,
        item.quarantined_at,
        item.quarantined_until,
    )


def _settle(
    connection: sa.Connection,
    old: Instance,
    new: eclipse.Health,
    quarantines: Mapping[str, str],
) -> None:
    standing = db.health.Instance(
        new.worker,
        new.instance,
        state=new.standing.value,
        strikes=new.strikes,
        quarantine_id=new.quarantine_id,
        quarantine_packet_id=quarantines.get(new.quarantine_id, new.quarantine_packet_id),
        quarantined_at=new.quarantined_at,
        quarantined_until=new.quarantined_until,
    )
    db.health.settle(connection, standing)
    if old.consecutive_failures and not new.consecutive_failures:
        db.health.forgive(connection, new.worker, new.instance, old.failed_at)


def _probes(connection: sa.Connection, probing: list[Instance], now: str) -> list[str]:
    """Attempts that came due while their worker or creator was isolated: now they may be made."""
    if not probing:
        return []
    creators = {item.instance for item in probing if item.worker == eclipse.CREATOR_POOL}
    hosts = {(item.worker, item.instance) for item in probing}
    due = [
        item
        for item in db.recoveries.overdue(connection, now)
        if item.creator in creators or (item.worker, item.instance) in hosts
    ]
    return plan_failures(connection, due, now, not_before=now)
