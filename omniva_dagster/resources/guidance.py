"""The guidance that partitions use: pinned at the first use, whatever Horizon says later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from omniva_dagster import state as db
from omniva_dagster.contracts.cognition.common import GoalWindow
from omniva_dagster.contracts.errors import ContractError
from omniva_dagster.engines import horizon
from omniva_dagster.resources.goals import read_goals
from omniva_dagster.resources.recalibration import recalibrate
from omniva_dagster.resources.workbench import Workbench
from omniva_dagster.state.partition import Partition

if TYPE_CHECKING:
    import sqlalchemy as sa

    from omniva_dagster.state.guidance import Recorded
    from omniva_dagster.workers.scheduler import Nudges

KIND = "horizon"  # of the snapshots that partitions pin
# Guidance of a day serves the days after it, while it is not older than this.
SERVES_DAYS = 7


@dataclass(frozen=True)
class Guided:
    """The guidance that a partition uses, from now on and for ever."""

    partition: Partition
    body: dict[str, Any]

    @property
    def neutral(self) -> bool:
        """Whether nothing is asked for."""
        return "campaign" not in self.body

    @property
    def note(self) -> str:
        """Which guidance it is."""
        if self.neutral:
            return (
                f"neutral: no campaign applied to {self.partition.creator} when "
                f"{self.partition.day} was first worked on, and none was recorded for that day"
            )
        return (
            f"campaign {self.body['campaign']}, as Horizon saw it on {self.body['made_for']} "
            f"(recorded {self.body['made_at']})"
        )

    @property
    def metadata(self) -> dict[str, Any]:
        """The guidance for people: which it is, and what it says."""
        return {"which": self.note, **self.body}

    @property
    def packet_ids(self) -> tuple[str, ...]:
        """The packets it stands in; none when it is neutral."""
        return tuple(self.body.get("packets", {}).values())

    @property
    def goal_window(self) -> GoalWindow | None:
        """When it applies; None when it is neutral."""
        return None if self.neutral else GoalWindow(**self.body["goal_window"])

    def desirability(self, tags: Sequence[str]) -> float:
        """How much a clip about these tags is wanted in the long run; 0.5 is neutral."""
        return horizon.desirability(self.body.get("subjects", {}), tags)

    @property
    def pull(self) -> float:
        """How much the goals want this creator's work done, in [-1, 1]; the strongest of them."""
        return max(self.body.get("gradients", {}).values(), key=abs, default=0.0)

    def nudges(self) -> Nudges | None:
        """What the scheduler is to weigh slots by; None when it is neutral."""
        from omniva_dagster.workers.scheduler import Nudges

        if self.neutral:
            return None
        window = self.body["goal_window"]
        slots = self.body["slots"]
        return Nudges(
            window["since"],
            window["until"],
            {(day, hour): value for day, hour, value, _ in slots},
            {(day, hour): why for day, hour, _, why in slots},
            self.body["delay_cost"],
            self.body.get("daily_target"),
        )


def of_partition(bench: Workbench) -> Guided:
    """The guidance of the partition at hand: what it pinned before; else what was recorded for its
    day, made now if it is today's; else neutral. With a wrong goals file, what was recorded before
    it went wrong stands."""
    partition = bench.partition
    with bench.store.read() as connection:
        standing = db.snapshots.pinned(connection, partition, KIND)
    if standing is not None:
        return Guided(partition, standing)
    if partition.day == bench.now[:10]:
        try:
            recalibrate(bench.store, read_goals(), bench.now, [partition.creator])
        except ContractError as error:
            bench.log.warning(
                "the goals file is wrong, so what was recorded before stands: %s; "
                "see: omniva horizon goals check",
                error,
            )
    with bench.store.begin() as connection:
        recorded = recorded_for(connection, partition.creator, partition.day)
        current = recorded.body if recorded else horizon.neutral_guidance(partition.day)
        return Guided(partition, db.snapshots.pin(connection, partition, KIND, current, bench.now))


def recorded_for(connection: sa.Connection, creator: str, day: str) -> Recorded | None:
    """The guidance that was recorded for a creator's day, if its campaign ran then."""
    since = (datetime.fromisoformat(day) - timedelta(days=SERVES_DAYS)).date().isoformat()
    found = db.guidance.latest(connection, creator, day, since)
    if found is None or not found.goals_digest:
        return None
    window = found.body["goal_window"]
    return found if window["since"] <= f"{day}T00:00:00Z" < window["until"] else None
