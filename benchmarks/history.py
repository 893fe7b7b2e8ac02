"""A store with a past: clips that were published long ago, and clips that are under way.

A clip that is over has what the pipeline leaves of one in the store: a promotion, a promotion's and
a release's directive, outcomes, a slot, a publication, and three packets (of about a dozen; the
others would only make the outbox longer). Rows are written in bulk; their columns are named, so
that a new column with a default changes nothing here.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import rfc8785

from omniva_dagster.contracts.ids import creator_id_of, derive_id

ROOT = Path(__file__).parents[1]
CREATORS = 1_000
CLIPS_OF_A_VIDEO = 6
STAGES = ("edit_jobs", "rendered_clips", "publications")
_START = datetime(2020, 1, 1, tzinfo=UTC)
_AT_ONCE = 5_000
Row = dict[str, Any]


@dataclass(frozen=True)
class Clip:
    """One of the clips; a number tells all about it."""

    number: int
    done: bool

    @property
    def clip_id(self) -> str:
        """Its id."""
        return derive_id("clip", self.number)

    @property
    def creator(self) -> str:
        """Its creator's slug; a video's clips have the same."""
        return f"creator-{self.number // CLIPS_OF_A_VIDEO % CREATORS}"

    @property
    def day(self) -> str:
        """The day of its video: a creator uploads one a day."""
        return self._moment[:10]

    @property
    def video_id(self) -> str:
        """Its video's id."""
        return derive_id("video", self.number // CLIPS_OF_A_VIDEO)

    @property
    def _moment(self) -> str:
        days = self.number // CLIPS_OF_A_VIDEO // CREATORS
        return (_START + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def rows(self, examples: dict[str, Row]) -> Iterator[tuple[str, Row]]:
        """What the store holds of it: table and row."""
        here = {"creator": self.creator, "day": self.day}
        promoted = derive_id("packet", "promote", self.number)
        if self.number % CLIPS_OF_A_VIDEO == 0:
            yield (
                "videos",
                {
                    **here,
                    "video_id": self.video_id,
                    "sha256": hashlib.sha256(self.video_id.encode()).hexdigest(),
                    "listed_at": f"https://example.org/watch/{self.number}",
                    "packet_id": promoted,
                },
            )
        candidate = {**examples["ClipCandidate"], "clip_id": self.clip_id}
        yield (
            "promotions",
            {
                **here,
                "clip_id": self.clip_id,
                "video_id": self.video_id,
                "packet_id": promoted,
                "body": json.dumps(candidate),
            },
        )
        for kind in ("promote", "release") if self.done else ("promote",):
            yield from self._directive(kind, examples["Directive"], here)
        for stage in STAGES if self.done else STAGES[:2]:
            outcome = {
                "subject_id": self.clip_id,
                "stage": stage,
                "status": "DONE",
                "message": "",
                "label": f"A talk about bearings, part {self.number}",
                "attempt": 1,
                "updated_at": self._moment,
                "schema_version": "1.0.0",
            }
            yield (
                "outcomes",
                {
                    **here,
                    "stage": stage,
                    "subject_id": self.clip_id,
                    "status": "DONE",
                    "body": json.dumps(outcome),
                },
            )
        slot = _START + timedelta(hours=self.number // CREATORS + 24 * (not self.done))
        yield (
            "slots",
            {
                "clip_id": self.clip_id,
                "creator": f"creator-{self.number % CREATORS}",
                "slot": slot.strftime("%Y-%m-%dT%H:%M:%SZ"),
            },
        )
        if self.done:
            yield from self._publication(examples["PublicationReceipt"], here)

    def _directive(self, kind: str, example: Row, here: Row) -> Iterator[tuple[str, Row]]:
        directive = {
            **example,
            "directive_id": derive_id("directive", kind, self.clip_id),
            "kind": kind,
            "subject_id": self.clip_id,
            "video_id": self.video_id,
            # A packet that is there: whoever arbitrates about the clip points to it.
            "evidence": [derive_id("packet", "promote", self.number)],
            "issued_at": self._moment,
        }
        packet_id = derive_id("packet", kind, self.number)
        yield "packets", self._packet("Directive", "zenith", packet_id, directive)
        yield (
            "directives",
            {
                **here,
                "directive_id": directive["directive_id"],
                "subject_id": self.clip_id,
                "kind": kind,
                "packet_id": packet_id,
                "body": json.dumps(directive),
            },
        )

    def _publication(self, example: Row, here: Row) -> Iterator[tuple[str, Row]]:
        key = derive_id("publication", self.clip_id, "outbox")
        receipt = {**example, "clip_id": self.clip_id, "idempotency_key": key, "target": "outbox"}
        packet_id = derive_id("packet", "receipt", self.number)
        yield "packets", self._packet("PublicationReceipt", "publications", packet_id, receipt)
        yield (
            "publications",
            {
                "clip_id": self.clip_id,
                "target": "outbox",
                "idempotency_key": key,
                "status": "PUBLISHED",
                "packet_id": packet_id,
                "body": json.dumps(receipt),
            },
        )

    def _packet(self, message_type: str, producer: str, packet_id: str, payload: Row) -> Row:
        trace_id = derive_id("trace", self.video_id)
        envelope: dict[str, Any] = {
            "message_id": packet_id,
            "message_type": message_type,
            "schema_version": "1.0.0",
            "trace_id": trace_id,
            "_meta_parents": [],
            "producer": producer,
            "emitted_at": self._moment,
            "payload": payload,
        }
        body = rfc8785.dumps(envelope)
        return {
            "creator": self.creator,
            "day": self.day,
            "packet_id": packet_id,
            "source_key": f"{producer}/{message_type}/{self.clip_id}/{packet_id}",
            "content_hash": hashlib.sha256(body).hexdigest(),
            "message_type": message_type,
            "producer": producer,
            "subject_id": self.clip_id,
            "trace_id": trace_id,
            "emitted_at": self._moment,
            "body": body.decode(),
        }


def fill(database: Path, closed: int, under_way: int) -> list[Clip]:
    """Put a past and a present into a migrated SQLite store; the clips that are under way."""
    examples = {
        name: json.loads((ROOT / f"schemas/examples/{name}.json").read_text())
        for name in ("Directive", "PublicationReceipt", "ClipCandidate")
    }
    connection = sqlite3.connect(database)
    connection.executescript("PRAGMA synchronous=OFF; PRAGMA cache_size=-1000000;")
    _write(connection, [("creators", row) for row in _creators()])
    clips = [Clip(number, number < closed) for number in range(closed + under_way)]
    waiting: list[tuple[str, Row]] = []
    for clip in clips:
        waiting += clip.rows(examples)
        if len(waiting) >= _AT_ONCE:
            _write(connection, waiting)
            waiting.clear()
    _write(connection, waiting)
    connection.executescript("PRAGMA wal_checkpoint(TRUNCATE);")
    connection.close()
    return clips[closed:]


def _creators() -> Iterator[Row]:
    for number in range(CREATORS):
        slug = f"creator-{number}"
        yield {
            "slug": slug,
            "creator_id": creator_id_of(slug),
            "platform": "other",
            "url": f"https://example.org/{slug}/feed.xml",
            "status": "active",
            "registered_at": "2020-01-01T00:00:00Z",
        }


def _write(connection: sqlite3.Connection, rows: list[tuple[str, Row]]) -> None:
    by_table: defaultdict[str, list[Row]] = defaultdict(list)
    for table, row in rows:
        by_table[table].append(row)
    with connection:
        for table, found in by_table.items():
            names = ", ".join(found[0])
            marks = ", ".join(f":{name}" for name in found[0])
            connection.executemany(
                f"INSERT INTO {table} ({names}) VALUES ({marks})",  # noqa: S608
                found,
            )
