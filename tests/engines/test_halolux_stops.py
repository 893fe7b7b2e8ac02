"""HaloLux on what is stopped: by whom, how to undo it, and what was decided against by whom."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from omniva_dagster.contracts.cognition.halolux import InterpretabilityBundle
from omniva_dagster.contracts.ids import EVERYTHING, creator_id_of, derive_id
from omniva_dagster.engines.halolux import Packet, explain, unfounded_in
from tests.engines.halolux_packets import CLIP, VIDEO, WEAK, about, directive, packet, talk

WITHOUT_RECEIPT = [one for one in talk() if one.message_type != "PublicationReceipt"]


def told(*more: Packet, of: list[Packet] = WITHOUT_RECEIPT) -> InterpretabilityBundle:
    packets = [*of, *more]
    bundle = explain(about(CLIP), packets)
    assert unfounded_in(bundle, packets) == []
    return bundle


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        (EVERYTHING, "all work is held back"),
        (creator_id_of("ada"), "all work for its creator is held back"),
        (VIDEO, "all work on its video is held back"),
    ],
)
def test_a_clip_that_waits_for_what_is_held_around_it_says_so_first(
    subject: str, words: str
) -> None:
    held = directive("hold", subject, at="11:00:00")
    first = told(held).narrative[0]
    assert words in first.text
    assert f"to undo that: “omniva override release {subject}" in first.text
    assert held.packet_id in first.packets


def test_a_hold_around_it_that_was_lifted_is_not_told_as_if_it_held() -> None:
    held = directive("hold", EVERYTHING, at="11:00:00")
    freed = directive("release", EVERYTHING, held, at="12:00:00")
    assert "held back" not in told(held, freed).narrative[0].text


def test_a_clip_that_is_out_is_not_said_to_wait() -> None:
    held = directive("hold", EVERYTHING, at="11:00:00")
    assert "held back" not in told(held, of=talk()).narrative[0].text


def test_a_hold_that_ends_says_when() -> None:
    held = directive("hold", EVERYTHING, at="11:00:00", until="2026-03-05T10:00:00Z")
    assert "until 2026-03-05 10:00 UTC" in told(held).narrative[0].text


def test_what_was_decided_against_is_told_once_with_who_advised_it() -> None:
    """A directive names the advice it overrode, its verdict the engine that gave it."""
    advice = "release: rendered and ready"
    hold = directive("hold", CLIP, at="11:00:00", overrode=[advice])
    said: dict[str, Any] = {
        "verdict_id": derive_id("verdict", "one"),
        "directive_id": hold.payload["directive_id"],
        "subject_id": CLIP,
        "chosen": "zenith",
        "overridden": ["pantheon"],
        "precedence_rule": "3. override: an operator's newest word",
        "advice": [
            {"engine": "zenith", "recommends": "hold", "packet_id": hold.packet_id},
            {"engine": "pantheon", "recommends": advice, "packet_id": hold.packet_id},
        ],
        "decided_at": "2026-03-04T11:00:00Z",
    }
    verdict = packet("ArbitrationVerdict", said, hold, producer="zenith", at="11:00:00")
    found = [one for one in told(hold, verdict).alternatives if advice in one.alternative]
    assert [one.advised_by for one in found] == ["pantheon"]


def test_advice_that_names_no_engine_is_not_given_to_one_of_that_name() -> None:
    hold = directive("hold", CLIP, at="11:00:00", overrode=["release: it is ready"])
    (found,) = [one for one in told(hold).alternatives if "it is ready" in one.alternative]
    assert found.advised_by == "zenith"


def _why_not(*more: Packet) -> str:
    return explain(about(WEAK), [*talk(), *more]).narrative[0].text


def test_a_hold_that_was_lifted_is_no_reason_why_no_clip_was_made() -> None:
    held = directive("hold", WEAK, at="11:00:00")
    assert "is held back" in _why_not(held)
    freed = directive("release", WEAK, held, at="12:00:00")
    assert "held" not in _why_not(held, freed)
    beside = explain(about(CLIP), [*talk(), held, freed]).alternatives
    reasons = [one.reason for one in beside if "1:30 to 2:00" in one.alternative]
    assert reasons == ["it is below the priority of 0.35 that a clip needs"]


@pytest.mark.parametrize("gone", ["start_time", "lattice_priority"])
def test_a_damaged_candidate_does_not_stand_in_the_way_of_the_others(gone: str) -> None:
    damaged = [
        replace(one, payload={name: one.payload[name] for name in one.payload if name != gone})
        if one.message_type == "ClipCandidate" and one.subject_id == WEAK
        else one
        for one in talk()
    ]
    for subject in (CLIP, WEAK, VIDEO):
        bundle = explain(about(subject), damaged)
        assert unfounded_in(bundle, damaged) == []
