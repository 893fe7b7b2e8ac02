"""OpenLineage 2-0-2 and the facets we use, restated as closed schemas.

Written from the specification (openlineage.io/spec), and stricter: a field that it does not name is
refused, so that none is misspelt, and formats are asserted. `tests.stardust.test_openlineage` holds
them against the official client's classes.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import jsonschema_rs

SCHEMAS = Path(__file__).parents[2] / "schemas/openlineage"
CORE = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/"
TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
WHOLE: dict[str, Any] = {"type": "integer", "minimum": 0}


def formatted(name: str) -> dict[str, Any]:
    return {"type": "string", "format": name}


def closed(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(required),
        "properties": required | optional,
        "additionalProperties": False,
    }


def facet(release: str, name: str, required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    url = f"https://openlineage.io/spec/facets/{release}/{name}.json#/$defs/{name}"
    base = {"_producer": formatted("uri"), "_schemaURL": {"const": url}}
    return closed(base | required, **optional)


def array(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


RUN_REFERENCE = closed({"runId": formatted("uuid")})
JOB_REFERENCE = closed({"namespace": TEXT, "name": TEXT})
FIELD = closed({"name": TEXT}, type=TEXT, description=TEXT)
ASSERTION = closed({"assertion": TEXT, "success": {"type": "boolean"}}, severity=TEXT)

RUN_FACETS = {
    "nominalTime": facet(
        "1-0-1",
        "NominalTimeRunFacet",
        {"nominalStartTime": formatted("date-time")},
        nominalEndTime=formatted("date-time"),
    ),
    "parent": facet("1-2-0", "ParentRunFacet", {"run": RUN_REFERENCE, "job": JOB_REFERENCE}),
    "errorMessage": facet(
        "1-0-1", "ErrorMessageRunFacet", {"message": TEXT, "programmingLanguage": TEXT}
    ),
    "omniva_ledger": json.loads((SCHEMAS / "OmnivaLedgerRunFacet.json").read_text())["$defs"][
        "OmnivaLedgerRunFacet"
    ],
}
JOB_FACETS = {
    "jobType": facet(
        "2-0-4", "JobTypeJobFacet", {"processingType": TEXT, "integration": TEXT}, jobType=TEXT
    ),
    "documentation": facet("1-1-0", "DocumentationJobFacet", {"description": TEXT}),
}
DATASET_FACETS = {
    "schema": facet("1-2-0", "SchemaDatasetFacet", {"fields": array(FIELD)}),
    "documentation": facet("1-1-0", "DocumentationDatasetFacet", {"description": TEXT}),
    "version": facet("1-0-1", "DatasetVersionDatasetFacet", {"datasetVersion": TEXT}),
}
INPUT_FACETS = {
    "dataQualityAssertions": facet(
        "1-1-0", "DataQualityAssertionsDatasetFacet", {"assertions": array(ASSERTION)}
    )
}
OUTPUT_FACETS = {
    "outputStatistics": facet(
        "1-0-2", "OutputStatisticsOutputDatasetFacet", {}, rowCount=WHOLE, size=WHOLE
    )
}


def dataset(**special: Any) -> dict[str, Any]:
    return closed({"namespace": TEXT, "name": TEXT}, facets=closed({}, **DATASET_FACETS), **special)


def event(kind: str, required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    base = {
        "eventTime": formatted("date-time"),
        "producer": formatted("uri"),
        "schemaURL": {"const": CORE + kind},
    }
    return closed(base | required, **optional)


RUN_EVENT = event(
    "RunEvent",
    {
        "run": closed({"runId": formatted("uuid")}, facets=closed({}, **RUN_FACETS)),
        "job": closed({"namespace": TEXT, "name": TEXT}, facets=closed({}, **JOB_FACETS)),
    },
    eventType={"enum": ["START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"]},
    inputs=array(dataset(inputFacets=closed({}, **INPUT_FACETS))),
    outputs=array(dataset(outputFacets=closed({}, **OUTPUT_FACETS))),
)
DATASET_EVENT = event("DatasetEvent", {"dataset": dataset()})


@lru_cache(maxsize=1)
def validator() -> jsonschema_rs.Draft202012Validator:
    """Of run events and dataset events."""
    schema = {"oneOf": [RUN_EVENT, DATASET_EVENT]}
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


def faults(event: Any) -> list[str]:
    """What is wrong with an event; nothing if it is valid."""
    kind = DATASET_EVENT if isinstance(event, dict) and "dataset" in event else RUN_EVENT
    if validator().is_valid(event):
        return []
    found = jsonschema_rs.Draft202012Validator(kind, validate_formats=True).iter_errors(event)
    return [f"{list(error.instance_path)}: {error.message}" for error in found]
