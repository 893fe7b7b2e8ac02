"""The control sensor's ticks and what the daemon would do with them; a clock to turn forward."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.definitions.partitions.context import partition_loading_context

from omniva_dagster.cli._home import instance
from omniva_dagster.contracts.types import format_timestamp
from omniva_dagster.definitions import definitions
from omniva_dagster.resources import control, offering
from omniva_dagster.resources.build import build_resources
from omniva_dagster.resources.workbench import Workbench
from omniva_dagster.settings import settings
from tests.scenarios.stage import Scene

# What the daemon marks a requested run with, so that a request made twice is a run once.
RUN_KEY = "dagster/run_key"


@dataclass
class Clock:
    """The time of day, for all that asks the workbench or is told."""

    moment: datetime

    @property
    def now(self) -> str:
        """As contracts write it."""
        return format_timestamp(self.moment)

    def turn(self, seconds: float) -> str:
        """It is later now."""
        self.moment += timedelta(seconds=seconds)
        return self.now

    def turn_to(self, moment: str) -> str:
        """It is then now, and a second more."""
        self.moment = datetime.fromisoformat(moment) + timedelta(seconds=1)
        return self.now


def clock(patch: pytest.MonkeyPatch) -> Clock:
    """A clock that stands still unless it is turned."""
    made = Clock(datetime.now(UTC).replace(microsecond=0))
    patch.setattr(Workbench, "now", property(lambda _bench: made.now))
    return made


def cycle(scene: Scene, now: str = "") -> control.CycleReport:
    """A control cycle at a time of the caller's."""
    return control.run_cycle(scene.home.store, now or format_timestamp(datetime.now(UTC)))


def tick(scene: Scene, opened: dg.DagsterInstance | None = None) -> list[dg.RunRequest]:
    """A tick of the control sensor: the runs that it asks for."""
    if opened is None:
        with instance() as own:
            return tick(scene, own)
    located = definitions(settings())
    sensor = located.get_repository_def().get_sensor_def("zenith_control")
    resources = {"state": build_resources(settings())["state"]}
    context = dg.build_sensor_context(instance=opened, resources=resources, definitions=located)
    # Which creators there are, Dagster's instance knows.
    with partition_loading_context(dynamic_partitions_store=opened):
        data = sensor.evaluate_tick(context)
    return list(data.run_requests or [])


def launch(scene: Scene, requests: Sequence[dg.RunRequest]) -> list[dg.ExecuteInProcessResult]:
    """Run what a tick asked for, as the daemon does: a run key once."""
    results = []
    with instance() as opened:
        for request in requests:
            known = dg.RunsFilter(tags={RUN_KEY: request.run_key or ""})
            if opened.get_runs(known, limit=1):
                continue
            creator, day = str(request.partition_key).split("|")
            results.append(
                scene.materialize(
                    creator=creator,
                    day=day,
                    tags={**request.tags, RUN_KEY: request.run_key or ""},
                    instance=opened,
                )
            )
    return results


def launch_due(scene: Scene, now: str) -> list[dg.ExecuteInProcessResult]:
    """Run what Zenith wants at a time of the caller's; a tick of the sensor knows the real one."""
    with instance() as opened:
        offered = offering.offer(scene.home.store, opened, now)
        return [
            scene.materialize(
                creator=item.partition.creator,
                day=item.partition.day,
                tags={**item.tags, RUN_KEY: item.intent_id},
                run_config=item.run_config or None,
                instance=opened,
            )
            for item in offered.launches
        ]
