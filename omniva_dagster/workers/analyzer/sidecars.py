"""An analysis on disk: the result as JSON and its evidence as Parquet, in a folder of its own."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from omniva_dagster.contracts.analysis import AnalysisResult
from omniva_dagster.contracts.errors import ContractError
from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.analyzer import ANALYZER_VERSION, provenance
from omniva_dagster.workers.analyzer.analyze import Analysis
from omniva_dagster.workers.analyzer.audio import STEP_SECONDS
from omniva_dagster.workers.analyzer.scores.features import SCORING_VERSION, Contribution
from omniva_dagster.workers.analyzer.spans.penalties import Penalty
from omniva_dagster.workers.analyzer.text import embeddings
from omniva_dagster.workers.analyzer.text.sentences import split
from omniva_dagster.workers.analyzer.text.words import join, within
from omniva_dagster.workers.durable import sync
from omniva_dagster.workers.media.timeline import Face, Interest, Scene, Still, Word

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")

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
        "mouth": "double",
    },
    "contributions": {
        "candidate": "int32",
        "name": "string",
        "value": "double",
        "weight": "double",
        "points": "double",
        "evidence": "string",
    },
    "penalties": {
        "candidate": "int32",
        "name": "string",
        "share": "double",
        "evidence": "string",
    },
    "silences": {"start": "double", "end": "double"},
    "doubtful": {"start": "double", "end": "double"},
    "interests": {
        "start": "double",
        "end": "double",
        "x": "double",
        "y": "double",
        "share": "double",
    },
    "stills": {
        "time": "double",
        "sharpness": "double",
        "exposure": "double",
        "openness": "double",
        "likeness": "string",
    },
    "loudness": {"time": "double", "level": "double"},
    "motion": {"time": "double", "change": "double"},
}
# For whoever looks for texts alike: `vectors` reads it, apart from the analysis.
EMBEDDINGS = "embeddings"
_FIRST_VERSION = "1"
_IN_FIRST = ("words", "scenes", "faces", "contributions", "silences")
_RESULT, _META = "result.json", "meta.json"
_ATTEMPTS = 5


def fingerprint(
    sha256_of_media: str, model_name: str, hints: str = "", *, proxied: bool = False
) -> str:
    """A hex digest that is equal exactly for analyses that would come out equal.

    Over the media's SHA-256, `Transcriber.name`, `Hints.digest`, whether there is a proxy to look
    at, and the versions of analyzer and scoring.
    """
    eyes = "proxy" if proxied else "media"
    parts = [sha256_of_media, model_name, ANALYZER_VERSION, SCORING_VERSION, hints, eyes]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def write(analysis: Analysis, folder: Path, *, cpu_seconds: float | None = None) -> dict[str, Path]:
    """Keep the analysis in ``folder``, which appears whole by one rename; the files by name.

    What the folder held before is replaced. ``cpu_seconds`` is what making it cost.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _aside(folder) as temporary:
        aside = Path(temporary)
        made = aside / "made"
        made.mkdir()
        for name, rows in _tables(analysis).items():
            _write_table(rows, _schema(name), made / f"{name}.parquet")
        _write_table(_embedded(analysis), _embedding_schema(), made / f"{EMBEDDINGS}.parquet")
        _write_json(analysis.result.dump(), made / _RESULT)
        _write_json(_meta(analysis, cpu_seconds), made / _META)
        sync(made)
        _put(made, folder, aside)
    sync(folder.parent)
    names = [*(f"{name}.parquet" for name in (*SCHEMAS, EMBEDDINGS)), _RESULT, _META]
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


def read_meta(folder: Path) -> dict[str, Any]:
    """What stands beside the analysis kept in ``folder``: versions, models, what it cost."""
    meta: dict[str, Any] = json.loads((folder / _META).read_text(encoding="utf-8"))
    return meta


def _read(folder: Path) -> Analysis:
    meta = read_meta(folder)
    result = AnalysisResult.parse((folder / _RESULT).read_bytes())
    kept = _IN_FIRST if meta["analyzer_version"] == _FIRST_VERSION else tuple(SCHEMAS)
    tables = {
        name: _read_table(folder / f"{name}.parquet") if name in kept else [] for name in SCHEMAS
    }
    return Analysis(
        result=result,
        words=[Word(**row) for row in tables["words"]],
        scenes=[Scene(**row) for row in tables["scenes"]],
        faces=[Face(**row) for row in tables["faces"]],
        contributions=_by_candidate(tables["contributions"], Contribution, result),
        language=meta["language"],
        model=meta["model"],
        silences=_stretches(tables["silences"]),
        penalties=_by_candidate(tables["penalties"], Penalty, result),
        interests=[Interest(**row) for row in tables["interests"]],
        stills=[Still(**row) for row in tables["stills"]],
        levels=[row["level"] for row in tables["loudness"]],
        motion=[row["change"] for row in tables["motion"]],
        language_probability=meta.get("language_probability", 0.0),
        doubtful=_stretches(tables["doubtful"]),
        hints=meta.get("hints", ""),
        seen_in=meta.get("seen_in", "media"),
    )


def _by_candidate(
    rows: Sequence[dict[str, Any]], kind: Callable[..., T], result: AnalysisResult
) -> list[list[T]]:
    found: list[list[T]] = [[] for _ in result.clip_candidates]
    for row in rows:
        found[row.pop("candidate")].append(kind(**row))
    return found


def _stretches(rows: Sequence[dict[str, Any]]) -> list[tuple[float, float]]:
    return [(row["start"], row["end"]) for row in rows]


def _meta(analysis: Analysis, cpu_seconds: float | None) -> dict[str, Any]:
    models = [one.dump() for one in provenance.of_today(analysis.model)]
    return {
        "models": models,
        **({} if cpu_seconds is None else {"cpu_seconds": round(cpu_seconds, 2)}),
        "language": analysis.language,
        "language_probability": analysis.language_probability,
        "model": analysis.model,
        "hints": analysis.hints,
        "seen_in": analysis.seen_in,
        "embedding_scheme": embeddings.SCHEME,
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
        "penalties": [
            {"candidate": i, **asdict(penalty)}
            for i, penalties in enumerate(analysis.penalties)
            for penalty in penalties
        ],
        "silences": [{"start": start, "end": end} for start, end in analysis.silences],
        "doubtful": [{"start": start, "end": end} for start, end in analysis.doubtful],
        "interests": [asdict(interest) for interest in analysis.interests],
        "stills": [asdict(still) for still in analysis.stills],
        "loudness": [
            {"time": round(i * STEP_SECONDS, 3), "level": level}
            for i, level in enumerate(analysis.levels)
        ],
        "motion": [
            {"time": float(i), "change": change} for i, change in enumerate(analysis.motion)
        ],
    }


def _embedded(analysis: Analysis) -> list[dict[str, Any]]:
    """Each sentence and each candidate with its vector."""
    sentences = split(analysis.words, analysis.language)
    rows: list[tuple[str, float, float, str]] = [
        ("sentence", sentence.start, sentence.end, sentence.text) for sentence in sentences
    ]
    for candidate in analysis.result.clip_candidates:
        start, end = candidate.start_time, candidate.end_time
        rows.append(("candidate", start, end, join(within(analysis.words, start, end))))
    vectors = embeddings.embed([row[3] for row in rows], [s.text for s in sentences])
    return [
        {"kind": kind, "start": start, "end": end, "vector": vector.tolist()}
        for (kind, start, end, _), vector in zip(rows, vectors, strict=True)
    ]


def _embedding_schema() -> pa.Schema:
    import pyarrow as pa

    vector = pa.list_(pa.float32(), embeddings.SIZE)
    columns = {"kind": pa.string(), "start": pa.float64(), "end": pa.float64(), "vector": vector}
    return pa.schema([pa.field(name, kind, nullable=False) for name, kind in columns.items()])


def _schema(name: str) -> pa.Schema:
    import pyarrow as pa

    return pa.schema(
        [
            pa.field(column, pa.type_for_alias(kind), nullable=False)
            for column, kind in SCHEMAS[name].items()
        ]
    )


def _write_table(rows: Sequence[dict[str, Any]], schema: pa.Schema, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pylist(list(rows), schema=schema)
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
