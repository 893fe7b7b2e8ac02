"""Launching a run once, however many daemons take it from the queue.

Dagster reckons with one daemon an instance. Two of them, started by mistake, can see the same run
queued and start a process for it each; the steps of the two then trip over each other, and the run
is said to have failed though its work was done.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dagster import DefaultRunLauncher

from omniva_dagster import state as db
from omniva_dagster.contracts.types import format_timestamp
from omniva_dagster.settings import settings

if TYPE_CHECKING:
    from dagster._core.launcher.base import LaunchRunContext

_log = logging.getLogger("omniva")


class OnceRunLauncher(DefaultRunLauncher):
    """Dagster's own launcher, for runs that no other daemon has launched."""

    def launch_run(self, context: LaunchRunContext) -> None:
        """Start a process for the run, unless that is done; raises what Dagster's launcher does."""
        run_id = context.dagster_run.run_id
        store = db.store.open_store(settings().state_url)
        with store.begin() as connection:
            now = format_timestamp(datetime.now(UTC))
            taken = db.launches.take(connection, run_id, now)
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
