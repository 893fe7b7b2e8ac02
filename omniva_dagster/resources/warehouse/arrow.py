"""Arrow schemas generated from the contracts, and documents to rows and back.

A column per contract field; what tells where a document belongs stands beside, with a leading
underscore. Creator and day are in the path only (FIELD_NOTES: a partition column inside the file
as well breaks pandas).
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.record import Record
from omniva_dagster.contracts.types import format_timestamp, parse_timestamp

if TYPE_CHECKING:
    import pyarrow as pa

LINEAGE_COLUMNS = {
    "_subject_id": "What the document is about.",
    "_video_id": "The video it comes from; empty before there is one.",
    "_trace_id": "The workflow it belongs to.",
    "_packet_id": "Its packet in the ledger.",
}


@lru_cache(maxsize=64)
def arrow_schema(model: type[Document]) -> pa.Schema:
    """The explicit schema of a contract's files, zero-row files included."""
    import pyarrow as pa

    root = model.model_json_schema()
    required = set(root.get("required", []))
    fields = [
        pa.field(name, _arrow_type(spec, root), nullable=name not in required)
        for name, spec in root["properties"].items()
    ]
    fields += [pa.field(name, pa.string(), nullable=False) for name in LINEAGE_COLUMNS]
    return pa.schema(fields)


def to_table(model: type[Document], records: list[Record[Any]]) -> pa.Table:
    """Records as a table."""
    import pyarrow as pa

    schema = arrow_schema(model)
    rows = [_row(record, schema) for record in records]
    return pa.Table.from_pylist(rows, schema=schema)


def from_table(model: type[Document], table: pa.Table) -> list[Record[Any]]:
    """The records of a table, validated."""
    return [_record(model, row) for row in table.to_pylist()]


def columns_of(model: type[Document]) -> list[tuple[str, str, str]]:
    """Name, Arrow type and description of every column, for people."""
    properties = model.model_json_schema()["properties"]
    return [
        (
            field.name,
            str(field.type),
            LINEAGE_COLUMNS.get(field.name) or properties[field.name].get("description", ""),
        )
        for field in arrow_schema(model)
    ]


def _arrow_type(spec: dict[str, Any], root: dict[str, Any]) -> pa.DataType:
    import pyarrow as pa

    if "$ref" in spec:
        return _arrow_type(root["$defs"][spec["$ref"].rpartition("/")[2]], root)
    if "allOf" in spec:
        return _arrow_type(spec["allOf"][0], root)
    kind = spec["type"]
    if kind == "string":
        is_time = spec.get("format") == "date-time"
        return pa.timestamp("us", tz="UTC") if is_time else pa.string()
    if kind == "array":
        return pa.list_(_arrow_type(spec["items"], root))
    if kind == "object" and "properties" in spec:
        return pa.struct(
            [pa.field(name, _arrow_type(sub, root)) for name, sub in spec["properties"].items()]
        )
    if kind == "object":
        values = next(iter(spec.get("patternProperties", {}).values()), None)
        return pa.map_(pa.string(), _arrow_type(values or spec["additionalProperties"], root))
    return {"number": pa.float64(), "integer": pa.int64(), "boolean": pa.bool_()}[kind]


def _row(record: Record[Any], schema: pa.Schema) -> dict[str, Any]:
    document = record.document.dump()
    row = {
        field.name: _to_arrow(document.get(field.name), field.type)
        for field in schema
        if not field.name.startswith("_") or field.name in document
    }
    return row | {
        "_subject_id": record.subject_id,
        "_video_id": record.video_id,
        "_trace_id": record.trace_id,
        "_packet_id": record.packet_id,
    }


def _to_arrow(value: Any, kind: pa.DataType) -> Any:
    import pyarrow.types as kinds

    if value is None:
        return None
    if kinds.is_timestamp(kind):
        return parse_timestamp(value)
    if kinds.is_list(kind):
        return [_to_arrow(item, kind.value_type) for item in value]
    if kinds.is_struct(kind):
        return {field.name: _to_arrow(value.get(field.name), field.type) for field in kind}
    if kinds.is_map(kind):
        return sorted(value.items())
    return value


def _record(model: type[Document], row: dict[str, Any]) -> Record[Any]:
    lineage = {name: row.pop(name) for name in LINEAGE_COLUMNS}
    schema = arrow_schema(model)
    document = {
        name: _from_arrow(value, schema.field(name).type)
        for name, value in row.items()
        if value is not None
    }
    return Record(
        document=model.parse(document),
        subject_id=lineage["_subject_id"],
        video_id=lineage["_video_id"],
        trace_id=lineage["_trace_id"],
        packet_id=lineage["_packet_id"],
    )


def _from_arrow(value: Any, kind: pa.DataType) -> Any:
    import pyarrow.types as kinds

    if kinds.is_map(kind):
        return dict(value)
    if kinds.is_list(kind):
        return [_from_arrow(item, kind.value_type) for item in value]
    if kinds.is_struct(kind):
        return {
            field.name: _from_arrow(value[field.name], field.type)
            for field in kind
            if value[field.name] is not None
        }
    if isinstance(value, datetime):
        return format_timestamp(value.astimezone(UTC))
    return value
