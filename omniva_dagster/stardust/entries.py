"""Entries of the ledger: a row of Parquet, and the bytes of it that the Merkle tree is over.

An entry is a `LedgerPacket` with its message beside it. Its leaf is the RFC 8785 form of all but
the message, which ``content_hash`` binds; so no column can change without the root.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import orjson

from omniva_dagster.contracts.cognition.stardust import LedgerPacket
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.schema import version_of

if TYPE_CHECKING:
    import pyarrow as pa

# In the order of RFC 8785, 3.2.3: the leaf is written without sorting.
LEAF_FIELDS = (
    "content_hash",
    "creator",
    "day",
    "emitted_at",
    "leaf_index",
    "message_type",
    "message_version",
    "missing_parents",
    "packet_id",
    "parents",
    "producer",
    "schema_version",
    "sequenced_at",
    "source_key",
    "subject_id",
    "trace_id",
)
OPTIONAL = frozenset({"creator", "day", "subject_id"})
# In the order an analyst would want to see them.
COLUMNS = (
    "leaf_index",
    "packet_id",
    "trace_id",
    "source_key",
    "message_type",
    "message_version",
    "producer",
    "subject_id",
    "creator",
    "day",
    "emitted_at",
    "sequenced_at",
    "parents",
    "missing_parents",
    "content_hash",
    "schema_version",
    "message",
)
_VERSION = version_of(LedgerPacket)
_LISTS = frozenset({"parents", "missing_parents"})


@lru_cache(maxsize=1)
def arrow_schema() -> pa.Schema:
    """The columns of every file of the ledger."""
    import pyarrow as pa

    def kind(name: str) -> pa.DataType:
        if name in _LISTS:
            return pa.list_(pa.field("element", pa.string(), nullable=False))
        return pa.int64() if name == "leaf_index" else pa.string()

    return pa.schema([pa.field(name, kind(name), nullable=name in OPTIONAL) for name in COLUMNS])


def leaf_data(entry: Mapping[str, Any]) -> bytes:
    """The leaf of one entry: the JSON object of a sequenced `LedgerPacket` (a message beside it,
    and what is not set, are left out)."""
    return _written({name: entry.get(name) for name in LEAF_FIELDS})


def leaf_data_of_columns(batch: pa.RecordBatch) -> Iterator[bytes]:
    """The leaves of a batch's rows, in their order."""
    return _leaves({name: batch.column(name).to_pylist() for name in LEAF_FIELDS})


class Entries:
    """Entries in the making, all of one moment."""

    def __init__(self, first_leaf: int, sequenced_at: str) -> None:
        self.sequenced_at = sequenced_at
        self._first = first_leaf
        self._rows: list[tuple[Any, ...]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, recorded: Any, envelope: Mapping[str, Any], missing: Sequence[str]) -> None:
        """The next entry: a row of the outbox, its message opened, and which parents it lacks."""
        self._rows.append(
            (  # as in COLUMNS
                self._first + len(self._rows),
                envelope["message_id"],
                envelope["trace_id"],
                recorded.source_key,
                envelope["message_type"],
                envelope["schema_version"],
                envelope["producer"],
                recorded.subject_id or None,
                recorded.creator or None,
                recorded.day or None,
                envelope["emitted_at"],
                self.sequenced_at,
                list(dict.fromkeys(envelope["_meta_parents"])),
                list(missing),
                recorded.content_hash,
                _VERSION,
                recorded.body,
            )
        )

    def leaves(self) -> Iterator[bytes]:
        """Their leaves, in order."""
        return _leaves(self._columns())

    def batch(self) -> pa.RecordBatch:
        """Them as Arrow."""
        import pyarrow as pa

        arrays = [
            pa.array(values, field.type)
            for values, field in zip(self._columns().values(), arrow_schema(), strict=True)
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=arrow_schema())

    def _columns(self) -> dict[str, Sequence[Any]]:
        return dict(zip(COLUMNS, zip(*self._rows, strict=True), strict=True))


def opened(recorded: Any) -> dict[str, Any] | str:
    """The envelope in a row of the outbox, or why it is not what was recorded there."""
    body: str = recorded.body
    if sha256(body.encode()).hexdigest() != recorded.content_hash:
        return "its message does not have its content_hash"
    if derive_id("packet", recorded.source_key) != recorded.packet_id:
        return "its packet_id does not follow from its source_key"
    try:
        envelope: dict[str, Any] = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        return f"its message is no JSON: {error}"
    if not isinstance(envelope, dict) or not envelope.keys() >= _ENVELOPE:
        return "its message is no envelope"
    if envelope["message_id"] != recorded.packet_id:
        return "its message is another packet's"
    return envelope


_ENVELOPE = {
    "message_id",
    "message_type",
    "schema_version",
    "trace_id",
    "_meta_parents",
    "producer",
    "emitted_at",
}


def _leaves(columns: Mapping[str, Sequence[Any]]) -> Iterator[bytes]:
    for values in zip(*(columns[name] for name in LEAF_FIELDS), strict=True):
        yield _written(dict(zip(LEAF_FIELDS, values, strict=True)))


def _written(leaf: dict[str, Any]) -> bytes:
    # For texts, whole numbers and lists of texts, under keys in order, orjson writes exactly what
    # RFC 8785 asks for (a test compares the two).
    for name in OPTIONAL:
        if leaf[name] is None:
            del leaf[name]
    return orjson.dumps(leaf)
