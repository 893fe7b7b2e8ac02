"""Warnings of our own workers, counted by their form while a step works (ECL-1)."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING

from omniva_dagster import state as db
from omniva_dagster.contracts.cognition.failures import AbnormalLog
from omniva_dagster.contracts.ids import derive_id, worker_id_of
from omniva_dagster.contracts.types import format_timestamp
from omniva_dagster.engines import eclipse
from omniva_dagster.resources.recovery.workers import name_of, worker_of
from omniva_dagster.state.partition import Partition

if TYPE_CHECKING:
    from omniva_dagster.state.store import Store

OURS = "omniva_dagster"
_MOST_KINDS = 500


class LogWatch(logging.Handler):
    """Listens to our loggers, and tells Eclipse at the end what was written too often."""

    def __init__(
        self, store: Store, run_id: str, stage: str, instance: str, partition: Partition
    ) -> None:
        super().__init__(logging.WARNING)
        self._store = store
        self._occurrence = f"{run_id}/{stage}"
        self._partition = partition
        self._worker = worker_of(stage)
        self._instance = instance
        self._seen: dict[str, AbnormalLog] = {}
        self._guard = threading.Lock()

    def __enter__(self) -> LogWatch:
        logging.getLogger(OURS).addHandler(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        logging.getLogger(OURS).removeHandler(self)
        if error is None:
            self._tell()

    def emit(self, record: logging.LogRecord) -> None:
        """Count a line."""
        try:
            line = record.getMessage()
        except (TypeError, ValueError):
            line = str(record.msg)
        form = eclipse.signature(line)
        now = format_timestamp(datetime.now(UTC))
        with self._guard:
            known = self._seen.get(form)
            if known is None and len(self._seen) >= _MOST_KINDS:
                return
            self._seen[form] = AbnormalLog(
                worker=self._worker,
                instance=self._instance,
                signature=form,
                sample=known.sample if known else eclipse.scrubbed(line),
                occurrences=known.occurrences + 1 if known else 1,
                first_seen=known.first_seen if known else now,
                last_seen=now,
            )

    def _tell(self) -> None:
        told = [item for item in self._seen.values() if item.occurrences >= eclipse.ABNORMAL_AFTER]
        if not told:
            return
        subject_id = worker_id_of(name_of(self._worker, self._instance))
        with self._store.begin() as connection:
            for item in sorted(told, key=lambda one: one.signature):
                db.outbox.emit(
                    connection,
                    db.outbox.Emission(
                        item,
                        self._worker,
                        subject_id,
                        derive_id("trace", subject_id),
                        (),
                        self._partition,
                        item.last_seen,
                        f"{self._occurrence}/{item.first_seen}/{item.signature}",
                    ),
                )
