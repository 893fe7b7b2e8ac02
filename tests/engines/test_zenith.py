"""Zenith decides once, on evidence, the same way every time."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniva_dagster.contracts.analysis import ClipCandidate
from omniva_dagster.contracts.decisions import DirectiveKind
from omniva_dagster.contracts.ids import candidate_id_of, derive_id
from omniva_dagster.engines.zenith import (
    Dossier,
    Judged,
    Prepared,
    Rules,
    decide,
    overlap,
)

NOW = "2026-03-04T05:06:07Z"
VIDEO = derive_id("video", "v")
CLIP = derive_id("clip", "c")


def candidate(start: float, end: float, priority: float = 0.8) -> ClipCandidate:
    return ClipCandidate(
        start_time=start,
        end_time=end,
        confidence=0.5,
        subject_focus="speaker",
        faces_detected=1,
        semantic_tags=[],
        pantheon_votes={"craft": priority, "trend": max(0.0, priority - 0.5)},
        lattice_priority=priority,
    )


def judged(start: float, end: float, priority: float = 0.8) -> Judged:
    candidate_id = candidate_id_of(VIDEO, start, end)
    return Judged(candidate_id, candidate(start, end, priority), derive_id("packet", candidate_id))


spans = st.lists(
    st.builds(
        lambda start, length, priority: judged(start, start + length, priority),
        st.integers(0, 200).map(float),
        st.integers(15, 60).map(float),
        st.floats(0, 1).map(lambda value: round(value, 3)),
    ),
    max_size=12,
    unique_by=lambda item: item.candidate_id,
)


@pytest.mark.spec("ZEN-9")
@pytest.mark.spec("ZEN-10")
@given(spans)
def test_every_directive_names_its_evidence_and_the_way_back(items: list[Judged]) -> None:
    """ZEN-9, ZEN-10: each command references its evidence and carries rollback guidance."""
    packets = {item.candidate_id: item.packet_id for item in items}
    for directive in decide(Dossier(VIDEO, NOW, judged=tuple(items))).directives:
        assert directive.evidence == [packets[directive.subject_id]]
        assert directive.rollback
        assert directive.issued_by == "zenith"


@given(spans, st.randoms(use_true_random=False))
def test_the_order_of_the_input_does_not_matter(items: list[Judged], rng: random.Random) -> None:
    shuffled = list(items)
    rng.shuffle(shuffled)
    one = decide(Dossier(VIDEO, NOW, judged=tuple(items)))
    other = decide(Dossier(VIDEO, NOW, judged=tuple(shuffled)))
    assert one == other


@given(spans, st.integers(1, 5), st.floats(0, 1))
def test_promotions_do_not_overlap_and_keep_to_the_rules(
    items: list[Judged], most: int, least: float
) -> None:
    by_id = {item.candidate_id: item.candidate for item in items}
    dossier = Dossier(VIDEO, NOW, judged=tuple(items), rules=Rules(most, least))
    chosen = [by_id[directive.subject_id] for directive in decide(dossier).directives]
    assert len(chosen) <= most
    assert all(clip.lattice_priority >= least for clip in chosen)
    assert all(overlap(a, b) == 0 for i, a in enumerate(chosen) for b in chosen[:i])


def test_a_video_with_clips_gets_no_others_unless_asked() -> None:
    pinned = candidate(0.0, 20.0).model_copy(update={"clip_id": CLIP})
    dossier = Dossier(VIDEO, NOW, judged=(judged(30.0, 50.0),), promoted=(pinned,))
    assert decide(dossier).directives == []
    replanned = decide(Dossier(VIDEO, NOW, judged=dossier.judged, promoted=(pinned,), replan=True))
    assert [directive.kind for directive in replanned.directives] == [DirectiveKind.PROMOTE]


def test_a_slightly_shifted_span_is_no_new_clip_even_when_asked_for_more() -> None:
    pinned = candidate(10.0, 40.0).model_copy(update={"clip_id": CLIP})
    dossier = Dossier(VIDEO, NOW, judged=(judged(11.0, 41.5),), promoted=(pinned,), replan=True)
    assert decide(dossier).directives == []


def test_advice_decided_against_is_named() -> None:
    (directive,) = decide(Dossier(VIDEO, NOW, judged=(judged(0.0, 20.0, 0.8),))).directives
    assert directive.overrode == ["pantheon/trend voted 0.30"]


@pytest.mark.parametrize(
    ("in_force", "released"),
    [
        (DirectiveKind.PROMOTE, True),
        (DirectiveKind.RELEASE, False),
        (DirectiveKind.HOLD, False),
        (DirectiveKind.CANCEL, False),
        (None, False),
    ],
)
def test_only_a_promoted_clip_that_nothing_holds_is_released(
    in_force: DirectiveKind | None, released: bool
) -> None:
    dossier = Dossier(
        VIDEO,
        NOW,
        prepared=(Prepared(CLIP, (derive_id("packet", "p"),)),),
        in_force={CLIP: in_force} if in_force else {},
    )
    kinds = [directive.kind for directive in decide(dossier).directives]
    assert kinds == ([DirectiveKind.RELEASE] if released else [])
