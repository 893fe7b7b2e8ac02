"""What holds a subject, and what lifts that: advice by advice."""

from __future__ import annotations

import pytest

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition.common import Engine
from omniva_dagster.contracts.decisions import DirectiveKind
from omniva_dagster.contracts.ids import EVERYTHING, derive_id, worker_id_of
from omniva_dagster.engines.zenith import Dossier, Ground, Posted, Standing, decide
from omniva_dagster.engines.zenith.precedence import PRECEDENCE
from tests.engines.zenith_standing import ADA, EDITOR, heard, held, kinds, promoted
from tests.engines.zenith_words import (
    CLIP,
    LATER,
    NOW,
    OTHER,
    SEEN,
    conflict,
    consent,
    fallback,
    override,
    panic,
    quarantine,
    readiness,
    retry,
    word,
)


def test_the_precedence_is_as_declared() -> None:
    assert [rule.name for rule in PRECEDENCE] == [
        "consent",
        "panic",
        "override",
        "takedown",
        "evidence_missing",
        "conflict_block",
        "conflict_quarantine",
        "compliance",
        "quarantine",
        "fallback",
        "retry",
        "schedule",
        "routing",
        "merit",
    ]


@pytest.mark.parametrize("action", ["block", "quarantine"])
def test_of_duplicates_all_but_the_oldest_are_held_on_the_conflicts_evidence(action: str) -> None:
    found = word(conflict(action))
    decision = decide(Dossier(now=NOW, words=(found,)))
    (directive,) = decision.directives
    assert (directive.kind, directive.subject_id) == (DirectiveKind.HOLD, CLIP)
    assert directive.evidence == [found.packet_id]
    assert f"omniva override release {CLIP}" in directive.rollback


@pytest.mark.parametrize("kind", ["circular_dependency", "conflicting_timestamps"])
def test_of_a_circle_or_of_contradicting_times_everything_is_held(kind: str) -> None:
    assert kinds(heard(conflict(kind=kind))) == sorted(
        [("hold", OTHER), ("hold", CLIP)], key=lambda item: item[1]
    )


def test_what_paradox_ignores_is_not_held_and_a_hold_of_it_ends() -> None:
    assert heard(conflict("ignore")).directives == []
    conflict_id = conflict().conflict_id
    ground = Ground(conflict_id, SEEN, "conflict_quarantine", DirectiveKind.HOLD, "twice")
    standing = Standing(CLIP, grounds=(ground,), permit=promoted(), latest=promoted())
    assert kinds(heard(conflict("ignore"), standings=(standing,))) == [("promote", CLIP)]


@pytest.mark.part("ZEN-6")
@pytest.mark.parametrize(
    ("signal", "subject"),
    [
        (panic(), EVERYTHING),
        (panic("worker", ["editor"]), EDITOR),
        (panic("creator", ["ada"]), ADA),
    ],
)
def test_the_panic_button_holds_its_scope(signal: Document, subject: str) -> None:
    decision = heard(signal)
    assert kinds(decision) == [("hold", subject)]
    assert "omniva resume --signal" in decision.directives[0].rollback


def test_the_same_word_heard_again_changes_nothing() -> None:
    said = (panic("worker", ["editor"]), conflict(), quarantine("creator", "ada"))
    first = heard(*said)
    standings = []
    for order in first.orders:
        known = Standing(
            order.directive.subject_id, order.scope, grounds=order.joins, latest=order.directive
        )
        standings.append(known)
    again = heard(*said, standings=tuple(standings))
    assert (again.orders, again.lifts, again.verdicts) == ((), (), ())


def test_a_subject_held_on_two_grounds_is_free_only_when_both_are_lifted() -> None:
    instruction = quarantine()
    isolated = Ground(
        instruction.instruction_id, SEEN, "quarantine", DirectiveKind.HOLD, "failures", "d1"
    )
    stopped = held("panic")
    both = Standing(EDITOR, "worker", "editor", grounds=(isolated, stopped))
    ready = readiness(instruction.instruction_id)
    decision = heard(ready, standings=(both,))
    assert [lift.grounds for lift in decision.lifts] == [(instruction.instruction_id,)]
    # The log says what it is held on from now on; nothing is released.
    assert kinds(decision) == [("hold", EDITOR)]
    left = Standing(EDITOR, "worker", "editor", grounds=(isolated,))
    assert kinds(heard(ready, standings=(left,))) == [("release", EDITOR)]


def test_readiness_lifts_exactly_what_it_names() -> None:
    other = Standing(EDITOR, "worker", "editor", grounds=(held("quarantine"),))
    assert heard(readiness(derive_id("instruction", "nobody")), standings=(other,)).orders == ()


@pytest.mark.parametrize("permit", [DirectiveKind.PROMOTE, DirectiveKind.RELEASE])
def test_a_released_clip_is_what_it_was_before_it_was_held(permit: DirectiveKind) -> None:
    before = promoted().model_copy(update={"kind": permit})
    standing = Standing(CLIP, permit=before, latest=before, grounds=(held("conflict_block"),))
    decision = heard(override("release"), standings=(standing,))
    assert kinds(decision) == [(permit.value, CLIP)]
    (directive,) = decision.directives
    assert held("conflict_block").packet_id in directive.evidence
    assert any(held("conflict_block").ground in text for text in directive.overrode)


@pytest.mark.part("ZEN-4")
def test_a_hold_on_what_the_judges_chose_is_a_verdict() -> None:
    (verdict,) = heard(conflict(), standings=(Standing(CLIP, permit=promoted()),)).verdicts
    assert (verdict.chosen, verdict.overridden) == (Engine.PARADOX, [Engine.PANTHEON])
    assert verdict.directive_id is not None


def test_a_hold_ends_when_its_time_is_over_and_not_before() -> None:
    until = quarantine("creator", "ada", until=LATER)
    (order,) = heard(until).orders
    assert order.directive.until == LATER
    standing = Standing(ADA, "creator", "ada", grounds=order.joins, latest=order.directive)
    known = {ADA: standing}
    assert decide(Dossier(now=NOW, standings=known)).orders == ()
    over = decide(Dossier(now=LATER, standings=known))
    assert kinds(over) == [("release", ADA)]
    assert over.directives[0].evidence == [order.joins[0].packet_id]


def test_a_retry_is_ordered_for_its_time_and_not_while_the_job_is_held() -> None:
    (directive,) = heard(retry()).directives
    assert (directive.kind, directive.not_before) == (DirectiveKind.RETRY, LATER)
    assert directive.owner == "editor"
    decision = heard(retry(), standings=(Standing(CLIP, grounds=(held("conflict_block"),)),))
    assert decision.orders == ()
    assert [item.overridden for item in decision.verdicts] == [[Engine.ECLIPSE]]


def test_attempts_that_are_spent_are_a_persons_to_look_at() -> None:
    decision = heard(retry(due=None))
    assert decision.orders == ()
    (notice,) = decision.notices
    assert f"omniva override retry {CLIP}" in notice.message


def test_a_reroute_stands_until_readiness_names_it() -> None:
    strategy = fallback()
    (directive,) = heard(strategy).directives
    assert (directive.kind, directive.target) == (DirectiveKind.REROUTE, "editor:libx264")
    subject = worker_id_of("editor:encoder")
    standing = Standing(subject, "worker", "editor:encoder", reroute=directive)
    assert heard(strategy, standings=(standing,)).orders == ()
    assert kinds(heard(fallback(name="again"), standings=(standing,))) == [("reroute", subject)]
    ready = readiness(strategy.strategy_id, cluster="editor:encoder")
    assert kinds(heard(ready, standings=(standing,))) == [("release", subject)]


def test_withdrawn_consent_cancels_all_and_given_again_frees_what_was_planned() -> None:
    receipt = derive_id("packet", "receipt")
    posted = {ADA: (Posted(CLIP, receipt), Posted(OTHER, out=False))}
    decision = decide(Dossier(now=NOW, words=(word(consent("revoked")),), posted=posted))
    assert sorted(kinds(decision)) == sorted([("cancel", ADA), ("cancel", CLIP), ("cancel", OTHER)])
    by_subject = {order.directive.subject_id: order for order in decision.orders}
    assert receipt in by_subject[CLIP].directive.evidence
    standings = {
        subject: Standing(
            subject, order.scope, grounds=order.joins, latest=order.directive, permit=None
        )
        for subject, order in by_subject.items()
    }
    granted = word(consent("granted"), 2, about=(ADA, CLIP, OTHER))
    again = decide(Dossier(now=NOW, words=(granted,), standings=standings))
    # What was posted stays down until somebody says so.
    assert sorted(kinds(again)) == sorted([("release", ADA), ("release", OTHER)])
