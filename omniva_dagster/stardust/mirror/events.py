"""What an entry of Dagster's event log says, as a packet's document and its place in the lineage.

An event is known by run, step, type, asset, partition, check and the moment it was logged, never by
a storage id: SQLite keeps a copy of the same event under another id, PostgreSQL commits ids out of
order. So every reading of the log gives the same packets.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dagster import (
    AssetCheckEvaluation,
    AssetKey,
    BoolMetadataValue,
    DagsterEventType,
    FloatMetadataValue,
    IntMetadataValue,
    JsonMetadataValue,
    TextMetadataValue,
    UrlMetadataValue,
)

from omniva_dagster.contracts.cognition.stardust import (
    CheckSeverity,
    DagsterEvent,
    DagsterEventKind,
)
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.types import (
    DAY_PATTERN,
    MAX_NUMBER,
    SLUG_PATTERN,
    UUID4_PATTERN,
    format_timestamp,
)
from omniva_dagster.stardust.mirror import words
from omniva_dagster.state.partition import Partition

if TYPE_CHECKING:
    from dagster import DagsterEvent as LoggedEvent
    from dagster import EventLogEntry

PRODUCER = "dagster"
# The metadata under which an asset says which packets it holds.
PACKETS_KEY = "packets"
_MOST_METADATA = 50
_LONGEST_LABEL = 64
_LONGEST_OCCURRENCE = 800
# The last that a contract can write.
_LAST_SECOND = datetime(2999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INPUT = "dagster/input_data_version/"
_CODE_VERSION = "dagster/code_version"
_DATA_VERSION = "dagster/data_version"

KINDS = {
    DagsterEventType.RUN_ENQUEUED: DagsterEventKind.RUN_ENQUEUED,
    DagsterEventType.RUN_START: DagsterEventKind.RUN_START,
    DagsterEventType.RUN_SUCCESS: DagsterEventKind.RUN_SUCCESS,
    DagsterEventType.RUN_FAILURE: DagsterEventKind.RUN_FAILURE,
    DagsterEventType.RUN_CANCELED: DagsterEventKind.RUN_CANCELED,
    DagsterEventType.STEP_START: DagsterEventKind.STEP_START,
    DagsterEventType.STEP_SUCCESS: DagsterEventKind.STEP_SUCCESS,
    DagsterEventType.STEP_FAILURE: DagsterEventKind.STEP_FAILURE,
    DagsterEventType.STEP_UP_FOR_RETRY: DagsterEventKind.STEP_UP_FOR_RETRY,
    DagsterEventType.ASSET_MATERIALIZATION_PLANNED: DagsterEventKind.ASSET_MATERIALIZATION_PLANNED,
    DagsterEventType.ASSET_MATERIALIZATION: DagsterEventKind.ASSET_MATERIALIZATION,
    DagsterEventType.ASSET_FAILED_TO_MATERIALIZE: DagsterEventKind.ASSET_FAILED_TO_MATERIALIZE,
    DagsterEventType.ASSET_OBSERVATION: DagsterEventKind.ASSET_OBSERVATION,
    DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED: (
        DagsterEventKind.ASSET_CHECK_EVALUATION_PLANNED
    ),
    DagsterEventType.ASSET_CHECK_EVALUATION: DagsterEventKind.ASSET_CHECK_EVALUATION,
    DagsterEventType.ASSET_WIPED: DagsterEventKind.ASSET_WIPED,
}
MIRRORED = frozenset(KINDS)
ENDS = frozenset(
    {DagsterEventKind.RUN_SUCCESS, DagsterEventKind.RUN_FAILURE, DagsterEventKind.RUN_CANCELED}
)


@dataclass(frozen=True)
class Target:
    """The materialization that a check looked at, as Dagster points to it."""

    storage_id: int
    run_id: str
    timestamp: float


@dataclass(frozen=True)
class Event:
    """A mirrored event: its document, what names it, and what its lineage is found by."""

    document: DagsterEvent
    run_id: str
    timestamp: float
    subject_id: str
    occurrence: str
    partition: Partition
    asset: AssetKey | None = None
    partition_key: str | None = None
    inputs: tuple[AssetKey, ...] = ()
    target: Target | None = None
    packets: tuple[str, ...] = ()

    @property
    def kind(self) -> DagsterEventKind:
        """What happened."""
        return self.document.kind

    @property
    def packet_id(self) -> str:
        """The id that its packet has or will have."""
        parts = (PRODUCER, DagsterEvent.__name__, self.subject_id, self.occurrence)
        return derive_id("packet", "/".join(parts))

    @property
    def trace_id(self) -> str:
        """A run is a workflow; outside of one, an asset's partition is."""
        if self.run_id:
            return derive_id("trace", "dagster_run", self.run_id)
        return derive_id("trace", "dagster_asset", self.subject_id)

    @property
    def emitted_at(self) -> str:
        """When it was logged, in whole seconds like every stream of ours."""
        return format_timestamp(moment(self.timestamp))


def run_subject(run_id: str) -> str:
    """What events of a run as a whole are about."""
    return derive_id("dagster_run", run_id)


def step_subject(run_id: str, step: str) -> str:
    """What events of a run's step are about, if they are about no asset."""
    return derive_id("dagster_step", run_id, step)


def asset_subject(asset: AssetKey, partition: str | None) -> str:
    """What events of an asset's partition are about."""
    return derive_id("dagster_asset", asset.to_string(), partition or "")


def moment(timestamp: float) -> datetime:
    """The time that an event carries; the nearest one that can be written, if it is none."""
    if not math.isfinite(timestamp):
        return _EPOCH
    seconds = min(max(timestamp, 0.0), _LAST_SECOND)
    return _EPOCH + timedelta(microseconds=round(seconds * 1_000_000))


def event_of(entry: EventLogEntry) -> Event | None:
    """The event of a log entry, if it is one of those that are mirrored."""
    logged = entry.dagster_event
    kind = KINDS.get(logged.event_type) if logged else None
    if logged is None or kind is None:
        return None
    data: Any = logged.event_specific_data
    check = data if hasattr(data, "check_name") else None
    asset = logged.asset_key or getattr(data, "asset_key", None)
    partition = logged.partition or getattr(data, "partition", None)
    step = logged.step_key or entry.step_key
    made = getattr(data, "materialization", None)
    tags: Mapping[str, str] = (made.tags or {}) if made else {}
    measures, labels = _metadata(logged, data)
    document = DagsterEvent(
        kind=kind,
        occurred_at=f"{moment(entry.timestamp):%Y-%m-%dT%H:%M:%S.%fZ}",
        measures=measures,
        labels=labels,
        **_optional(
            run_id=words.key(entry.run_id, words.LONGEST_LINE),
            job_name=words.line(entry.job_name or logged.job_name or ""),
            step_key=words.key(step or "", words.LONGEST_LINE),
            asset_key=words.key("/".join(asset.path)) if asset else "",
            partition=words.key(partition or ""),
            code_version=words.line(tags.get(_CODE_VERSION) or ""),
            data_version=words.line(tags.get(_DATA_VERSION) or ""),
            check_name=words.line(check.check_name) if check else "",
            **_verdict(data),
            **_error(data),
        ),
    )
    name: list[Any] = [entry.run_id, step, kind.value, asset and asset.to_string(), partition]
    name += [check and check.check_name, f"{moment(entry.timestamp):%Y-%m-%dT%H:%M:%S.%fZ}"]
    return Event(
        document,
        run_id=entry.run_id,
        timestamp=entry.timestamp if math.isfinite(entry.timestamp) else 0.0,
        subject_id=_subject(entry.run_id, step, asset, partition),
        occurrence=_occurrence(name),
        partition=partition_of(partition or ""),
        asset=asset,
        partition_key=partition,
        inputs=_inputs(tags),
        target=_target(data),
        packets=_packets(data),
    )


def partition_of(key: str) -> Partition:
    """Creator and day, of a partition's key that has them; empty where it does not."""
    creator, _, day = key.rpartition("|")
    if not re.fullmatch(DAY_PATTERN[1:-1], day):
        return Partition("", "")
    return Partition(creator if re.fullmatch(SLUG_PATTERN[1:-1], creator) else "", day)


def _subject(run_id: str, step: str | None, asset: AssetKey | None, partition: str | None) -> str:
    if asset is not None:
        return asset_subject(asset, partition)
    return step_subject(run_id, step) if step else run_subject(run_id)


def _occurrence(name: list[Any]) -> str:
    occurrence = json.dumps(["" if part is None else part for part in name], separators=(",", ":"))
    if len(occurrence) <= _LONGEST_OCCURRENCE:
        return occurrence
    return derive_id("dagster_event", occurrence)


def _optional(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in ("", None)}


def _verdict(data: Any) -> dict[str, Any]:
    if not isinstance(data, AssetCheckEvaluation):
        return {}
    return {"passed": data.passed, "severity": CheckSeverity(data.severity.value)}


def _error(data: Any) -> dict[str, Any]:
    error = getattr(data, "error", None)
    while error is not None and error.cause is not None:
        error = error.cause
    if error is None:
        return {}
    said = (error.message or "").removeprefix(f"{error.cls_name}: ")
    return {"error_class": words.line(error.cls_name or ""), "error_message": words.text(said)}


def _target(data: Any) -> Target | None:
    found = getattr(data, "target_materialization_data", None)
    return Target(found.storage_id, found.run_id, found.timestamp) if found else None


def _inputs(tags: Mapping[str, str]) -> tuple[AssetKey, ...]:
    names = sorted(name.removeprefix(_INPUT) for name in tags if name.startswith(_INPUT))
    return tuple(AssetKey.from_user_string(name) for name in names)


def _all_metadata(data: Any) -> Mapping[str, Any]:
    said = getattr(data, "materialization", None) or getattr(data, "asset_observation", None)
    said = said or getattr(data, "asset_materialization_failure", None) or data
    found = getattr(said, "metadata", None)
    return found if isinstance(found, Mapping) else {}


def _packets(data: Any) -> tuple[str, ...]:
    value = _all_metadata(data).get(PACKETS_KEY)
    listed = value.value if isinstance(value, JsonMetadataValue) else None
    if not isinstance(listed, list):
        return ()
    return tuple(
        item for item in listed if isinstance(item, str) and re.fullmatch(UUID4_PATTERN[1:-1], item)
    )


def _metadata(logged: LoggedEvent, data: Any) -> tuple[dict[str, float], dict[str, str]]:
    """Of the metadata, the numbers and the short texts."""
    measures: dict[str, float] = {}
    labels: dict[str, str] = {}
    for name, value in sorted(_all_metadata(data).items()):
        label = words.key(name, _LONGEST_LABEL)
        if not label or words.is_secret(name):
            continue
        if isinstance(value, IntMetadataValue | FloatMetadataValue):
            number = value.value
            if number is not None and math.isfinite(number) and abs(number) <= MAX_NUMBER:
                measures[label] = number
        elif isinstance(value, BoolMetadataValue):
            labels[label] = "true" if value.value else "false"
        elif isinstance(value, TextMetadataValue | UrlMetadataValue):
            said = str(value.value or "")
            # What is longer is in Dagster, for whoever wants it.
            if 0 < len(said) <= words.LONGEST_LINE:
                labels[label] = words.line(said)
    return dict(list(measures.items())[:_MOST_METADATA]), dict(
        list(labels.items())[:_MOST_METADATA]
    )
