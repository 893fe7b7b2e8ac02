"""Zenith's control cycle on a real store: decided once, accounted for, whatever happens."""

from __future__ import annotations

import multiprocessing
from typing import Any

import pytest
import sqlalchemy as sa

from omniva_dagster import state as db
from omniva_dagster.contracts.cognition.zenith import CommitmentLog
from omniva_dagster.contracts.decisions import DirectiveKind
from omniva_dagster.contracts.ids import EVERYTHING, creator_id_of, derive_id
from omniva_dagster.resources.control import run_cycle
from omniva_dagster.resources.desk import ZenithDesk
from omniva_dagster.state import intents
from omniva_dagster.state.store import Store
from tests.engines.zenith_words import (
    CLIP,
    LATER,
    NOW,
    conflict,
    override,
    panic,
    quarantine,
    retry,
)
from tests.pipeline.zenith.support import HERE, OVER, clip, payloads, promoted, say


@pytest.mark.spec("ZEN-3")
def test_a_cycle_that_decides_accounts_for_it_and_a_quiet_one_only_counts(store: Store) -> None:
    """ZEN-3: commitment logs."""
    packets = say(store, panic(), conflict())
    report = run_cycle(store, NOW)
    quiet = run_cycle(store, LATER)
    assert quiet.number == report.number + 1
    assert not quiet.changed
    (log,) = [CommitmentLog.parse(item) for item in payloads(store, "CommitmentLog")]
    assert log.cycle == report.number
    assert log.directives == [one.document.directive_id for one in report.directives]
    assert set(packets) <= set(log.considered)
    assert {one.directive_id for one in log.transitions} == set(log.directives)
    for directive in payloads(store, "Directive"):
        assert directive["directive_id"] in log.directives


@pytest.mark.part("ZEN-1")
def test_a_cycle_that_is_cut_off_leaves_nothing_and_the_next_one_decides_the_same(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(store, panic(), conflict(), retry(job_id=derive_id("clip", "third")))

    def cut(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("omniva_dagster.resources.sitting.Sitting.close", cut)
        with pytest.raises(KeyboardInterrupt):
            run_cycle(store, NOW)
    assert payloads(store, "Directive") == []
    with store.read() as connection:
        assert intents.open_ones(connection) == []
        assert db.decisions.restraints_on(connection, [EVERYTHING, CLIP]) == []
    report = run_cycle(store, NOW)
    ordered = sorted(one.document.kind.value for one in report.directives)
    assert ordered == ["hold", "hold", "retry"]


def test_an_engine_that_fails_does_not_keep_zenith_from_deciding(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_connection: sa.Connection, _now: str) -> list[str]:
        raise ZeroDivisionError

    monkeypatch.setattr("omniva_dagster.resources.recovery.eclipse_round", broken)
    say(store, panic())
    report = run_cycle(store, NOW)
    assert [one.document.kind for one in report.directives] == [DirectiveKind.HOLD]
    assert "eclipse could not be heard (ZeroDivisionError" in report.summary


def _attend(url: str, start: object) -> None:
    store = Store(url)
    start.wait()  # type: ignore[attr-defined]
    with store.begin() as connection:
        ZenithDesk().attend(connection, NOW)


@pytest.mark.spec("CON-11")
def test_processes_that_decide_at_once_decide_once(store: Store) -> None:
    """CON-11: the same message twice has one effect."""
    clips = [derive_id("clip", str(number)) for number in range(20)]
    say(store, *(retry(job_id=clip) for clip in clips), panic())
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(3)
    url = store.url.render_as_string()
    deciders = [context.Process(target=_attend, args=(url, start)) for _ in range(3)]
    for one in deciders:
        one.start()
    for one in deciders:
        one.join(120)
        assert one.exitcode == 0
    assert len(payloads(store, "Directive")) == 21
    assert len(payloads(store, "CommitmentLog")) == 1


def test_a_hold_in_time_ends_by_itself_and_what_it_stopped_is_launched_again(store: Store) -> None:
    say(store, quarantine("creator", "ada", until=LATER))
    run_cycle(store, NOW)
    with store.begin() as connection:
        db.decisions.stopped(connection, creator_id_of("ada"), HERE)
    assert run_cycle(store, NOW).directives == ()
    (released,) = run_cycle(store, LATER).directives
    assert (released.document.kind, released.subject_id) == (
        DirectiveKind.RELEASE,
        creator_id_of("ada"),
    )
    with store.read() as connection:
        launches = [one for one in intents.open_ones(connection) if one.action == intents.LAUNCH]
    assert [one.partition for one in launches] == [HERE]


def test_an_override_gives_a_clip_back_what_it_was_and_the_conflict_stays_overruled(
    store: Store,
) -> None:
    promoted(store)
    say(store, conflict())
    run_cycle(store, NOW)
    say(store, override("release"))
    (freed,) = run_cycle(store, LATER).directives
    assert freed.document.kind is DirectiveKind.PROMOTE
    # Found again, on more evidence: the operator has decided.
    say(store, conflict(message="once more"))
    assert run_cycle(store, OVER).directives == ()
    with store.read() as connection:
        assert db.decisions.restrained(connection, [CLIP], OVER) is None


def test_a_cycle_looks_at_what_is_open_and_never_through_history(store: Store) -> None:
    promoted(store)
    say(store, conflict(), panic("worker", ["editor"]), retry(), override("release"))
    say(store, quarantine(until=LATER))
    asked: list[tuple[str, Any]] = []

    @sa.event.listens_for(store.engine, "before_cursor_execute")
    def note(_c: object, _cur: object, statement: str, parameters: Any, *_: object) -> None:
        asked.append((statement, parameters))

    run_cycle(store, NOW)
    run_cycle(store, LATER)
    sa.event.remove(store.engine, "before_cursor_execute", note)
    scans = []
    with store.engine.connect() as connection:
        for statement, parameters in asked:
            if not statement.startswith(("SELECT", "UPDATE", "DELETE")):
                continue
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            scans += [
                (row[-1], statement)
                for row in plan
                if row[-1].startswith("SCAN") and _grows(row[-1].split()[1])
            ]
    assert scans == []


def _grows(table: str) -> bool:
    """Whether a table holds what was, and not only what is open."""
    return table in {"packets", "packet_parents", "directives", "outcomes", "promotions", "videos"}


@pytest.mark.spec("ZEN-2")
@pytest.mark.spec("ZEN-8")
def test_directives_name_who_acts_and_a_clips_transitions_follow_from_each_other(
    store: Store,
) -> None:
    """ZEN-2: directives to workers. ZEN-8: authorizes, cancels, assigns ownership, publishes
    consistent transitions."""
    clip(store)
    for now, said in (
        (NOW, conflict()),
        (NOW, override("release", name="free")),
        (LATER, retry(due=OVER)),
        (LATER, override("cancel", name="stop")),
        (OVER, override("promote", name="again")),
    ):
        say(store, said)
        run_cycle(store, now)
    kinds = [item["kind"] for item in payloads(store, "Directive")]
    assert kinds == ["hold", "promote", "retry", "cancel", "promote"]
    assert {item["owner"] for item in payloads(store, "Directive")} <= {"editor", "uploader"}
    steps = [
        (step["from_status"], step["to_status"], step["state_version"])
        for log in payloads(store, "CommitmentLog")
        for step in log["transitions"]
        if step["subject_id"] == CLIP
    ]
    assert steps == [
        ("RUNNING", "SKIPPED", 2),
        ("SKIPPED", "RUNNING", 3),
        ("ERROR", "PENDING", 4),
        ("PENDING", "CANCELLED", 5),
        ("CANCELLED", "RUNNING", 6),
    ]


def test_a_clip_is_what_it_was_however_often_it_was_held_meanwhile(store: Store) -> None:
    promoted(store)
    for number in range(60):
        say(store, override("hold", name=f"hold {number}"))
        run_cycle(store, NOW)
    say(store, override("release", name="enough"))
    (freed,) = run_cycle(store, LATER).directives
    # A release would let a clip out that nobody has decided to let out.
    assert freed.document.kind is DirectiveKind.PROMOTE


def test_a_conflict_that_an_operator_only_mentions_is_not_decided_against(store: Store) -> None:
    promoted(store)
    named = conflict().conflict_id
    said = override("hold", name="talk", reason=f"see paradox: hold on {named} (a conflict)")
    say(store, said)
    run_cycle(store, NOW)
    say(store, override("release", name="talk on", reason=f"{named} is another matter"))
    run_cycle(store, NOW)
    say(store, conflict())
    run_cycle(store, LATER)
    with store.read() as connection:
        assert db.decisions.restrained(connection, [CLIP], LATER) is not None
