"""Eclipse proposes what would contain and heal failures; it is pure, and never acts."""

from __future__ import annotations

import copy
import random
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition import MESSAGES
from omniva_dagster.contracts.cognition.common import JobType, Severity
from omniva_dagster.contracts.cognition.eclipse import (
    CrisisEscalation,
    FallbackStrategy,
    HealingProposal,
    QuarantineInstruction,
    QuarantineSubject,
    ReadinessSignal,
    Remediation,
)
from omniva_dagster.contracts.cognition.failures import (
    AbnormalLog,
    HealthDeviation,
    PanicScope,
    PanicSignal,
    TimeoutAlert,
)
from omniva_dagster.contracts.cognition.paradox import ConflictEscalation
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.reasons import ReasonCode
from omniva_dagster.engines import eclipse
from omniva_dagster.engines.eclipse import (
    CREATOR_POOL,
    Failure,
    Health,
    Heard,
    Lately,
    Situation,
    Standing,
)

NOW = "2026-03-04T05:06:07Z"
D = TypeVar("D", bound=Document)


def packet(name: str) -> str:
    return derive_id("packet", name)


def failure(**changes: Any) -> Failure:
    base = Failure(
        stage="rendered_clips",
        worker="editor",
        job_type=JobType.EDIT_JOB,
        job_id=derive_id("clip", "c"),
        reason_code=ReasonCode.INTERNAL,
        transient=True,
        attempts_made=1,
        first_failed_at=NOW,
        last_failed_at=NOW,
        packet_id=packet("failure"),
    )
    return replace(base, **changes)


def failing(times: int, **changes: Any) -> Health:
    base = Health(
        "editor",
        "host",
        consecutive_failures=times,
        reason_code=ReasonCode.INTERNAL,
        failed_at=NOW,
        failure_packet_id=packet("last"),
        streak_packet_id=packet("first"),
    )
    return replace(base, **changes)


def told(document: Document, name: str = "told") -> Heard:
    return Heard(packet(name), document)


def proposals(kind: type[D], situation: Situation) -> list[D]:
    return [item for item in eclipse.advise(situation).proposals if isinstance(item, kind)]


# Retry plans


@pytest.mark.part("ECL-2")
def test_waits_grow_without_jitter_until_the_attempts_are_spent() -> None:
    """ECL-2: retry plans per job with backoff."""
    plans = [
        eclipse.plan_retry(failure(attempts_made=made, reason_code=ReasonCode.NETWORK_TIMEOUT), NOW)
        for made in range(1, 7)
    ]
    waits = [
        eclipse.seconds_between(NOW, plan.next_attempt_at) if plan.next_attempt_at else None
        for plan in plans
    ]
    assert waits == [30, 60, 120, 240, None, None]
    assert all(plan.job_id == derive_id("clip", "c") for plan in plans)
    assert plans[0].backoff.jitter.value == "none"
    assert Remediation.OPERATOR_REVIEW in plans[-1].remediation


@pytest.mark.parametrize(
    "reason", [ReasonCode.BAD_COMMAND, ReasonCode.CORRUPT_MEDIA, ReasonCode.NOT_FOUND]
)
def test_what_would_fail_alike_is_not_tried_again(reason: ReasonCode) -> None:
    plan = eclipse.plan_retry(failure(reason_code=reason, transient=False), NOW)
    assert plan.next_attempt_at is None
    assert plan.attempts == plan.attempts_made == 1
    assert plan.remediation == [Remediation.OPERATOR_REVIEW]


def test_the_workers_word_decides_whether_another_try_is_worth_it() -> None:
    for_good = failure(reason_code=ReasonCode.UNREACHABLE, transient=False)
    assert eclipse.plan_retry(for_good, NOW).next_attempt_at is None
    assert eclipse.plan_retry(replace(for_good, transient=True), NOW).next_attempt_at


def test_a_budget_of_time_ends_the_attempts_whatever_is_left() -> None:
    late = failure(
        reason_code=ReasonCode.NETWORK_TIMEOUT,
        attempts_made=2,
        first_failed_at="2026-03-03T00:00:00Z",
    )
    plan = eclipse.plan_retry(late, NOW)
    assert plan.next_attempt_at is None
    assert plan.attempts > plan.attempts_made


def test_no_attempt_is_planned_into_an_isolation() -> None:
    until = eclipse.later(NOW, 3600)
    plan = eclipse.plan_retry(failure(not_before=until), NOW)
    assert plan.next_attempt_at == until


@pytest.mark.spec("ECL-10")
@given(st.sampled_from(list(ReasonCode)), st.booleans(), st.integers(1, 9))
def test_every_spent_plan_says_what_would_heal(
    reason: ReasonCode, transient: bool, made: int
) -> None:
    """ECL-10: remediation metadata (restart_required, cache_flush ...)."""
    plan = eclipse.plan_retry(
        failure(reason_code=reason, transient=transient, attempts_made=made), NOW
    )
    assert plan == eclipse.plan_retry(
        failure(reason_code=reason, transient=transient, attempts_made=made), NOW
    )
    assert plan.evidence == [packet("failure")]
    if plan.next_attempt_at is None:
        assert Remediation.OPERATOR_REVIEW in plan.remediation
    else:
        assert plan.next_attempt_at > NOW
    if reason is ReasonCode.INTERNAL:
        wanted = [Remediation.RESTART_REQUIRED, Remediation.CACHE_FLUSH]
        assert plan.remediation[:2] == wanted


# Containing


@pytest.mark.part("ECL-5")
def test_it_fires_on_failures_in_a_row_over_the_threshold_and_not_before() -> None:
    """ECL-5: fires on consecutive failures over threshold."""
    limits = eclipse.LIMITS
    made = {
        times: {
            type(item).__name__
            for item in eclipse.advise(Situation(NOW, health=(failing(times),))).proposals
        }
        for times in range(limits.quarantine_after + 1)
    }
    assert made[0] == made[limits.suspect_after - 1] == set()
    assert made[limits.suspect_after] == {"HealingProposal", "FallbackStrategy"}
    assert "QuarantineInstruction" not in made[limits.quarantine_after - 1]
    assert "QuarantineInstruction" in made[limits.quarantine_after]


def test_a_suspect_is_not_proposed_to_be_healed_again_and_again() -> None:
    suspect = failing(3, standing=Standing.SUSPECT)
    assert proposals(HealingProposal, Situation(NOW, health=(suspect,))) == []


def test_a_success_clears_the_suspicion() -> None:
    advice = eclipse.advise(Situation(NOW, health=(failing(0, standing=Standing.SUSPECT),)))
    assert advice.proposals == ()
    assert advice.health[0].standing is Standing.READY


@pytest.mark.part("ECL-3")
def test_work_is_proposed_to_go_to_a_backup_that_is_well() -> None:
    """ECL-3: fallbacks to backup workers."""
    well = Health("editor", "other", succeeded_at=NOW)
    worn = Health("editor", "worn", succeeded_at=NOW, consecutive_failures=1)
    broken = failing(eclipse.LIMITS.quarantine_after)
    found = proposals(FallbackStrategy, Situation(NOW, health=(worn, broken, well)))
    assert ("editor/host", "editor/other") in {(one.from_target, one.to_target) for one in found}
    alone = proposals(FallbackStrategy, Situation(NOW, health=(worn, broken)))
    assert all(one.from_target != "editor/host" for one in alone)


@pytest.mark.part("EDI-3")
def test_a_missing_gpu_is_rerouted_at_the_first_failure_unless_it_is_already() -> None:
    """EDI-3: bad_command apart from gpu_starvation, the latter to Eclipse."""
    starved = failing(1, reason_code=ReasonCode.GPU_STARVATION)
    (found,) = proposals(FallbackStrategy, Situation(NOW, health=(starved,)))
    assert (found.from_target, found.to_target) == (eclipse.USUAL_ENCODER, eclipse.SPARE_ENCODER)
    assert found.evidence
    taken = {eclipse.USUAL_ENCODER: eclipse.SPARE_ENCODER}
    assert proposals(FallbackStrategy, Situation(NOW, health=(starved,), routes=taken)) == []
    bad = failing(1, reason_code=ReasonCode.BAD_COMMAND)
    assert proposals(FallbackStrategy, Situation(NOW, health=(bad,))) == []


@pytest.mark.part("ECL-4")
def test_a_quarantine_names_its_subject_its_end_and_its_evidence() -> None:
    """ECL-4: quarantine instructions."""
    times = eclipse.LIMITS.quarantine_after
    creator = failing(
        times, worker=CREATOR_POOL, instance="ada", reason_code=ReasonCode.RATE_LIMITED
    )
    situation = Situation(NOW, health=(failing(times), creator))
    found = {item.subject: item for item in proposals(QuarantineInstruction, situation)}
    assert found["editor/host"].subject_kind is QuarantineSubject.WORKER
    assert found["ada"].subject_kind is QuarantineSubject.CREATOR
    assert found["ada"].remediation == [Remediation.WAIT_FOR_QUOTA]
    for item in found.values():
        assert item.until is not None
        assert item.until > item.since == NOW
        assert item.evidence == [packet("first"), packet("last")]


def test_whoever_is_isolated_is_not_isolated_again_before_it_ends() -> None:
    isolated = eclipse.advise(Situation(NOW, health=(failing(9),))).health
    again = eclipse.advise(Situation(eclipse.later(NOW, 60), health=isolated))
    assert again.proposals == ()
    assert again.health == isolated


def _on_probation() -> Health:
    (isolated,) = eclipse.advise(Situation(NOW, health=(failing(9),))).health
    return isolated


@pytest.mark.part("ECL-9")
def test_the_first_success_after_a_quarantine_signals_readiness() -> None:
    """ECL-9: readiness signal when safe again."""
    isolated = _on_probation()
    after = eclipse.later(isolated.quarantined_until, 5)
    waiting = eclipse.advise(Situation(after, health=(isolated,)))
    assert waiting.proposals == ()
    assert waiting.health[0].standing is Standing.PROBATION
    worked = replace(
        waiting.health[0],
        consecutive_failures=0,
        succeeded_at=after,
        success_packet_id=packet("success"),
    )
    advice = eclipse.advise(Situation(after, health=(worked,)))
    (signal,) = advice.proposals
    assert isinstance(signal, ReadinessSignal)
    assert signal.lifts == [isolated.quarantine_id]
    assert signal.evidence == [packet("success")]
    assert signal.checks_passed
    assert advice.health[0].standing is Standing.READY
    assert advice.health[0].strikes == 0


def test_a_failure_on_probation_isolates_again_for_twice_as_long() -> None:
    isolated = _on_probation()
    after = eclipse.later(isolated.quarantined_until, 5)
    failed_again = replace(isolated, failed_at=after)
    advice = eclipse.advise(Situation(after, health=(failed_again,)))
    (again,) = [item for item in advice.proposals if isinstance(item, QuarantineInstruction)]
    assert again.until is not None
    assert eclipse.seconds_between(again.since, again.until) == 2 * eclipse.seconds_between(
        isolated.quarantined_at, isolated.quarantined_until
    )


def test_a_quiet_probation_ends_by_itself() -> None:
    isolated = replace(_on_probation(), quarantine_packet_id=packet("quarantine"))
    late = eclipse.later(isolated.quarantined_until, eclipse.LIMITS.probation_seconds)
    (signal,) = proposals(ReadinessSignal, Situation(late, health=(isolated,)))
    assert signal.evidence == [packet("quarantine")]


# Alerts, escalations, panic, crisis

TIMEOUT = TimeoutAlert(
    worker="editor",
    job_type=JobType.EDIT_JOB,
    job_id=derive_id("clip", "c"),
    limit_seconds=60.0,
    elapsed_seconds=90.0,
    observed_at=NOW,
)
LOG = AbnormalLog(
    worker="scraper",
    instance="host",
    signature="took <n> s",
    sample="took 3 s",
    occurrences=7,
    first_seen=NOW,
    last_seen=NOW,
)
DEVIATION = HealthDeviation(
    worker="analyzer",
    instance="host",
    metric="heartbeat_gap_seconds",
    observed=90.0,
    expected=15.0,
    tolerance=45.0,
    severity=Severity.CRITICAL,
    observed_at=NOW,
)
CONFLICT = ConflictEscalation(
    conflict_id=derive_id("conflict", "x"),
    occurrences=4,
    severity=Severity.CRITICAL,
    affected_ids=[derive_id("clip", "c")],
    message="it lasts",
    evidence=[packet("conflict")],
    issued_at=NOW,
)
PANIC = PanicSignal(
    signal_id=derive_id("signal", "1"),
    operator="ada",
    scope=PanicScope.WORKER,
    subjects=["editor"],
    reason="smoke",
    pressed_at=NOW,
)


@pytest.mark.part("ECL-1")
@pytest.mark.parametrize(
    "document", [TIMEOUT, LOG, DEVIATION, CONFLICT], ids=lambda item: type(item).__name__
)
def test_everything_it_is_told_is_answered_with_evidence(document: Document) -> None:
    """ECL-1: takes worker errors, timeouts, abnormal logs, health deviations, escalated
    conflicts."""
    (found,) = proposals(HealingProposal, Situation(NOW, heard=(told(document),)))
    assert found.evidence == [packet("told")]
    assert found.remediation
    assert found.steps
    assert found.rollback


def test_alerts_about_one_pool_are_one_proposal() -> None:
    heard = (told(TIMEOUT, "a"), told(replace_worker(LOG, "editor"), "b"))
    (found,) = proposals(HealingProposal, Situation(NOW, heard=heard))
    assert set(found.evidence) == {packet("a"), packet("b")}
    assert set(found.remediation) == {Remediation.RESTART_REQUIRED, Remediation.CACHE_FLUSH}


def replace_worker(document: AbnormalLog, worker: str) -> AbnormalLog:
    return document.model_copy(update={"worker": worker})


def test_a_conflict_that_lasts_is_a_crisis() -> None:
    (found,) = proposals(CrisisEscalation, Situation(NOW, heard=(told(CONFLICT),)))
    assert found.evidence == [packet("told")]
    early = CONFLICT.model_copy(update={"occurrences": 1})
    assert proposals(CrisisEscalation, Situation(NOW, heard=(told(early),))) == []


@pytest.mark.part("ECL-7")
def test_the_panic_button_is_escalated_at_once_with_the_signal_as_evidence() -> None:
    """ECL-7: the operator's panic button."""
    # In the middle of another crisis, too.
    situation = Situation(NOW, heard=(told(PANIC),), last_crisis_at=NOW)
    (found,) = eclipse.advise(situation).proposals
    assert isinstance(found, CrisisEscalation)
    assert found.severity is Severity.CRITICAL
    assert found.affected == ["editor"]
    assert found.evidence == [packet("told")]
    assert "smoke" in found.message


def _spread(creators: int, each: int) -> tuple[Lately, ...]:
    return tuple(
        Lately(
            "scraper",
            f"c{number}",
            derive_id("video", f"{number}-{item}"),
            packet(f"{number}-{item}"),
        )
        for number in range(creators)
        for item in range(each)
    )


@pytest.mark.part("ECL-8")
def test_failures_that_spread_are_a_crisis_once_in_a_window() -> None:
    """ECL-8: contains the blast radius, isolates workers, proposes healing."""
    assert proposals(CrisisEscalation, Situation(NOW, lately=_spread(1, 9))) == []
    assert proposals(CrisisEscalation, Situation(NOW, lately=_spread(3, 1))) == []
    broken = failing(eclipse.LIMITS.quarantine_after)
    spreading = Situation(NOW, health=(broken,), lately=_spread(4, 3))
    (found,) = proposals(CrisisEscalation, spreading)
    assert {"scraper", "c0", "c3", "editor/host"} <= set(found.affected)
    contained = {
        getattr(item, "instruction_id", getattr(item, "proposal_id", ""))
        for item in eclipse.advise(spreading).proposals
        if isinstance(item, QuarantineInstruction | HealingProposal)
    }
    assert contained <= set(found.proposals)
    assert len(contained) == 2
    assert proposals(CrisisEscalation, replace(spreading, last_crisis_at=NOW)) == []


# What holds for any situation

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
    lately=st.builds(_spread, st.integers(0, 4), st.integers(0, 4)),
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


# Log lines


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("retry 3 of 10 in 2.5 s", "retry 4 of 10 in 5.0 s"),
        ("cannot open /srv/a b/x.mp4", "cannot open /tmp/y.mp4"),
        ("GET https://a.example/x?t=1 failed", "GET https://b.example/ failed"),
        (
            f"video {derive_id('video', 'a')} is odd",
            f"video {derive_id('video', 'b')} is odd",
        ),
    ],
)
def test_lines_of_a_kind_have_one_signature(first: str, second: str) -> None:
    assert eclipse.signature(first) == eclipse.signature(second)
    assert eclipse.signature(first) != eclipse.signature("something else")


@pytest.mark.parametrize(
    "line",
    [
        "login with token=hunter2hunter2",
        "Authorization: Bearer hunter2hunter2",
        "fetching https://ada:hunter2hunter2@example.org/feed",
        "password: hunter2hunter2, next",
        "GET /x?api_key=hunter2hunter2&y=1",
    ],
)
def test_no_sample_holds_a_secret(line: str) -> None:
    assert "hunter2" not in eclipse.scrubbed(line)
    assert "hunter2" not in eclipse.signature(line)


@given(st.text(max_size=3000))
def test_any_line_has_a_signature_and_a_sample(line: str) -> None:
    assert 0 < len(eclipse.signature(line)) <= 200
    assert 0 < len(eclipse.scrubbed(line)) <= 500
