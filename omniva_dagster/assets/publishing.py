"""Publishing: when each clip goes out, in which words, and the proof that it did, once."""

from datetime import UTC, datetime

import dagster as dg

from omniva_dagster import state as db
from omniva_dagster.assets._common import Shown, cell, outcome_metadata, pipeline_asset
from omniva_dagster.contracts.decisions import Directive, DirectiveKind
from omniva_dagster.contracts.editing import RenderedClip
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.publishing import (
    DecisionSource,
    PrivacyStatus,
    PublicationReceipt,
    ScheduleTask,
    UploadJob,
)
from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.contracts.record import Record
from omniva_dagster.engines import chorus
from omniva_dagster.resources import conflicts
from omniva_dagster.resources.desk import ZenithDesk
from omniva_dagster.resources.media import AtlasResource, PublisherResource
from omniva_dagster.resources.sidecars import load_analysis, spoken
from omniva_dagster.resources.state import StateResource
from omniva_dagster.resources.workbench import Commit, Recorder, Skip, Workbench
from omniva_dagster.state.partition import Subject

# Zenith's words on when a clip goes out.
_MOVES = (DirectiveKind.RESCHEDULE,)


@pipeline_asset(ScheduleTask, group="publish", kinds={"python"}, version="1")
def schedule_tasks(
    context: dg.AssetExecutionContext,
    rendered_clips: list[Record[RenderedClip]],
    state: StateResource,
    publisher: PublisherResource,
) -> dg.Output[list[Record[ScheduleTask]]]:
    """A slot for every finished clip: the best first, no slot twice, within the daily quota.

    A clip keeps the slot it was given.
    """
    bench = state.workbench(context)

    def priority(clip: Record[RenderedClip]) -> float:
        with bench.store.read() as connection:
            pinned = db.decisions.promotion(connection, clip.subject_id)
        return pinned.candidate.lattice_priority if pinned else 0.0

    def work(item: tuple[Record[RenderedClip], float]) -> Commit:
        clip, rank = item

        def commit(recorder: Recorder) -> list[Record[ScheduleTask]]:
            told = db.decisions.in_force(recorder.connection, clip.subject_id, _MOVES)
            order, parents = (
                (told[0], [clip.packet_id, told[1]]) if told else (None, [clip.packet_id])
            )
            task = _task(clip, _slot(recorder, clip, publisher, order), rank, order, parents)
            return [
                recorder.record(
                    task,
                    subject_id=clip.subject_id,
                    trace_id=clip.trace_id,
                    parents=parents,
                    video_id=clip.video_id,
                )
            ]

        return commit

    ranked = sorted(
        ((clip, priority(clip)) for clip in rendered_clips),
        key=lambda item: (-item[1], item[0].subject_id),
    )
    records = bench.each(ranked, lambda item: _subject(item[0]), work)
    conflicts.settle_stage(bench, records)
    lines = ["| clip | slot (UTC) | priority |", "|---|---|---|"]
    lines += [
        f"| {record.subject_id} | {record.document.recommended_time} "
        f"| {record.document.priority:.2f} |"
        for record in records
    ]
    metadata: Shown = {"clips": len(records), "slots": dg.MetadataValue.md("\n".join(lines))}
    return dg.Output(records, metadata=metadata | outcome_metadata(bench.finish()))


@pipeline_asset(UploadJob, group="publish", kinds={"python"}, version="1")
def upload_jobs(
    context: dg.AssetExecutionContext,
    schedule_tasks: list[Record[ScheduleTask]],
    state: StateResource,
    atlas: AtlasResource,
    publisher: PublisherResource,
) -> dg.Output[list[Record[UploadJob]]]:
    """Title, description and tags of every scheduled clip, from the clip's own words.

    Within the limits of the contract and of the platforms.
    """
    bench = state.workbench(context)

    def work(task: Record[ScheduleTask]) -> Commit:
        with bench.store.read() as connection:
            pinned = db.decisions.promotion(connection, task.subject_id)
            held = db.library.video(connection, task.video_id)
        assert pinned is not None
        assert held is not None
        span = pinned.candidate
        words = load_analysis(bench.store, atlas.store, task.video_id).words
        inside = [
            item.text
            for item in words
            if item.start >= span.start_time and item.end <= span.end_time
        ]
        wording = chorus.word(spoken(inside), span.semantic_tags, held[0].title, held[0].source_url)
        job = UploadJob(
            clip_id=task.subject_id,
            title=wording.title,
            description=wording.description,
            keywords=wording.keywords,
            scheduled_time=task.document.recommended_time,
            privacy_status=PrivacyStatus(publisher.privacy_status),
            distribution_targets=[publisher.publisher.target],
        )

        def commit(recorder: Recorder) -> list[Record[UploadJob]]:
            return [
                recorder.record(
                    job,
                    subject_id=task.subject_id,
                    trace_id=task.trace_id,
                    parents=[task.packet_id, pinned.packet_id],
                    video_id=task.video_id,
                )
            ]

        return commit

    records = bench.each(schedule_tasks, _subject, work)
    conflicts.settle_stage(bench, records)
    lines = ["| title | tags | slot (UTC) | for |", "|---|---|---|---|"]
    lines += [
        f"| {cell(record.document.title)} | {cell(', '.join(record.document.keywords))} "
        f"| {record.document.scheduled_time} | {record.document.privacy_status.value} |"
        for record in records
    ]
    metadata: Shown = {"clips": len(records), "uploads": dg.MetadataValue.md("\n".join(lines))}
    return dg.Output(records, metadata=metadata | outcome_metadata(bench.finish()))


@pipeline_asset(PublicationReceipt, group="publish", kinds={"python"}, version="1")
def publications(
    context: dg.AssetExecutionContext,
    upload_jobs: list[Record[UploadJob]],
    rendered_clips: list[Record[RenderedClip]],
    state: StateResource,
    atlas: AtlasResource,
    publisher: PublisherResource,
    zenith: ZenithDesk,
) -> dg.Output[list[Record[PublicationReceipt]]]:
    """Receipts of what was published, under Zenith's release only; once a clip, whatever is rerun.

    A clip that is held stays out, also when this asset is materialized by hand.
    """
    bench = state.workbench(context)
    clips = {record.subject_id: record for record in rendered_clips}
    door = _Door(bench, atlas, publisher, zenith, clips)
    records = bench.each(upload_jobs, _subject, door.work)
    titles = {record.subject_id: record.document.title for record in upload_jobs}
    lines = ["| clip | status | slot (UTC) | where |", "|---|---|---|---|"]
    lines += [
        f"| {cell(titles[record.subject_id])} | {record.document.status.value} "
        f"| {record.document.scheduled_time} | `{record.document.location}` |"
        for record in records
    ]
    metadata: Shown = {"published": len(records), "receipts": dg.MetadataValue.md("\n".join(lines))}
    return dg.Output(records, metadata=metadata | outcome_metadata(bench.finish()))


class _Door:
    """The way out: release, claim, publish, settle."""

    def __init__(
        self,
        bench: Workbench,
        atlas: AtlasResource,
        publisher: PublisherResource,
        zenith: ZenithDesk,
        clips: dict[str, Record[RenderedClip]],
    ) -> None:
        self._bench = bench
        self._atlas = atlas.store
        self._publisher = publisher.publisher
        self._zenith = zenith
        self._clips = clips

    def work(self, job: Record[UploadJob]) -> Commit:
        """Publish a prepared clip, unless it was published before."""
        from omniva_dagster.workers.uploader import Submission

        clip = self._clips.get(job.subject_id)
        if clip is None:
            raise Skip(ReasonCode.NOT_RENDERED, "the clip is not rendered; see rendered_clips")
        target = self._publisher.target
        key = derive_id("publication", job.subject_id, target)
        # The claim and the release it rests on are of one transaction.
        with self._bench.store.begin() as connection:
            standing = db.publishing.publication(connection, job.subject_id, target)
            if standing and standing.status in db.publishing.RECALLED:
                raise Skip(
                    ReasonCode.NOT_RELEASED,
                    "it was withdrawn by Zenith's cancel; what is withdrawn is not posted again",
                )
            if standing and standing.receipt:
                done = Record(
                    standing.receipt,
                    job.subject_id,
                    job.trace_id,
                    standing.packet_id,
                    job.video_id,
                )
                return lambda _recorder: [done]
            release = self._zenith.release(
                self._bench.recorder(connection),
                job.subject_id,
                job.video_id,
                (clip.packet_id, job.packet_id),
            )
            if release is not None:
                db.publishing.claim(connection, job.subject_id, target, key)
        # The lock is the directive, read right before acting: a hold may have come meanwhile.
        self._bench.must_permit(_subject(job), "publish")
        assert release is not None
        receipt = self._publisher.publish(
            Submission(
                creator=self._bench.partition.creator,
                job=job.document,
                clip=clip.document,
                media=self._atlas.path(clip.document.media_uri),
                thumbnail=self._atlas.path(clip.document.thumbnail_uri),
                directive_id=release.document.directive_id,
                idempotency_key=key,
            ),
            self._bench.now,
        )

        def commit(recorder: Recorder) -> list[Record[PublicationReceipt]]:
            record = recorder.record(
                receipt,
                subject_id=job.subject_id,
                trace_id=job.trace_id,
                parents=[release.packet_id, job.packet_id, clip.packet_id],
                video_id=job.video_id,
                occurrence=key,
            )
            db.publishing.settle(recorder.connection, record.document, record.packet_id)
            return [record]

        return commit


def _subject(
    record: Record[RenderedClip] | Record[ScheduleTask] | Record[UploadJob],
) -> Subject:
    title = getattr(record.document, "title", "") or f"clip {record.subject_id}"
    return Subject(record.subject_id, title, record.trace_id, record.video_id)


def _task(
    clip: Record[RenderedClip],
    slot: str,
    rank: float,
    order: Directive | None,
    parents: list[str],
) -> ScheduleTask:
    """The task of a clip in a slot; ``order`` is Zenith's word on it, if there is one."""
    urgency = rank if order is None or order.priority is None else order.priority
    moved = order is not None and order.scheduled_time is not None
    return ScheduleTask(
        clip_id=clip.subject_id,
        recommended_time=slot,
        priority=urgency,
        horizon_adjustment=0.0,
        final_decision_source=DecisionSource.OPERATOR_OVERRIDE
        if moved
        else DecisionSource.AUTOMATION,
        notes=f"rescheduled: {order.reason}"[:512]
        if moved and order
        else "the earliest free slot; no campaign is set",
        meta_parents=parents,
    )


def _slot(
    recorder: Recorder,
    clip: Record[RenderedClip],
    publisher: PublisherResource,
    order: Directive | None,
) -> str:
    """The slot of a clip: the one that Zenith orders, the one it has, or the next one free."""
    from omniva_dagster.workers.scheduler import next_slot

    clip_id, creator = clip.subject_id, recorder.partition.creator
    booked = db.publishing.slot_of(recorder.connection, clip_id)
    wanted = order.scheduled_time if order else None
    if wanted is not None and wanted != booked:
        return _moved(recorder, clip_id, wanted, booked)
    if booked is not None:
        return booked
    taken = db.publishing.slots_from(recorder.connection, creator, recorder.now)
    slot = next_slot(datetime.now(UTC), publisher.slot_hours, publisher.daily_quota, taken)
    db.publishing.book(recorder.connection, creator, slot, clip_id)
    return slot


def _moved(recorder: Recorder, clip_id: str, wanted: str, booked: str | None) -> str:
    creator = recorder.partition.creator
    holder = db.publishing.holder_of_slot(recorder.connection, creator, wanted)
    if holder is not None:
        raise WorkerError(
            ReasonCode.SCHEDULER_FAULT,
            f"the slot {wanted} is taken by clip {holder}; choose another: "
            f"omniva override reschedule {clip_id} --at TIME --reason ...",
        )
    if booked is None:
        db.publishing.book(recorder.connection, creator, wanted, clip_id)
    else:
        db.publishing.rebook(recorder.connection, wanted, clip_id)
    return wanted
