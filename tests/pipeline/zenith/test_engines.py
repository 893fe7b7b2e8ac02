"""What Zenith hears of all nine engines, of the workers and of people, and what comes of it."""

from __future__ import annotations

import logging

import pytest

from omniva_dagster import state as db
from omniva_dagster.contracts.analysis import ClipCandidate
from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition.chorus import ComplianceConflict
from omniva_dagster.contracts.cognition.halolux import InterpretabilityBundle
from omniva_dagster.contracts.cognition.horizon import DriftWarning
from omniva_dagster.contracts.cognition.lattice import RoutingIntent
from omniva_dagster.contracts.cognition.stardust import LedgerInconsistency
from omniva_dagster.contracts.decisions import Directive, DirectiveKind
from omniva_dagster.contracts.ids import EVERYTHING, creator_id_of, derive_id, worker_id_of
from omniva_dagster.contracts.operations.uploader import UploadFailed
from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.contracts.record import Record
from omniva_dagster.resources.control import run_cycle
from omniva_dagster.resources.desk import ZenithDesk
from omniva_dagster.resources.workbench import Commit, Skip, Workbench
from omniva_dagster.state.partition import Subject
from omniva_dagster.state.store import Store
from tests.contracts.support import without
from tests.engines.zenith_words import (
    CLIP,
    LATER,
    NOW,
    conflict,
    consent,
    fallback,
    override,
    panic,
    quarantine,
    retry,
)
from tests.pipeline.zenith.support import HERE, payloads, promoted, say

LOST = derive_id("packet", "it was never recorded")


def _inconsistent(**changes: object) -> LedgerInconsistency:
    said = {"kind": "missing_packet", "packets": [LOST], "subject_ids": [CLIP]}
    return LedgerInconsistency.parse(
        without("LedgerInconsistency", "source_key", **{**said, **changes})
    )


def _violation() -> UploadFailed:
    fields = {"clip_id": CLIP, "reason_code": "content_violation", "direction_requested": True}
    return UploadFailed.parse(without("UploadFailed", "retry_after", **fields))


def _routing() -> RoutingIntent:
    return RoutingIntent.parse(without("RoutingIntent", subject_id=creator_id_of("ada")))


def _drift() -> DriftWarning:
    return DriftWarning.parse(without("DriftWarning", severity="critical"))


def _explanation() -> InterpretabilityBundle:
    trace = derive_id("trace", "one")
    return InterpretabilityBundle.parse(without("InterpretabilityBundle", trace_id=trace))


def _compliance() -> ComplianceConflict:
    return ComplianceConflict.parse(without("ComplianceConflict", clip_id=CLIP))


@pytest.mark.spec("ZEN-1")
@pytest.mark.parametrize(
    ("said", "subject", "kind"),
    [
        pytest.param(conflict(), CLIP, "hold", id="paradox-a-contradiction"),
        pytest.param(quarantine(), worker_id_of("editor"), "hold", id="eclipse-an-isolation"),
        pytest.param(retry(), CLIP, "retry", id="eclipse-a-retry-plan"),
        pytest.param(fallback(), worker_id_of("editor:encoder"), "reroute", id="eclipse-a-backup"),
        pytest.param(_inconsistent(), CLIP, "hold", id="stardust-evidence-that-is-missing"),
        pytest.param(_routing(), creator_id_of("ada"), "reschedule", id="lattice-a-route"),
        pytest.param(_compliance(), CLIP, "hold", id="chorus-a-policy"),
        pytest.param(_violation(), CLIP, "hold", id="the-uploader-a-refused-upload"),
        pytest.param(consent("revoked"), creator_id_of("ada"), "cancel", id="a-creator"),
        pytest.param(override("hold"), CLIP, "hold", id="an-operator"),
        pytest.param(panic(), EVERYTHING, "hold", id="the-panic-button"),
    ],
)
def test_what_an_engine_a_worker_or_a_person_says_becomes_a_directive_on_that_evidence(
    store: Store, said: Document, subject: str, kind: str
) -> None:
    """ZEN-1: takes all engines' outputs, operational status, manual overrides."""
    (packet_id,) = say(store, said)
    run_cycle(store, NOW)
    mine = [item for item in payloads(store, "Directive") if item["subject_id"] == subject]
    assert [item["kind"] for item in mine] == [kind]
    assert packet_id in mine[0]["evidence"]
    (log,) = payloads(store, "CommitmentLog")
    assert packet_id in log["considered"]


@pytest.mark.spec("ZEN-1")
@pytest.mark.parametrize(
    ("said", "words"),
    [
        pytest.param(_drift(), "off course", id="horizon-a-drift"),
        pytest.param(
            _explanation(),
            "can not be explained in full",
            id="halolux-a-decision-that-lacks-evidence",
        ),
    ],
)
def test_what_no_order_can_mend_is_told_to_a_person_once(
    store: Store, said: Document, words: str
) -> None:
    """ZEN-1: Horizon warns, and HaloLux finds what is missing in an explanation."""
    (packet_id,) = say(store, said)
    run_cycle(store, NOW)
    run_cycle(store, LATER)
    (alert,) = payloads(store, "OperatorAlert")
    assert words in alert["title"]
    assert alert["evidence"] == [packet_id]
    assert payloads(store, "Directive") == []


@pytest.mark.spec("ZEN-1")
def test_what_the_judges_found_worth_it_is_promoted_with_the_dissent_on_record(
    store: Store,
) -> None:
    """ZEN-1: Pantheon's votes, and Lattice's priority."""
    bench = Workbench(store, HERE, "zenith_directives", logging.getLogger("test"))
    record = _judged(bench)
    with store.begin() as connection:
        ZenithDesk().promote(bench.recorder(connection), record.video_id, [record])
    (directive,) = payloads(store, "Directive")
    assert (directive["kind"], directive["evidence"]) == ("promote", [record.packet_id])
    assert any(text.startswith("pantheon/") for text in directive["overrode"])


@pytest.mark.spec("ZEN-1")
def test_how_the_workers_do_reaches_zenith_through_eclipse(store: Store) -> None:
    """ZEN-1: operational status. A document that fails in the pipeline is ordered anew."""
    bench = Workbench(store, HERE, "rendered_clips", logging.getLogger("test"))

    def fails(_item: str) -> Commit:
        raise WorkerError(ReasonCode.RENDER_TIMEOUT, "too slow", transient=True)

    bench.each([CLIP], lambda _: Subject(CLIP, "a clip", derive_id("trace", "one"), ""), fails)
    bench.finish()
    (plan,) = payloads(store, "RetryPlan")
    run_cycle(store, bench.now)
    (order,) = [item for item in payloads(store, "Directive") if item["subject_id"] == CLIP]
    assert (order["kind"], order["not_before"]) == ("retry", plan["next_attempt_at"])


def _judged(bench: Workbench) -> Record[ClipCandidate]:
    votes = {"craft": 0.9, "trend": 0.9, "risk": 0.05}
    fields = {"start_time": 0.0, "end_time": 20.0, "lattice_priority": 0.9, "pantheon_votes": votes}
    candidate = ClipCandidate.parse(without("ClipCandidate", "clip_id", **fields))
    ids = {"subject_id": CLIP, "trace_id": derive_id("trace", "one")}
    ids["video_id"] = derive_id("video", "one")
    with bench.store.begin() as connection:
        return bench.recorder(connection).record(candidate, **ids, producer="clip_candidates")


def _order(store: Store, evidence: str, packet_id: str) -> None:
    """An order that somebody wrote into the log, past Zenith."""
    order = Directive(
        directive_id=derive_id("directive", "mine"),
        kind=DirectiveKind.PROMOTE,
        subject_id=CLIP,
        owner="editor",
        reason="I say so",
        evidence=[evidence],
        rollback="none",
        issued_at=NOW,
    )
    with store.begin() as connection:
        db.decisions.append(connection, HERE, order, packet_id)


@pytest.mark.parametrize("lost", ["evidence", "packet"])
def test_an_order_that_the_ledger_does_not_bear_out_lets_nothing_happen_and_holds_the_clip(
    store: Store, lost: str
) -> None:
    with store.read() as connection:
        seen = db.outbox.latest(connection, "UploadJob", CLIP)
    assert seen is not None
    papers = (LOST, seen.packet_id) if lost == "evidence" else (seen.packet_id, LOST)
    _order(store, *papers)
    bench = Workbench(store, HERE, "rendered_clips", logging.getLogger("test"))
    subject = Subject(CLIP, "a clip", derive_id("trace", "one"), derive_id("video", "one"))
    with pytest.raises(Skip, match=LOST):
        bench.must_permit(subject, "edit")
    with store.read() as connection:
        held = db.decisions.restrained(connection, [CLIP], bench.now)
        rules = {item.rule for item in db.decisions.restraints_on(connection, [CLIP])}
    assert held is not None
    assert "evidence_missing" in rules
    assert "the ledger lacks" in held.reason
    # A person may know better; what they order rests on their word, which is recorded.
    say(store, override("release"))
    run_cycle(store, bench.now)
    bench.must_permit(subject, "edit")


def test_a_candidate_without_its_packet_is_held_and_the_others_become_clips(store: Store) -> None:
    bench = Workbench(store, HERE, "zenith_directives", logging.getLogger("test"))
    true = _judged(bench)
    later = true.document.model_copy(update={"start_time": 30.0, "end_time": 50.0})
    other = derive_id("clip", "nobody judged it")
    false = Record(later, other, true.trace_id, LOST, true.video_id)
    with store.begin() as connection:
        issued = ZenithDesk().promote(bench.recorder(connection), true.video_id, [false, true])
    assert [record.subject_id for record in issued] == [CLIP]
    with store.read() as connection:
        held = db.decisions.restrained(connection, [other], bench.now)
        assert [one.clip_id for one in db.decisions.promotions_of(connection, true.video_id)] == [
            CLIP
        ]
    assert held is not None


@pytest.mark.parametrize("which", ["rendered clip", "upload job"])
def test_a_clip_whose_papers_are_not_in_the_ledger_is_not_released(
    store: Store, which: str
) -> None:
    promoted(store)
    bench = Workbench(store, HERE, "publications", logging.getLogger("test"))
    with store.begin() as connection:
        seen = db.outbox.latest(connection, "UploadJob", CLIP)
        assert seen is not None
        papers = (LOST, seen.packet_id) if which == "rendered clip" else (seen.packet_id, LOST)
        video = derive_id("video", "one")
        assert ZenithDesk().release(bench.recorder(connection), CLIP, video, papers) is None
        assert db.decisions.restrained(connection, [CLIP], bench.now) is not None
