"""An asset that raises runs no check: the run's failure itself is heard, and the run made again."""

from __future__ import annotations

from collections.abc import Callable

import dagster as dg
import pytest

from omniva_dagster.cli._home import instance
from omniva_dagster.definitions import definitions
from omniva_dagster.resources.build import build_resources
from omniva_dagster.settings import settings
from tests.scenarios.control import clock, cycle, launch_due
from tests.scenarios.stage import Scene

pytestmark = pytest.mark.media

Begin = Callable[[str], Scene]


def _heard(result: dg.ExecuteInProcessResult) -> None:
    """What the daemon does when a run has failed: the sensor for that is told."""
    located = definitions(settings())
    sensor = located.get_repository_def().get_sensor_def("eclipse_run_failures")
    assert isinstance(sensor, dg.RunStatusSensorDefinition)
    with instance() as opened:
        run = opened.get_run_by_id(result.run_id)
        assert run is not None
        context = dg.build_run_status_sensor_context(
            sensor_name=sensor.name,
            dagster_event=result.get_run_failure_event(),
            dagster_instance=opened,
            dagster_run=run,
        ).for_run_failure()
        sensor(context, state=build_resources(settings())["state"])


@pytest.mark.part("ECL-1")
def test_an_asset_that_raises_is_planned_for_and_its_partition_run_again_once(
    scene: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ECL-1: takes worker errors, timeouts, abnormal logs, health deviations."""
    played = scene("prepared")
    time = clock(monkeypatch)
    # The warehouse's folder for receipts is not one: storing raises, beyond any document's fault.
    obstacle = played.home.path / "warehouse" / "publications"
    obstacle.parent.mkdir(exist_ok=True)
    obstacle.write_text("in the way")
    failed = played.materialize("publications")
    assert not failed.success
    for _ in range(2):
        _heard(failed)

    cycle(played, time.now)
    (event,) = played.said("WorkerErrorEvent")
    (plan,) = played.said("RetryPlan")
    assert plan["job_id"] == event["job_id"]
    assert plan["next_attempt_at"] > time.now
    assert launch_due(played, time.now) == []

    obstacle.unlink()
    cycle(played, time.turn_to(plan["next_attempt_at"]))
    (again,) = launch_due(played, time.now)
    assert again.success
    assert len(played.posted) == 2
    for _ in range(2):
        cycle(played, time.turn(600))
        assert launch_due(played, time.now) == []
    assert len(played.said("PublicationReceipt")) == 2
    assert len(played.said("RetryPlan")) == 1
