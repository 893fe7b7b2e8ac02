"""A renderer that crashes, or dies with its machine: retried, rerouted, isolated, well again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from omniva_dagster.resources.recovery import reroutes_in_force
from tests.scenarios.control import clock, cycle, launch_due
from tests.scenarios.stage import Scene, eventually
from tests.support.home import DAY, environment

pytestmark = [pytest.mark.media, pytest.mark.takes(30)]

Begin = Callable[[str], Scene]


@pytest.mark.spec("ECL-2", "ECL-5", "ECL-9")
@pytest.mark.part("ECL-3")
def test_a_crashed_renderer_is_retried_rerouted_isolated_and_ready_again(
    scene: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ECL-2: retry plans per job with backoff. ECL-5: fires on consecutive failures over
    threshold. ECL-9: readiness signal when safe again."""
    played = scene("planned")
    time = clock(monkeypatch)
    played.renderer.become("crash")

    # It crashes on both clips: each has a plan, and the plainest way is tried next.
    assert played.materialize().success
    cycle(played, time.now)
    first = played.said("RetryPlan")
    assert {item["job_id"] for item in first} == set(played.clips)
    assert {item["attempts_made"] for item in first} == {1}
    (reroute,) = played.said("FallbackStrategy")
    assert reroute["from_target"] == "editor:encoder"
    with played.home.store.read() as connection:
        assert "editor:encoder" in reroutes_in_force(connection, time.now)
    assert played.said("QuarantineInstruction") == []

    # Nothing is tried before its time, whoever asks Zenith.
    cycle(played, time.turn(5))
    assert launch_due(played, time.now) == []
    assert len(played.renderer.calls) == 2

    # The second attempt crashes too: this machine's renderer gets no more work.
    due = max(item["next_attempt_at"] for item in first)
    cycle(played, time.turn_to(due))
    assert len(launch_due(played, time.now)) == 1, "both clips in one run"
    assert played.renderer.calls == ["crash"] * 4
    cycle(played, time.turn(1))
    second = [item for item in played.said("RetryPlan") if item["attempts_made"] == 2]
    assert len(second) == 2
    waits = [item["next_attempt_at"] for item in (first[0], second[0])]
    assert waits == sorted(waits)
    (isolated,) = played.said("QuarantineInstruction")
    assert isolated["subject"].startswith("editor/")
    orders = [item["kind"] for item in played.said("Directive")]
    assert orders.count("reroute") == 1
    assert orders.count("hold") == 1

    # While it is isolated a person's run leaves the renderer alone, too.
    assert played.materialize("rendered_clips").success
    assert len(played.renderer.calls) == 4
    held = {item.reason_code for item in played.outcomes("rendered_clips").values()}
    assert held == {"not_released"}
    assert played.said("ReadinessSignal") == []

    # It is repaired; after the quarantine one try decides.
    played.renderer.become("fast")
    time.turn_to(isolated["until"])
    for _ in range(4):
        cycle(played, time.now)
        launch_due(played, time.now)
        time.turn(61)
    assert len(played.posted) == 2
    (ready,) = played.said("ReadinessSignal")
    assert ready["lifts"] == [isolated["instruction_id"]]
    assert played.renderer.calls == ["crash"] * 4 + ["fast"] * 2
    assert len(played.said("PublicationReceipt")) == 2


@pytest.mark.spec("ECL-6")
def test_a_run_that_died_with_its_machine_is_noticed_and_done_by_another(
    scene: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ECL-6: heartbeat gaps over SLA."""
    played = scene("planned")
    played.renderer.become("slow")
    process = subprocess.Popen(
        [sys.executable, "-c", "from omniva_dagster.cli import main; main()",
         "run", "--creator", "ada", "--day", DAY, "--json"],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(played.home.path),
            **environment(played.home.path),
            "OMNIVA_FFMPEG": str(played.renderer.path),
        },
        cwd=played.home.path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        eventually(lambda: len(played.renderer.calls) == 2, 60, "both renders")
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)

    time = clock(monkeypatch)
    cycle(played, time.now)
    assert played.said("RetryPlan") == [], "it may only be slow"
    cycle(played, time.turn(300))
    cycle(played, time.turn(1))
    alarms = played.said("HealthDeviation") + played.said("TimeoutAlert")
    assert alarms
    assert {item["worker"] for item in alarms} == {"editor"}
    plans = played.said("RetryPlan")
    assert {item["job_id"] for item in plans} == set(played.clips)

    played.renderer.become("fast")
    due = max(item["next_attempt_at"] for item in plans)
    cycle(played, time.turn_to(due))
    assert len(launch_due(played, time.now)) == 1
    assert len(played.posted) == 2
    cycle(played, time.turn(3600))
    assert launch_due(played, time.now) == []
    assert len(played.said("PublicationReceipt")) == 2
