"""The engines as asset checks: what was changed behind the ledger's back is noticed and blocks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa

from omniva_dagster import state as db
from omniva_dagster.assets import CLIP_PIPELINE
from omniva_dagster.checks.pantheon import changed, seen_by
from omniva_dagster.cli._home import instance
from omniva_dagster.contracts.cognition.chorus import StyledMetadata
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.definitions import definitions
from omniva_dagster.demo.channel import ChannelVideo, serve_channel, write_channel
from omniva_dagster.engines import lattice, pantheon
from omniva_dagster.engines.stardust import Claim, Witness, inspect
from omniva_dagster.partitions import creator_day, partition_key
from omniva_dagster.resources import wording
from omniva_dagster.resources.workbench import Recorder
from omniva_dagster.settings import settings
from omniva_dagster.state.partition import Partition
from tests.support.home import DAY, Home, make_home

PARADOX_WATCHES = ("scraper_jobs", "videos", "schedule_tasks", "upload_jobs")
HALOLUX_WATCHES = ("zenith_directives", "upload_jobs", "publications")
ECLIPSE_WATCHES = ("videos", "analysis_results", "rendered_clips", "publications")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, footage: Path) -> Iterator[Home]:
    """A home after one run of a day with one video."""
    with pytest.MonkeyPatch.context() as patch:
        home = make_home(tmp_path_factory.mktemp("checked") / "home", patch)
        channel = home.path / "channel"
        channel.mkdir()
        (channel / "talk.mp4").write_bytes(footage.read_bytes())
        video = ChannelVideo("talk", "talk.mp4", "Talk", f"{DAY}T10:00:00Z")
        write_channel(channel, "Ada", [video])
        with serve_channel(channel) as served:
            home.add("ada", served.feed_url)
            home.run()
        yield home
    settings.cache_clear()


def _materialized(asset: str, check: str) -> dg.AssetCheckEvaluation:
    """An asset's check, after materializing that asset alone, as from the UI."""
    with instance() as opened:
        result = (
            definitions(settings())
            .resolve_job_def("clip_pipeline")
            .execute_in_process(
                instance=opened,
                partition_key=partition_key("ada", DAY),
                asset_selection=[dg.AssetKey(asset)],
                raise_on_error=False,
            )
        )
    (evaluation,) = (
        item for item in result.get_asset_check_evaluations() if item.check_name == check
    )
    return evaluation


@pytest.mark.media
@pytest.mark.part("DAG-2")
def test_every_check_of_a_run_passed(ran: Home) -> None:
    """DAG-2: the engines are asset checks."""
    with instance() as opened:
        (run,) = opened.get_runs(limit=1)
        records = opened.get_records_for_run(
            run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
        ).records
        found = [
            record.event_log_entry.dagster_event.asset_check_evaluation_data for record in records
        ]
    assert {(item.asset_key.path[-1], item.check_name) for item in found} == {
        *((asset.key.path[-1], "stardust") for asset in CLIP_PIPELINE),
        *((asset, "eclipse") for asset in ECLIPSE_WATCHES),
        *((asset, "paradox") for asset in PARADOX_WATCHES),
        ("clip_candidates", "lattice"),
        ("clip_candidates", "pantheon"),
        ("upload_jobs", "chorus"),
        ("schedule_tasks", "horizon"),
        *((asset, "halolux") for asset in HALOLUX_WATCHES),
        ("edit_jobs", "zenith"),
        ("upload_jobs", "zenith"),
        ("publications", "zenith"),
    }
    assert all(item.passed for item in found)


@pytest.mark.media
@pytest.mark.part("STA-2")
def test_a_packet_that_was_changed_by_hand_is_noticed_and_its_document_held(ran: Home) -> None:
    """STA-2: immutable packets, hash-addressable ids."""
    assert _materialized("schedule_tasks", "stardust").passed
    with ran.store.begin() as connection:
        connection.execute(sa.text("DROP TRIGGER packets_no_update"))
        connection.execute(
            sa.text(
                'UPDATE packets SET body = replace(body, \'"emitted_at":"2\', \'"emitted_at":"1\') '
                "WHERE message_type = 'ScheduleTask'"
            )
        )
        (clip,) = connection.scalars(sa.text("SELECT clip_id FROM publications")).all()
    found = _materialized("schedule_tasks", "stardust")
    assert not found.passed
    assert found.severity is dg.AssetCheckSeverity.ERROR
    assert "table `packets`" in str(found.metadata["what_to_do"].value)
    with ran.store.begin() as connection:
        rules = {item.rule for item in db.decisions.restraints_on(connection, [clip])}
        connection.execute(
            sa.text(
                'UPDATE packets SET body = replace(body, \'"emitted_at":"1\', \'"emitted_at":"2\') '
                "WHERE message_type = 'ScheduleTask'"
            )
        )
    assert "evidence_missing" in rules
    put_back = ran.omniva("override", "release", clip, "--reason", "the packet is put back")
    assert put_back.exit_code == 0, put_back.output
    assert _materialized("schedule_tasks", "stardust").passed


@pytest.mark.media
@pytest.mark.part("ZEN-8")
def test_a_publication_without_a_release_is_noticed(ran: Home) -> None:
    """ZEN-8: authorizes, cancels, assigns ownership, publishes consistent transitions."""
    assert _materialized("publications", "zenith").passed
    with ran.store.begin() as connection:
        connection.execute(sa.text("DROP TRIGGER directives_no_delete"))
        connection.execute(sa.text("DELETE FROM directives WHERE kind = 'release'"))
    found = _materialized("publications", "zenith")
    assert not found.passed
    assert "no release" in str(found.metadata["findings"].value)


@pytest.mark.media
@pytest.mark.part("UPL-4")
def test_an_upload_in_other_words_than_choruss_is_noticed(ran: Home) -> None:
    """UPL-4: one packet per submission: asset URI and Chorus payload."""
    with ran.store.begin() as connection:
        (clip,) = connection.scalars(sa.text("SELECT clip_id FROM publications")).all()
        packet = wording.latest(connection, clip)
        assert packet is not None
        styled = StyledMetadata.parse(packet.payload)
        machine = styled.machine.model_copy(update={"title": "Something else"})
        Recorder(connection, "chorus", Partition("ada", DAY), styled.generated_at).record(
            styled.model_copy(update={"machine": machine}),
            subject_id=clip,
            trace_id=derive_id("trace", "other"),
            parents=styled.evidence,
        )
    found = _materialized("upload_jobs", "chorus")
    assert not found.passed
    assert found.severity is dg.AssetCheckSeverity.ERROR
    assert "worded it anew" in str(found.metadata["findings"].value)


def test_a_vote_that_the_judges_would_not_repeat_is_noticed() -> None:
    case = pantheon.Case(derive_id("candidate", "one"), {"hook": 0.5, "payoff": 0.7})
    (finding,) = pantheon.deliberate([case], lattice.priority)
    votes = {one.agent: one.vote for one in finding.ballots}
    assert changed({**votes, "judge_guest": 0.1}, finding) == ""
    assert "trend voted 0.900000" in changed({**votes, "trend": 0.9}, finding)
    fewer = {name: value for name, value in votes.items() if name != "craft"}
    assert changed(fewer, finding) == "craft did not vote"
    assert changed(votes, None) == "is not among the candidates of its video's analysis"
    assert seen_by(finding) == 4, "exploration looks at neither"


def test_a_check_has_the_partitions_of_its_asset() -> None:
    for check in definitions(settings()).asset_checks or []:
        assert isinstance(check, dg.AssetChecksDefinition)
        for spec in check.check_specs:
            assert spec.partitions_def == creator_day
            assert spec.blocking


CLAIM = Claim("s", "p", {"a": 1})


@pytest.mark.parametrize(
    ("witness", "problem"),
    [
        (Witness("p", "s", {"a": 1}, intact=True), ""),
        (None, "no packet"),
        (Witness("p", "s", {"a": 1}, intact=False), "does not match its hash"),
        (Witness("p", "other", {"a": 1}, intact=True), "about something else"),
        (Witness("p", "s", {"a": 2}, intact=True), "something else than its packet"),
        (Witness("p", "s", {"a": 1}, True, ("q",)), "parents that are not in the ledger: q"),
    ],
)
def test_what_stardust_finds(witness: Witness | None, problem: str) -> None:
    findings = inspect([CLAIM], {"p": witness} if witness else {})
    assert [problem in finding.problem for finding in findings] == ([True] if problem else [])
