"""Workflows of packets to be explained, made without a store."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from omniva_dagster.contracts.ids import creator_id_of, derive_id, video_id_of
from omniva_dagster.engines.halolux import Matter, Packet, Question

EXAMPLES = Path(__file__).parents[2] / "schemas" / "examples"
VIDEO = video_id_of("other", "talk")
TRACE = derive_id("trace", VIDEO)
CLIP, OVERLAPPING, WEAK, LATE = (derive_id("clip", VIDEO, n) for n in range(4))
TITLE = "How to stop: a talk"


def example(message_type: str) -> dict[str, Any]:
    """The example of a message type that is shipped with its schema."""
    payload: dict[str, Any] = json.loads((EXAMPLES / f"{message_type}.json").read_text())
    return payload


def packet(
    message_type: str,
    payload: Mapping[str, Any],
    *parents: Packet,
    producer: str = "tests",
    subject: str = CLIP,
    at: str = "10:00:00",
    trace: str = TRACE,
    name: str = "",
) -> Packet:
    """A packet of a workflow; its hash is over what it says."""
    said = json.dumps(payload, sort_keys=True)
    packet_id = derive_id("packet", message_type, subject, producer, name or said)
    emitted_at = f"2026-03-04T{at}Z"
    return Packet(
        packet_id,
        message_type,
        producer,
        trace,
        subject,
        emitted_at,
        tuple(one.packet_id for one in parents),
        hashlib.sha256(f"{packet_id}{emitted_at}{said}".encode()).hexdigest(),
        payload,
        "ada",
        "2026-03-04",
    )


def span(start: float, end: float, priority: float, **more: Any) -> dict[str, Any]:
    """A judged candidate."""
    votes = {"audience": 0.71, "craft": 0.64, "exploration": 0.5, "risk": 0.9, "trend": 0.33}
    return {
        "start_time": start,
        "end_time": end,
        "confidence": 0.8123,
        "subject_focus": "speaker",
        "faces_detected": 1,
        "semantic_tags": ["stopping", "coffee"],
        "pantheon_votes": votes,
        "lattice_priority": priority,
        **more,
    }


def directive(kind: str, subject: str, *evidence: Packet, at: str, **more: Any) -> Packet:
    """An order of Zenith's."""
    payload = {
        "directive_id": derive_id("directive", kind, subject, at),
        "kind": kind,
        "subject_id": subject,
        "owner": "editor",
        "reason": f"a {kind} for a reason",
        "evidence": [one.packet_id for one in evidence],
        "overrode": [],
        "rollback": f"omniva override release {subject} --reason ...",
        "issued_by": "zenith",
        "issued_at": f"2026-03-04T{at}Z",
        "schema_version": "1.1.0",
        **more,
    }
    return packet("Directive", payload, *evidence, producer="zenith", subject=subject, at=at)


def talk() -> list[Packet]:
    """A video of four candidates, one of them published; the others overlap, are too weak, or came
    later."""
    found = (example(name) for name in ("ScraperJob", "RawCapture", "VideoAsset"))
    job = packet("ScraperJob", {**next(found), "status": "PENDING"}, subject=VIDEO, at="10:00:00")
    raw = packet("RawCapture", next(found), job, subject=VIDEO, at="10:00:05")
    asset = {**next(found), "title": TITLE, "duration_seconds": 200.0, "has_audio": True}
    video = packet("VideoAsset", asset, raw, subject=VIDEO, at="10:00:05")
    analysis = packet(
        "AnalysisResult",
        {**example("AnalysisResult"), "transcript": "Who stops first? Whoever is rested."},
        video,
        subject=VIDEO,
        producer="analysis_results",
        at="10:01:00",
    )
    published = packet(
        "AnalysisPublished",
        without_result(example("AnalysisPublished")),
        *(analysis, raw),
        subject=VIDEO,
        producer="analysis_results",
        at="10:01:00",
    )
    spans = {
        CLIP: span(10.25, 40.5, 0.81),
        OVERLAPPING: span(30.0, 62.0, 0.77),
        WEAK: span(90.0, 120.0, 0.21),
        LATE: span(130.0, 160.0, 0.66),
    }
    rests_on = {
        subject: packet(
            "CandidateEvidence",
            {**example("CandidateEvidence"), "candidate_id": subject},
            published,
            subject=subject,
            producer="analysis_results",
            at="10:01:00",
        )
        for subject in spans
    }
    judged = {
        subject: packet(
            "ClipCandidate",
            said,
            *(analysis, published, rests_on[subject]),
            subject=subject,
            producer="clip_candidates",
            at="10:02:00",
        )
        for subject, said in spans.items()
    }
    promoted = directive(
        "promote",
        CLIP,
        judged[CLIP],
        at="10:02:01",
        reason="number 1 of 4 candidates: priority 0.81, Pantheon 0.80, analyzer 0.81; of at most "
        "9 that do not overlap, each from 0.35 up",
        overrode=["pantheon/trend voted 0.33"],
    )
    pinned = packet(
        "ClipCandidate",
        {**spans[CLIP], "clip_id": CLIP},
        judged[CLIP],
        promoted,
        producer="zenith",
        at="10:02:01",
    )
    plan = packet(
        "EditJob", {**example("EditJob"), "clip_id": CLIP}, promoted, pinned, at="10:02:03"
    )
    made = packet("RenderedClip", {**example("RenderedClip"), "clip_id": CLIP}, plan, at="10:03:00")
    slot = packet("ScheduleTask", {**example("ScheduleTask"), "clip_id": CLIP}, made, at="10:03:01")
    words = packet("StyledMetadata", example("StyledMetadata"), slot, pinned, at="10:03:02")
    upload = packet(
        "UploadJob", {**example("UploadJob"), "clip_id": CLIP}, slot, pinned, words, at="10:03:02"
    )
    release = directive("release", CLIP, made, upload, at="10:03:03")
    receipt = packet(
        "PublicationReceipt",
        {**example("PublicationReceipt"), "clip_id": CLIP},
        release,
        upload,
        made,
        at="10:03:05",
    )
    return [
        *(
            job,
            raw,
            video,
            analysis,
            published,
            *rests_on.values(),
            *judged.values(),
            promoted,
            pinned,
            plan,
            made,
            slot,
            words,
        ),
        upload,
        *(release, receipt),
    ]


def without_result(payload: Mapping[str, Any]) -> dict[str, Any]:
    """A published analysis whose result has a packet of its own."""
    return {name: value for name, value in payload.items() if name != "result"}


def about(subject: str, matter: Matter = Matter.CLIP) -> Question:
    """The question of why something is as it is."""
    return Question(matter, subject, TRACE)


def altered(one: Packet) -> Packet:
    """The same packet saying something else throughout."""
    return replace(one, payload=_altered(one.payload), emitted_at="2031-11-13T23:59:59Z")


def without(packets: Sequence[Packet], gone: Packet) -> list[Packet]:
    """All but one."""
    return [one for one in packets if one.packet_id != gone.packet_id]


def creator() -> str:
    """The id of the creator of all these."""
    return creator_id_of("ada")


def _altered(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _altered(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_altered(item) for item in value] + (["more"] if value else [])
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value * 3 + 1234.567
    return f"{value[::-1]}?" if isinstance(value, str) else value
