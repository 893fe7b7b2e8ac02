"""Advice and overrides: one precedence, every directive on evidence, nothing decided twice."""

from __future__ import annotations

import copy
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition.common import Engine
from omniva_dagster.contracts.decisions import Directive, DirectiveKind
from omniva_dagster.contracts.ids import EVERYTHING, creator_id_of, derive_id, worker_id_of
from omniva_dagster.engines.zenith import (
    Decision,
    Dossier,
    Ground,
    Posted,
    Standing,
    Word,
    decide,
    subjects_of,
)
from omniva_dagster.engines.zenith.precedence import PRECEDENCE, RANK
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

ADA = creator_id_of("ada")
EDITOR = worker_id_of("editor")


def promoted(subject_id: str = CLIP) -> Directive:
    """A promotion by the judges."""
    return Directive(
        directive_id=derive_id("directive", "promote", subject_id),
        kind=DirectiveKind.PROMOTE,
        subject_id=subject_id,
        owner="editor",
        reason="number 1 of 3",
        evidence=[derive_id("packet", "candidate", subject_id)],
        rollback="cancel",
        issued_at=NOW,
    )


def held(rule: str, cause: str = "x", kind: DirectiveKind = DirectiveKind.HOLD) -> Ground:
    """A ground in force."""
    return Ground(
        derive_id("cause", cause),
        derive_id("packet", cause),
        rule,
        kind,
        f"{rule} said so",
        derive_id("directive", cause),
    )


def heard(*documents: Document, standings: tuple[Standing, ...] = ()) -> Decision:
    """What follows from these words, said in this order."""
    words = tuple(word(document, place) for place, document in enumerate(documents, 1))
    known = {standing.subject_id: standing for standing in standings}
    return decide(Dossier(now=NOW, words=words, standings=known))


def kinds(decision: Decision) -> list[tuple[str, str]]:
    """Kind and subject of each directive."""
    return [(item.kind.value, item.subject_id) for item in decision.directives]


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
def test_an_override_over_an_engine_is_a_verdict_that_names_the_rule() -> None:
    standing = Standing(CLIP, permit=promoted(), grounds=(held("conflict_block"),))
    (verdict,) = heard(override("release"), standings=(standing,)).verdicts
    assert verdict.chosen is Engine.ZENITH
    assert verdict.overridden == [Engine.PARADOX]
    assert verdict.precedence_rule.startswith("3. override")
    heard_from = {advice.engine for advice in verdict.advice}
    assert heard_from == {Engine.ZENITH, Engine.PARADOX, Engine.PANTHEON}


@pytest.mark.part("ZEN-4")
def test_a_hold_on_what_the_judges_chose_is_a_verdict() -> None:
    (verdict,) = heard(conflict(), standings=(Standing(CLIP, permit=promoted()),)).verdicts
    assert (verdict.chosen, verdict.overridden) == (Engine.PARADOX, [Engine.PANTHEON])
    assert verdict.directive_id is not None


@pytest.mark.parametrize("rule", ["consent", "panic"])
@pytest.mark.parametrize("where", ["grounds", "enclosing"])
def test_an_override_releases_nothing_that_consent_or_panic_stops(rule: str, where: str) -> None:
    standing = Standing(CLIP, permit=promoted(), **{where: (held(rule), held("quarantine", "y"))})
    decision = heard(override("release"), standings=(standing,))
    assert (decision.orders, decision.lifts) == ((), ())
    (notice,) = decision.notices
    assert "omniva resume" in notice.message or "omniva creators grant" in notice.message


def test_resume_lifts_the_press_that_it_names_and_no_other() -> None:
    one, two = held("panic", "one"), held("panic", "two")
    standing = Standing(EVERYTHING, "all", grounds=(one, two))
    named = override("release", EVERYTHING, overrides=one.directive_id, evidence=[one.packet_id])
    decision = heard(named, standings=(standing,))
    assert [lift.grounds for lift in decision.lifts] == [(one.ground,)]
    assert all(item.kind is DirectiveKind.HOLD for item in decision.directives)


def test_of_an_operators_words_the_newest_stands_in_whatever_order_they_come() -> None:
    hold, free = override("hold", name="a"), override("release", name="b")
    for first, second, expected in ((hold, free, []), (free, hold, ["hold"])):
        words = (word(first, 1), word(second, 2))
        for order in (words, words[::-1]):
            decision = decide(Dossier(now=NOW, words=order))
            assert [item.kind.value for item in decision.directives] == expected


def test_a_conflict_that_an_operator_overruled_is_not_held_again_and_a_new_one_is() -> None:
    known = conflict(name="known")
    standing = Standing(CLIP, permit=promoted(), overruled=frozenset({known.conflict_id}))
    assert heard(known, standings=(standing,)).orders == ()
    assert kinds(heard(conflict(name="new"), standings=(standing,))) == [("hold", CLIP)]


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


def test_a_candidate_that_nobody_chose_becomes_a_clip_by_an_operators_word() -> None:
    assert kinds(heard(override("promote"), standings=(Standing(CLIP),))) == [("promote", CLIP)]
    nothing = Standing(CLIP, pinnable=False)
    assert heard(override("promote"), standings=(nothing,)).orders == ()


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
SUBJECTS = ((CLIP, "clip"), (OTHER, "clip"), (ADA, "creator"), (EDITOR, "worker"))
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
