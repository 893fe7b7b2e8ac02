"""Why a thing was held, who set it free, and why a clip was never made: from the ledger alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from omniva_dagster.contracts.cognition.halolux import InterpretabilityBundle
from tests.scenarios.stage import Scene
from tests.support.home import DAY

pytestmark = [pytest.mark.media, pytest.mark.takes(30)]

Begin = Callable[[str], Scene]


def _why(scene: Scene, sought: str) -> InterpretabilityBundle:
    return InterpretabilityBundle.parse(scene.omniva("explain", sought, "--json"))


def _words(bundle: InterpretabilityBundle) -> str:
    return " ".join(sentence.text for sentence in bundle.narrative)


@pytest.mark.part("HAL-1")
def test_a_clip_that_an_operator_held_and_freed_is_told_from_its_page_to_its_receipt(
    scene: Begin,
) -> None:
    """HAL-1: takes decisions, evidence, telemetry, lineage ids, user queries."""
    played = scene("prepared")
    clip = played.clips[0]
    played.omniva("override", "hold", clip, "--reason", "the sponsor wants to see it first")
    assert played.materialize("publications").success
    held = _why(played, clip)
    assert "is held back" in held.narrative[0].text
    assert "the sponsor wants to see it first" in _words(held)
    assert held.completeness == 1

    played.omniva("override", "release", clip, "--reason", "the sponsor has seen it")
    result = played.materialize("publications")
    assert result.success
    freed = _why(played, clip)
    story = _words(freed)
    (receipt,) = played.said("PublicationReceipt", clip)
    order = [
        "asked for what",
        "The analyzer heard",
        "Zenith promoted it",
        "It was cut with",
        "the sponsor wants to see it first",
        "Zenith held it back",
        "the sponsor has seen it",
        receipt["receipt_id"],
    ]
    first = len(freed.narrative[0].text)
    assert sorted(order, key=lambda text: story.index(text, first)) == order
    assert freed.completeness == 1
    (check,) = (
        item for item in result.get_asset_check_evaluations() if item.check_name == "halolux"
    )
    assert check.passed
    assert receipt["location"].rsplit("/", 1)[0] not in ("", None)
    day = _words(_why(played, f"ada/{DAY}"))
    assert "the sponsor has seen it" in day


def test_a_duplicate_that_was_held_is_explained_by_the_conflict(scene: Begin) -> None:
    played = scene("published")
    played.upload("copy", "one")
    assert played.materialize("scraper_jobs", "videos").success
    (conflict,) = played.said("ConflictResolution")
    copy = conflict["affected_ids"][1]
    bundle = _why(played, copy)
    story = _words(bundle)
    assert "Paradox found a duplicate of 2 documents" in story
    assert story.index("Paradox found") < story.index("Zenith held it back")
    assert bundle.missing_evidence == []
