"""``omniva ledger sql | lineage | stats``: asking the ledger."""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from omniva_dagster.cli._ledger_home import (
    at_work,
    folder_option,
    json_option,
    sources_of,
    store_of,
)
from omniva_dagster.stardust.says import shown

if TYPE_CHECKING:
    from omniva_dagster.stardust.sql import Answer

_MOST_CELL = 120
_UNBOUNDED = 10_000
_IN_A_TABLE = 1000


@click.command()
@click.argument("query")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="For people, for spreadsheets, or an array of objects.",
)
@click.option("--limit", type=click.IntRange(min=1), help="At most so many rows.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1, max=3600),
    default=60.0,
    show_default=True,
    help="Seconds after which the query is ended.",
)
@folder_option
def sql(query: str, form: str, limit: int | None, timeout: float, folder: Path | None) -> None:
    """Run one SQL query (DuckDB's) over the ledger and the warehouse.

    Tables: packets, edges, children, dagster_events, materializations, and each asset of the
    warehouse; `SHOW TABLES` lists them, `DESCRIBE packets` their columns. Nothing can be changed
    and no file be opened. `-` reads the query from standard input.
    """
    from omniva_dagster.stardust.sql import asked

    text = sys.stdin.read() if query == "-" else query
    most = limit or (_IN_A_TABLE if form == "table" else None)
    with asked(sources_of(folder), text, seconds=timeout) as answer:
        _WRITERS[form](answer, most)


@click.command()
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write; standard output if left out.",
)
def dictionary(out: Path | None) -> None:
    """Every table, column, message type and field, with its meaning, in Markdown."""
    from omniva_dagster.assets import CLIP_PIPELINE
    from omniva_dagster.resources.warehouse.arrow import LINEAGE_COLUMNS
    from omniva_dagster.resources.warehouse.io_manager import contract_of
    from omniva_dagster.stardust.dictionary import dictionary as written

    specs = [spec for asset in CLIP_PIPELINE for spec in asset.specs]
    tables = {spec.key.path[-1]: contract_of(spec.metadata) for spec in specs}
    text = written(tables, LINEAGE_COLUMNS)
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")
        click.echo(f"{out}: {len(text.splitlines())} lines", err=True)


@click.command()
@click.argument("id_", metavar="ID")
@click.option("--up", "direction", flag_value="up", default=True, help="What it came from.")
@click.option("--down", "direction", flag_value="down", help="What came from it.")
@click.option("--depth", type=click.IntRange(min=0), help="At most so many steps away.")
@click.option(
    "--within-trace",
    is_flag=True,
    help="With --down: only its own workflow.",
)
@click.option(
    "--thorough",
    is_flag=True,
    help="Read the whole ledger rather than believe that its index, which nobody signed, is whole.",
)
@json_option
@folder_option
def lineage(
    id_: str,
    direction: str,
    depth: int | None,
    within_trace: bool,
    thorough: bool,
    as_json: bool,
    folder: Path | None,
) -> None:
    """What a thing came from, or what came from it.

    ID is that of a packet, clip, video, directive, upload, trace or run.
    """
    from omniva_dagster.cli._ledger_tree import print_tree
    from omniva_dagster.stardust.lineage import lineage as walk

    with at_work("looking it up", visible=not as_json):
        found = walk(
            sources_of(folder),
            id_,
            up=direction == "up",
            depth=depth,
            within_trace=within_trace,
            thorough=thorough,
        )
    if as_json:
        click.echo(json.dumps(found.dump(), ensure_ascii=False))
    else:
        print_tree(found)


@click.command()
@json_option
@folder_option
def stats(as_json: bool, folder: Path | None) -> None:
    """How many packets of what, in how many files, and how many wait."""
    from omniva_dagster.stardust.stats import stats as count

    with at_work("counting", visible=not as_json):
        found = count(sources_of(folder), store_of(folder))
    if as_json:
        click.echo(json.dumps(found.dump()))
        return
    said = found.dump()
    del said["types"]
    for name, value in said.items():
        number = f"{value:,}" if isinstance(value, int) else value
        click.echo(f"{name.replace('_', ' '):16} {number}")
    _print_table(
        ["message type", "packets", "first emitted", "last emitted"],
        [(kind.message_type, kind.packets, kind.first, kind.last) for kind in found.types],
    )


def _write_table(answer: Answer, most: int | None) -> None:
    rows = list(islice(answer.rows(), None if most is None else most + 1))
    _print_table(answer.columns, rows[:most])
    if most is not None and len(rows) > most:
        click.echo(f"the first {most} rows; --limit or --format csv gives more", err=True)
    else:
        click.echo(f"{len(rows)} row{'' if len(rows) == 1 else 's'}", err=True)


def _write_csv(answer: Answer, most: int | None) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(answer.columns)
    for row in islice(answer.rows(), most):
        writer.writerow(["" if value is None else _text(value) for value in row])


def _write_json(answer: Answer, most: int | None) -> None:
    names = _distinct(answer.columns)
    sys.stdout.write("[")
    for number, row in enumerate(islice(answer.rows(), most)):
        said = {name: _plain(value) for name, value in zip(names, row, strict=True)}
        sys.stdout.write(",\n" if number else "\n")
        sys.stdout.write(json.dumps(said, ensure_ascii=False, allow_nan=False))
    sys.stdout.write("\n]\n")


_WRITERS: dict[str, Callable[[Answer, int | None], None]] = {
    "table": _write_table,
    "csv": _write_csv,
    "json": _write_json,
}


def _print_table(columns: list[str], rows: list[tuple[Any, ...]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    for at, name in enumerate(columns):
        numeric = any(isinstance(row[at], int | float | Decimal) for row in rows)
        table.add_column(Text(shown(name)), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row))
    # A file or a pipe has no width to keep to.
    Console(width=None if Console().is_terminal else _UNBOUNDED).print(table)


def _cell(value: Any) -> str:
    return "" if value is None else shown(_text(value), _MOST_CELL)


def _text(value: Any) -> str:
    plain = _plain(value)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)


def _plain(value: Any) -> Any:
    """A value as JSON has it; times as in the contracts."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case bytes():
            return value.hex()
        case dict():
            return {str(name): _plain(item) for name, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
    return str(value)


def _distinct(names: list[str]) -> list[str]:
    """Names of an object's fields: one that is there twice gets a number."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return found
