"""Asking the index: who came from a packet, and who is called so.

Beside the ledger lies ``index/``, a file for each sealed one (see `indexing`). Nothing is believed
because of it: what it leads to is read from the ledger and looked at there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from omniva_dagster.contracts.registry import snake_case
from omniva_dagster.stardust.layout import Layout

PARENT, NAME = "parent", "name"
_SEALED = ".sealed.parquet"


def own_names(message_type: str) -> list[str]:
    """The fields in which a document may have an id of its own."""
    snake = snake_case(message_type)
    return sorted({f"{snake}_id", f"{snake.rpartition('_')[2]}_id", "run_id"})


def index_files(layout: Layout) -> Iterator[Path]:
    """What there is of the index."""
    if layout.index.is_dir():
        yield from sorted(layout.index.glob("*.parquet"))


def index_name(sealed: str) -> str:
    """What the index of a sealed file is called."""
    return f"{sealed.removesuffix(_SEALED)}.parquet"


def split(layout: Layout, paths: Iterable[str]) -> tuple[list[str], list[str]]:
    """The indexes there are for some of the ledger's files, and the files that have none."""
    present = {path.name for path in index_files(layout)}
    indexes, without = [], []
    for path in paths:
        name = Path(path).name
        if name.endswith(_SEALED) and index_name(name) in present:
            indexes.append(str(layout.index / index_name(name)))
        else:
            without.append(path)
    return indexes, without
