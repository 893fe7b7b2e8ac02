"""Realistic packets by the million: the whole tree of messages of one video after another.

The messages are the examples of ``schemas/examples`` with their ids, hashes and times replaced and
a transcript of its own for every video, so that they compress about as real ones do.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import rfc8785

from omniva_dagster.contracts.ids import derive_id

ROOT = Path(__file__).parents[1]
CLIPS = 6
OF_VIDEO = ("ScraperJob", "RawCapture", "VideoAsset", "AnalysisResult")
OF_CLIP = (
    "ClipCandidate",
    "VoteReport",
    "Directive",
    "EditJob",
    "OperationGraph",
    "RenderedClip",
    "ScheduleTask",
    "StyledMetadata",
    "UploadJob",
    "PublicationReceipt",
    "Outcome",
)
PACKETS_OF_A_VIDEO = len(OF_VIDEO) + CLIPS * len(OF_CLIP)
_SLOT = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    r"|[0-9a-f]{64}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z|@transcript@"
)
_TRANSCRIPT_WORDS = 400
_START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Packet:
    """A row of the outbox."""

    packet_id: str
    source_key: str
    content_hash: str
    message_type: str
    producer: str
    subject_id: str
    trace_id: str
    creator: str
    day: str
    emitted_at: str
    body: str
    parents: tuple[str, ...]


@dataclass
class _Video:
    """What the messages of one video have in common."""

    number: int
    chance: random.Random
    words: list[str]
    trace_id: str
    moment: datetime
    creator: str
    replaced: dict[str, str] = field(default_factory=dict)

    def value(self, old: str) -> str:
        """What stands in this video's messages for what the example has."""
        if old.endswith("Z"):
            self.moment += timedelta(seconds=1)
            return self.moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        if old not in self.replaced:
            if old == "@transcript@":
                new = " ".join(self.chance.choices(self.words, k=_TRANSCRIPT_WORDS))
            elif len(old) == 64:
                new = f"{self.chance.getrandbits(256):064x}"
            else:
                new = _uuid(self.chance)
            self.replaced[old] = new
        return self.replaced[old]


def packets(count: int, seed: int = 1) -> Iterator[Packet]:
    """The first ``count`` packets: always the same for the same seed."""
    chance = random.Random(seed)  # noqa: S311
    words = [
        "".join(chance.choices("abcdefghilmnoprstu", k=chance.randrange(2, 9))) for _ in range(4000)
    ]
    templates = {name: _template(name) for name in (*OF_VIDEO, *OF_CLIP)}
    made = number = 0
    while made < count:
        video = _Video(
            number,
            chance,
            words,
            _uuid(chance),
            _START + timedelta(minutes=number),
            f"creator-{number % 200}",
        )
        for packet in _tree(video, templates):
            if made == count:
                return
            yield packet
            made += 1
        number += 1


def fill(database: Path, count: int, seed: int = 1) -> None:
    """Put packets into the outbox of a migrated SQLite store, all waiting to be sequenced."""
    connection = sqlite3.connect(database)
    connection.executescript("PRAGMA synchronous=OFF; PRAGMA cache_size=-2000000;")
    (sequence,) = connection.execute("SELECT coalesce(max(sequence), 0) FROM packets").fetchone()
    rows: list[Packet] = []
    for packet in packets(count, seed):
        rows.append(packet)
        if len(rows) == 50_000:
            sequence = _inserted(connection, rows, sequence)
            rows.clear()
    _inserted(connection, rows, sequence)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _inserted(connection: sqlite3.Connection, rows: list[Packet], sequence: int) -> int:
    numbered = list(enumerate(rows, sequence + 1))
    with connection:
        connection.executemany(
            "INSERT INTO packets VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    number,
                    row.packet_id,
                    row.source_key,
                    row.content_hash,
                    row.message_type,
                    row.producer,
                    row.subject_id,
                    row.trace_id,
                    row.creator,
                    row.day,
                    row.emitted_at,
                    row.body,
                )
                for number, row in numbered
            ),
        )
        connection.executemany(
            "INSERT INTO packet_queue (sequence) VALUES (?)", ((number,) for number, _ in numbered)
        )
        connection.executemany(
            "INSERT INTO packet_parents VALUES (?, ?, ?)",
            (
                (row.packet_id, position, parent)
                for row in rows
                for position, parent in enumerate(row.parents)
            ),
        )
    return sequence + len(rows)


def _tree(video: _Video, templates: dict[str, list[str]]) -> Iterator[Packet]:
    before: list[str] = []
    for name in OF_VIDEO:
        packet = _packet(video, name, templates[name], before[-1:], 0)
        before.append(packet.packet_id)
        yield packet
    analysis = before[-1]
    for clip in range(CLIPS):
        video.replaced.clear()
        line = [analysis]
        for name in OF_CLIP:
            packet = _packet(
                video, name, templates[name], line[-3 if name == "Directive" else -2 :], clip
            )
            line.append(packet.packet_id)
            yield packet


def _packet(video: _Video, name: str, template: list[str], parents: list[str], clip: int) -> Packet:
    subject = _uuid(video.chance)
    producer = name.lower()
    source_key = f"{producer}/{name}/{subject}/{video.number}-{clip}"
    packet_id = derive_id("packet", source_key)
    payload = "".join(
        video.value(part) if index % 2 else part for index, part in enumerate(template)
    )
    emitted_at = video.moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    quoted = ",".join(f'"{parent}"' for parent in parents)
    # In the order of RFC 8785, as `emit` writes it.
    body = (
        f'{{"_meta_parents":[{quoted}],"emitted_at":"{emitted_at}","message_id":"{packet_id}",'
        f'"message_type":"{name}","payload":{payload},"producer":"{producer}",'
        f'"schema_version":"1.0.0","trace_id":"{video.trace_id}"}}'
    )
    return Packet(
        packet_id,
        source_key,
        hashlib.sha256(body.encode()).hexdigest(),
        name,
        producer,
        subject,
        video.trace_id,
        video.creator,
        emitted_at[:10],
        emitted_at,
        body,
        tuple(parents),
    )


def _template(name: str) -> list[str]:
    """An example as canonical JSON, cut where values go: literal, value, literal ..."""
    document: dict[str, Any] = json.loads((ROOT / f"schemas/examples/{name}.json").read_text())
    for provenance in ("_meta_parents", "trace_id", "schema_version"):
        document.pop(provenance, None)
    if "transcript" in document:
        document["transcript"] = "@transcript@"
    text = rfc8785.dumps(document).decode()
    parts, end = [], 0
    for match in _SLOT.finditer(text):
        parts += [text[end : match.start()], match[0]]
        end = match.end()
    return [*parts, text[end:]]


def _uuid(chance: random.Random) -> str:
    digits = f"{chance.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
