"""The ledger's outbox: a packet is written in the transaction of what it records (CON-10).

Life of a packet: a worker or engine makes a document; `emit` wraps it in an envelope, gives it the
id derived from its source key, and inserts it with its parents on the caller's transaction, so
that document and packet are there together or not at all. Nothing here is updated or deleted
(triggers see to that); a row in the queue, from the same transaction, tells the ledger's sequencer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import rfc8785
import sqlalchemy as sa

from omniva_dagster.contracts.base import Document, without_clock
from omniva_dagster.contracts.envelope import Envelope
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.state import inboxes
from omniva_dagster.state.partition import Partition
from omniva_dagster.state.tables import collisions, packet_parents, packet_queue, packets

SCHEMA_VERSION = "1.0.0"
_AT_ONCE = 500  # ids in one query
# Where something is looked for that no index leads to: as many packets are gone through.
_RECENT = 200_000


class MissingParentError(LookupError):
    """A producer named a parent packet that does not exist."""


# The store itself is in trouble: no single document is to blame.
STORE_ERRORS = (sa.exc.SQLAlchemyError, MissingParentError)


@dataclass(frozen=True)
class Emission:
    """A document about to be recorded.

    ``occurrence`` tells apart several documents of one type on one subject by one producer; left
    empty, the document's content and its predecessor do. ``may_lack_parents`` is for what is
    mirrored from elsewhere: parents that did not come in time stay named in the envelope, and the
    ledger marks them as missing.
    """

    document: Document
    producer: str
    subject_id: str
    trace_id: str
    parents: tuple[str, ...]
    partition: Partition
    emitted_at: str
    occurrence: str = ""
    may_lack_parents: bool = False


@dataclass(frozen=True)
class Packet:
    """A recorded envelope."""

    packet_id: str
    message_type: str
    subject_id: str
    payload: dict[str, Any]
    parents: tuple[str, ...]


def emit(connection: sa.Connection, emission: Emission) -> Packet:
    """Record a document, once: what says the same as the latest on its subject is that packet.

    A source key that exists with other content is kept as a collision for Paradox, and the first
    packet stands. Raises `MissingParentError` when a parent is not in the outbox, and
    `ContractError` when the document is not valid.
    """
    emission = replace(emission, parents=tuple(dict.fromkeys(emission.parents)))
    payload = emission.document.dump()
    # A copy with other fields is not checked by its model: nothing invalid is recorded (STA-4).
    type(emission.document).parse(payload)
    previous = latest(
        connection, type(emission.document).__name__, emission.subject_id, emission.producer
    )
    if previous and not emission.occurrence and _says_the_same(previous, payload, emission):
        return previous
    source_key = _source_key(emission, payload, previous)
    packet_id = derive_id("packet", source_key)
    envelope = Envelope(
        message_id=packet_id,
        message_type=type(emission.document).__name__,
        schema_version=payload.get("schema_version", SCHEMA_VERSION),
        trace_id=emission.trace_id,
        meta_parents=list(emission.parents),
        producer=emission.producer,
        emitted_at=emission.emitted_at,
        payload=payload,
    ).dump()
    standing = by_id(connection, packet_id)
    if standing is not None:
        if without_clock(standing.payload) != without_clock(payload):
            _keep_collision(connection, source_key, envelope, emission.emitted_at)
        return standing
    try:
        with connection.begin_nested():
            _insert(connection, source_key, envelope, emission)
    except sa.exc.IntegrityError:
        # Another process recorded the same at the same time.
        standing = by_id(connection, packet_id)
        if standing is None:
            raise
        return standing
    return Packet(
        packet_id, envelope["message_type"], emission.subject_id, payload, emission.parents
    )


def latest(
    connection: sa.Connection, message_type: str, subject_id: str, producer: str = ""
) -> Packet | None:
    """The newest packet of a type on a subject."""
    query = (
        sa.select(packets.c.body, packets.c.subject_id)
        .where(packets.c.subject_id == subject_id, packets.c.message_type == message_type)
        .order_by(packets.c.sequence.desc())
        .limit(1)
    )
    if producer:
        query = query.where(packets.c.producer == producer)
    row = connection.execute(query).first()
    return _packet(row) if row else None


def history(
    connection: sa.Connection, message_type: str, subject_id: str, producer: str = ""
) -> list[Packet]:
    """All packets of a type on a subject, oldest first."""
    query = (
        sa.select(packets.c.body, packets.c.subject_id)
        .where(packets.c.subject_id == subject_id, packets.c.message_type == message_type)
        .order_by(packets.c.sequence)
    )
    if producer:
        query = query.where(packets.c.producer == producer)
    return [_packet(row) for row in connection.execute(query)]


def recent(connection: sa.Connection, message_type: str, limit: int) -> list[Packet]:
    """The newest packets of a type among the latest recorded, newest first."""
    newest = connection.scalar(sa.select(sa.func.max(packets.c.sequence))) or 0
    query = (
        sa.select(packets.c.body, packets.c.subject_id)
        .where(packets.c.message_type == message_type, packets.c.sequence > newest - _RECENT)
        .order_by(packets.c.sequence.desc())
        .limit(limit)
    )
    return [_packet(row) for row in connection.execute(query)]


def by_id(connection: sa.Connection, packet_id: str) -> Packet | None:
    """The packet of that id."""
    row = connection.execute(
        sa.select(packets.c.body, packets.c.subject_id).where(packets.c.packet_id == packet_id)
    ).first()
    return _packet(row) if row else None


def by_key(
    connection: sa.Connection, producer: str, message_type: str, subject_id: str, occurrence: str
) -> Packet | None:
    """The packet of an occurrence that its producer named."""
    key = "/".join([producer, message_type, subject_id, occurrence])
    return by_id(connection, derive_id("packet", key))


def witnesses(
    connection: sa.Connection, packet_ids: Sequence[str]
) -> list[tuple[Packet, bool, tuple[str, ...]]]:
    """Packets by id, each with whether it matches its hash and which parents are missing."""
    found = []
    for start in range(0, len(packet_ids), _AT_ONCE):
        rows = connection.execute(
            sa.select(packets.c.body, packets.c.subject_id, packets.c.content_hash).where(
                packets.c.packet_id.in_(packet_ids[start : start + _AT_ONCE])
            )
        ).all()
        for row in rows:
            packet = _packet(row)
            intact = hashlib.sha256(row.body.encode()).hexdigest() == row.content_hash
            found.append((packet, intact, _missing(connection, packet.parents)))
    return found


def absent(connection: sa.Connection, packet_ids: Sequence[str]) -> list[str]:
    """Of these packets, those that are not there or not what was recorded, in their order."""
    there = {packet.packet_id for packet, intact, _ in witnesses(connection, packet_ids) if intact}
    return [packet_id for packet_id in dict.fromkeys(packet_ids) if packet_id not in there]


def _missing(connection: sa.Connection, parents: tuple[str, ...]) -> tuple[str, ...]:
    known = set(
        connection.scalars(sa.select(packets.c.packet_id).where(packets.c.packet_id.in_(parents)))
    )
    return tuple(parent for parent in parents if parent not in known)


def _packet(row: sa.Row[Any]) -> Packet:
    envelope = json.loads(row.body)
    return Packet(
        envelope["message_id"],
        envelope["message_type"],
        row.subject_id,
        envelope["payload"],
        tuple(envelope["_meta_parents"]),
    )


def _says_the_same(previous: Packet, payload: dict[str, Any], emission: Emission) -> bool:
    return previous.parents == emission.parents and without_clock(
        previous.payload
    ) == without_clock(payload)


def _source_key(emission: Emission, payload: dict[str, Any], previous: Packet | None) -> str:
    occurrence = emission.occurrence
    if not occurrence:
        # The predecessor takes part, so that a document may return to what it said before.
        said: Any = {
            "after": previous.packet_id if previous else "",
            "parents": list(emission.parents),
            "payload": without_clock(payload),
        }
        occurrence = hashlib.sha256(rfc8785.dumps(said)).hexdigest()
    message_type = type(emission.document).__name__
    return "/".join([emission.producer, message_type, emission.subject_id, occurrence])


def _insert(
    connection: sa.Connection, source_key: str, envelope: dict[str, Any], emission: Emission
) -> None:
    missing = _missing(connection, emission.parents)
    if missing and not emission.may_lack_parents:
        raise MissingParentError(
            f"{source_key} names parents that are not in the ledger: {', '.join(missing)}"
        )
    body = rfc8785.dumps(envelope)
    inserted = connection.execute(
        packets.insert().values(
            packet_id=envelope["message_id"],
            source_key=source_key,
            content_hash=hashlib.sha256(body).hexdigest(),
            message_type=envelope["message_type"],
            producer=emission.producer,
            subject_id=emission.subject_id,
            trace_id=emission.trace_id,
            creator=emission.partition.creator,
            day=emission.partition.day,
            emitted_at=emission.emitted_at,
            body=body.decode("utf-8"),
        )
    )
    (sequence,) = inserted.inserted_primary_key or (0,)
    connection.execute(packet_queue.insert().values(sequence=sequence))
    inboxes.put(connection, int(sequence), envelope["message_type"])
    parents = [parent for parent in emission.parents if parent not in missing]
    if parents:
        connection.execute(
            packet_parents.insert(),
            [
                {"packet_id": envelope["message_id"], "position": position, "parent_id": parent}
                for position, parent in enumerate(parents)
            ],
        )


def _keep_collision(
    connection: sa.Connection, source_key: str, envelope: dict[str, Any], seen_at: str
) -> None:
    body = rfc8785.dumps(envelope)
    digest = hashlib.sha256(body).hexdigest()
    known = connection.execute(
        sa.select(collisions.c.sequence).where(
            collisions.c.source_key == source_key, collisions.c.content_hash == digest
        )
    ).first()
    if known is None:
        connection.execute(
            collisions.insert().values(
                source_key=source_key, content_hash=digest, body=body.decode(), seen_at=seen_at
            )
        )
