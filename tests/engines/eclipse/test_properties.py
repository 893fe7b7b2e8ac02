"""What is true of Eclipse's advice in any situation."""

from __future__ import annotations

import copy
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniva_dagster.contracts.cognition import MESSAGES
from omniva_dagster.contracts.reasons import ReasonCode
from omniva_dagster.engines import eclipse
from omniva_dagster.engines.eclipse import CREATOR_POOL, Situation, Standing
from tests.engines.eclipse.support import (
    CONFLICT,
    DEVIATION,
    LOG,
    NOW,
    PANIC,
    TIMEOUT,
    failing,
    spread,
    told,
)

instances = st.builds(
    failing,
    st.integers(0, 6),
    worker=st.sampled_from(["editor", "scraper", "analyzer", CREATOR_POOL]),
    instance=st.sampled_from(["a", "b", "c"]),
    reason_code=st.sampled_from(list(ReasonCode)),
    standing=st.sampled_from([Standing.READY, Standing.SUSPECT]),
    succeeded_at=st.sampled_from(["", NOW]),
)


situations = st.builds(
    Situation,
    st.just(NOW),
    heard=st.lists(
        st.builds(
            told,
            st.sampled_from([TIMEOUT, LOG, DEVIATION, CONFLICT, PANIC]),
            st.sampled_from("abcdefgh"),
        ),
        max_size=6,
        unique_by=lambda item: item.packet_id,
    ).map(tuple),
    health=st.lists(instances, max_size=6, unique_by=lambda item: (item.worker, item.instance)).map(
        tuple
    ),
    lately=st.builds(spread, st.integers(0, 4), st.integers(0, 4)),
)


@given(situations, st.randoms(use_true_random=False))
def test_the_same_situation_gives_the_same_advice_in_whatever_order(
    situation: Situation, shuffle: random.Random
) -> None:
    before = copy.deepcopy(situation)
    shuffled = replace(
        situation,
        heard=tuple(shuffle.sample(situation.heard, len(situation.heard))),
        health=tuple(shuffle.sample(situation.health, len(situation.health))),
        lately=tuple(shuffle.sample(situation.lately, len(situation.lately))),
    )
    assert eclipse.advise(shuffled) == eclipse.advise(situation)
    assert situation == before


@pytest.mark.spec("ECL-11")
@given(situations)
def test_all_that_comes_of_it_are_proposals_with_evidence(situation: Situation) -> None:
    """ECL-11: never executes."""
    permitted = {kind for kind in MESSAGES if kind.__module__.endswith("cognition.eclipse")}
    made = eclipse.advise(situation).proposals
    assert {type(item) for item in made} <= permitted
    assert all(item.evidence for item in made)  # type: ignore[attr-defined]
    # Every one is a valid message as it stands.
    assert [type(item).parse(item.dump()) for item in made] == list(made)
