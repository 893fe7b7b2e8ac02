"""The button that stops everything, and going on afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from omniva_dagster.contracts.ids import EVERYTHING
from tests.scenarios.control import launch, tick
from tests.scenarios.stage import Scene, eventually

pytestmark = pytest.mark.media

Begin = Callable[[str], Scene]
# The work looks every two seconds whether it is still wanted.
STOPS_WITHIN = 15.0


@pytest.mark.spec("ECL-7")
@pytest.mark.part("ZEN-7")
def test_panic_stops_a_render_in_progress_and_resume_completes_it_once(scene: Begin) -> None:
    """ECL-7: the operator's panic button."""
    played = scene("planned")
    # Nor need it say anything of itself.
    played.renderer.become("stuck")
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(played.materialize)
        try:
            eventually(lambda: len(played.renderer.calls) == 2 or run.done(), 60, "both renders")
            assert not run.done()
            played.omniva("panic", "--reason", "the wrong creator is live")
            pressed = time.monotonic()
            run.result(60)
            assert time.monotonic() - pressed < STOPS_WITHIN
        finally:
            # Should it not have been stopped, it may end.
            played.renderer.become("fast")

    (signal,) = played.recorded("PanicSignal")
    (hold,) = played.recorded("Directive", EVERYTHING)
    assert (hold["payload"]["kind"], signal["payload"]["scope"]) == ("hold", "all")
    assert signal["message_id"] in hold["payload"]["evidence"]
    held = played.outcomes("rendered_clips").values()
    assert {(item.status, item.reason_code) for item in held} == {("SKIPPED", "not_released")}
    assert played.posted == []
    assert played.said("RenderedClip") == []
    assert played.half_made == []

    # While it lasts, nothing that a person or the sensor starts gets anywhere.
    launch(played, tick(played))
    assert played.materialize().success
    assert played.posted == []
    assert len(played.renderer.calls) == 2

    played.omniva("resume", "--all", "--reason", "it was a rehearsal")
    assert played.orders(EVERYTHING) == ["hold", "release"]
    launch(played, tick(played))
    assert len(played.posted) == 2
    assert played.renderer.calls == ["stuck", "stuck", "fast", "fast"]
    assert launch(played, tick(played)) == []
    assert len(played.said("PublicationReceipt")) == 2


@pytest.mark.part("ECL-7")
def test_panic_about_one_creator_leaves_the_others_alone(scene: Begin) -> None:
    """ECL-7: the operator's panic button."""
    played = scene("prepared")
    played.omniva("panic", "--creator", "bea", "--reason", "wrong account", code=None)
    assert played.orders(EVERYTHING) == []
    assert played.materialize("publications").success
    assert len(played.posted) == 2
