"""The outbox: once, with parents, never changed."""

from __future__ import annotations

import hashlib
import json

import pytest
import rfc8785
import sqlalchemy as sa
from alembic import command
from hypothesis import given, settings
from hypothesis import strategies as st

from omniva_dagster.contracts.decisions import Directive, DirectiveKind
from omniva_dagster.contracts.envelope import Envelope
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.state import decisions, outbox
from omniva_dagster.state.store import Store, _alembic_config
from omniva_dagster.state.tables import (
    APPEND_ONLY,
    collisions,
    packet_parents,
    packet_queue,
    packets,
)
from tests.state.support import CLIP, HERE, LATER, NOW, emission, task


@pytest.mark.spec("CON-9")
def test_a_packet_is_an_envelope_with_parents_trace_and_version(store: Store) -> None:
    """CON-9: every message carries `_meta_parents`, `trace_id`, `schema_version`."""
    with store.begin() as connection:
        parent = outbox.emit(connection, emission(producer="videos"))
        packet = outbox.emit(connection, emission(parents=(parent.packet_id,)))
        row = connection.execute(
            sa.select(packets).where(packets.c.packet_id == packet.packet_id)
        ).one()
    envelope = Envelope.parse(row.body)
    assert envelope.message_id == packet.packet_id
    assert envelope.meta_parents == [parent.packet_id]
    assert envelope.schema_version == "1.0.0"
    assert row.body.encode() == rfc8785.dumps(json.loads(row.body))
    assert row.content_hash == hashlib.sha256(row.body.encode()).hexdigest()


@pytest.mark.spec("CON-11")
def test_the_same_said_again_later_is_the_same_packet(store: Store) -> None:
    """CON-11: the same message twice has one effect."""
    with store.begin() as connection:
        first = outbox.emit(connection, emission())
        again = outbox.emit(connection, emission(emitted_at=LATER))
        assert again == first
        tasks = sa.select(sa.func.count()).where(packets.c.message_type == "ScheduleTask")
        assert connection.scalar(tasks) == 1


def test_a_document_may_return_to_what_it_said_before(store: Store) -> None:
    with store.begin() as connection:
        said = [
            outbox.emit(connection, emission(document=task(priority=value))).packet_id
            for value in (0.1, 0.2, 0.1)
        ]
        newest = outbox.latest(connection, "ScheduleTask", CLIP)
    assert len(set(said)) == 3
    assert newest is not None
    assert newest.payload["priority"] == 0.1


def test_other_parents_make_another_packet(store: Store) -> None:
    with store.begin() as connection:
        parent = outbox.emit(connection, emission(producer="videos"))
        one = outbox.emit(connection, emission())
        other = outbox.emit(connection, emission(parents=(parent.packet_id,)))
        assert one.packet_id != other.packet_id


@pytest.mark.spec("CON-7")
def test_a_parent_that_does_not_exist_is_refused(store: Store) -> None:
    """CON-7: `_meta_parents` holds the Stardust packets a message came from."""
    with pytest.raises(outbox.MissingParentError), store.begin() as connection:
        outbox.emit(connection, emission(parents=(derive_id("packet", "nowhere"),)))


def test_the_same_key_with_other_content_is_kept_as_a_collision(store: Store) -> None:
    with store.begin() as connection:
        first = outbox.emit(connection, emission(occurrence="1"))
        second = outbox.emit(connection, emission(occurrence="1", document=task(priority=0.9)))
        outbox.emit(connection, emission(occurrence="1", document=task(priority=0.9)))
        assert second == first
        assert connection.scalar(sa.select(sa.func.count()).select_from(collisions)) == 1


def test_parents_can_be_walked_both_ways(store: Store) -> None:
    with store.begin() as connection:
        parent = outbox.emit(connection, emission(producer="videos"))
        child = outbox.emit(connection, emission(parents=(parent.packet_id,)))
        children = connection.scalars(
            sa.select(packet_parents.c.packet_id).where(
                packet_parents.c.parent_id == parent.packet_id
            )
        ).all()
    assert children == [child.packet_id]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from([0.1, 0.2, 0.3]), min_size=1, max_size=8))
def test_the_log_holds_what_was_said_without_repetitions(values: list[float]) -> None:
    store = Store("sqlite:///:memory:")
    store.migrate()
    with store.begin() as connection:
        for value in values:
            outbox.emit(connection, emission(document=task(priority=value)))
        bodies = connection.scalars(sa.select(packets.c.body).order_by(packets.c.sequence)).all()
    said = [json.loads(body)["payload"]["priority"] for body in bodies]
    assert said == [v for i, v in enumerate(values) if i == 0 or v != values[i - 1]]
    assert all(json.loads(body)["emitted_at"] == NOW for body in bodies)


def test_a_packet_waits_in_the_queue_from_the_transaction_that_records_it(store: Store) -> None:
    with store.begin() as connection:
        before = len(connection.scalars(sa.select(packet_queue.c.sequence)).all())
        outbox.emit(connection, emission(producer="videos"))
        outbox.emit(connection, emission())
        outbox.emit(connection, emission())
        recorded = connection.scalars(sa.select(packets.c.sequence).order_by("sequence")).all()
        queued = connection.scalars(sa.select(packet_queue.c.sequence).order_by("sequence")).all()
    assert len(recorded) == before + 2
    assert queued == recorded


def test_what_is_mirrored_may_lack_parents_and_still_names_them(store: Store) -> None:
    nowhere = derive_id("packet", "nowhere")
    with store.begin() as connection:
        parent = outbox.emit(connection, emission(producer="videos")).packet_id
        packet = outbox.emit(
            connection, emission(parents=(parent, nowhere, parent), may_lack_parents=True)
        )
        edges = connection.scalars(sa.select(packet_parents.c.parent_id)).all()
    assert packet.parents == (parent, nowhere)
    assert edges == [parent]


@pytest.mark.spec("STA-2")
@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("change", ["UPDATE {} SET packet_id = packet_id", "DELETE FROM {}"])
def test_what_is_recorded_can_be_neither_changed_nor_removed(
    store: Store, table: str, change: str
) -> None:
    """STA-2: immutable packets."""
    with store.begin() as connection:
        parent = outbox.emit(connection, emission(producer="videos"))
        child = outbox.emit(connection, emission(parents=(parent.packet_id,)))
        decisions.append(
            connection,
            HERE,
            Directive(
                directive_id=derive_id("directive", "one"),
                kind=DirectiveKind.HOLD,
                subject_id=CLIP,
                owner="uploader",
                reason="a test",
                evidence=[child.packet_id],
                rollback="none",
                issued_at=NOW,
            ),
            child.packet_id,
        )
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), store.begin() as connection:
        connection.execute(sa.text(change.format(table)))


def test_what_was_recorded_before_there_was_a_queue_is_queued(store_url: str) -> None:
    store, config = Store(store_url), _alembic_config()
    row = {name: name for name in packets.columns.keys() if name != "sequence"}  # noqa: SIM118
    with store.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(packets.insert().values(row))
    store.migrate()
    with store.read() as connection:
        assert connection.scalars(sa.select(packet_queue.c.sequence)).all() == [1]
    store.close()
