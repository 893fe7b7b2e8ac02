"""Publishing: when each clip goes out, in which words, and the proof that it did, once."""

from collections.abc import Mapping

import dagster as dg

from omniva_dagster import state as db
from omniva_dagster.assets._common import Shown, cell, outcome_metadata, pipeline_asset
from omniva_dagster.contracts.cognition.chorus import StyledMetadata
from omniva_dagster.contracts.editing import RenderedClip
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.publishing import (
    PrivacyStatus,
    PublicationReceipt,
    ScheduleTask,
    UploadJob,
)
from omniva_dagster.contracts.reasons import ReasonCode
from omniva_dagster.contracts.record import Record
from omniva_dagster.engines import chorus
from omniva_dagster.resources import conflicts, guidance, highlights, scheduling, wording
from omniva_dagster.resources.desk import ZenithDesk
from omniva_dagster.resources.media import AtlasResource, PublisherResource
from omniva_dagster.resources.sidecars import load_analysis, spoken
from omniva_dagster.resources.state import StateResource
from omniva_dagster.resources.workbench import Commit, Recorder, Skip, Workbench
from omniva_dagster.state.partition import Subject


@pipeline_asset(ScheduleTask, group="publish", kinds={"python"}, version="1")
def schedule_tasks(
    context: dg.AssetExecutionContext,
    rendered_clips: list[Record[RenderedClip]],
    state: StateResource,
    publisher: PublisherResource,
) -> dg.Output[list[Record[ScheduleTask]]]:
    """A slot for every finished clip: the best first, no slot twice, within the daily quota.

    By the weights of Horizon's guidance, which is pinned to the partition; the earliest free slot
    where there is none. A clip keeps the slot it was given until Zenith says otherwise.
    """
    bench = state.workbench(context)
    guided = guidance.of_partition(bench)
    rules = scheduling.Rules(publisher.slot_hours, publisher.daily_quota)
    scheduling.give_up(bench, rendered_clips, guided)

    def priority(clip: Record[RenderedClip]) -> float:
        with bench.store.read() as connection:
            pinned = db.decisions.promotion(connection, clip.subject_id)
        return pinned.candidate.lattice_priority if pinned else 0.0

    def work(item: tuple[Record[RenderedClip], float]) -> Commit:
        clip, rank = item
        scheduling.must_fit(bench, clip)

        def commit(recorder: Recorder) -> list[Record[ScheduleTask]]:
            return [scheduling.schedule(recorder, clip, rank, rules, guided)]

        return commit

    ranked = sorted(
        ((clip, priority(clip)) for clip in rendered_clips),
        key=lambda item: (-item[1], item[0].subject_id),
    )
    records = bench.each(ranked, lambda item: _subject(item[0]), work)
    conflicts.settle_stage(bench, records)
    lines = ["| clip | slot (UTC) | priority | Horizon | why |", "|---|---|---|---|---|"]
    lines += [
        f"| {record.subject_id} | {record.document.recommended_time} "
        f"| {record.document.priority:.2f} | {record.document.horizon_adjustment:+.2f} "
        f"| {cell(record.document.notes or '', 512)} |"
        for record in records
    ]
    metadata: Shown = {
        "clips": len(records),
        "slots": dg.MetadataValue.md("\n".join(lines)),
        "guidance": guided.note,
    }
    return dg.Output(records, metadata=metadata | outcome_metadata(bench.finish()))


@pipeline_asset(UploadJob, group="publish", kinds={"python"}, version="2")
def upload_jobs(
    context: dg.AssetExecutionContext,
    schedule_tasks: list[Record[ScheduleTask]],
    state: StateResource,
    atlas: AtlasResource,
    publisher: PublisherResource,
) -> dg.Output[list[Record[UploadJob]]]:
    """Title, description and tags of every scheduled clip, from the clip's own words.

    Chorus brings them into the creator's voice (`voices/<creator>.yaml`), within policy and the
    platforms' limits; what breaks a policy is held until a person answers (`omniva review`). What
    is out is not worded anew.
    """
    bench = state.workbench(context)
    refined: dict[str, StyledMetadata] = {}

    def work(task: Record[ScheduleTask]) -> Commit:
        target = publisher.publisher.target
        with bench.store.read() as connection:
            pinned = db.decisions.promotion(connection, task.subject_id)
            held = db.library.video(connection, task.video_id)
            sent = wording.sent(connection, task, target)
            said_of_it = highlights.of_clip(connection, pinned) if pinned else None
        if sent is not None:
            return lambda _recorder: [sent]
        assert pinned is not None
        assert held is not None
        span = pinned.candidate
        analysis = load_analysis(bench.store, atlas.store, task.video_id)
        inside = [
            item.text
            for item in analysis.words
            if item.start >= span.start_time and item.end <= span.end_time
        ]
        said = spoken(inside)
        speech = wording.speech_of(
            task.subject_id,
            task.video_id,
            task.trace_id,
            bench.partition.creator,
            chorus.draft(said, span.semantic_tags, held[0].title, held[0].source_url),
            said,
            analysis.language,
            [task.packet_id, pinned.packet_id],
            said_of_it,
        )

        def commit(recorder: Recorder) -> list[Record[UploadJob]]:
            styled = wording.refine(recorder, speech)
            refined[task.subject_id] = styled.document
            machine = styled.document.machine
            job = UploadJob(
                clip_id=task.subject_id,
                title=machine.title,
                description=machine.description,
                keywords=machine.keywords,
                scheduled_time=task.document.recommended_time,
                privacy_status=PrivacyStatus(publisher.privacy_status),
                distribution_targets=[target],
            )
            return [
                recorder.record(
                    job,
                    subject_id=task.subject_id,
                    trace_id=task.trace_id,
                    parents=[task.packet_id, pinned.packet_id, styled.packet_id],
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
    metadata: Shown = {
        "clips": len(records),
        "uploads": dg.MetadataValue.md("\n".join(lines)),
        "wording": dg.MetadataValue.md(_wording(refined)),
    }
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

    A clip that is held stays out, also when this asset is materialized by hand; one that was
    published before it was held is published still, and stays in.
    """
    from omniva_dagster.resources import explaining, narrating

    bench = state.workbench(context)
    clips = {record.subject_id: record for record in rendered_clips}
    door = _Door(bench, atlas, publisher, zenith, clips)
    records = bench.each(upload_jobs, _subject, door.work)
    records += _standing(bench, {record.subject_id for record in records})
    titles = {record.subject_id: record.document.title for record in upload_jobs}
    lines = ["| clip | status | slot (UTC) | where |", "|---|---|---|---|"]
    lines += [
        f"| {cell(titles.get(record.subject_id, record.subject_id))} "
        f"| {record.document.status.value} "
        f"| {record.document.scheduled_time} | `{record.document.location}` |"
        for record in records
    ]
    why = explaining.stories(
        bench.store, atlas.home, {record.subject_id: record.trace_id for record in records}
    )
    metadata: Shown = {
        "published": len(records),
        "receipts": dg.MetadataValue.md("\n".join(lines)),
        "why": dg.MetadataValue.md(narrating.table(why)),
    }
    return dg.Output(records, metadata=metadata | outcome_metadata(bench.finish()))


def _standing(bench: Workbench, met: set[str]) -> list[Record[PublicationReceipt]]:
    """The receipts of the partition beyond those of this run."""
    with bench.store.read() as connection:
        found = db.publishing.receipts_of(connection, bench.partition)
    return [
        Record(receipt, receipt.clip_id, derive_id("trace", video_id), packet_id, video_id)
        for receipt, packet_id, video_id in found
        if receipt.clip_id not in met
    ]


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
        payload: tuple[str, ...] = ()
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
            if why := wording.stale(connection, job):
                raise Skip(
                    ReasonCode.NOT_RELEASED,
                    f"{why}: materialize upload_jobs of this partition, then publications",
                )
            styled = wording.latest(connection, job.subject_id)
            payload = (styled.packet_id,) if styled else ()
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
                parents=[release.packet_id, job.packet_id, clip.packet_id, *payload],
                video_id=job.video_id,
                occurrence=key,
            )
            db.publishing.settle(recorder.connection, record.document, record.packet_id)
            return [record]

        return commit


def _wording(refined: Mapping[str, StyledMetadata]) -> str:
    """What Chorus changed and why, and what waits for a person."""
    lines = ["| clip | what | rule | why |", "|---|---|---|---|"]
    for clip_id, styled in sorted(refined.items()):
        lines += [
            f"| {clip_id} | {cell(delta.field.value)} | {cell(delta.rule)} | {cell(delta.reason)} |"
            for delta in styled.deltas
        ]
        lines += [
            f"| {clip_id} | {cell(one.field.value)} | {cell(one.policy)} | held: "
            f"{cell(one.passage)}; omniva review resolve {one.conflict_id} |"
            for one in styled.conflicts
            if chorus.holds(one)
        ]
    return "\n".join(lines) if len(lines) > 2 else "nothing was changed"


def _subject(
    record: Record[RenderedClip] | Record[ScheduleTask] | Record[UploadJob],
) -> Subject:
    title = getattr(record.document, "title", "") or f"clip {record.subject_id}"
    return Subject(record.subject_id, title, record.trace_id, record.video_id)
