"""The data dictionary: what each column and field means, written from the contracts themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition.stardust import LedgerPacket
from omniva_dagster.contracts.registry import MESSAGE_TYPES
from omniva_dagster.contracts.schema import schema_of, version_of
from omniva_dagster.stardust.layout import Layout
from omniva_dagster.stardust.views import VIEWS, Sources, connect

# Never in a packet: it is what packets are sent in.
_NO_PAYLOAD = {"Envelope"}
_MESSAGE = (
    "The envelope, canonical JSON (RFC 8785): message_id, message_type, schema_version, trace_id, "
    "_meta_parents, producer, emitted_at, payload."
)
_HEAD = """\
# Data dictionary

Generated from the contracts by `omniva ledger dictionary`; a test compares. Queries to start from
are in [ledger-queries.md](ledger-queries.md); what is hashed and signed, in
[verifying.md](verifying.md).

Packets are Parquet files under `OMNIVA_HOME/ledger/packets/date=YYYY-MM-DD/`, which pandas, Polars
and DuckDB open as one folder. Times are texts in UTC (`2026-03-04T05:06:07Z`), which sort as they
are; ids are UUIDs as text; what is not set is null. `omniva ledger sql` shows the tables below.
"""
_WAREHOUSE = """\
## Tables of the warehouse

`OMNIVA_HOME/warehouse/<asset>/creator=<c>/day=<d>/part.parquet`: what each asset holds now, where
the ledger holds all that it ever held. A column for each field of the contract; times are
timestamps there. Beside them:
"""
_TYPES = """\
## Message types

What `payload` holds, by `message_type`. A dotted name is a field of an object, `[]` an element of
a list.
"""


def dictionary(assets: Mapping[str, type[Document]], lineage_columns: Mapping[str, str]) -> str:
    """The dictionary in Markdown: the ledger's tables, the warehouse's, and every message type.

    ``assets`` are the warehouse's tables with their contracts, ``lineage_columns`` what stands in
    each of them beside the contract's fields.
    """
    lines = [_HEAD, "## Tables of the ledger", ""]
    for name, columns in _columns_of_views().items():
        about, derived = VIEWS[name]
        lines += [f"### `{name}`", "", about, ""]
        lines += _table(
            ["column", "type", "meaning"],
            (
                (f"`{column}`", kind, _meaning(name, column, derived))
                for column, kind in columns.items()
            ),
        )
    lines += _warehouse(assets, lineage_columns)
    lines.append(_TYPES)
    for name, model in sorted(MESSAGE_TYPES.items()):
        if name not in _NO_PAYLOAD:
            lines += _message(name, model)
    return "\n".join(lines).rstrip("\n") + "\n"


def _columns_of_views() -> dict[str, dict[str, str]]:
    """Each view's columns with their types in SQL, as they are over an empty ledger."""
    found: dict[str, dict[str, str]] = {}
    with connect(Sources(Layout(Path("/nonexistent")))) as database:
        for name in VIEWS:
            rows = database.execute(f"DESCRIBE {name}").fetchall()
            found[name] = {str(row[0]): str(row[1]) for row in rows}
    return found


def _meaning(view: str, column: str, derived: Mapping[str, str]) -> str:
    if column in derived:
        return derived[column]
    if view == "materializations":
        return VIEWS["dagster_events"][1][column]
    if column == "message":
        return _MESSAGE
    return _one_line(LedgerPacket.model_fields[column].description or "")


def _warehouse(
    assets: Mapping[str, type[Document]], lineage_columns: Mapping[str, str]
) -> Iterator[str]:
    yield _WAREHOUSE
    yield from _table(
        ["column", "meaning"],
        (
            *((f"`{name}`", text) for name, text in lineage_columns.items()),
            ("`creator`", "The creator, from the folder."),
            ("`day`", "The day (UTC), from the folder."),
        ),
    )
    yield from _table(
        ["asset", "contract"],
        (
            (f"`{asset}`", f"[{model.__name__}](#{model.__name__.lower()})")
            for asset, model in assets.items()
        ),
    )


def _message(name: str, model: type[Document]) -> Iterator[str]:
    schema = schema_of(model)
    yield from (
        f"### {name}",
        "",
        f"{schema.get('description', '')} Version {version_of(model)}.",
        "",
    )
    yield from _table(["field", "type", "set", "meaning"], _fields(schema, ""))


def _fields(schema: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, ...]]:
    required = set(schema.get("required", []))
    for name, spec in schema.get("properties", {}).items():
        path = f"{prefix}{name}"
        yield (
            f"`{path}`",
            _kind(spec),
            "always" if name in required else "maybe",
            spec.get("description", ""),
        )
        inner, suffix = (
            (spec.get("items", {}), "[].") if spec.get("type") == "array" else (spec, ".")
        )
        if isinstance(inner, dict):
            yield from _fields(inner, f"{path}{suffix}")


def _kind(spec: Mapping[str, Any]) -> str:
    if "$ref" in spec:
        name = "".join(part.title() for part in spec["$ref"].rpartition("/")[2].split("_"))
        return f"[{name}](#{name.lower()})"
    if "enum" in spec:
        return "one of " + ", ".join(f"`{value}`" for value in spec["enum"])
    if "const" in spec:
        return f"`{spec['const']}`"
    if "anyOf" in spec or "oneOf" in spec:
        return " or ".join(_kind(part) for part in spec.get("anyOf") or spec["oneOf"])
    kind = spec.get("type", "any")
    if kind == "array":
        return f"list of {_kind(spec.get('items', {}))}"
    if kind == "object" and "properties" not in spec:
        return f"map of {_values(spec)}"
    if kind == "string":
        return {"uuid": "id", "date-time": "time", "date": "day", "uri": "URI"}.get(
            spec.get("format", ""), "text"
        )
    return str(
        {"number": "number", "integer": "whole number", "boolean": "true or false"}.get(kind, kind)
    )


def _values(spec: Mapping[str, Any]) -> str:
    patterns = spec.get("patternProperties", {})
    values = next(iter(patterns.values()), spec.get("additionalProperties"))
    return _kind(values) if isinstance(values, dict) else "anything"


def _table(head: list[str], rows: Iterable[tuple[str, ...]]) -> list[str]:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [
        f"| {' | '.join(_one_line(cell).replace('|', chr(92) + '|') for cell in row)} |"
        for row in rows
    ]
    return [*lines, ""]


def _one_line(text: str) -> str:
    return " ".join(text.split())
