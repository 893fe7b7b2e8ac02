"""What is said to Zenith, and what came of it, in tests of its loop."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from omniva_dagster import state as db
from omniva_dagster.contracts.analysis import ClipCandidate
from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.decisions import Directive, DirectiveKind
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.publishing import UploadJob
from omniva_dagster.state.partition import Partition
from omniva_dagster.state.store import Store
from tests.contracts.support import without
from tests.engines.zenith_words import CLIP, NOW
from tests.support.home import DAY

HERE = Partition("ada", DAY)


OVER = "2026-03-04T07:06:07Z"


def seen() -> Document:
    return UploadJob.parse(without("UploadJob", clip_id=CLIP))


def emission(document: Document, producer: str, subject_id: str = CLIP) -> db.outbox.Emission:
    trace = derive_id("trace", "one")
    return db.outbox.Emission(document, producer, subject_id, trace, (), HERE, NOW)


def say(store: Store, *documents: Document, subject_id: str = CLIP) -> list[str]:
    """Record words; their packets."""
    with store.begin() as connection:
        return [
            db.outbox.emit(connection, emission(document, "test", subject_id)).packet_id
            for document in documents
        ]


def promoted(store: Store, clip_id: str = CLIP) -> None:
    """A clip as the judges promote it."""
    with store.begin() as connection:
        seen = db.outbox.latest(connection, "UploadJob", CLIP)
        assert seen is not None
        directive = Directive(
            directive_id=derive_id("directive", "promote", clip_id),
            kind=DirectiveKind.PROMOTE,
            subject_id=clip_id,
            owner="editor",
            reason="the best",
            evidence=[seen.packet_id],
            rollback="cancel",
            issued_at=NOW,
        )
        db.decisions.append(connection, HERE, directive, seen.packet_id)


def payloads(store: Store, message_type: str) -> list[dict[str, Any]]:
    """All packets of a type, oldest first."""
    query = sa.text("SELECT packet_id FROM packets WHERE message_type = :name ORDER BY sequence")
    with store.read() as connection:
        found = [
            db.outbox.by_id(connection, packet_id)
            for packet_id in connection.scalars(query, {"name": message_type})
        ]
    return [packet.payload for packet in found if packet]


def clip(store: Store) -> None:
    """A promoted clip, pinned."""
    promoted(store)
    fields = {"start_time": 0.0, "end_time": 20.0, "clip_id": CLIP}
    with store.begin() as connection:
        seen = db.outbox.latest(connection, "UploadJob", CLIP)
        assert seen is not None
        pinned = ClipCandidate.parse(without("ClipCandidate", "clip_id", **fields))
        db.decisions.promote(connection, HERE, derive_id("video", "one"), pinned, seen.packet_id)
