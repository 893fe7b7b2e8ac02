"""A round of Eclipse as a whole: what it hears, proposes and looks at."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import sqlalchemy as sa

from omniva_dagster import state as db
from omniva_dagster.contracts.cognition.common import Severity
from omniva_dagster.contracts.cognition.failures import (
    HealthDeviation,
    PanicScope,
    PanicSignal,
    TimeoutAlert,
)
from omniva_dagster.contracts.cognition.paradox import ConflictEscalation
from omniva_dagster.contracts.ids import EVERYTHING, derive_id
from omniva_dagster.contracts.reasons import ReasonCode
from omniva_dagster.engines import eclipse
from omniva_dagster.resources import recovery
from omniva_dagster.resources.control import run_cycle
from omniva_dagster.resources.workbench import Commit, Workbench
from omniva_dagster.state.partition import Partition
from omniva_dagster.state.store import Store
from tests.contracts.support import without
from tests.pipeline.eclipse.support import (
    HERE,
    failing_with,
    killed,
    now,
    recorded,
    rounds,
    run,
    said,
    subject,
)


def test_a_quiet_round_proposes_nothing_and_a_repeated_one_nothing_new(store: Store) -> None:
    assert rounds(store) == []
    run(store, ["a", "b", "c", "d"], killed)
    at = now()
    assert rounds(store, at)
    counted = len(recorded(store, "HealingProposal"))
    assert rounds(store, eclipse.later(at, 30)) == []
    assert len(recorded(store, "HealingProposal")) == counted


def test_a_round_that_is_cut_off_did_nothing_and_comes_to_the_same_again(store: Store) -> None:
    run(store, ["a", "b", "c", "d"], killed)
    at = now()

    class KilledError(Exception):
        pass

    def cut_off() -> list[str]:
        with store.begin() as connection:
            proposed = recovery.eclipse_round(connection, at)
            assert proposed
            raise KilledError(*proposed)

    with pytest.raises(KilledError) as cut:
        cut_off()
    assert said(store, "QuarantineInstruction") == []
    assert rounds(store, at) == list(cut.value.args)


@pytest.mark.spec("ECL-1")
def test_all_that_it_may_be_told_is_answered(store: Store) -> None:
    """ECL-1: takes worker errors, timeouts, abnormal logs, health deviations, escalated
    conflicts."""
    log = logging.getLogger("omniva_dagster.workers.scraper.session")

    def noisy(name: str) -> Commit:
        for number in range(eclipse.ABNORMAL_AFTER):
            log.warning("page %d of https://a.example/?token=hunter2 is odd", number)
        return killed()

    run(store, ["one"], noisy, "videos")
    (abnormal,) = said(store, "AbnormalLog")
    assert abnormal["occurrences"] == eclipse.ABNORMAL_AFTER
    assert "hunter2" not in str(abnormal)
    told = {
        "timeout": TimeoutAlert.parse(without("TimeoutAlert", worker="uploader")),
        "deviation": HealthDeviation.parse(without("HealthDeviation", worker="analyzer")),
        "conflict": ConflictEscalation.parse(without("ConflictEscalation", evidence=[_any(store)])),
    }
    for name, document in told.items():
        _tell(store, document, name)
    rounds(store)
    healing = said(store, "HealingProposal")
    assert {"scraper", "uploader", "analyzer"} <= {item["cluster"] for item in healing}
    assert len(healing) == 4
    assert len(said(store, "RetryPlan")) == 1
    with store.read() as connection:
        assert db.inboxes.waiting(connection, db.inboxes.ECLIPSE) == []


def _any(store: Store) -> str:
    return str(recorded(store, "Outcome")[0]["message_id"])


def _tell(store: Store, document: Any, name: str, subject_id: str = "") -> None:
    about = subject_id or derive_id("thing", name)
    with store.begin() as connection:
        db.outbox.emit(
            connection,
            db.outbox.Emission(
                document, "test", about, derive_id("trace", about), (), HERE, now(), name
            ),
        )


@pytest.mark.spec("ECL-7")
def test_the_panic_button_is_escalated_and_held_by_zenith_alone(store: Store) -> None:
    """ECL-7: the operator's panic button."""
    signal = PanicSignal(
        signal_id=derive_id("signal", "1"),
        operator="ada",
        scope=PanicScope.ALL,
        subjects=[],
        reason="smoke",
        pressed_at=now(),
    )
    _tell(store, signal, "panic", EVERYTHING)
    rounds(store)
    (crisis,) = recorded(store, "CrisisEscalation")
    assert crisis["payload"]["affected"] == ["all"]
    assert [item["message_id"] for item in recorded(store, "PanicSignal")] == crisis[
        "_meta_parents"
    ]
    with store.read() as connection:
        # Eclipse holds nothing.
        assert db.decisions.restrained(connection, [EVERYTHING], now()) is None
    run_cycle(store, now())
    with store.read() as connection:
        assert db.decisions.restrained(connection, [EVERYTHING], now()) is not None


@pytest.mark.spec("ECL-11")
def test_nothing_changes_but_by_zeniths_directive(store: Store) -> None:
    """ECL-11: never executes."""
    run(store, ["a", "b", "c", "d"], killed)
    tables = ("directives", "restraints", "intents", "outcomes", "publications", "slots")

    def counts() -> list[int]:
        with store.read() as connection:
            return [
                int(connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar() or 0)
                for name in tables
            ]

    before = counts()
    assert rounds(store)
    assert counts() == before
    producers = {item["producer"] for item in recorded(store, "QuarantineInstruction")}
    assert producers == {"eclipse"}


def test_failures_over_several_creators_are_a_crisis_once(store: Store) -> None:
    for slug in ("ada", "bob", "cy"):
        at = Workbench(store, Partition(slug, HERE.day), "videos", logging.getLogger("test"))
        names = [f"{slug} {number}" for number in range(3)]
        at.each(names, subject, failing_with(ReasonCode.UNREACHABLE))
        at.finish()
    rounds(store)
    run(store, ["more"], failing_with(ReasonCode.UNREACHABLE), "videos")
    rounds(store)
    (crisis,) = said(store, "CrisisEscalation")
    assert {"ada", "bob", "cy", "scraper"} <= set(crisis["affected"])
    assert crisis["severity"] == Severity.CRITICAL.value


def test_a_round_looks_only_at_what_is_open(store: Store) -> None:
    run(store, ["one"], killed)
    statements: list[tuple[str, Any]] = []

    def heard(_c: Any, _cursor: Any, text: str, parameters: Any, *_rest: Any) -> None:
        statements.append((text, parameters))

    sa.event.listen(store.engine, "before_cursor_execute", heard)
    rounds(store, eclipse.later(now(), 3600))
    sa.event.remove(store.engine, "before_cursor_execute", heard)
    growing = ("packets", "directives", "outcomes", "recoveries", "inboxes")
    with store.read() as connection:
        for text, parameters in statements:
            if not text.startswith("SELECT"):
                continue
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", parameters)
            steps = [row[3] for row in plan]
            scanned = [step for step in steps if step.startswith("SCAN")]
            assert not [step for step in scanned if step.split()[1] in growing], (text, steps)
