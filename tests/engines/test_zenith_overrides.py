"""Operators' words over those of engines."""

from __future__ import annotations

import pytest

from omniva_dagster.contracts.cognition.common import Engine
from omniva_dagster.contracts.decisions import DirectiveKind
from omniva_dagster.contracts.ids import EVERYTHING
from omniva_dagster.engines.zenith import Dossier, Standing, decide
from tests.engines.zenith_standing import heard, held, kinds, promoted
from tests.engines.zenith_words import CLIP, NOW, conflict, override, word


@pytest.mark.part("ZEN-4")
def test_an_override_over_an_engine_is_a_verdict_that_names_the_rule() -> None:
    standing = Standing(CLIP, permit=promoted(), grounds=(held("conflict_block"),))
    (verdict,) = heard(override("release"), standings=(standing,)).verdicts
    assert verdict.chosen is Engine.ZENITH
    assert verdict.overridden == [Engine.PARADOX]
    assert verdict.precedence_rule.startswith("3. override")
    heard_from = {advice.engine for advice in verdict.advice}
    assert heard_from == {Engine.ZENITH, Engine.PARADOX, Engine.PANTHEON}


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


def test_a_candidate_that_nobody_chose_becomes_a_clip_by_an_operators_word() -> None:
    assert kinds(heard(override("promote"), standings=(Standing(CLIP),))) == [("promote", CLIP)]
    nothing = Standing(CLIP, pinnable=False)
    assert heard(override("promote"), standings=(nothing,)).orders == ()
