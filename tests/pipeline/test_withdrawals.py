"""What a cancel recalled is taken down by a Dagster job, also where nobody waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa

from omniva_dagster import state as db
from omniva_dagster.cli._home import instance
from omniva_dagster.contracts.consent import ConsentStatus
from omniva_dagster.contracts.decisions import Directive, DirectiveKind
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.video import Platform
from omniva_dagster.definitions import definitions
from omniva_dagster.resources.desk import ZenithDesk
from omniva_dagster.resources.state import StateResource
from omniva_dagster.sensors.takedown import takedowns
from omniva_dagster.settings import settings
from omniva_dagster.state.partition import Partition
from omniva_dagster.state.store import Store
from tests.support.home import DAY, Home, make_home
from tests.support.posted import NOW, claimed, planned, posted, status_of

pytestmark = pytest.mark.takes(15)

LATER = "2026-03-06T09:00:00Z"
WITHDRAWALS = dg.AssetKey("withdrawals")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A home with the creator ``ada``, whose registration is heard."""
    made = make_home(tmp_path / "home", monkeypatch, prepared=True)
    made.store.migrate()
    with made.store.begin() as connection:
        db.creators.register(connection, "ada", "http://a.example/feed", Platform.OTHER, NOW)
        ZenithDesk().attend(connection, NOW)
    yield made
    settings.cache_clear()


def _revoke(store: Store) -> None:
    said = db.creators.Statement(stated_by="maria", reason="she asked")
    with store.begin() as connection:
        db.creators.state_consent(connection, "ada", ConsentStatus.REVOKED, said, LATER)
        ZenithDesk().attend(connection, LATER)


def _take_down(opened: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    job = definitions(settings()).resolve_job_def("takedown")
    return job.execute_in_process(instance=opened, raise_on_error=False)


def _tick(opened: dg.DagsterInstance, home: Home) -> dg.RunRequest | dg.SkipReason:
    context = dg.build_sensor_context(instance=opened)
    answer = takedowns(context, state=StateResource(url=str(home.store.url)))
    assert isinstance(answer, dg.RunRequest | dg.SkipReason)
    return answer


def _packets(store: Store, message_type: str) -> int:
    query = sa.text("SELECT count(*) FROM packets WHERE message_type = :name")
    with store.read() as connection:
        return int(connection.execute(query, {"name": message_type}).scalar() or 0)


def test_the_sensor_asks_for_a_takedown_while_there_is_something_to_take_down(home: Home) -> None:
    assert takedowns.minimum_interval_seconds == 30
    assert takedowns.default_status is dg.DefaultSensorStatus.RUNNING
    posted(home.store, home.path, "ada", "one")
    with instance() as opened:
        assert isinstance(_tick(opened, home), dg.SkipReason)
        _revoke(home.store)
        first, second = _tick(opened, home), _tick(opened, home)
        assert isinstance(first, dg.RunRequest)
        assert isinstance(second, dg.RunRequest)
        # Asked for twice in a moment, it is one run.
        assert first.run_key == second.run_key
        under_way = opened.create_run_for_job(definitions(settings()).resolve_job_def("takedown"))
        assert isinstance(_tick(opened, home), dg.SkipReason)
        opened.report_run_canceled(under_way)
        assert _take_down(opened).success
        assert isinstance(_tick(opened, home), dg.SkipReason)


@pytest.mark.part("ZEN-10")
def test_the_job_takes_down_what_was_recalled_and_shows_it(home: Home) -> None:
    """ZEN-10: and carries rollback guidance."""
    out = posted(home.store, home.path, "ada", "one")
    begun, waits = claimed(home.store, "ada", "begun"), planned(home.store, "ada", "planned")
    _revoke(home.store)
    assert status_of(home.store, out) == "WITHDRAWING"
    with instance() as opened:
        assert _take_down(opened).success
        event = opened.get_latest_materialization_event(WITHDRAWALS)
        assert _take_down(opened).success
    assert event is not None
    materialization = event.asset_materialization
    assert materialization is not None
    shown = materialization.metadata
    assert (shown["withdrawn"].value, shown["failed"].value) == (2, 0)
    # Somebody's title is shown as text, not as Markdown.
    assert "\\<b\\>" in str(shown["clips"].value)
    assert [status_of(home.store, one) for one in (out, begun, waits)] == [
        "WITHDRAWN",
        "WITHDRAWN",
        "",
    ]
    assert list((home.path / "outbox").rglob("*.mp4")) == []
    assert _packets(home.store, "PublicationWithdrawn") == 2
    assert _packets(home.store, "PublicationReceipt") == 1


def test_a_takedown_that_fails_fails_the_run_says_why_and_is_asked_for_again(home: Home) -> None:
    blocked, free = (posted(home.store, home.path, "ada", name) for name in ("one", "two"))
    folder = next((home.path / "outbox").rglob(f"*-{blocked}"))
    moved = folder.rename(home.path / "elsewhere")
    folder.symlink_to(moved, target_is_directory=True)
    _revoke(home.store)
    with instance() as opened:
        result = _take_down(opened)
        assert not result.success
        (failure,) = result.get_step_failure_events()
        said = failure.event_specific_data.user_failure_data  # type: ignore[union-attr]
        assert said is not None
        assert "1 of 2 publications could not be taken down" in str(said.description)
        assert "is not followed; remove it" in str(said.metadata["clips"].value)
        assert (status_of(home.store, blocked), status_of(home.store, free)) == (
            "WITHDRAWING",
            "WITHDRAWN",
        )
        assert isinstance(_tick(opened, home), dg.RunRequest)
        folder.unlink()
        assert _take_down(opened).success
    assert status_of(home.store, blocked) == "WITHDRAWN"


def test_a_cancel_that_was_lifted_in_time_takes_nothing_down(home: Home) -> None:
    out = posted(home.store, home.path, "ada", "one")
    begun = claimed(home.store, "ada", "begun")
    with home.store.begin() as connection:
        for clip_id in (out, begun):
            for kind in (DirectiveKind.CANCEL, DirectiveKind.RELEASE):
                seen = db.outbox.latest(connection, "UploadJob", clip_id)
                assert seen is not None
                directive = Directive(
                    directive_id=derive_id("directive", kind.value, clip_id, "again"),
                    kind=kind,
                    subject_id=clip_id,
                    owner="uploader",
                    reason="a test",
                    evidence=[seen.packet_id],
                    rollback="the other",
                    issued_at=LATER,
                )
                here = Partition("ada", DAY)
                db.decisions.append(connection, here, directive, seen.packet_id)
            db.publishing.recall(connection, clip_id)
    with instance() as opened:
        assert _take_down(opened).success
    assert status_of(home.store, out) == "PUBLISHED"
    assert status_of(home.store, begun) == "CLAIMED"
    assert len(list((home.path / "outbox").rglob("clip.mp4"))) == 1


def test_a_receipt_that_comes_after_the_recall_is_kept_and_the_clip_still_goes(home: Home) -> None:
    out = posted(home.store, home.path, "ada", "one")
    with home.store.read() as connection:
        before = db.publishing.publication(connection, out, "outbox")
    assert before is not None
    assert before.receipt is not None
    _revoke(home.store)
    with home.store.begin() as connection:
        db.publishing.settle(connection, before.receipt, before.packet_id)
    assert status_of(home.store, out) == "WITHDRAWING"
    with instance() as opened:
        assert _take_down(opened).success
    with home.store.begin() as connection:
        db.publishing.settle(connection, before.receipt, before.packet_id)
        assert not db.publishing.recall(connection, out)
    assert status_of(home.store, out) == "WITHDRAWN"


def test_looking_for_what_is_recalled_reads_no_history(home: Home) -> None:
    asked: list[str] = []

    def note(_c: object, _cur: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    sa.event.listen(home.store.engine, "before_cursor_execute", note)
    with home.store.read() as connection:
        db.publishing.recalled(connection, limit=100)
        statement = next(one for one in asked if "publications" in one)
        plan = connection.exec_driver_sql(
            f"EXPLAIN QUERY PLAN {statement}", ("WITHDRAWING", 100, 0)
        )
        steps = [str(row[-1]) for row in plan]
    sa.event.remove(home.store.engine, "before_cursor_execute", note)
    assert steps
    assert not [step for step in steps if step.startswith("SCAN")], steps
