"""What is asked about, and which packets bear on it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from omniva_dagster.contracts.ids import EVERYTHING, creator_id_of
from omniva_dagster.engines.halolux.evidence import Evidence, Packet, is_span
from omniva_dagster.engines.halolux.words import clock, quoted


class Matter(StrEnum):
    """What kind of thing is asked about."""

    CLIP = "clip"
    VIDEO = "video"
    DIRECTIVE = "directive"
    PACKET = "packet"
    TRACE = "trace"
    RUN = "run"
    PARTITION = "partition"
    SUBJECT = "subject"


@dataclass(frozen=True)
class Question:
    """What is asked about: a clip, video or other subject; of a directive, what it is about.

    ``packet_ids`` are the packets that are meant, where it is about some; ``trace_id`` the
    workflow; ``cut`` whether there was more lineage than was read.
    """

    matter: Matter
    subject_id: str
    trace_id: str
    packet_ids: tuple[str, ...] = ()
    directive_id: str = ""
    cut: bool = False

    @property
    def key(self) -> str:
        """Tells questions about one trace apart."""
        parts = [self.matter.value, self.subject_id, *sorted(self.packet_ids)]
        return " ".join([*parts, "cut"] if self.cut else parts)


_TITLE = 60
# Of a whole video or partition: what came of it, not each step of each clip.
BRIEF = frozenset(
    {
        *("ConsentRecord", "ScraperJob", "RawCapture", "VideoAsset", "AnalysisResult"),
        *("AnalysisPublished",),
        *("Directive", "ArbitrationVerdict", "PublicationReceipt", "PublicationWithdrawn"),
        *("OverrideRequest", "OperatorAction", "PanicSignal", "OperatorAlert", "Outcome"),
        *("ConflictResolution", "RetryPlan", "QuarantineInstruction", "FallbackStrategy"),
        *("CrisisEscalation", "ReadinessSignal", "UploadFailed", "SchedulerFault"),
        *("ComplianceConflict", "LedgerInconsistency", "AtlasCollision", "Shortlist"),
        *("CampaignGoals", "SchedulingWeights", "DriftWarning", "DagsterEvent"),
    }
)
# Their sentences say "it": whose they are is said where it is not what was asked about.
_OF_SOMETHING = frozenset(
    {
        *("Directive", "ArbitrationVerdict", "EditJob", "RenderedClip", "ScheduleTask", "Outcome"),
        *("QueueMutation", "DraftMetadata", "StyledMetadata", "ComplianceConflict", "UploadJob"),
        *("PublicationReceipt", "PublicationWithdrawn", "UploadFailed", "VoteReport", "RetryPlan"),
        *("WorkerErrorEvent", "RoutingIntent", "PriorityDelta", "OverrideRequest"),
        *("OperatorAction", "ComplianceAlert", "AnalysisPublished", "CandidateEvidence"),
        *("TelemetrySample",),
    }
)


def chosen(question: Question, evidence: Evidence) -> list[Packet]:
    """The packets to tell of, in order."""
    wanted = _chosen(question, evidence)
    return [packet for packet in evidence.packets if packet.packet_id in wanted]


def _chosen(question: Question, evidence: Evidence) -> set[str]:
    match question.matter:
        case Matter.CLIP:
            return _of_clip(question, evidence)
        case Matter.DIRECTIVE:
            return _of_directive(question, evidence)
        case Matter.PACKET:
            return evidence.ancestors(question.packet_ids)
        case Matter.SUBJECT:
            about = [packet.packet_id for packet in evidence.about(question.subject_id)]
            return evidence.ancestors([*about, *question.packet_ids])
        case _:
            return _in_brief(question, evidence)


def _of_clip(question: Question, evidence: Evidence) -> set[str]:
    mine = evidence.about(question.subject_id)
    wide = _over_all(mine, evidence)
    found = evidence.ancestors(packet.packet_id for packet in [*mine, *wide])
    return _alone(found, question.subject_id, evidence) | _left_out(question.subject_id, evidence)


def _alone(found: set[str], subject_id: str, evidence: Evidence) -> set[str]:
    """Without how other spans were judged: a shortlist leads to all that are on it."""
    judged = evidence.of_type("CandidateEvidence", "VoteReport", "ClipCandidate")
    return found - {packet.packet_id for packet in judged if packet.subject_id != subject_id}


def _left_out(subject_id: str, evidence: Evidence) -> set[str]:
    """Shortlists that a candidate was kept off, or another for its sake."""
    return {
        packet.packet_id
        for packet in evidence.of_type("Shortlist")
        if subject_id in str(packet.payload.get("set_aside", ""))
    }


def _in_brief(question: Question, evidence: Evidence) -> set[str]:
    mine = [packet for packet in evidence.packets if packet.trace_id == question.trace_id]
    beside = {packet.packet_id for packet in _over_all(mine, evidence)}
    above = _above(mine)
    return {
        packet.packet_id
        for packet in evidence.packets
        if packet.message_type in BRIEF
        and (packet.subject_id not in above or packet.packet_id in beside)
    }


def _above(mine: list[Packet]) -> set[str]:
    return {EVERYTHING, *map(creator_id_of, {packet.creator for packet in mine} - {""})}


def _over_all(mine: list[Packet], evidence: Evidence) -> list[Packet]:
    """Orders on the creator, the video or all work that came while the clip was on its way."""
    if not mine:
        return []
    above = _above(mine)
    above |= {str(packet.payload["video_id"]) for packet in mine if "video_id" in packet.payload}
    out = [one.emitted_at for one in mine if one.message_type == "PublicationReceipt"]
    since, until = mine[0].emitted_at, min(out, default="9")
    return [
        packet
        for packet in evidence.of_type("Directive")
        if packet.subject_id in above
        and packet.emitted_at >= since
        and (packet.emitted_at <= until or packet.payload.get("kind") == "cancel")
    ]


def _of_directive(question: Question, evidence: Evidence) -> set[str]:
    it = next((evidence.by_id[one] for one in question.packet_ids if one in evidence.by_id), None)
    if it is None:
        return set()
    place = evidence.packets.index(it)
    after = [
        packet.packet_id
        for packet in evidence.packets[place + 1 :]
        if packet.subject_id == it.subject_id
        and packet.message_type in ("Directive", "PublicationReceipt", "PublicationWithdrawn")
    ]
    beside = [
        packet.packet_id
        for packet in evidence.of_type("ArbitrationVerdict")
        if packet.payload.get("directive_id") == question.directive_id
    ]
    spans = [one.packet_id for one in evidence.about(it.subject_id, "ClipCandidate")]
    found = evidence.ancestors([it.packet_id, *beside, *spans])
    return (_alone(found, it.subject_id, evidence) if spans else found) | set(after)


def whose(packet: Packet, question: Question, evidence: Evidence) -> tuple[str, tuple[str, ...]]:
    """Words that say what a sentence is about, and the packets they rest on; empty if it is clear
    from the question."""
    if packet.message_type not in _OF_SOMETHING:
        return "", ()
    if packet.subject_id == question.subject_id:
        return "", ()
    if packet.subject_id == EVERYTHING:
        return "Of all work: ", ()
    if packet.creator and packet.subject_id == creator_id_of(packet.creator):
        return "Of the creator's work: ", ()
    span = next(filter(is_span, evidence.about(packet.subject_id, "ClipCandidate")), None)
    if span is not None:
        start, end = span.payload["start_time"], span.payload["end_time"]
        where = f"Of the span {clock(start)} to {clock(end)}"
        titled = [
            one
            for one in evidence.of_type("VideoAsset")
            if one.trace_id == span.trace_id and isinstance(one.payload.get("title"), str)
        ]
        if question.matter is not Matter.PARTITION or not titled:
            return f"{where}: ", (span.packet_id,)
        title = quoted(titled[0].payload["title"], _TITLE)
        return f"{where} of {title}: ", (span.packet_id, titled[0].packet_id)
    if evidence.about(packet.subject_id, "VideoAsset"):
        return "Of the video: ", ()
    for job in evidence.about(packet.subject_id, "ScraperJob"):
        if isinstance(job.payload.get("target_url"), str):
            where = quoted(job.payload["target_url"])
            return f"Of the request for {where}: ", (job.packet_id,)
    return f"Of {packet.subject_id}: ", ()
