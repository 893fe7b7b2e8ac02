"""What the queue does: slots are booked, changed and given up, and none twice (5.5)."""

from __future__ import annotations

from collections.abc import Sequence

from omniva_dagster.contracts.cognition.common import GoalWindow
from omniva_dagster.contracts.operations.scheduler import (
    Constraint,
    Mutation,
    QueueMutation,
    ScheduleCommand,
    SchedulerFault,
)
from omniva_dagster.contracts.reasons import ReasonCode, WorkerError


def commit(
    command: ScheduleCommand, booked: str | None, reason: str, at: str
) -> QueueMutation | None:
    """What a command changes in the queue; None where the clip has that slot already.

    ``booked`` is the slot that the clip has. Raises `SlotConflictError` where the slot is another
    clip's: Paradox is to look for duplicates.
    """
    task, slot = command.task, command.task.recommended_time
    if slot == booked:
        return None
    holders = [entry.clip_id for entry in command.queue.entries if entry.slot == slot]
    others = sorted(set(holders) - {task.clip_id})
    if others:
        raise SlotConflictError(task.clip_id, others, slot)
    moved = {"previous_time": booked} if booked else {}
    return QueueMutation(
        clip_id=task.clip_id,
        mutation=Mutation.RESCHEDULED if booked else Mutation.SCHEDULED,
        commitment_time=slot,
        goal_window=command.goal_window,
        reason=reason,
        evidence=list(dict.fromkeys(task.meta_parents or [command.directive_id])),
        decided_at=at,
        **moved,
    )


def skipped(
    clip_id: str, booked: str, window: GoalWindow, reason: str, evidence: Sequence[str], at: str
) -> QueueMutation:
    """A clip loses its slot and gets no other."""
    return QueueMutation(
        clip_id=clip_id,
        mutation=Mutation.SKIPPED,
        previous_time=booked,
        goal_window=window,
        reason=reason,
        evidence=list(evidence),
        decided_at=at,
    )


class SlotConflictError(WorkerError):
    """A slot that somebody asks for is another clip's."""

    def __init__(self, clip_id: str, others: Sequence[str], slot: str) -> None:
        super().__init__(
            ReasonCode.SCHEDULER_FAULT,
            f"the slot {slot} is taken by clip {others[0]}; choose another: "
            f"omniva override reschedule {clip_id} --at TIME --reason ...",
        )
        self.clip_ids = [clip_id, *others]
        self.slot = slot

    def fault(self, attempt: int, evidence: Sequence[str], at: str) -> SchedulerFault:
        """The same as a document, which invites Paradox."""
        return SchedulerFault(
            message=self.message,
            transient=False,
            attempt=attempt,
            retries_exhausted=True,
            failed_at=at,
            evidence=list(evidence),
            constraint=Constraint.DOUBLE_BOOKING,
            clip_ids=self.clip_ids,
            slot=self.slot,
            paradox_invited=True,
        )
