"""What reading a message costs, beside the bare validators it is made of.

`Document.parse` reads strictly (no key twice, every fault by pointer) where pydantic-core alone and
a schema validator alone do not; the ratio says what that costs.

Run: python benchmarks/contracts.py [seconds a measurement]
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs

from omniva_dagster.contracts.registry import MESSAGE_TYPES
from omniva_dagster.contracts.schema import schema_files

ROOT = Path(__file__).parents[1]
NAMES = ("ScheduleTask", "UploadJob", "ClipCandidate", "VideoAsset", "AnalysisResult", "EditJob")
ROUNDS = 5


def per_second(call: Callable[[], object], seconds: float) -> float:
    """How often a second of CPU time is enough for a call."""
    calls, started = 0, time.process_time()
    while (taken := time.process_time() - started) < seconds:
        for _ in range(50):
            call()
        calls += 50
    return calls / taken


def schema_validators() -> dict[str, jsonschema_rs.Draft202012Validator]:
    """A validator for each type, formats asserted, other files found by `$id`."""
    loaded = [json.loads(content) for content in schema_files().values()]
    files = {file["title"]: file for file in loaded if "$id" in file}
    registry = jsonschema_rs.Registry([(file["$id"], file) for file in files.values()])
    return {
        name: jsonschema_rs.Draft202012Validator(
            files[name], registry=registry, validate_formats=True
        )
        for name in NAMES
    }


def calls_of(
    name: str, text: bytes, validator: jsonschema_rs.Draft202012Validator
) -> dict[str, Callable[[], object]]:
    """The ways to read one message, by what they are called in the table."""
    model, parsed = MESSAGE_TYPES[name], json.loads(text)

    def by_schema() -> Any:
        validator.validate(json.loads(text))

    return {
        "Document.parse": lambda: model.parse(text),
        "pydantic-core": lambda: model.model_validate_json(text, by_alias=True, by_name=False),
        "json + schema": by_schema,
        "schema alone": lambda: validator.validate(parsed),
    }


def main() -> None:
    """One table: messages a CPU second, and how they compare."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 0.2
    validators = schema_validators()
    columns = ("Document.parse", "pydantic-core", "json + schema", "schema alone")
    head = "".join(f"{column:>16}" for column in columns)
    print(f"{'messages a CPU second':24}{'bytes':>7}{head}{'to pydantic':>13}{'to schema':>11}")
    for name in NAMES:
        document = json.loads((ROOT / "schemas/examples" / f"{name}.json").read_text())
        text = json.dumps(document).encode()
        taken: dict[str, list[float]] = {column: [] for column in columns}
        for _ in range(ROUNDS):  # in turns, so that a noisy machine is noisy for all
            for column, call in calls_of(name, text, validators[name]).items():
                taken[column].append(per_second(call, seconds))
        rates = [statistics.median(taken[column]) for column in columns]
        shown = "".join(f"{rate:16,.0f}" for rate in rates)
        print(
            f"{name:24}{len(text):7,}{shown}{rates[0] / rates[1]:13.2f}{rates[0] / rates[2]:11.2f}"
        )


if __name__ == "__main__":
    main()
