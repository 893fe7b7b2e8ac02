"""HaloLux at work: what an id means, the packets that bear on it, and the explanation, kept once.

The packets are read from the ledger and, where it has not got them yet, from the outbox; each is
checked against its hash on the way. An explanation is itself a packet: it is found again by the
trace and the digest of the packets it was made from, and made anew when that has changed or the
kept one is not what was recorded.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import sqlalchemy as sa

from omniva_dagster import state as db
from omniva_dagster.contracts.base import given
from omniva_dagster.contracts.cognition.halolux import (
    ExplanationOccasion,
    ExplanationRequest,
    InterpretabilityBundle,
)
from omniva_dagster.contracts.errors import ContractError
from omniva_dagster.contracts.ids import EVERYTHING, creator_id_of, derive_id
from omniva_dagster.engines import halolux
from omniva_dagster.engines.halolux import Matter, Packet, Question
from omniva_dagster.state import tables
from omniva_dagster.state.partition import Partition

if TYPE_CHECKING:
    from omniva_dagster.stardust.layout import Layout
    from omniva_dagster.stardust.traces import TracePacket
    from omniva_dagster.state.store import Store

PRODUCER = "halolux"
# Lineage of one explanation: what lies beyond is named as missing.
MOST = 2_000
# Steps back beyond the workflow asked about: a clip's whole way takes a dozen.
_ROUNDS = 32
_ORDERS = 50
_LATEST = 200
_CITED = 1_000


@dataclass
class Library:
    """The packets of a home, each trace read once; without HaloLux's own."""

    layout: Layout
    store: Store
    _traces: dict[str, list[Packet]] = field(default_factory=dict)

    def trace(self, trace_id: str) -> list[Packet]:
        """The packets of a workflow. Raises `LedgerError` where one is not what was recorded."""
        from omniva_dagster.stardust.traces import trace_packets

        if trace_id not in self._traces:
            found = trace_packets(self.layout, self.store, trace_id)
            self._traces[trace_id] = [
                _packet(one) for one in found if one.message_type not in halolux.OWN
            ]
        return self._traces[trace_id]

    def by_id(self, packet_ids: Iterable[str]) -> list[Packet]:
        """Packets by id; those that are nowhere are left out."""
        from omniva_dagster.stardust.traces import packets_by_id

        wanted = sorted(set(packet_ids))
        known = {one.packet_id: one for trace in self._traces.values() for one in trace}
        found = [known[one] for one in wanted if one in known]
        rest = [one for one in wanted if one not in known]
        if rest:
            found += [_packet(one) for one in packets_by_id(self.layout, self.store, rest)]
        return found


@dataclass(frozen=True)
class Explained:
    """An explanation, the packets it was made from, how long that took, and whether it was kept
    from before."""

    question: Question
    bundle: InterpretabilityBundle
    packets: tuple[Packet, ...]
    seconds: float
    kept: bool


def explain(library: Library, question: Question) -> Explained:
    """Why it came to what was asked about."""
    begun = time.perf_counter()
    question, packets = gathered(library, question)
    evidence = halolux.evidence_of(packets)
    wanted = halolux.bundle_id(question, evidence.digest)
    bundle = _kept(library.store, question, wanted, evidence.digest)
    kept = bundle is not None
    bundle = bundle or halolux.explain(question, evidence.packets)
    seconds = time.perf_counter() - begun
    return Explained(question, bundle, evidence.packets, seconds, kept)


def stories(store: Store, home: str, clips: Mapping[str, str]) -> dict[str, InterpretabilityBundle]:
    """Why each of these clips is as it is, by its id; ``clips`` gives the traces. Those of a ledger
    that is not what was recorded are left out: Stardust's checks say so."""
    from omniva_dagster.stardust.errors import LedgerError
    from omniva_dagster.stardust.layout import Layout

    library = Library(Layout(Path(home) / "ledger"), store)
    found = {}
    for clip_id, trace_id in clips.items():
        with suppress(LedgerError):
            found[clip_id] = explain(library, Question(Matter.CLIP, clip_id, trace_id)).bundle
    return found


def gathered(library: Library, question: Question) -> tuple[Question, list[Packet]]:
    """The packets that bear on a question: its workflows, what is about its subject, and what all
    that came from."""
    found: dict[str, Packet] = {}

    def take(packets: Iterable[Packet]) -> None:
        found.update((one.packet_id, one) for one in packets)

    with library.store.read() as connection:
        traces, about, cut = _about(connection, question)
    for trace_id in traces:
        take(library.trace(trace_id))
    take(library.by_id(set(about) - found.keys()))
    for _ in range(_ROUNDS):
        parents = {parent for one in found.values() for parent in (*one.parents, *_pointers(one))}
        wanted = parents - found.keys()
        if len(found) + len(wanted) > MOST:
            cut = cut or bool(wanted)
            break
        more = library.by_id(wanted)
        if not more:
            break
        take(more)
    else:
        cut = True
    if cut:
        question = Question(
            question.matter,
            question.subject_id,
            question.trace_id,
            question.packet_ids,
            question.directive_id,
            cut=True,
        )
    return question, list(found.values())


def record(store: Store, explained: Explained, now: str, occurrence: str = "") -> str:
    """Keep an explanation as a packet, once; the packet's id.

    ``occurrence`` is what it was made for; left empty, it is the explanation's own id, by which it
    is found again.
    """
    bundle, question = explained.bundle, explained.question
    cited = dict.fromkeys(one for sentence in bundle.narrative for one in sentence.packets)
    home = next((one for one in explained.packets if one.creator and one.day), None)
    with store.begin() as connection:
        packet = db.outbox.emit(
            connection,
            db.outbox.Emission(
                bundle,
                PRODUCER,
                question.subject_id,
                question.trace_id,
                tuple(_there(connection, list(cited)[:_CITED])),
                Partition(home.creator, home.day) if home else Partition("", ""),
                now,
                occurrence or bundle.bundle_id,
            ),
        )
    return packet.packet_id


def request(
    store: Store,
    question: Question,
    occasion: ExplanationOccasion,
    requested_by: str,
    now: str,
    asked: str = "",
) -> str:
    """Write down that somebody asks why; the packet's id."""
    request_id = str(uuid4())  # one act of one asker, like any other
    document = ExplanationRequest(
        request_id=request_id,
        trace_id=question.trace_id,
        occasion=occasion,
        requested_by=requested_by,
        requested_at=now,
        **given(question=asked[:2000] or None, directive_id=question.directive_id or None),
    )
    with store.begin() as connection:
        packet = db.outbox.emit(
            connection,
            db.outbox.Emission(
                document,
                PRODUCER,
                question.subject_id,
                question.trace_id,
                (),
                Partition("", ""),
                now,
                request_id,
            ),
        )
    return packet.packet_id


def _packet(one: TracePacket) -> Packet:
    return Packet(
        one.packet_id,
        one.message_type,
        one.producer,
        one.trace_id,
        one.subject_id or "",
        one.emitted_at,
        one.parents,
        one.content_hash,
        one.payload,
        one.creator or "",
        one.day or "",
        one.missing_parents,
    )


def _pointers(packet: Packet) -> list[str]:
    """Advice that a verdict names is evidence, whether or not it is among its parents."""
    if packet.message_type != "ArbitrationVerdict":
        return []
    return [str(one["packet_id"]) for one in packet.payload.get("advice", [])]


def _about(connection: sa.Connection, question: Question) -> tuple[list[str], list[str], bool]:
    """The traces to read, packets beside them, and whether that is not all there is of a workflow
    that was asked about; by look-ups through indexes."""
    columns = tables.packets.c
    scope = question.matter is Matter.SUBJECT
    # Of all work, a creator or a worker there is no end: the latest alone are told.
    endless = scope or question.trace_id == derive_id("trace", EVERYTHING)
    traces = {} if endless else {question.trace_id: None}
    if question.matter is Matter.RUN:
        return _short_enough(connection, list(traces), [], whole=True)
    query = sa.select(columns.packet_id, columns.trace_id, columns.message_type, columns.creator)
    told = columns.message_type.not_in(halolux.OWN)
    rows = connection.execute(
        query.where(columns.subject_id == question.subject_id, told)
        .order_by(columns.sequence.desc())
        .limit(_LATEST if endless else MOST // 2)
    ).all()
    about = [*question.packet_ids]
    about += [row.packet_id for row in rows]
    if question.matter in (Matter.CLIP, Matter.VIDEO):
        traces |= {row.trace_id: None for row in rows if row.message_type == "ClipCandidate"}
        above = {EVERYTHING, *(creator_id_of(row.creator) for row in rows if row.creator)}
        wide = connection.execute(
            query.where(columns.subject_id.in_(above), columns.message_type == "Directive")
            .order_by(columns.sequence.desc())
            .limit(_ORDERS)
        )
        about += [row.packet_id for row in wide]
    whole = question.matter in (Matter.TRACE, Matter.VIDEO)
    return _short_enough(connection, list(traces), about, whole=whole)


def _short_enough(
    connection: sa.Connection, traces: list[str], about: list[str], *, whole: bool
) -> tuple[list[str], list[str], bool]:
    """Of a workflow that goes on for ever the latest packets, beside what is meant itself."""
    columns = tables.packets.c
    short, cut = [], False
    for trace_id in traces:
        newest = connection.scalars(
            sa.select(columns.packet_id)
            .where(columns.trace_id == trace_id, columns.message_type.not_in(halolux.OWN))
            .order_by(columns.sequence.desc())
            .limit(MOST + 1)
        ).all()
        if len(newest) <= MOST:
            short.append(trace_id)
        else:
            about += newest[: MOST // 2]
            cut = whole
    return short, about, cut


def _kept(
    store: Store, question: Question, wanted: str, digest: str
) -> InterpretabilityBundle | None:
    """The explanation of that id, if it was kept and is what was recorded."""
    kind = InterpretabilityBundle.__name__
    packet_id = derive_id("packet", "/".join([PRODUCER, kind, question.subject_id, wanted]))
    with store.read() as connection:
        found = db.outbox.witnesses(connection, [packet_id])
    if not found or not found[0][1]:
        return None
    try:
        bundle = InterpretabilityBundle.parse(found[0][0].payload)
    except ContractError:
        return None
    return bundle if (bundle.bundle_id, bundle.ledger_hash) == (wanted, digest) else None


def _there(connection: sa.Connection, packet_ids: Sequence[str]) -> list[str]:
    """Those that the outbox has: of a ledger brought from elsewhere it may have none."""
    known: set[str] = set()
    for start in range(0, len(packet_ids), 500):
        part = packet_ids[start : start + 500]
        query = sa.select(tables.packets.c.packet_id).where(tables.packets.c.packet_id.in_(part))
        known.update(connection.scalars(query))
    return [one for one in packet_ids if one in known]
