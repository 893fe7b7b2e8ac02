"""How packets hang together: what is there twice, what is not there, what goes in circles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from omniva_dagster.contracts.cognition.stardust import InconsistencyKind
from omniva_dagster.contracts.types import format_timestamp
from omniva_dagster.engines.paradox import Link
from omniva_dagster.engines.paradox.times import PACKET_SKEW_SECONDS
from omniva_dagster.stardust.inconsistencies import Inconsistency

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    import numpy.typing as npt

# Of each kind; one says enough, the rest shows how far it goes.
MOST = 1_000
_TWICE = """
    SELECT packet_id::VARCHAR FROM nodes GROUP BY packet_id HAVING count(*) > 1
    ORDER BY 1 LIMIT $most
"""
_DANGLING = """
    SELECT children.packet_id::VARCHAR, edges.parent::VARCHAR
    FROM edges ANTI JOIN nodes ON edges.parent = nodes.packet_id
    JOIN nodes AS children ON children.place = edges.child
    WHERE NOT edges.missing ORDER BY 1, 2 LIMIT $most
"""
_CODED = """
    CREATE TABLE coded AS
    SELECT edges.child, nodes.place AS parent,
           nodes.second - children.second > $skew AND NOT children.event AS early
    FROM edges JOIN nodes ON edges.parent = nodes.packet_id
    JOIN nodes AS children ON children.place = edges.child
"""
_BACK = "SELECT count(*), min(child), max(parent) FROM coded WHERE parent >= child"
_BETWEEN = "SELECT child, parent FROM coded WHERE child BETWEEN $low AND $high"
_EARLY = "SELECT child, parent FROM coded WHERE early ORDER BY child, parent LIMIT $most"
_NAMED = """
    SELECT c.packet_id::VARCHAR, p.packet_id::VARCHAR, c.second, p.second
    FROM (SELECT unnest($children) AS child, unnest($parents) AS parent) AS links
    JOIN nodes AS c ON c.place = links.child JOIN nodes AS p ON p.place = links.parent
    ORDER BY 1, 2
"""


@dataclass(frozen=True)
class Lineage:
    """What was found among the edges: for Stardust to report, and for Paradox to look at."""

    packets: int
    edges: int
    inconsistencies: tuple[Inconsistency, ...]
    links: tuple[Link, ...]


def examined(database: duckdb.DuckDBPyConnection) -> Lineage:
    """Look at all packets and edges; only what is suspicious leaves the database."""
    database.execute(_CODED, {"skew": int(PACKET_SKEW_SECONDS)})
    suspicious = [*_circular(database), *_rows(database, _EARLY, most=MOST)]
    return Lineage(
        _count(database, "nodes"),
        _count(database, "edges"),
        (*_twice(database), *_dangling(database)),
        _links(database, suspicious),
    )


def components(
    child: npt.NDArray[np.int64], parent: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Which of the edges lie on a circle: both ends in one strongly connected component of more
    than one node, or an edge from a node to itself. Linear in time and memory (Pearce, 2005)."""
    import numpy as np
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    if not child.size:
        return np.zeros(0, dtype=bool)
    names, coded = np.unique(np.concatenate([child, parent]), return_inverse=True)
    ends = coded.astype(np.int32)
    size = len(names)
    start, end = ends[: child.size], ends[child.size :]
    graph = csr_array((np.ones(child.size, dtype=np.int8), (start, end)), shape=(size, size))
    _, labels = connected_components(graph, directed=True, connection="strong")
    several = np.bincount(labels)[labels] > 1
    on_circle: npt.NDArray[np.bool_] = (labels[start] == labels[end]) & (
        several[start] | (start == end)
    )
    return on_circle


def _circular(database: duckdb.DuckDBPyConnection) -> list[tuple[int, int]]:
    """The edges of circles. A log in which every parent comes first has none; otherwise they lie
    between the first packet and the last parent of the edges that point forward."""
    import numpy as np

    (back, low, high), *_ = database.execute(_BACK).fetchall()
    if not back:
        return []
    found = database.execute(_BETWEEN, {"low": low, "high": high}).fetchnumpy()
    child, parent = np.asarray(found["child"]), np.asarray(found["parent"])
    on_circle = components(child, parent)
    edges = zip(child[on_circle].tolist(), parent[on_circle].tolist(), strict=True)
    return sorted(edges)[: 10 * MOST]


def _links(database: duckdb.DuckDBPyConnection, edges: list[tuple[int, int]]) -> tuple[Link, ...]:
    if not edges:
        return ()
    children, parents = zip(*sorted(set(edges)), strict=True)
    rows = database.execute(_NAMED, {"children": children, "parents": parents}).fetchall()
    return tuple(
        Link(child, parent, child_at=_moment(child_at), parent_at=_moment(parent_at))
        for child, parent, child_at, parent_at in rows
    )


def _moment(seconds: int | None) -> str:
    from datetime import UTC, datetime

    return "" if seconds is None else format_timestamp(datetime.fromtimestamp(seconds, UTC))


def _twice(database: duckdb.DuckDBPyConnection) -> list[Inconsistency]:
    return [
        Inconsistency(
            InconsistencyKind.SOURCE_COLLISION,
            (packet_id,),
            f"packet {packet_id} is in the ledger twice: run omniva ledger verify, and restore "
            "the folder from a backup",
        )
        for (packet_id,) in _rows(database, _TWICE, most=MOST)
    ]


def _dangling(database: duckdb.DuckDBPyConnection) -> list[Inconsistency]:
    return [
        Inconsistency(
            InconsistencyKind.MISSING_PARENT,
            (child,),
            f"packet {child} came from packet {parent}, which is in neither ledger nor outbox: "
            "run omniva ledger verify, and restore the folder from a backup",
        )
        for child, parent in _rows(database, _DANGLING, most=MOST)
    ]


def _rows(database: duckdb.DuckDBPyConnection, query: str, **given: int) -> list[Any]:
    return database.execute(query, given).fetchall()


def _count(database: duckdb.DuckDBPyConnection, table: str) -> int:
    (count,) = database.execute(f"SELECT count(*) FROM {table}").fetchone() or (0,)  # noqa: S608
    return int(count)
