"""Facets of OpenLineage, each with the address of the schema it follows.

The standard ones are those of openlineage.io/spec/facets in the versions of the official client
1.54. Ours ties an event to its packets: ``schemas/openlineage/OmnivaLedgerRunFacet.json``.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from omniva_dagster import __version__
from omniva_dagster.contracts.schema import BASE_ID

PRODUCER = f"https://omniva.example/dagster/{__version__}"
_SPEC = "https://openlineage.io/spec"
RUN_EVENT = f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"
DATASET_EVENT = f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/DatasetEvent"
LEDGER_FACET = f"{BASE_ID}openlineage/OmnivaLedgerRunFacet.json#/$defs/OmnivaLedgerRunFacet"

Facet = dict[str, Any]


def nominal_time(day: str) -> Facet:
    """The day (UTC) that a run is about."""
    start = date.fromisoformat(day)
    times = {"nominalStartTime": f"{day}T00:00:00Z"}
    if start < date.max:
        times["nominalEndTime"] = f"{start + timedelta(days=1)}T00:00:00Z"
    return _facet("1-0-1", "NominalTimeRunFacet", **times)


def parent(run_id: str, namespace: str, job: str) -> Facet:
    """The run that a step is of."""
    return _facet(
        "1-2-0",
        "ParentRunFacet",
        run={"runId": run_id},
        job={"namespace": namespace, "name": job},
    )


def error_message(message: str) -> Facet:
    """Why a run failed."""
    return _facet("1-0-1", "ErrorMessageRunFacet", message=message, programmingLanguage="PYTHON")


def ledger(**fields: Any) -> Facet:
    """The packets behind an event, and what they say that no standard facet can."""
    return {"_producer": PRODUCER, "_schemaURL": LEDGER_FACET} | _set(fields)


def job_type(kind: str) -> Facet:
    """What a job is in Dagster."""
    return _facet(
        "2-0-4", "JobTypeJobFacet", processingType="BATCH", integration="DAGSTER", jobType=kind
    )


def documentation(description: str, of: str) -> Facet:
    """What a job or a dataset (``of``: ``Job``, ``Dataset``) is, in words."""
    return _facet("1-1-0", f"Documentation{of}Facet", description=description)


def columns(described: tuple[tuple[str, str, str], ...]) -> Facet:
    """A dataset's columns."""
    fields = [
        _set({"name": name, "type": kind, "description": text}) for name, kind, text in described
    ]
    return _facet("1-2-0", "SchemaDatasetFacet", fields=fields)


def version(data_version: str) -> Facet:
    """Which version of a dataset was read or written."""
    return _facet("1-0-1", "DatasetVersionDatasetFacet", datasetVersion=data_version)


def statistics(rows: int | None, size: int | None) -> Facet:
    """How much was written: rows and bytes, where they are known."""
    fields = _set({"rowCount": rows, "size": size})
    return _facet("1-0-2", "OutputStatisticsOutputDatasetFacet", **fields)


def assertion(check: str, passed: bool, severity: str) -> Facet:
    """What a check found; ``severity`` is what it means that it did not pass."""
    found = _set({"assertion": check, "success": passed, "severity": severity.lower()})
    return _facet("1-1-0", "DataQualityAssertionsDatasetFacet", assertions=[found])


def _facet(release: str, name: str, **fields: Any) -> Facet:
    url = f"{_SPEC}/facets/{release}/{name}.json#/$defs/{name}"
    return {"_producer": PRODUCER, "_schemaURL": url} | fields


def _set(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in (None, "", [])}
