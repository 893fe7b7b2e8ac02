"""Whether an entry of the ledger agrees with itself: its message, hash, columns and id."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from json.encoder import encode_basestring_ascii
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
# What the message's envelope calls a field, and the column that repeats it.
_ENVELOPE = {
    "message_id": "packet_id",
    "message_type": "message_type",
    "schema_version": "message_version",
    "trace_id": "trace_id",
    "producer": "producer",
    "emitted_at": "emitted_at",
}


def packet_id_of(source_key: str) -> str:
    """``derive_id("packet", source_key)``, in a fifth of the time."""
    text = f'["packet",{encode_basestring_ascii(source_key)}]'
    h = hashlib.sha256(text.encode("ascii")).hexdigest()
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-{_VARIANT[h[16]]}{h[17:20]}-{h[20:32]}"


def are_fine(batch: pa.RecordBatch) -> bool:
    """Whether `faults_of` would find nothing in any row; fast, as that is the rule.

    On rows that are not fine it may also raise whatever such rows provoke.
    """
    import orjson
    import pyarrow as pa

    messages = batch["message"].cast(pa.binary()).to_pylist()
    columns = {name: batch[name].to_pylist() for name in batch.schema.names if name != "message"}
    sha256 = hashlib.sha256
    if [sha256(message).hexdigest() for message in messages] != columns["content_hash"]:
        return False
    envelopes = [orjson.loads(message) for message in messages]
    parents = [list(dict.fromkeys(envelope["_meta_parents"])) for envelope in envelopes]
    return (
        all(
            [envelope[name] for envelope in envelopes] == columns[column]
            for name, column in _ENVELOPE.items()
        )
        and parents == columns["parents"]
        and [packet_id_of(key) for key in columns["source_key"]] == columns["packet_id"]
        and None not in columns["missing_parents"]
        and all(
            not missing or set(missing) <= set(own)
            for missing, own in zip(columns["missing_parents"], parents, strict=True)
        )
    )


def faults_of(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The fields of an entry (a row's columns, message included) that are wrong, and why."""
    import orjson

    message = entry["message"] or ""
    if hashlib.sha256(message.encode()).hexdigest() != entry["content_hash"]:
        yield "content_hash", "is not the hash of the message: one of the two was changed"
    try:
        envelope = orjson.loads(message)
    except orjson.JSONDecodeError:
        envelope = None
    if not isinstance(envelope, dict):
        yield "message", "is no JSON object"
        return
    for name, column in _ENVELOPE.items():
        if envelope.get(name) != entry[column]:
            yield column, f"is not the {name} of the message's envelope"
    parents = envelope.get("_meta_parents")
    if not isinstance(parents, list) or entry["parents"] != list(dict.fromkeys(map(str, parents))):
        yield "parents", "are not the _meta_parents of the message's envelope"
    if packet_id_of(str(entry["source_key"])) != entry["packet_id"]:
        yield "packet_id", "does not follow from source_key"
    missing = entry["missing_parents"]
    if missing is None or not set(missing) <= set(entry["parents"] or ()):
        yield "missing_parents", "names what is not in parents"
