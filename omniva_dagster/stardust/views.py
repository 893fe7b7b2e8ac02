"""The ledger and the warehouse as tables of SQL, read in place from their Parquet files."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from omniva_dagster.stardust.duck import opened
from omniva_dagster.stardust.layout import Layout

if TYPE_CHECKING:
    import duckdb

MEMORY = "2GB"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
# What each view of the ledger is, and each of its columns that is not a column of the files.
VIEWS: dict[str, tuple[str, dict[str, str]]] = {
    "packets": (
        "Every packet of the ledger: the files' columns and two that follow from them. Look-ups by "
        "`packet_id` and `trace_id` read little; a condition on `date` leaves out whole days.",
        {
            "payload": "The document in the message, as JSON: `payload->>'$.title'`.",
            "date": "The day (UTC) of sequencing, which is the folder's name.",
        },
    ),
    "edges": (
        "Which packet came from which: a row for each parent of each packet.",
        {
            "parent_id": "The packet that was there first.",
            "child_id": "The packet that came from it.",
            "child_type": "The child's message type.",
            "missing": "Whether the parent is not in the ledger: it did not come in time.",
            "trace_id": "The child's workflow.",
            "leaf_index": "The child's place in the log.",
            "date": "The day (UTC) on which the child was sequenced.",
        },
    ),
    "children": (
        "What came from each packet that something came from. Derived from `edges`; reads the "
        "parents of every packet unless there is a condition on `date`.",
        {
            "packet_id": "The packet.",
            "children": "The ids of those that came from it, in the order of the log.",
            "count": "How many they are.",
        },
    ),
    "dagster_events": (
        "Dagster's event log as it was mirrored: a row an event, the fields of `DagsterEvent`.",
        {
            "kind": "What happened, in Dagster's word for it.",
            "occurred_at": "When, as a timestamp.",
            "run_id": "Dagster's run; null outside of one.",
            "job_name": "The run's job.",
            "step_key": "The run's step.",
            "asset_key": "The asset, its path joined by slashes.",
            "partition": "The partition's key.",
            "code_version": "Of the code that materialized it.",
            "data_version": "Of what was materialized.",
            "check_name": "The asset's check.",
            "passed": "Whether the check passed.",
            "severity": "What it means that it did not: WARN or ERROR.",
            "error_class": "The type of what was raised.",
            "error_message": "What was raised.",
            "measures": "The numbers among the event's metadata, as JSON.",
            "labels": "The short texts among the event's metadata, as JSON.",
            "creator": "The creator whose partition it is of.",
            "day": "The day of that partition.",
            "packet_id": "Its packet.",
            "trace_id": "The run's trace.",
            "leaf_index": "Its place in the log.",
            "date": "The day (UTC) of sequencing.",
        },
    ),
    "materializations": (
        "Those of `dagster_events` in which an asset's partition was materialized.",
        {},
    ),
}
_TEXTS = (
    *("run_id", "job_name", "step_key", "asset_key", "partition"),
    *("code_version", "data_version", "check_name"),
)
_DERIVED = {
    "edges": """
        SELECT parent_id, packet_id AS child_id, message_type AS child_type,
               list_contains(missing_parents, parent_id) AS missing, trace_id, leaf_index, date
        FROM (
            SELECT packet_id, message_type, missing_parents, trace_id, leaf_index, date,
                   unnest(parents) AS parent_id
            FROM packets
        )
    """,
    "children": """
        SELECT parent_id AS packet_id, list(child_id ORDER BY leaf_index) AS children,
               count(*) AS count
        FROM edges WHERE NOT missing GROUP BY parent_id
    """,
    "dagster_events": f"""
        SELECT payload->>'$.kind' AS kind, (payload->>'$.occurred_at')::TIMESTAMPTZ AS occurred_at,
               {", ".join(f"payload->>'$.{name}' AS {name}" for name in _TEXTS)},
               (payload->>'$.passed')::BOOLEAN AS passed, payload->>'$.severity' AS severity,
               payload->>'$.error_class' AS error_class,
               payload->>'$.error_message' AS error_message,
               payload->'$.measures' AS measures, payload->'$.labels' AS labels,
               creator, day, packet_id, trace_id, leaf_index, date
        FROM packets WHERE message_type = 'DagsterEvent'
    """,  # noqa: S608
    "materializations": "SELECT * FROM dagster_events WHERE kind = 'ASSET_MATERIALIZATION'",
}


@dataclass(frozen=True)
class Sources:
    """Where the tables come from; what is not there is left out, or empty."""

    layout: Layout
    warehouse: Path | None = None

    @classmethod
    def at(cls, ledger: Path) -> Sources:
        """A ledger's folder, and the warehouse beside it if there is one."""
        root = ledger.resolve()
        beside = root.parent / "warehouse"
        return cls(Layout(root), beside if beside.is_dir() else None)

    @property
    def folders(self) -> list[Path]:
        """The folders that hold nothing but what the tables show."""
        return [self.layout.packets, *([self.warehouse] if self.warehouse else [])]

    def assets(self) -> dict[str, Path]:
        """The warehouse's assets that can be tables, by name."""
        if self.warehouse is None:
            return {}
        return {
            folder.name: folder
            for folder in sorted(self.warehouse.iterdir())
            if _NAME.fullmatch(folder.name)
            and folder.name not in VIEWS
            and next(folder.glob("creator=*/day=*/*.parquet"), None)
        }


def connect(sources: Sources) -> duckdb.DuckDBPyConnection:
    """A database in memory with a view for each table; it trusts whoever writes its SQL."""
    # What does not fit is an error: with no folder to spill to, nothing is written anywhere.
    database = opened(memory_limit=MEMORY, temp_directory="", python_enable_replacements="false")
    database.execute("SET TimeZone = 'UTC'")
    for name, query in _definitions(sources):
        database.execute(f"CREATE VIEW {name} AS {query}")
    return database


def _definitions(sources: Sources) -> Iterator[tuple[str, str]]:
    yield "packets", _packets(sources.layout)
    yield from _DERIVED.items()
    for asset, folder in sources.assets().items():
        files = _quoted(f"{glob.escape(str(folder))}/creator=*/day=*/*.parquet")
        yield (
            f'"{asset}"',
            f"SELECT * FROM read_parquet({files}, union_by_name = true, hive_partitioning = true, "  # noqa: S608
            "hive_types = {'creator': VARCHAR, 'day': DATE})",
        )


def _packets(layout: Layout) -> str:
    from omniva_dagster.stardust.entries import arrow_schema

    schema = arrow_schema()
    if not any(layout.packets.glob("date=*/*.parquet")):
        empty = ", ".join(f"NULL::{_sql_type(str(field.type))} AS {field.name}" for field in schema)
        return f"SELECT {empty}, NULL::JSON AS payload, NULL::DATE AS date WHERE false"
    files = _quoted(f"{glob.escape(str(layout.packets))}/date=*/*.parquet")
    return (
        f"SELECT {', '.join(schema.names)}, message::JSON->'$.payload' AS payload, date "  # noqa: S608
        f"FROM read_parquet({files}, hive_partitioning = true, hive_types = {{'date': DATE}})"
    )


def _sql_type(arrow: str) -> str:
    if arrow.startswith("list"):
        return "VARCHAR[]"
    return {"int64": "BIGINT", "string": "VARCHAR"}[arrow]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
