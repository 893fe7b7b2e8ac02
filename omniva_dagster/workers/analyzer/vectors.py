"""The kept vectors of a video's sentences and candidates, as whole numbers.

Votes must come out alike on every machine, and sums of floating-point numbers do not: vectors are
rounded to whole numbers here, with which everything that follows is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.analyzer.text.embeddings import SIZE

# What 1.0 is as a whole number: cosines come out right to four decimals.
SCALE = 1 << 14
Vector = tuple[int, ...]


@dataclass(frozen=True)
class Embedded:
    """A candidate's vector, the sum of those of the sentences outside it, and its row in the file.

    ``rest`` is empty where less is said outside it than in it: that is not much to be like.
    """

    vector: Vector
    rest: Vector
    row: int


def read(path: Path, spans: Sequence[tuple[float, float]]) -> list[Embedded]:
    """The vectors of candidates by their (start, end), in that order, from ``embeddings.parquet``.

    Empty if there is no such file (an analysis of the first version). Raises `WorkerError`
    ``internal`` if it is damaged, or holds others' vectors.
    """
    if not path.is_file():
        return []
    try:
        rows = _rows(path)
        return _matched(rows, spans)
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise WorkerError(
            ReasonCode.INTERNAL,
            f"the vectors kept at {path} cannot be read ({type(error).__name__}); delete its "
            "folder and run again",
        ) from error


def _rows(path: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    with path.open("rb") as file:
        rows: list[dict[str, Any]] = pq.read_table(file).to_pylist()
    return rows


def _matched(
    rows: Sequence[dict[str, Any]], spans: Sequence[tuple[float, float]]
) -> list[Embedded]:
    places = [at for at, row in enumerate(rows) if row["kind"] == "candidate"]
    found = [(rows[at]["start"], rows[at]["end"]) for at in places]
    if found != list(spans):
        raise ValueError("its candidates are others")
    sentences = [
        (row["start"], row["end"], _whole(row["vector"]))
        for row in rows
        if row["kind"] == "sentence"
    ]
    whole = _sum([vector for _, _, vector in sentences])
    embedded = []
    for at, (start, end) in zip(places, spans, strict=True):
        # A cut stands in the pause around a sentence, so those of a span lie within it.
        within = [vector for begins, ends, vector in sentences if begins < end and ends > start]
        rest: Vector = ()
        if len(sentences) - len(within) >= max(1, len(within)):
            rest = tuple(a - b for a, b in zip(whole, _sum(within), strict=True))
        embedded.append(Embedded(_whole(rows[at]["vector"]), rest, at))
    return embedded


def _whole(vector: Sequence[float]) -> Vector:
    if len(vector) != SIZE:
        raise ValueError("a vector has another length")
    return tuple(round(value * SCALE) for value in vector)


def _sum(vectors: Sequence[Vector]) -> Vector:
    return tuple(map(sum, zip(*vectors, strict=True))) if vectors else (0,) * SIZE
