"""Launching a run once, however many daemons take it from the queue, and seeing when it is dead.

Dagster reckons with one daemon an instance. Two of them, started by mistake, can see the same run
queued and start a process for it each; the steps of the two then trip over each other, and the run
is said to have failed though its work was done.

Nor does Dagster's own launcher see that a run's process was killed: the run would keep its place,
and the work of its partition would wait, until its longest time is over.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dagster import DagsterRun, DefaultRunLauncher
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus

from omniva_dagster import state as db
from omniva_dagster.contracts.types import format_timestamp
from omniva_dagster.resources.processes import is_gone, this_host
from omniva_dagster.settings import settings

if TYPE_CHECKING:
    from dagster._core.launcher.base import LaunchRunContext

_log = logging.getLogger("omniva")


class OnceRunLauncher(DefaultRunLauncher):
    """Dagster's own launcher, for runs that no other daemon has launched; it knows its dead."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Yes: Dagster's run monitoring asks about every run that it thinks is under way."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Failed, if the run's process was on this host and is no more."""
        store = db.store.open_store(settings().state_url)
        if is_gone(self._instance, store, run):
            return CheckRunHealthResult(WorkerStatus.FAILED, "its process is gone", transient=True)
        return CheckRunHealthResult(WorkerStatus.RUNNING)

    def launch_run(self, context: LaunchRunContext) -> None:
        """Start a process for the run, unless that is done; raises what Dagster's launcher does."""
        run_id = context.dagster_run.run_id
        store = db.store.open_store(settings().state_url)
        with store.begin() as connection:
            now = format_timestamp(datetime.now(UTC))
            taken = db.launches.take(connection, run_id, this_host(), now)
        if not taken:
            _log.warning(
                "run %s is launched already: is there a second dagster-daemon on this instance? "
                "Dagster wants one only",
                run_id,
            )
            return
        try:
            super().launch_run(context)
        except BaseException:
            with store.begin() as connection:
                db.launches.give_back(connection, run_id)
            raise
