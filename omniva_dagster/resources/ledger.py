"""The ledger as a Dagster resource: what happened becomes packets, and packets get their place."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from omniva_dagster import state as db

if TYPE_CHECKING:
    from omniva_dagster.stardust.layout import Layout
    from omniva_dagster.stardust.mirror.tailing import Mirrored
    from omniva_dagster.stardust.sequencer import Sequenced
    from omniva_dagster.state.store import Store


@dataclass(frozen=True)
class Synced:
    """What bringing the ledger up to date came to."""

    mirrored: "Mirrored"
    sequenced: "Sequenced"

    @property
    def summary(self) -> str:
        """In a line, for people."""
        parts = [f"{self.mirrored.new} events mirrored from {self.mirrored.runs} runs"]
        for count, what in (
            (self.mirrored.waiting, "wait for what they came from"),
            (self.mirrored.flagged, "lack a parent"),
            (self.mirrored.left, "runs left for the next time"),
            (self.mirrored.inconsistencies, "inconsistencies found"),
            (self.sequenced.held, "packets held back"),
        ):
            if count:
                parts.append(f"{count} {what}")
        parts += [f"log of {run}: {why}" for run, why in self.mirrored.unreadable.items()]
        parts.append(f"{self.sequenced.count} packets sequenced, {self.sequenced.tree_size} in all")
        if self.sequenced.busy:
            parts.append(self.sequenced.busy)
        sent = self.sequenced.anchored
        if sent is not None and sent.state == "failed":
            parts.append(f"the checkpoint could not be sent: {sent.detail}")
        return "; ".join(parts)


class LedgerResource(dg.ConfigurableResource[Any]):
    """Stardust: Dagster's log is mirrored, the outbox sequenced, the checkpoint anchored."""

    url: str
    home: str
    anchor: str = ""

    @property
    def store(self) -> "Store":
        """The migrated store of this process."""
        return db.store.open_store(self.url)

    @property
    def layout(self) -> "Layout":
        """Where the ledger's files are."""
        from omniva_dagster.stardust.layout import Layout

        return Layout(Path(self.home) / "ledger")

    def sync(
        self, instance: dg.DagsterInstance, *, seconds: float = float("inf"), wait: float = 0.0
    ) -> Synced:
        """Mirror what is new, and give every packet its place.

        ``seconds`` is how long to go on taking up runs, ``wait`` how long to wait for another
        sequencer. Raises `LedgerError` where the ledger's folder is not what it should be.
        """
        from omniva_dagster.stardust.mirror.tailing import mirror

        now = datetime.now(UTC)
        mirrored = mirror(instance, self.store, now=now, seconds=seconds)
        return Synced(mirrored, self._sequence(now, wait))

    def reconcile(
        self, instance: dg.DagsterInstance, *, everything: bool = False, wait: float = 0.0
    ) -> Synced:
        """Bring what following the log has missed, and give it its place."""
        from omniva_dagster.stardust.mirror.reconciling import reconcile

        now = datetime.now(UTC)
        mirrored = reconcile(instance, self.store, now=now, everything=everything)
        return Synced(mirrored, self._sequence(now, wait))

    def seal(self) -> list[str]:
        """Make one sorted file of each day that is over; which days these were."""
        from omniva_dagster.stardust.sealing import seal

        now = datetime.now(UTC)
        sealed = seal(self.store, self.layout, before=now.date(), now=now, wait=60.0)
        return [day.date for day in sealed]

    def _sequence(self, now: datetime, wait: float) -> "Sequenced":
        from omniva_dagster.stardust.sequencer import sequence

        return sequence(self.store, self.layout, now=now, wait=wait, anchor=self.anchor)
