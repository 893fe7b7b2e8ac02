"""Dagster instances to be mirrored: small jobs, events from nowhere, tables to look into."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import sqlalchemy as sa

from omniva_dagster.stardust.mirror.reconciling import reconcile
from omniva_dagster.stardust.mirror.tailing import Mirrored, mirror
from omniva_dagster.state.store import Store
from omniva_dagster.state.tables import packets

DAY = "2026-03-04"
PARTITION = f"ada|{DAY}"
PARTITIONS = dg.StaticPartitionsDefinition([PARTITION, f"bob|{DAY}"])


@dg.asset(code_version="3", partitions_def=PARTITIONS)
def source() -> dg.MaterializeResult[Any]:
    return dg.MaterializeResult(
        metadata={
            "rows": 3,
            "minutes": 1.5,
            "encoder": "libx264",
            "picture": dg.MetadataValue.md("x" * 5000),
            "long": "y" * 5000,
            "api_token": "do-not-record",
        }
    )


@dg.asset(deps=[source], code_version="1", partitions_def=PARTITIONS)
def product() -> None:
    """Made from the source."""


@dg.asset(deps=[product], partitions_def=PARTITIONS)
def broken() -> None:
    raise ValueError("no such host https://ada:hunter2@example.org/?token=abc123 ok")


@dg.asset_check(asset=product)
def sound() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.WARN)


DEFS = dg.Definitions(
    assets=[source, product, broken],
    asset_checks=[sound],
    jobs=[
        dg.define_asset_job("good", [source, product], executor_def=dg.in_process_executor),
        dg.define_asset_job("first", [source], executor_def=dg.in_process_executor),
        dg.define_asset_job(
            "second",
            dg.AssetSelection.assets(product),
            executor_def=dg.in_process_executor,
        ),
        dg.define_asset_job("bad", "*", executor_def=dg.in_process_executor),
    ],
)


@dataclass
class Mirror:
    """A Dagster instance and the store that it is mirrored into."""

    instance: dg.DagsterInstance
    store: Store

    def run(self, job: str = "good", partition: str = PARTITION) -> str:
        """Run a job; its run's id."""
        done = DEFS.resolve_job_def(job).execute_in_process(
            instance=self.instance, partition_key=partition, raise_on_error=False
        )
        return done.run_id

    def report(self, asset: str, **fields: Any) -> None:
        """Report a materialization outside of any run."""
        self.instance.report_runless_asset_event(dg.AssetMaterialization(asset, **fields))

    def tick(self, now: datetime | None = None, **options: Any) -> Mirrored:
        """Follow the log."""
        return mirror(self.instance, self.store, now=now or datetime.now(UTC), **options)

    def reconcile(self, now: datetime | None = None, **options: Any) -> Mirrored:
        """Compare the whole log."""
        return reconcile(self.instance, self.store, now=now or datetime.now(UTC), **options)

    def bodies(self, message_type: str = "DagsterEvent") -> list[dict[str, Any]]:
        """Envelopes in the order in which they were recorded."""
        query = (
            sa.select(packets.c.body)
            .where(packets.c.message_type == message_type)
            .order_by(packets.c.sequence)
        )
        with self.store.read() as connection:
            return [json.loads(body) for body in connection.scalars(query)]

    def one(self, kind: str, **fields: Any) -> dict[str, Any]:
        """The envelope of the only event of a kind, about an asset or in a run."""
        wanted = {"kind": kind, **fields}
        (found,) = (
            body
            for body in self.bodies()
            if all(body["payload"].get(name) == value for name, value in wanted.items())
        )
        return found


def make_template(folder: Path) -> Path:
    """A home in which all tables are made: tests copy it, which is faster than making them."""
    with sqlite_mirror(folder) as made:
        made.report("warm_up")
        made.instance.wipe()
        made.instance.event_log_storage.delete_events("")
    return folder


@contextmanager
def copied(template: Path, folder: Path) -> Iterator[Mirror]:
    """A home of one's own."""
    shutil.copytree(template, folder)
    with sqlite_mirror(folder) as made:
        yield made


@contextmanager
def sqlite_mirror(folder: Path) -> Iterator[Mirror]:
    """With Dagster's own SQLite storage."""
    home = folder / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    with opened(f"sqlite:///{folder / 'state.db'}", home) as made:
        yield made


@contextmanager
def postgres_mirror(folder: Path, url: str) -> Iterator[Mirror]:
    """With Dagster's storage and the state in databases of one PostgreSQL server."""
    home = folder / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    server = sa.make_url(url).set(drivername="postgresql+psycopg2")
    admin = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE dagster")
    admin.dispose()
    dagster_url = url.removesuffix("/postgres") + "/dagster"
    (home / "dagster.yaml").write_text(
        f'telemetry: {{enabled: false}}\nstorage: {{postgres: {{postgres_url: "{dagster_url}"}}}}\n'
    )
    with opened(url, home) as made:
        yield made


@contextmanager
def opened(state_url: str, home: Path) -> Iterator[Mirror]:
    """The instance in a home that is there already."""
    store = Store(state_url)
    store.migrate()
    config = home / "dagster.yaml"
    if not config.exists():
        config.write_text("telemetry: {enabled: false}\n")
    with dg.DagsterInstance.from_config(str(home)) as instance:
        yield Mirror(instance, store)
    store.close()
