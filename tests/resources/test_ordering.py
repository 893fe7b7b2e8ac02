"""What a run does first; and that nothing but the order of work changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from omniva_dagster import state as db
from omniva_dagster.contracts.decisions import OutcomeStatus
from omniva_dagster.contracts.reasons import ReasonCode
from omniva_dagster.resources.ordering import (
    as_given,
    clips_in_order,
    on_candidates,
    videos_in_order,
)
from omniva_dagster.state.partition import Subject
from omniva_dagster.state.store import Store
from tests.resources.advice import (
    HERE,
    NEUTRAL,
    NOW,
    bench,
    candidate,
    guided,
    opened,
    promoted,
    video,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = opened(tmp_path / "state.db")
    yield store
    store.close()


def advice(store: Store, message_type: str) -> list[Any]:
    with store.read() as connection:
        return list(
            connection.exec_driver_sql(
                f"SELECT subject_id, body FROM packets WHERE message_type = '{message_type}' "
                "ORDER BY sequence"
            )
        )


@pytest.mark.spec("FLO-1")
def test_videos_that_are_wanted_and_that_say_something_new_enter_analysis_first(
    store: Store,
) -> None:
    """FLO-1: Lattice -> Analyzer."""
    same = [video(store, name, "budget plan", "rent") for name in ("a", "b", "c")]
    other = video(store, "d", "jazz chords")
    wanted = video(store, "e", "tax return", "rent", "budget plan")
    given = [*same, other, wanted]
    stage = bench(store, "analysis_results")
    neutral = videos_in_order(stage, given, NEUTRAL)
    assert {record.subject_id for record in neutral[:2]} & {other.subject_id}
    first = videos_in_order(stage, given, guided(subjects={"tax": 0.9}))[0]
    assert first == wanted
    # Whatever the order of work, what is returned is as it was given.
    assert as_given(neutral, given) == given
    assert videos_in_order(stage, given[::-1], NEUTRAL) == neutral


@pytest.mark.spec("ANA-4")
def test_a_video_that_failed_gives_its_place_to_one_that_did_not(store: Store) -> None:
    """ANA-4: transcript_missing, model_offline ... and Lattice reprioritizes."""
    stage = bench(store, "analysis_results")
    given = [video(store, name) for name in ("a", "b")]
    first, second = videos_in_order(stage, given, NEUTRAL)
    with store.begin() as connection:
        subject = Subject(first.subject_id, "it", first.trace_id, first.subject_id)
        db.outcomes.note(
            connection,
            HERE,
            "analysis_results",
            subject,
            OutcomeStatus.ERROR,
            NOW,
            ReasonCode.MODEL_OFFLINE,
            "the model is offline",
        )
    assert videos_in_order(stage, given, NEUTRAL) == [second, first]
    deltas = [row.body for row in advice(store, "PriorityDelta") if row[0] == first.subject_id]
    assert '"delta":-' in deltas[-1]


def test_clips_are_cut_in_the_order_of_their_candidates_and_of_the_goals(store: Store) -> None:
    records = [
        candidate(store, "v", 0.0, "jazz", priority=0.4),
        candidate(store, "v", 30.0, "tax", priority=0.5),
        candidate(store, "v", 60.0, "rent", priority=0.6),
    ]
    for record in records:
        promoted(store, record)
    stage = bench(store, "rendered_clips")
    assert clips_in_order(stage, records, NEUTRAL) == records[::-1]
    drawn = clips_in_order(stage, records, guided(subjects={"jazz": 1.0}))
    assert drawn[0] == records[0]


@pytest.mark.spec("LAT-4")
@pytest.mark.spec("LAT-5")
def test_new_candidates_are_advised_on_once(store: Store) -> None:
    """LAT-4: clustering hints for Pantheon. LAT-5: on new candidates."""
    records = [
        candidate(store, "v", 0.0, "budget plan"),
        candidate(store, "v", 30.0, "budget plan", "rent"),
        candidate(store, "v", 60.0, "jazz"),
    ]
    stage = bench(store, "clip_candidates")
    goals = guided(subjects={"jazz": 0.9})
    assert on_candidates(stage, records, goals) == 2
    (hint,) = advice(store, "ClusteringHint")
    assert all(record.subject_id in hint.body for record in records[:2])
    assert records[2].subject_id not in hint.body
    (delta,) = advice(store, "PriorityDelta")
    assert delta[0] == records[2].subject_id
    with store.read() as connection:
        numbers = db.routing.sequences_of(connection, [hint[0], delta[0]])
    assert numbers == [1, 2]
    assert on_candidates(stage, records, goals) == 0
    assert on_candidates(stage, records[::-1], goals) == 0


def test_without_goals_candidates_keep_their_priorities(store: Store) -> None:
    records = [candidate(store, "v", 0.0, "a"), candidate(store, "v", 30.0, "b")]
    assert on_candidates(bench(store, "clip_candidates"), records, NEUTRAL) == 0
