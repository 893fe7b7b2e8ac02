"""Times that cannot all be right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from omniva_dagster.contracts.cognition.paradox import WorkerStateDigest
from omniva_dagster.engines.paradox.facts import Link, SlotFact, VideoFact, moment
from omniva_dagster.engines.paradox.rules import Finding

# Clocks of two machines, or of a source and ours, may differ by so much.
SKEW_SECONDS = 300.0
# Packets are ours: machines that work together keep the time together.
PACKET_SKEW_SECONDS = 60.0
# A source that tells only a date means the date of wherever it is: at most UTC+14.
DATE_ONLY_SECONDS = 14 * 3600.0
_DAY_SECONDS = 86_400.0


def contradicting_videos(videos: Iterable[VideoFact]) -> Iterator[Finding]:
    """Videos published after they were ingested, or under a day that is not their upload day."""
    for video in videos:
        if not video.uploaded_at:
            continue
        uploaded, slack = moment(video.uploaded_at), _slack(video.uploaded_at)
        if uploaded > moment(video.ingested_at) + slack:
            yield Finding(
                "uploaded_after_ingestion",
                (video.subject_id,),
                (video.packet_id,),
                f"the source says that it was published at {video.uploaded_at}, and it was here at "
                f"{video.ingested_at}: one of the two clocks is wrong. Look at the page, then "
                f"release it: omniva override release {video.subject_id} --reason ...",
            )
        elif not video.requested and not _within(uploaded, video.day, slack):
            yield Finding(
                "another_day",
                (video.subject_id,),
                (video.packet_id,),
                f"it is held under {video.day}, and was published at {video.uploaded_at}: what is "
                "said of the day is wrong. Look at the page, then release it: "
                f"omniva override release {video.subject_id} --reason ...",
            )


def contradicting_slots(slots: Iterable[SlotFact]) -> Iterator[Finding]:
    """Clips that are to go out before they were rendered, and have not gone out."""
    for slot in slots:
        if slot.published or not slot.rendered_at:
            continue
        if moment(slot.slot) < moment(slot.rendered_at):
            yield Finding(
                "slot_before_rendering",
                (slot.clip_id,),
                (slot.packet_id,),
                f"its slot {slot.slot} was over when it was rendered at {slot.rendered_at}: give "
                f"it another one: omniva override reschedule {slot.clip_id} --at ... --reason ...",
            )


def contradicting_jobs(jobs: Iterable[WorkerStateDigest]) -> Iterator[Finding]:
    """Jobs that changed before they were made. The contract refuses them; copies may differ."""
    for job in jobs:
        if moment(job.updated_at) < moment(job.created_at):
            yield Finding(
                "updated_before_creation",
                (job.job_id,),
                (job.packet_id,),
                f"{job.job_type.value} {job.job_id} was changed at {job.updated_at}, before it was "
                f"made at {job.created_at}: set the clock of the {job.worker}, then "
                f"omniva override release {job.job_id} --reason ...",
            )


def early_children(links: Iterable[Link]) -> Iterator[Finding]:
    """Packets that were emitted before what they came from."""
    for link in links:
        if not (link.child_at and link.parent_at):
            continue
        if moment(link.child_at) + PACKET_SKEW_SECONDS < moment(link.parent_at):
            yield Finding(
                "child_before_parent",
                (link.child_subject or link.child,),
                (link.child, link.parent),
                f"packet {link.child} says {link.child_at}, and came from packet {link.parent}, "
                f"which says {link.parent_at}: run omniva ledger verify; if it finds nothing, set "
                "the clocks and release what is held",
            )


def _slack(uploaded_at: str) -> float:
    return DATE_ONLY_SECONDS if uploaded_at[11:19] == "00:00:00" else SKEW_SECONDS


def _within(uploaded: float, day: str, slack: float) -> bool:
    start = moment(f"{day}T00:00:00Z")
    return start - slack <= uploaded < start + _DAY_SECONDS + slack
