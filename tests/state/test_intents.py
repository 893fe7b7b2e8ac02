"""What Zenith wants of Dagster: written once, offered by one, claimed by one."""

from __future__ import annotations

import multiprocessing

import pytest

from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.state import intents
from omniva_dagster.state.intents import Intent
from omniva_dagster.state.store import Store
from tests.state.support import HERE, LATER, NOW

WANTED = derive_id("intent", "one")


def _intent(name: str = "one", due: str = NOW, action: str = intents.LAUNCH) -> Intent:
    directive = derive_id("directive", name)
    return Intent(derive_id("intent", name), action, "clip_pipeline", HERE, directive, due)


def test_an_intent_is_wanted_once_and_due_in_its_time(store: Store) -> None:
    with store.begin() as connection:
        assert intents.want(connection, _intent(due=LATER))
        assert not intents.want(connection, _intent(due=NOW))
        assert intents.due(connection, NOW, "") == []
        assert [one.intent_id for one in intents.due(connection, LATER, "")] == [WANTED]


def test_what_was_offered_in_vain_is_due_again_after_a_while(store: Store) -> None:
    with store.begin() as connection:
        intents.want(connection, _intent())
        (due,) = intents.due(connection, NOW, "")
        assert intents.offer(connection, due, NOW)
        assert intents.due(connection, LATER, NOW) == []
        assert [one.intent_id for one in intents.due(connection, LATER, LATER)] == [WANTED]
        intents.claim(connection, WANTED, "run")
        assert intents.due(connection, LATER, LATER) == []


def test_of_two_daemons_that_saw_the_same_one_offers(store: Store) -> None:
    with store.begin() as connection:
        intents.want(connection, _intent())
        (seen,) = intents.due(connection, NOW, "")
        assert [intents.offer(connection, seen, NOW) for _ in range(2)] == [True, False]


def test_a_cancel_is_no_launch(store: Store) -> None:
    with store.begin() as connection:
        intents.want(connection, _intent(action=intents.CANCEL))
        assert intents.due(connection, LATER, LATER) == []
        assert [one.intent_id for one in intents.cancels(connection)] == [WANTED]


def _claim(url: str, run_id: str, start: object, results: object) -> None:
    store = Store(url)
    start.wait()  # type: ignore[attr-defined]
    with store.begin() as connection:
        won = intents.claim(connection, WANTED, run_id)
    results.put((run_id, won))  # type: ignore[attr-defined]


@pytest.mark.part("FLO-8")
def test_of_several_runs_of_one_intent_one_claims_it(store: Store, store_url: str) -> None:
    with store.begin() as connection:
        intents.want(connection, _intent())
    context = multiprocessing.get_context("spawn")
    start, results = context.Barrier(3), context.Queue()
    runs = [
        context.Process(target=_claim, args=(store_url, f"run-{number}", start, results))
        for number in range(3)
    ]
    for run in runs:
        run.start()
    found = dict(results.get(timeout=120) for _ in runs)
    for run in runs:
        run.join(60)
    assert sorted(found.values()) == [False, False, True]
    with store.begin() as connection:
        (winner,) = (run_id for run_id, won in found.items() if won)
        assert intents.claim(connection, WANTED, winner)
