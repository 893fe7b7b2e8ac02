"""Many processes write Dagster's event log while the mirror follows it: nothing is lost."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from multiprocessing.synchronize import Event
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster import DagsterEvent, DagsterEventType, EventLogEntry
from dagster._core.events import StepMaterializationData

from tests.stardust.dagster_homes import Mirror, copied, postgres_mirror
from tests.support.postgres import running_postgres

WRITERS, EACH = 4, 500


@pytest.fixture(params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest, blank_mirror: Path, tmp_path: Path) -> Iterator[Mirror]:
    if request.param == "sqlite":
        with copied(blank_mirror, tmp_path / "home") as made:
            yield made
        return
    with running_postgres() as url, postgres_mirror(tmp_path / "home", url) as made:
        yield made


def _write(home: Path, writer: int, go: Event) -> None:
    with dg.DagsterInstance.from_config(str(home)) as instance:
        go.wait()
        for number in range(EACH):
            instance.report_runless_asset_event(
                dg.AssetMaterialization("external", partition=f"{writer}-{number}")
            )


class CursorOnly:
    """The control: reads on from the last id it has seen, as plugins do."""

    def __init__(self, mirror: Mirror) -> None:
        self._storage = mirror.instance.event_log_storage
        self._cursor = -1
        self.seen: set[str | None] = set()

    def tick(self) -> None:
        found = self._storage.get_logs_for_all_runs_by_log_id(
            self._cursor, dagster_event_type=DagsterEventType.ASSET_MATERIALIZATION
        )
        for storage_id, entry in found.items():
            self._cursor = max(self._cursor, storage_id)
            event = entry.dagster_event
            self.seen.add(event.partition if event else None)


@pytest.mark.spec("DAG-5")
@pytest.mark.spec("STA-1")
def test_what_four_processes_write_while_it_is_mirrored_arrives(
    shared: Mirror, record_property: pytest.RecordProperty
) -> None:
    """STA-1, DAG-5: nothing bypasses; the materialization log is mirrored."""
    context = multiprocessing.get_context("spawn")
    go = context.Event()
    home = Path(shared.instance.root_directory)
    writers = [context.Process(target=_write, args=(home, number, go)) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    go.set()
    control, ticks = CursorOnly(shared), 0
    while under_way := [writer for writer in writers if writer.is_alive()]:
        control.tick()
        ticks += shared.tick().new > 0
        under_way[0].join(1)
    shared.tick()
    control.tick()
    assert [writer.exitcode for writer in writers] == [0] * WRITERS
    found = [body["payload"]["partition"] for body in shared.bodies()]
    assert len(found) == len(set(found)) == WRITERS * EACH
    assert ticks > 1
    # How many the control lost is chance; the next test takes chance out of it.
    record_property("lost_by_a_cursor_alone", WRITERS * EACH - len(control.seen))


def _entry(partition: str) -> EventLogEntry:
    return EventLogEntry(
        error_info=None,
        user_message="",
        level=20,
        run_id="",
        timestamp=time.time(),
        dagster_event=DagsterEvent(
            DagsterEventType.ASSET_MATERIALIZATION.value,
            job_name="",
            event_specific_data=StepMaterializationData(
                dg.AssetMaterialization("external", partition=partition)
            ),
        ),
    )


@pytest.mark.part("STA-1")
def test_an_event_that_commits_late_is_lost_by_a_cursor_and_not_by_the_mirror(
    tmp_path: Path,
) -> None:
    """STA-1: nothing bypasses."""
    with running_postgres() as url, postgres_mirror(tmp_path / "home", url) as mirror:
        control = CursorOnly(mirror)
        storage = mirror.instance.event_log_storage
        engine = sa.create_engine(storage.postgres_url)
        with closing(engine.connect()) as slow:
            # It takes its id now, and is seen only after those who take theirs later.
            slow.execute(storage.prepare_insert_event(_entry("late")))
            mirror.report("external", partition="early")
            control.tick()
            mirror.tick()
            slow.commit()
        engine.dispose()
        mirror.report("external", partition="after")
        for _ in range(3):
            control.tick()
            mirror.tick()
        assert control.seen == {"early", "after"}
        found = {body["payload"]["partition"] for body in mirror.bodies()}
        assert found == {"early", "late", "after"}


def test_the_index_of_sqlite_lacks_what_the_mirror_reads(mirror: Mirror) -> None:
    run_id = mirror.run("bad")
    by_id = mirror.instance.event_log_storage.get_logs_for_all_runs_by_log_id(-1)
    kinds = {entry.dagster_event_type for entry in by_id.values()}
    assert DagsterEventType.STEP_FAILURE not in kinds
    mirror.tick()
    mirror.one("STEP_FAILURE", run_id=run_id)


def test_two_mirrors_at_once_record_each_event_once(shared: Mirror) -> None:
    from concurrent.futures import ThreadPoolExecutor

    for number in range(150):
        shared.report("external", partition=str(number))
    now = datetime.now(UTC)
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: shared.tick(now), range(2)))
    found = [body["payload"]["partition"] for body in shared.bodies()]
    assert sorted(found) == sorted(map(str, range(150)))
    assert sum(item.new for item in done) >= 150
