"""The first sentence: what came of what was asked about."""

from __future__ import annotations

from collections.abc import Callable

from omniva_dagster.contracts.ids import EVERYTHING, creator_id_of
from omniva_dagster.engines.halolux.asking import Matter, Question
from omniva_dagster.engines.halolux.discarding import why_not
from omniva_dagster.engines.halolux.evidence import Evidence, Packet
from omniva_dagster.engines.halolux.telling import Said
from omniva_dagster.engines.halolux.words import clock, fitting, moment, quoted

_STOPS = ("hold", "cancel")
_REACHED = {
    "PublicationReceipt": "is out",
    "UploadJob": "is prepared, and waits for its release",
    "ScheduleTask": "has its slot, and waits for its wording",
    "RenderedClip": "is rendered, and waits for a slot",
    "EditJob": "is planned, and waits to be rendered",
}


def heading(question: Question, evidence: Evidence) -> Said | None:
    """What came of it, with the packets it rests on; None where there is nothing to say first."""
    writer = _WRITERS.get(question.matter)
    return _safely(writer, question, evidence) if writer else None


def _safely(
    writer: Callable[[Question, Evidence], Said | None], question: Question, evidence: Evidence
) -> Said | None:
    try:
        said = writer(question, evidence)
    except (LookupError, TypeError, ValueError):
        return None  # a message is not as its type should be: it is named below
    return Said(fitting(said.text), packets=said.packets) if said else None


def _clip(question: Question, evidence: Evidence) -> Said | None:
    mine = evidence.about(question.subject_id)
    span = next((one for one in mine if one.message_type == "ClipCandidate"), None)
    if span is None:
        return None
    name, named_by = _named(span, evidence)
    status, shown_by = _status(question, mine, span, evidence)
    stopped, stopped_by = ("", ()) if _is_over(mine) else _stopped_around(span, evidence)
    packets = dict.fromkeys([span.packet_id, *named_by, *shown_by, *stopped_by])
    return Said(f"{name} {status}{stopped}.", packets=tuple(packets))


def _is_over(mine: list[Packet]) -> bool:
    """Whether nothing more is to happen to it: it is out, or stopped by an order of its own."""
    order = _in_force(mine)
    out = any(one.message_type == "PublicationReceipt" for one in mine)
    return out or (order is not None and order.payload["kind"] in _STOPS)


def _stopped_around(span: Packet, evidence: Evidence) -> tuple[str, tuple[str, ...]]:
    """What the newest orders on all work, its creator and its video say, where they stop it."""
    around = {
        EVERYTHING: "all work",
        creator_id_of(span.creator): "all work for its creator",
        **{one.subject_id: "all work on its video" for one in _videos(span, evidence)},
    }
    for subject_id, what in around.items():
        order = _in_force(evidence.about(subject_id))
        if order is not None and order.payload["kind"] in _STOPS:
            until = f" until {moment(order.payload['until'])}" if "until" in order.payload else ""
            undo = quoted(order.payload["rollback"])
            return f"; {what} is held back{until}, to undo that: {undo}", (order.packet_id,)
    return "", ()


def _named(span: Packet, evidence: Evidence) -> tuple[str, tuple[str, ...]]:
    said = span.payload
    where = f"The span {clock(said['start_time'])} to {clock(said['end_time'])}"
    videos = _videos(span, evidence)
    if not videos:
        return where, ()
    return f"{where} of {quoted(videos[0].payload['title'])}", (videos[0].packet_id,)


def _videos(span: Packet, evidence: Evidence) -> list[Packet]:
    return [
        evidence.by_id[one]
        for one in sorted(evidence.ancestors([span.packet_id]))
        if evidence.by_id[one].message_type == "VideoAsset"
    ]


def _status(
    question: Question, mine: list[Packet], span: Packet, evidence: Evidence
) -> tuple[str, tuple[str, ...]]:
    by_type = {packet.message_type: packet for packet in mine}
    withdrawn, receipt = by_type.get("PublicationWithdrawn"), by_type.get("PublicationReceipt")
    if withdrawn:
        at = moment(withdrawn.payload["withdrawn_at"])
        return f"was published and then taken down, at {at}", (withdrawn.packet_id,)
    order = _in_force(mine)
    if order is not None and order.payload["kind"] in _STOPS:
        kind = "held back" if order.payload["kind"] == "hold" else "cancelled"
        undo = f"; to undo it: {quoted(order.payload['rollback'])}"
        out = " and was published before" if receipt else ""
        return f"is {kind}{out}{undo}", (order.packet_id, *([receipt.packet_id] if receipt else []))
    if receipt:
        said = receipt.payload
        return (
            f"became a clip that {quoted(said['target'])} took as {said['status']} for "
            f"{moment(said['scheduled_time'])}",
            (receipt.packet_id,),
        )
    if order is None and not any("clip_id" in one.payload for one in mine):
        reason, packets = why_not(span, evidence)
        return f"did not become a clip: {reason}", packets
    failed = _failed(mine)
    if failed is not None:
        said = failed.payload
        code = f" with {said['reason_code']}" if "reason_code" in said else ""
        return f"became a clip, but {said['stage']} failed{code}", (failed.packet_id,)
    for message_type, words in _REACHED.items():
        if message_type in by_type:
            return f"became a clip that {words}", (by_type[message_type].packet_id,)
    return "was promoted to a clip, and waits to be planned", _promotion(order)


def _promotion(order: Packet | None) -> tuple[str, ...]:
    return (order.packet_id,) if order else ()


def _in_force(mine: list[Packet]) -> Packet | None:
    orders = [
        one
        for one in mine
        if one.message_type == "Directive"
        and one.payload["kind"] in ("promote", "release", *_STOPS)
    ]
    return orders[-1] if orders else None


def _failed(mine: list[Packet]) -> Packet | None:
    """The latest outcome, where it is an error."""
    outcomes = {one.payload["stage"]: one for one in mine if one.message_type == "Outcome"}
    last = max(outcomes.values(), key=lambda one: one.emitted_at, default=None)
    return last if last is not None and last.payload["status"] == "ERROR" else None


def _video(question: Question, evidence: Evidence) -> Said | None:
    video = next(iter(evidence.about(question.subject_id, "VideoAsset")), None)
    if video is None:
        return None
    receipts = [one for one in evidence.of_type("PublicationReceipt") if _same(one, video)]
    clips = {
        one.subject_id: one
        for one in evidence.of_type("ClipCandidate")
        if "clip_id" in one.payload and _same(one, video)
    }
    shown = [*clips.values(), *receipts]
    made = f"{len(clips)} clips were made, {len(receipts)} of them are published"
    if not shown:
        made = "no clip was made"
    elif not receipts:
        made = f"{len(clips)} clips were made, none of them is published"
    return Said(
        f"Of {quoted(video.payload['title'])}, {made}.",
        packets=(video.packet_id, *(one.packet_id for one in shown)),
    )


def _same(one: Packet, video: Packet) -> bool:
    return one.trace_id == video.trace_id


def _directive(question: Question, evidence: Evidence) -> Said | None:
    span = next(iter(evidence.about(question.subject_id, "ClipCandidate")), None)
    if span is None:
        return None
    name, named_by = _named(span, evidence)
    return Said(f"This is about: {name}.", packets=(span.packet_id, *named_by))


_WRITERS: dict[Matter, Callable[[Question, Evidence], Said | None]] = {
    Matter.CLIP: _clip,
    Matter.VIDEO: _video,
    Matter.DIRECTIVE: _directive,
}
