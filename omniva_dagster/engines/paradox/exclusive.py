"""What cannot all be done: slots, jobs that exclude each other, orders that do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from omniva_dagster.contracts.cognition.paradox import WorkerStateDigest
from omniva_dagster.contracts.decisions import OutcomeStatus
from omniva_dagster.engines.paradox.duplicates import OVER, grouped
from omniva_dagster.engines.paradox.facts import Order, SlotFact, moment
from omniva_dagster.engines.paradox.rules import Finding

_OPEN = frozenset({OutcomeStatus.PENDING, OutcomeStatus.RUNNING})


def double_bookings(slots: Iterable[SlotFact]) -> Iterator[Finding]:
    """Two clips of a creator in one slot, and two slots for one clip."""
    tasks = sorted(slots, key=_age)
    for group in grouped(tasks, lambda task: (task.creator, moment(task.slot))):
        first, *others = {task.clip_id: task for task in reversed(group)}.values()
        first, *others = sorted([first, *others], key=_age)
        for other in others:
            yield Finding(
                "one_slot",
                (first.clip_id, other.clip_id),
                tuple(dict.fromkeys((first.packet_id, other.packet_id))),
                f"{other.slot} of {other.creator} is clip {first.clip_id}'s: clip "
                f"{other.clip_id} cannot go out then too. Give it another slot: "
                f"omniva override reschedule {other.clip_id} --at ... --reason ...",
            )
    for group in grouped(tasks, lambda task: task.clip_id):
        yield from _two_slots(group)


def _two_slots(tasks: list[SlotFact]) -> Iterator[Finding]:
    first = tasks[0]
    differing = next((task for task in tasks if moment(task.slot) != moment(first.slot)), None)
    if differing is not None:
        yield Finding(
            "two_slots",
            # The first task, by its packet, stands; the clip waits until the other one is gone.
            (first.packet_id, first.clip_id),
            (first.packet_id, differing.packet_id),
            f"clip {first.clip_id} is to go out at {first.slot} and at {differing.slot}: say when "
            f"with omniva override reschedule {first.clip_id} --at ... --reason ...",
        )


def excluded_jobs(jobs: Iterable[WorkerStateDigest]) -> Iterator[Finding]:
    """Jobs that must not be done beside each other, both of them under way."""
    listed = {job.job_id: job for job in sorted(jobs, key=_job_age) if job.status not in OVER}
    pairs = {
        tuple(sorted((job.job_id, other)))
        for job in listed.values()
        for other in job.excludes
        if other in listed and other != job.job_id
    }
    for pair in sorted(pairs):
        first, second = sorted((listed[one] for one in pair), key=_job_age)
        if first.status in _OPEN and second.status in _OPEN:
            yield Finding(
                "excluded_job",
                (first.job_id, second.job_id),
                tuple(dict.fromkeys((first.packet_id, second.packet_id))),
                f"{second.job_type.value} {second.job_id} must not be done beside "
                f"{first.job_type.value} {first.job_id}, which was there before: release it when "
                f"that is done: omniva override release {second.job_id} --reason ...",
            )


def opposite_orders(orders: Iterable[Order]) -> Iterator[Finding]:
    """Two directives that read opposite things out of the same evidence about one subject."""
    for group in grouped(orders, lambda order: (order.subject_id, tuple(sorted(order.evidence)))):
        ordered = sorted(group, key=lambda order: (moment(order.issued_at), order.directive_id))
        first = ordered[0]
        other = next((one for one in ordered if one.restrains != first.restrains), None)
        if other is not None:
            yield Finding(
                "opposite_orders",
                (first.directive_id, other.directive_id),
                tuple(dict.fromkeys((first.packet_id, other.packet_id))),
                f"directives {first.directive_id} and {other.directive_id} hold and free "
                f"{first.subject_id} on the same evidence: the later one is in force; say what is "
                f"meant with omniva override hold or release {first.subject_id} --reason ...",
            )


def _age(task: SlotFact) -> tuple[float, str, str]:
    return (moment(task.scheduled_at), task.clip_id, task.packet_id)


def _job_age(job: WorkerStateDigest) -> tuple[float, str]:
    return (moment(job.created_at), job.job_id)
