"""What is true of Zenith's decisions whatever is said."""

from __future__ import annotations

import copy
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.decisions import DirectiveKind
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.engines.zenith import Decision, Dossier, Standing, Word, decide, subjects_of
from omniva_dagster.engines.zenith.precedence import PRECEDENCE, RANK
from tests.engines.zenith_standing import ADA, EDITOR, held, promoted
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

DOCUMENTS = st.sampled_from(
    [
        conflict("block", "a"),
        conflict("quarantine", "b"),
        conflict("ignore", "a"),
        conflict("block", "c", kind="circular_dependency"),
        panic(name="all"),
        panic("creator", ["ada"], "creator"),
        panic("worker", ["editor"], "worker"),
        quarantine(),
        quarantine("creator", "ada", until=LATER),
        readiness(derive_id("instruction", "editor")),
        retry(),
        retry(None),
        fallback(),
        override("hold", name="h"),
        override("release", name="r"),
        override("release", ADA, name="ra"),
        override("cancel", OTHER, name="c"),
        override("retry", name="t"),
        override("reschedule", name="s", scheduled_time=LATER),
        consent("revoked"),
        consent("granted"),
    ]
)


GROUNDS = st.sampled_from([held(rule, rule) for rule in sorted(RANK) if rule != "merit"])


STANDINGS = st.fixed_dictionaries(
    {},
    optional={
        subject: st.builds(
            lambda grounds, enclosing, permit, subject=subject, scope=scope: Standing(
                subject,
                scope,
                permit=permit,
                grounds=tuple(grounds),
                enclosing=tuple(enclosing) if scope == "clip" else (),
            ),
            st.lists(GROUNDS, max_size=3, unique_by=lambda ground: ground.ground),
            st.lists(GROUNDS, max_size=1),
            st.sampled_from([None, promoted(subject)]),
        )
        for subject, scope in (
            (CLIP, "clip"),
            (OTHER, "clip"),
            (ADA, "creator"),
            (EDITOR, "worker"),
        )
    },
)


def _words(documents: list[Document]) -> tuple[Word, ...]:
    return tuple(word(document, place) for place, document in enumerate(documents, 1))


WORDS = st.lists(DOCUMENTS, max_size=8, unique_by=lambda item: str(item.dump())).map(_words)


def _after(dossier: Dossier, decision: Decision) -> dict[str, Standing]:
    """How the subjects stand once a decision is written down."""
    after = {**{one: Standing(one) for one in subjects_of(dossier)}, **dossier.standings}
    gone = {lift.subject_id: set(lift.grounds) for lift in decision.lifts}
    for subject_id, standing in after.items():
        kept = [one for one in standing.grounds if one.ground not in gone.get(subject_id, set())]
        latest, permit, overruled = standing.latest, standing.permit, set(standing.overruled)
        reroute, scope = standing.reroute, standing.scope
        for order in decision.orders:
            if order.directive.subject_id != subject_id:
                continue
            if order.directive.kind in (DirectiveKind.HOLD, DirectiveKind.CANCEL):
                anew = {one.ground for one in order.joins}
                kept = [one for one in kept if one.ground not in anew] + list(order.joins)
                latest = order.directive
            elif order.directive.kind in (DirectiveKind.PROMOTE, DirectiveKind.RELEASE):
                kept, latest, permit = [], order.directive, order.directive
            elif order.directive.kind is DirectiveKind.REROUTE:
                reroute = order.directive
            scope = order.scope
            overruled |= {part for text in order.directive.overrode for part in text.split()}
        after[subject_id] = Standing(
            subject_id,
            scope,
            latest=latest,
            permit=permit,
            reroute=reroute,
            grounds=tuple(kept),
            enclosing=standing.enclosing,
            overruled=frozenset(overruled),
        )
    return after


@pytest.mark.spec("ZEN-9")
@pytest.mark.spec("ZEN-10")
@settings(max_examples=150, deadline=None)
@given(WORDS, STANDINGS)
def test_no_directive_without_evidence_that_was_heard_or_stands_and_the_way_back(
    words: tuple[Word, ...], standings: dict[str, Standing]
) -> None:
    """ZEN-9, ZEN-10: each command references its evidence and carries rollback guidance."""
    known = {item.packet_id for item in words} | {SEEN}
    for standing in standings.values():
        known |= {one.packet_id for one in standing.grounds}
        known |= set(standing.permit.evidence) if standing.permit else set()
    for directive in decide(Dossier(now=NOW, words=words, standings=standings)).directives:
        assert directive.evidence
        assert set(directive.evidence) <= known
        assert directive.rollback
        assert directive.owner
        assert directive.issued_by == "zenith"


@settings(max_examples=150, deadline=None)
@given(WORDS, STANDINGS, st.randoms(use_true_random=False))
def test_a_decision_depends_on_what_was_said_and_not_on_how_it_was_put_together(
    words: tuple[Word, ...], standings: dict[str, Standing], rng: random.Random
) -> None:
    shuffled, turned = list(words), list(standings.items())
    rng.shuffle(shuffled)
    rng.shuffle(turned)
    one = decide(Dossier(now=NOW, words=words, standings=standings))
    assert decide(Dossier(now=NOW, words=tuple(shuffled), standings=dict(turned))) == one


def _frees(item: Word) -> bool:
    """Whether a word lifts something: said again after another, it would lift that too."""
    said = item.payload
    return (
        item.message_type == "ReadinessSignal"
        or said.get("recommended_action") == "ignore"
        or said.get("status") == "granted"
        or said.get("kind") == "release"
    )


@settings(max_examples=150, deadline=None)
@given(WORDS.map(lambda words: tuple(one for one in words if not _frees(one))), STANDINGS)
def test_what_was_decided_is_not_decided_again(
    words: tuple[Word, ...], standings: dict[str, Standing]
) -> None:
    """CON-11: the same message twice has one effect."""
    dossier = Dossier(now=NOW, words=words, standings=standings)
    first = decide(dossier)
    again = decide(Dossier(now=NOW, words=words, standings=_after(dossier, first)))
    known = {directive.directive_id for directive in first.directives}
    assert {directive.directive_id for directive in again.directives} <= known


@settings(max_examples=100, deadline=None)
@given(WORDS, STANDINGS)
def test_what_goes_into_a_decision_is_left_as_it_was(
    words: tuple[Word, ...], standings: dict[str, Standing]
) -> None:
    dossier = Dossier(now=NOW, words=words, standings=standings)
    before = copy.deepcopy(dossier)
    decide(dossier)
    assert dossier == before


@settings(max_examples=150, deadline=None)
@given(WORDS, STANDINGS)
def test_whoever_may_not_be_overridden_still_holds_after_any_decision(
    words: tuple[Word, ...], standings: dict[str, Standing]
) -> None:
    dossier = Dossier(now=NOW, words=words, standings=standings)
    after = _after(dossier, decide(dossier))
    consented = any(item.payload.get("status") == "granted" for item in words)
    for subject_id, standing in standings.items():
        stays = {
            one.ground
            for one in standing.grounds
            if one.rule == "panic" or (one.rule == "consent" and not consented)
        }
        assert stays <= {one.ground for one in after[subject_id].grounds}


@settings(max_examples=150, deadline=None)
@given(WORDS, STANDINGS)
def test_every_hold_that_is_ordered_holds_on_the_grounds_it_names(
    words: tuple[Word, ...], standings: dict[str, Standing]
) -> None:
    decision = decide(Dossier(now=NOW, words=words, standings=standings))
    for order in decision.orders:
        if order.directive.kind in (DirectiveKind.HOLD, DirectiveKind.CANCEL):
            assert order.joins
            assert {one.packet_id for one in order.joins} <= set(order.directive.evidence)


@pytest.mark.part("ZEN-4")
@settings(max_examples=150, deadline=None)
@given(WORDS, STANDINGS)
def test_a_verdict_always_takes_the_first_rule_of_those_it_decides_between(
    words: tuple[Word, ...], standings: dict[str, Standing]
) -> None:
    """ZEN-4: arbitration verdicts when modules disagree."""
    for verdict in decide(Dossier(now=NOW, words=words, standings=standings)).verdicts:
        assert verdict.overridden
        assert verdict.chosen not in verdict.overridden
        assert verdict.verdict_id
        place = int(verdict.precedence_rule.split(".")[0]) - 1
        assert PRECEDENCE[place].engine is verdict.chosen
