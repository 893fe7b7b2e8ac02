"""Chorus at work: drafts refined in their brand's voice, with packets for all that came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from omniva_dagster import state as db
from omniva_dagster.contracts.cognition.chorus import (
    ComplianceConflict,
    DraftMetadata,
    StyledMetadata,
    StylePreferences,
)
from omniva_dagster.contracts.cognition.paradox import ComplianceAlert
from omniva_dagster.contracts.ids import creator_id_of, derive_id
from omniva_dagster.contracts.publishing import ScheduleTask, UploadJob
from omniva_dagster.contracts.record import Record
from omniva_dagster.engines import chorus
from omniva_dagster.engines.pantheon import tastes
from omniva_dagster.engines.paradox import compliance
from omniva_dagster.resources.voices import read_voice
from omniva_dagster.resources.workbench import Recorder

if TYPE_CHECKING:
    import sqlalchemy as sa

    from omniva_dagster.contracts.voice import BrandVoice
    from omniva_dagster.resources.highlights import Highlight

PRODUCER = "chorus"
OPERATOR, PANTHEON, PARADOX = "operator", "pantheon", "paradox"
# Of a creator's clips, as many of the latest are looked through for the same title.
_TITLES = 200


@dataclass(frozen=True)
class Speech:
    """A clip's wording before Chorus: the draft, what is said in the clip, and in what language."""

    clip_id: str
    video_id: str
    trace_id: str
    draft: chorus.Draft
    spoken: str
    language: str
    evidence: tuple[str, ...]
    voice: BrandVoice | None = None
    highlight: Highlight | None = None


def speech_of(
    clip_id: str,
    video_id: str,
    trace_id: str,
    creator: str,
    draft: chorus.Draft,
    spoken: Sequence[str],
    language: str,
    evidence: Sequence[str],
    highlight: Highlight | None = None,
) -> Speech:
    """A clip's wording before Chorus; ``highlight`` is what Pantheon said of it.

    `WorkerError` ``bad_command`` for a wrong voice file.
    """
    return Speech(
        clip_id,
        video_id,
        trace_id,
        draft,
        " ".join(spoken),
        language,
        tuple(evidence),
        read_voice(creator),
        highlight,
    )


def refine(recorder: Recorder, speech: Speech) -> Record[StyledMetadata]:
    """The refined wording of a clip, recorded with its draft; what breaks a policy is Zenith's at
    once, on the same transaction, so that the upload is held before anything is sent."""
    drafted = _drafted(recorder, speech)
    draft, written = _as_written(recorder.connection, speech)
    style, evidence = _style(recorder, speech)
    told = (written or [drafted.packet_id])[0]
    alerts = _alerts(recorder, speech, _as_it_would_be(speech, draft, style, told))
    answers, answered = answers_to(recorder.connection, speech.clip_id)
    proof = [drafted.packet_id, *written, *evidence, *(one.packet_id for one in alerts), *answered]
    styled = chorus.refine(
        speech.clip_id,
        draft,
        style,
        language=speech.language,
        spoken=speech.spoken,
        now=recorder.now,
        evidence=proof,
        answers=answers,
        alerts=alerts,
    )
    record = recorder.record(
        styled,
        subject_id=speech.clip_id,
        trace_id=speech.trace_id,
        parents=styled.evidence,
        video_id=speech.video_id,
        producer=PRODUCER,
    )
    _hold(recorder, speech, record)
    return record


def sent(
    connection: sa.Connection, task: Record[ScheduleTask], target: str
) -> Record[UploadJob] | None:
    """The upload job of a clip that is out, or on its way: it stays as it was sent."""
    if db.publishing.publication(connection, task.subject_id, target) is None:
        return None
    packet = db.outbox.latest(connection, "UploadJob", task.subject_id, "upload_jobs")
    if packet is None:
        return None
    job = UploadJob.parse(packet.payload)
    return Record(job, task.subject_id, task.trace_id, packet.packet_id, task.video_id)


def stale(connection: sa.Connection, job: Record[UploadJob]) -> str:
    """Why an upload job is not what Chorus says by now; empty when it is: byte for byte."""
    packet = latest(connection, job.subject_id)
    if packet is None:
        return ""
    machine = StyledMetadata.parse(packet.payload).machine
    sent = job.document
    if (sent.title, sent.description, sent.keywords) != (
        machine.title,
        machine.description,
        machine.keywords,
    ):
        return "Chorus has worded it anew since it was prepared"
    written = db.outbox.latest(connection, "DraftMetadata", job.subject_id, OPERATOR)
    if written is not None and written.packet_id not in packet.parents:
        return "an operator has worded it anew since it was prepared"
    return ""


def latest(connection: sa.Connection, clip_id: str) -> db.outbox.Packet | None:
    """The newest refined wording of a clip."""
    return db.outbox.latest(connection, "StyledMetadata", clip_id, PRODUCER)


def answers_to(connection: sa.Connection, clip_id: str) -> tuple[dict[str, str], list[str]]:
    """What operators accepted of a clip's conflicts, by conflict, and the packets it stands in.

    Who wrote other words (their draft is among the evidence) has not accepted the old ones.
    """
    answers: dict[str, tuple[str, str]] = {}
    for packet in db.outbox.history(connection, "ComplianceConflict", clip_id, OPERATOR):
        said = ComplianceConflict.parse(packet.payload)
        if said.resolution and len(said.evidence) == 1:
            answers[said.conflict_id] = (said.resolution, packet.packet_id)
    accepted = {conflict_id: resolution for conflict_id, (resolution, _) in answers.items()}
    return accepted, sorted({packet_id for _, packet_id in answers.values()})


def _drafted(recorder: Recorder, speech: Speech) -> Record[DraftMetadata]:
    draft = DraftMetadata(
        clip_id=speech.clip_id,
        title=speech.draft.title,
        description=speech.draft.description,
        keywords=list(speech.draft.keywords),
        drafted_by=recorder.stage,
        evidence=list(speech.evidence),
    )
    return recorder.record(
        draft,
        subject_id=speech.clip_id,
        trace_id=speech.trace_id,
        parents=draft.evidence,
        video_id=speech.video_id,
    )


def _as_written(connection: sa.Connection, speech: Speech) -> tuple[chorus.Draft, list[str]]:
    """The draft as operators want it: a field that they wrote is theirs."""
    packet = db.outbox.latest(connection, "DraftMetadata", speech.clip_id, OPERATOR)
    if packet is None:
        return speech.draft, []
    wanted, draft = DraftMetadata.parse(packet.payload), speech.draft
    base = _before(connection, packet)
    if wanted.title != base.title:
        draft = replace(draft, titles=(wanted.title, *draft.titles), titled=True)
    if wanted.description != base.description:
        draft = replace(draft, body=wanted.description, source_title="", source_url="", whole=True)
    if wanted.keywords != base.keywords:
        draft = replace(draft, keywords=tuple(chorus.fitting_keywords(wanted.keywords)))
    return draft, [packet.packet_id]


def _before(connection: sa.Connection, packet: db.outbox.Packet) -> DraftMetadata:
    """The first draft, that operators changed fields of."""
    while packet.payload["evidence"]:
        older = db.outbox.by_id(connection, packet.payload["evidence"][0])
        if older is None or "drafted_by" not in older.payload:
            break
        packet = older
    return DraftMetadata.parse(packet.payload)


def _style(recorder: Recorder, speech: Speech) -> tuple[chorus.Agreed, list[str]]:
    """How it is to be worded: the brand's voice, and Pantheon's wish for what that leaves open;
    each on record where there is one."""
    creator_id = creator_id_of(recorder.partition.creator)
    evidence = []
    if speech.voice is not None:
        voice = chorus.preferences(speech.voice, recorder.now, creator_id)
        brand = recorder.record(
            voice,
            subject_id=creator_id,
            trace_id=derive_id("trace", creator_id),
            producer=OPERATOR,
        )
        evidence.append(brand.packet_id)
    wish = _wish(recorder, speech)
    if wish is not None:
        evidence.append(wish.packet_id)
    wanted = wish.document if wish else None
    return chorus.agreed(speech.voice, wanted, recorder.now), evidence


def _wish(recorder: Recorder, speech: Speech) -> Record[StylePreferences] | None:
    if speech.highlight is None:
        return None
    wish = tastes.style_of(speech.highlight.report, recorder.now)
    if wish is None:
        return None
    return recorder.record(
        wish,
        subject_id=speech.clip_id,
        trace_id=speech.trace_id,
        parents=speech.highlight.packets[:1],
        video_id=speech.video_id,
        producer=PANTHEON,
    )


def _as_it_would_be(
    speech: Speech, draft: chorus.Draft, style: chorus.Agreed, packet_id: str
) -> compliance.DraftFact:
    """A draft for Paradox, with the title that it would come out with."""
    titled = chorus.styled(speech.clip_id, draft, style, speech.language, speech.spoken)
    return compliance.DraftFact(
        speech.clip_id,
        titled.title,
        draft.description,
        speech.draft.source_title,
        speech.draft.source_url,
        packet_id,
    )


def _alerts(recorder: Recorder, speech: Speech, fact: compliance.DraftFact) -> list[chorus.Alert]:
    """What Paradox objects to: what it was told before, and what it finds in this draft."""
    found: dict[str, chorus.Alert] = {}
    for subject_id in (speech.video_id, speech.clip_id):
        for packet in db.outbox.history(recorder.connection, "ComplianceAlert", subject_id):
            said = ComplianceAlert.parse(packet.payload)
            # Of its own policies Paradox says anew what holds for the draft as it is now.
            if said.policy not in compliance.POLICIES:
                found[said.alert_id] = _alert(said, packet.packet_id)
    for said in _contradictions(recorder, speech, fact):
        record = recorder.record(
            said,
            subject_id=speech.clip_id,
            trace_id=speech.trace_id,
            parents=said.evidence,
            video_id=speech.video_id,
            producer=PARADOX,
            occurrence=derive_id("found", said.alert_id, said.message, *said.evidence),
        )
        found[said.alert_id] = _alert(said, record.packet_id)
    return [found[alert_id] for alert_id in sorted(found)]


def _alert(said: ComplianceAlert, packet_id: str) -> chorus.Alert:
    return chorus.Alert(
        said.alert_id, packet_id, said.policy, said.message, said.severity, said.passage or ""
    )


def _contradictions(
    recorder: Recorder, speech: Speech, fact: compliance.DraftFact
) -> list[ComplianceAlert]:
    connection, creator = recorder.connection, recorder.partition.creator
    others = [
        compliance.TitleFact(one.clip_id, one.title, one.packet_id)
        for one in db.wordings.titles_before(connection, creator, speech.clip_id, _TITLES)
    ]
    consent = db.outbox.latest(connection, "ConsentRecord", creator_id_of(creator))
    licence = (
        compliance.LicenceFact(consent.payload["licence"], consent.packet_id) if consent else None
    )
    return compliance.alerts(fact, others, licence, recorder.now)


def _hold(recorder: Recorder, speech: Speech, styled: Record[StyledMetadata]) -> None:
    from omniva_dagster.resources.desk import ZenithDesk

    packets = []
    for conflict in styled.document.conflicts:
        if not chorus.holds(conflict):
            continue
        record: Record[ComplianceConflict] = recorder.record(
            conflict,
            subject_id=speech.clip_id,
            trace_id=speech.trace_id,
            parents=[styled.packet_id],
            video_id=speech.video_id,
            producer=PRODUCER,
            occurrence=derive_id("said", conflict.conflict_id, styled.packet_id),
        )
        packets.append(record.packet_id)
    if packets:
        ZenithDesk().attend(recorder.connection, recorder.now, packets)
