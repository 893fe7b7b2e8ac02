"""Creators, outcomes, decisions, publications and snapshots."""

from __future__ import annotations

import pytest

from omniva_dagster.contracts.analysis import ClipCandidate
from omniva_dagster.contracts.decisions import Directive, DirectiveKind, OutcomeStatus
from omniva_dagster.contracts.errors import ContractError
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.reasons import ReasonCode
from omniva_dagster.contracts.video import Platform
from omniva_dagster.state import creators, decisions, outbox, outcomes, publishing, snapshots
from omniva_dagster.state.partition import Subject
from omniva_dagster.state.store import Store
from tests.state.support import CLIP, HERE, LATER, NOW, emission

SUBJECT = Subject(CLIP, "a clip")


@pytest.mark.parametrize(
    "slug", ["", "Ada", "1ada", "a|b", "a/b", "..", "a,b", "a\n", "a b", "é", "a" * 64]
)
def test_a_slug_that_is_not_one_is_refused_and_says_why(store: Store, slug: str) -> None:
    with pytest.raises(ContractError) as caught, store.begin() as connection:
        creators.register(connection, slug, "http://a.example", Platform.OTHER, NOW)
    assert caught.value.details["faults"][0]["pointer"] == "/slug"


def test_registering_again_brings_up_to_date_and_back_from_the_archive(store: Store) -> None:
    with store.begin() as connection:
        before = creators.archive(connection, "ada")
        after = creators.register(connection, "ada", "http://new.example", Platform.OTHER, LATER)
    assert before.status == creators.ARCHIVED
    assert (after.status, after.url) == (creators.ACTIVE, "http://new.example")
    assert after.creator_id == before.creator_id
    assert after.registered_at == NOW


def test_an_unknown_creator_is_told_how_to_register(store: Store) -> None:
    with (
        store.read() as connection,
        pytest.raises(creators.UnknownCreatorError, match="omniva creators add nobody"),
    ):
        creators.get(connection, "nobody")


def test_a_video_asked_for_twice_keeps_its_first_day(store: Store) -> None:
    with store.begin() as connection:
        first = creators.request_video(connection, "ada", "http://v.example", "2026-03-04", NOW)
        again = creators.request_video(connection, "ada", "http://v.example", "2026-03-09", LATER)
    assert first == again == "2026-03-04"


def test_an_attempt_counts_up_only_when_work_starts_again_after_a_failure(store: Store) -> None:
    def note(status: OutcomeStatus, reason: ReasonCode | None = None) -> int:
        with store.begin() as connection:
            return outcomes.note(connection, HERE, "videos", SUBJECT, status, NOW, reason).attempt

    assert note(OutcomeStatus.RUNNING) == 1
    assert note(OutcomeStatus.ERROR, ReasonCode.NETWORK_TIMEOUT) == 1
    assert note(OutcomeStatus.RUNNING) == 2
    assert note(OutcomeStatus.DONE) == 2
    assert note(OutcomeStatus.RUNNING) == 2
    assert note(OutcomeStatus.DONE) == 2


@pytest.mark.part("STA-1")
def test_an_outcome_is_a_packet_once_it_is_final(store: Store) -> None:
    with store.begin() as connection:
        outcomes.note(connection, HERE, "videos", SUBJECT, OutcomeStatus.RUNNING, NOW)
        assert outbox.latest(connection, "Outcome", CLIP) is None
        outcomes.note(
            connection, HERE, "videos", SUBJECT, OutcomeStatus.ERROR, NOW, ReasonCode.NOT_FOUND
        )
        packet = outbox.latest(connection, "Outcome", CLIP)
    assert packet is not None
    assert packet.payload["reason_code"] == "not_found"


def _directive(kind: DirectiveKind, occurrence: str, evidence: str) -> Directive:
    return Directive(
        directive_id=derive_id("directive", kind.value, CLIP, occurrence),
        kind=kind,
        subject_id=CLIP,
        owner="uploader",
        reason="a test",
        evidence=[evidence],
        rollback="none",
        issued_at=NOW,
    )


@pytest.mark.spec("CON-12")
def test_the_latest_directive_is_in_force_and_only_a_release_permits_publishing(
    store: Store,
) -> None:
    """CON-12: only Zenith commits or cancels operational work."""
    with store.begin() as connection:
        packet_id = outbox.emit(connection, emission()).packet_id
        assert not decisions.permits(None, "edit")
        permitted = []
        for number, kind in enumerate(
            [
                DirectiveKind.PROMOTE,
                DirectiveKind.RELEASE,
                DirectiveKind.HOLD,
                DirectiveKind.RELEASE,
                DirectiveKind.CANCEL,
            ]
        ):
            directive = _directive(kind, str(number), packet_id)
            decisions.append(connection, HERE, directive, packet_id)
            standing = decisions.in_force(connection, CLIP)
            assert standing is not None
            assert standing[0] == directive
            permitted.append(
                (decisions.permits(standing[0], "edit"), decisions.permits(standing[0], "publish"))
            )
    assert permitted == [
        (True, False),
        (True, True),
        (False, False),
        (True, True),
        (False, False),
    ]


def test_a_directive_is_logged_once(store: Store) -> None:
    with store.begin() as connection:
        packet_id = outbox.emit(connection, emission()).packet_id
        directive = _directive(DirectiveKind.PROMOTE, "", packet_id)
        for _ in range(2):
            decisions.append(connection, HERE, directive, packet_id)
        assert decisions.of_partition(connection, HERE) == [(directive, packet_id)]


def test_a_promotion_stays_as_it_was_pinned(store: Store) -> None:
    def candidate(end: float) -> ClipCandidate:
        return ClipCandidate(
            start_time=1.0,
            end_time=end,
            confidence=0.5,
            subject_focus="speaker",
            faces_detected=1,
            semantic_tags=[],
            pantheon_votes={},
            lattice_priority=0.5,
            clip_id=CLIP,
        )

    with store.begin() as connection:
        video_id = derive_id("video", "v")
        decisions.promote(connection, HERE, video_id, candidate(20.0), CLIP)
        decisions.promote(connection, HERE, video_id, candidate(30.0), CLIP)
        pinned = decisions.promotion(connection, CLIP)
    assert pinned is not None
    assert pinned.candidate.end_time == 20.0


def test_a_claim_made_before_stands(store: Store) -> None:
    key = derive_id("publication", CLIP, "outbox")
    with store.begin() as connection:
        first = publishing.claim(connection, CLIP, "outbox", key)
        again = publishing.claim(connection, CLIP, "outbox", key)
    assert first == again
    assert first.status == publishing.CLAIMED


def test_a_partition_keeps_the_guidance_it_first_used(store: Store) -> None:
    with store.begin() as connection:
        first = snapshots.pin(connection, HERE, "horizon", {"desirability": 1.0}, NOW)
        later = snapshots.pin(connection, HERE, "horizon", {"desirability": 0.2}, LATER)
    assert first == later == {"desirability": 1.0}
