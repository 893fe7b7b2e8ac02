"""A creator takes consent back: what is planned stays in, what is posted comes out."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from omniva_dagster.contracts.ids import creator_id_of
from tests.scenarios.control import launch, tick
from tests.scenarios.stage import Scene
from tests.support.home import DAY

pytestmark = pytest.mark.media

Begin = Callable[[str], Scene]


@pytest.mark.part("ZEN-10")
def test_consent_taken_back_holds_the_planned_and_withdraws_the_posted(scene: Begin) -> None:
    """ZEN-10: and carries rollback guidance."""
    played = scene("prepared")
    planned, out = played.clips
    played.omniva("override", "hold", planned, "--reason", "later")
    assert played.materialize("publications").success
    (receipt,) = played.said("PublicationReceipt")
    assert receipt["clip_id"] == out

    played.omniva("creators", "revoke", "ada", "--reason", "she asked by mail")
    consent = played.recorded("ConsentRecord")[-1]
    assert consent["payload"]["status"] == "revoked"
    (cancel,) = played.recorded("Directive", creator_id_of("ada"))
    assert cancel["payload"]["kind"] == "cancel"
    assert consent["message_id"] in cancel["payload"]["evidence"]
    assert played.orders(out)[-1] == "cancel"

    outbox = played.home.path / "outbox"
    assert list(outbox.rglob("*.mp4")) == []
    (withdrawn,) = played.said("PublicationWithdrawn")
    assert withdrawn["clip_id"] == out
    assert played.said("PublicationReceipt") == [receipt], "what was posted stays on record"
    kept = list(played.home.path.rglob("receipt.json"))
    assert json.loads(kept[0].read_text())["clip_id"] == out

    # By hand, or by the sensor: nothing goes out again, and nothing is fetched.
    played.upload("late", "one", hour=22)
    launch(played, tick(played))
    assert played.materialize().success
    assert list(outbox.rglob("*.mp4")) == []
    assert len(played.said("PublicationReceipt")) == 1
    assert len(played.said("VideoAsset")) == 2
    refused = played.omniva("run", "--creator", "ada", "--day", DAY, code=None)
    assert "published" not in refused
