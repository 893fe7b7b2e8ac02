"""Which SQL may be run: one query that reads the views, said by an analyst nobody has to trust.

The statement is parsed by DuckDB itself and its tree is looked through before it is run: it must be
nothing but queries, over nothing but the views, with no table function but harmless ones. A list of
what is allowed, not of what is dangerous: what a later DuckDB brings is refused until it is named.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from omniva_dagster.stardust.errors import LedgerError

if TYPE_CHECKING:
    import duckdb

MOST_CHARACTERS = 100_000
_EXPLAIN = re.compile(r"\s*explain\s+(?:analyze\s+)?", re.IGNORECASE)
_QUERIES = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"}
_TABLE_FUNCTIONS = {
    "generate_series", "json_each", "json_tree", "range", "unnest", "repeat",
}  # fmt: skip
# They plan SQL that nobody looked through, and write DuckDB's log.
_REFUSED_FUNCTIONS = {"json_serialize_plan", "write_log"}
_DESCRIPTIONS = "information_schema"
_WITH = "cte_map"


class QueryError(LedgerError):
    """The query can't be run; the message says why."""


def check(database: duckdb.DuckDBPyConnection, query: str, views: Collection[str]) -> None:
    """Raise `QueryError` unless ``query`` is one query (or the explanation of one) over views."""
    if len(query) > MOST_CHARACTERS:
        raise QueryError(f"the query is longer than {MOST_CHARACTERS} characters")
    explained = _EXPLAIN.match(query)
    tree = _parsed(database, query[explained.end() :] if explained else query)
    if len(tree["statements"]) != 1:
        raise QueryError("one query at a time: there is more than one, or none")
    for node, known in _nodes(tree, frozenset(name.lower() for name in views)):
        _check(node, known)


def _parsed(database: duckdb.DuckDBPyConnection, query: str) -> dict[str, Any]:
    rows = database.execute("SELECT json_serialize_sql($1::VARCHAR)", [query]).fetchall()
    try:
        tree: dict[str, Any] = json.loads(rows[0][0])
    except RecursionError:
        raise QueryError("the query is nested too deeply") from None
    if tree.get("error") is not False:
        said = str(tree.get("error_message", "can't be parsed"))
        if "Only SELECT" in said:
            said = (
                "only queries (SELECT, FROM, WITH, DESCRIBE, SUMMARIZE, EXPLAIN) can be run: "
                "nobody changes a ledger, and there are no files, settings or extensions here"
            )
        raise QueryError(said)
    return tree


def _check(node: dict[str, Any], known: frozenset[str]) -> None:
    kind = str(node.get("type", ""))
    if kind.endswith("_NODE") and kind not in _QUERIES:
        raise QueryError("only queries can be run: nobody changes a ledger")
    if kind == "BASE_TABLE":
        *schema, name = [str(part).lower() for part in node["qualified_name"]["path"]]
        if (schema or name not in known) and schema != [_DESCRIPTIONS]:
            raise QueryError(
                f"there is no table {'.'.join([*schema, name])!r} here. There are: "
                f"{', '.join(sorted(known))}"
            )
    if kind == "TABLE_FUNCTION":
        name = str(node["function"].get("function_name", "")).lower()
        if name not in _TABLE_FUNCTIONS:
            raise QueryError(
                f"the table function {name or '?'} can't be used here: it may read more than the "
                f"ledger. These can: {', '.join(sorted(_TABLE_FUNCTIONS))}"
            )
    if str(node.get("function_name", "")).lower() in _REFUSED_FUNCTIONS:
        raise QueryError(f"the function {node['function_name']} can't be used here")


def _nodes(tree: Any, views: frozenset[str]) -> Iterator[tuple[dict[str, Any], frozenset[str]]]:
    """Every object in the tree, with the tables that it can name.

    Beside the views these are the WITH's before it and around it. A name from elsewhere would be
    looked for among DuckDB's own tables and files.
    """
    left = [(tree, views)]
    while left:
        node, known = left.pop()
        if isinstance(node, list):
            left.extend((item, known) for item in node)
        if not isinstance(node, dict):
            continue
        if node.get("type") == "RECURSIVE_CTE_NODE":
            known |= {str(node.get("cte_name", "")).lower()}
        for entry in _entries(node):
            left.append((entry.get("value"), known))
            known |= {str(entry.get("key", "")).lower()}
        yield node, known
        left.extend((value, known) for name, value in node.items() if name != _WITH)


def _entries(node: dict[str, Any]) -> list[dict[str, Any]]:
    return node[_WITH]["map"] if node.get(_WITH) else []
