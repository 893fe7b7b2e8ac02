"""An analysis on disk: the result as JSON and its evidence as Parquet, in a folder of its own."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omniva_dagster.contracts.analysis import AnalysisResult
from omniva_dagster.contracts.errors import ContractError
from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.analyzer import ANALYZER_VERSION
from omniva_dagster.workers.analyzer.analyze import Analysis
from omniva_dagster.workers.analyzer.features import SCORING_VERSION, Contribution
from omniva_dagster.workers.durable import sync
from omniva_dagster.workers.media.timeline import Face, Scene, Word

if TYPE_CHECKING:
    import pyarrow as pa

# Column types by table, in Arrow's names: files without rows have them too.
SCHEMAS: dict[str, dict[str, str]] = {
    "words": {"text": "string", "start": "double", "end": "double", "probability": "double"},
    "scenes": {"start": "double", "end": "double"},
    "faces": {
        "time": "double",
        "x": "double",
        "y": "double",
        "width": "double",
        "height": "double",
        "score": "double",
    },
    "contributions": {
        "candidate": "int32",
        "name": "string",
        "value": "double",
        "weight": "double",
        "points": "double",
        "evidence": "string",
    },
    "silences": {"start": "double", "end": "double"},
}
_RESULT, _META = "result.json", "meta.json"
_ATTEMPTS = 5


def fingerprint(sha256_of_media: str, model_name: str) -> str:
    """A hex digest that is equal exactly for analyses that would come out equal.

    Over the media's SHA-256, `Transcriber.name`, and the versions of analyzer and scoring.
    """
    parts = [sha256_of_media, model_name, ANALYZER_VERSION, SCORING_VERSION]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def write(analysis: Analysis, folder: Path) -> dict[str, Path]:
    """Keep the analysis in ``folder``, which appears whole by one rename; the files by name.

    What the folder held before is replaced.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _aside(folder) as temporary:
        aside = Path(temporary)
        made = aside / "made"
        made.mkdir()
        for name, rows in _tables(analysis).items():
            _write_table(rows, name, made / f"{name}.parquet")
        _write_json(analysis.result.dump(), made / _RESULT)
        _write_json(_meta(analysis), made / _META)
        sync(made)
        _put(made, folder, aside)
    sync(folder.parent)
    names = [*(f"{name}.parquet" for name in SCHEMAS), _RESULT, _META]
    return {Path(name).stem: folder / name for name in names}


def read(folder: Path) -> Analysis:
    """The analysis kept in ``folder``.

    Raises `FileNotFoundError` if there is none, and `WorkerError` ``internal`` if it is damaged.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"no analysis is kept at {folder}")
    try:
        return _read(folder)
    except (OSError, ValueError, KeyError, TypeError, IndexError, ContractError) as error:
        raise WorkerError(
            ReasonCode.INTERNAL,
            f"the analysis kept at {folder} cannot be read ({type(error).__name__}); "
            "delete that folder and run again",
        ) from error


def _read(folder: Path) -> Analysis:
    meta = json.loads((folder / _META).read_text(encoding="utf-8"))
    result = AnalysisResult.parse((folder / _RESULT).read_bytes())
    tables = {name: _read_table(folder / f"{name}.parquet") for name in SCHEMAS}
    contributions: list[list[Contribution]] = [[] for _ in result.clip_candidates]
    for row in tables["contributions"]:
        contributions[row.pop("candidate")].append(Contribution(**row))
    return Analysis(
        result=result,
        words=[Word(**row) for row in tables["words"]],
        scenes=[Scene(**row) for row in tables["scenes"]],
        faces=[Face(**row) for row in tables["faces"]],
        contributions=contributions,
        language=meta["language"],
        model=meta["model"],
        silences=[(row["start"], row["end"]) for row in tables["silences"]],
    )


def _meta(analysis: Analysis) -> dict[str, str]:
    return {
        "language": analysis.language,
        "model": analysis.model,
        "analyzer_version": ANALYZER_VERSION,
        "scoring_version": SCORING_VERSION,
    }


def _tables(analysis: Analysis) -> dict[str, list[dict[str, Any]]]:
    return {
        "words": [asdict(word) for word in analysis.words],
        "scenes": [asdict(scene) for scene in analysis.scenes],
        "faces": [asdict(face) for face in analysis.faces],
        "contributions": [
            {"candidate": i, **asdict(contribution)}
            for i, contributions in enumerate(analysis.contributions)
            for contribution in contributions
        ],
        "silences": [{"start": start, "end": end} for start, end in analysis.silences],
    }


def _schema(name: str) -> pa.Schema:
    import pyarrow as pa

    return pa.schema(
        [
            pa.field(column, pa.type_for_alias(kind), nullable=False)
            for column, kind in SCHEMAS[name].items()
        ]
    )


def _write_table(rows: Sequence[dict[str, Any]], name: str, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pylist(list(rows), schema=_schema(name))
    with path.open("wb") as file:
        pq.write_table(table, file, compression="zstd")
        file.flush()
        os.fsync(file.fileno())


def _read_table(path: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    with path.open("rb") as file:
        rows: list[dict[str, Any]] = pq.read_table(file).to_pylist()
    return rows


def _write_json(document: dict[str, Any], path: Path) -> None:
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, indent=2) + "\n"
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _aside(folder: Path) -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent)


def _put(made: Path, folder: Path, aside: Path) -> None:
    """Rename ``made`` to ``folder``; a folder there, even one that just appeared, moves aside."""
    for attempt in range(_ATTEMPTS):
        try:
            made.rename(folder)
            return
        except OSError:
            if not folder.is_dir() or attempt == _ATTEMPTS - 1:
                raise
        with suppress(FileNotFoundError):
            folder.rename(aside / f"replaced-{attempt}")
