"""The check that everything decided and published can be explained: what it finds, and how bad."""

from __future__ import annotations

from dataclasses import replace

import dagster as dg

from omniva_dagster.checks.halolux import verdict
from omniva_dagster.contracts.cognition.halolux import Sentence
from omniva_dagster.engines.halolux import explain
from omniva_dagster.resources.explaining import Explained
from tests.engines.halolux_packets import CLIP, TITLE, about, talk, without


def _explained(seconds: float = 0.01, gone: int | None = None) -> Explained:
    packets = talk() if gone is None else without(talk(), talk()[gone])
    question = about(CLIP)
    return Explained(question, explain(question, packets), tuple(packets), seconds, kept=False)


def test_what_is_wholly_explained_passes_and_shows_its_story() -> None:
    found = verdict([_explained()], kept=2)
    assert found.passed
    assert found.metadata["high_impact_recorded"].value == 2
    assert TITLE in str(found.metadata["stories"].value)


def test_evidence_that_is_missing_is_a_warning_that_names_it() -> None:
    found = verdict([_explained(gone=2)], kept=0)
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert talk()[2].packet_id in str(found.metadata["findings"].value)
    assert float(str(found.metadata["completeness"].value)) < 1


def test_more_than_two_seconds_is_a_warning() -> None:
    found = verdict([_explained(seconds=2.1)], kept=0)
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "took 2.1 s" in str(found.metadata["findings"].value)


def test_a_sentence_that_no_packet_bears_out_is_an_error() -> None:
    one = _explained()
    lie = Sentence(text="It was seen 1000000 times.", packets=one.bundle.narrative[0].packets)
    bundle = one.bundle.model_copy(update={"narrative": [*one.bundle.narrative, lie]})
    found = verdict([replace(one, bundle=bundle)], kept=0)
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert "1000000" in str(found.metadata["findings"].value)


def test_a_sentence_that_cites_a_packet_which_is_not_there_is_an_error() -> None:
    one = _explained()
    found = verdict([replace(one, packets=one.packets[1:])], kept=0)
    assert found.severity is dg.AssetCheckSeverity.ERROR
