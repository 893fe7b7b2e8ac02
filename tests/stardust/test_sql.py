"""SQL over a ledger: it answers analysts, and gives an attacker nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from omniva_dagster.stardust import sql
from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.layout import Layout
from omniva_dagster.stardust.sql import asked, locked
from omniva_dagster.stardust.statements import QueryError, check
from omniva_dagster.stardust.views import VIEWS, Sources, connect
from tests.stardust.proving import BATCHES, DAYS, PER_BATCH, Ledger

ALL = len(DAYS) * BATCHES * PER_BATCH


@pytest.fixture(scope="module")
def sources(built: Path) -> Sources:
    return Sources.at(built / "ledger")


def answer(sources: Sources, query: str, **limits: float) -> list[tuple[Any, ...]]:
    with asked(sources, query, **limits) as found:
        return list(found.rows())


def inside(sources: Sources, query: str) -> list[tuple[Any, ...]]:
    """The same in this process: quicker, behind two of the four walls."""
    with locked(sources) as database:
        check(database, query, VIEWS)
        return database.sql(query).fetchall()


def files(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_every_packet_is_there_with_its_day_and_its_document(sources: Sources) -> None:
    rows = answer(
        sources,
        "SELECT date::VARCHAR, count(*), min(payload->>'$.source') FROM packets GROUP BY 1 "
        "ORDER BY 1",
    )
    assert rows == [(day, BATCHES * PER_BATCH, "tests — ünïcode") for day in DAYS]


def test_edges_and_children_are_the_parents_turned_round(sources: Sources) -> None:
    edges = inside(sources, "SELECT parent_id, child_id FROM edges")
    parents = inside(sources, "SELECT packet_id, parents FROM packets")
    assert sorted(edges) == sorted((one, child) for child, those in parents for one in those)
    children = dict(inside(sources, "SELECT packet_id, children FROM children"))
    assert sorted(edges) == sorted((one, child) for one in children for child in children[one])
    assert inside(sources, "SELECT count(*) FROM edges WHERE missing") == [(0,)]


@pytest.mark.parametrize(
    "query",
    [
        "FROM packets LIMIT 1",
        "DESCRIBE packets",
        "SHOW TABLES",
        "SUMMARIZE SELECT leaf_index FROM packets",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 9) FROM r",
        "SELECT * FROM packets AS a JOIN (FROM packets LIMIT 1) AS b USING (packet_id)",
        "SELECT * FROM range(3)",
        "EXPLAIN SELECT count(*) FROM packets",
        "EXPLAIN ANALYZE SELECT count(*) FROM packets",
        "SELECT table_name FROM information_schema.tables",
        "SELECT key FROM packets, json_each(payload) LIMIT 3",
        "VALUES (1), (2);",
        "WITH a AS (SELECT 1 AS x), b AS (SELECT x + 1 FROM a) FROM a, (FROM b) UNION FROM a, b",
        "WITH a AS (SELECT 1) SELECT (WITH b AS (FROM a) SELECT count(*) FROM a, b) FROM a",
        "WITH packets AS (FROM packets WHERE leaf_index < 3) SELECT count(*) FROM packets",
        "WITH RECURSIVE up(id) AS (SELECT packet_id FROM packets WHERE leaf_index = 9 UNION "
        "SELECT parent_id FROM edges, up WHERE child_id = id) FROM up",
    ],
)
def test_what_an_analyst_asks_is_answered(sources: Sources, query: str) -> None:
    assert inside(sources, query)


# What is refused by looking at it. {secret} is a file outside, {inside} one within the ledger's
# folder but not of packets, {packets} the folder of packets.
ATTACKS = [
    "SELECT * FROM read_csv('{secret}')",
    "SELECT * FROM read_text('{secret}')",
    "SELECT * FROM read_blob('{inside}')",
    "SELECT * FROM read_text('{packets}/../keys/signing.key')",
    "SELECT * FROM read_parquet('{packets}/*/*.parquet')",
    "SELECT * FROM parquet_metadata('{packets}/*/*.parquet')",
    "SELECT * FROM read_json('{secret}')",
    "SELECT * FROM read_duckdb('{secret}')",
    "SELECT * FROM sniff_csv('{secret}')",
    "SELECT * FROM glob('/**')",
    "SELECT * FROM glob('{packets}/**')",
    "FROM '{secret}'",
    "FROM '{packets}/*/*.parquet'",
    "DESCRIBE '{secret}'",
    "SELECT (SELECT count(*) FROM read_csv('{secret}'))",
    "WITH x AS (FROM read_csv('{secret}')) FROM x",
    "SELECT 1 WHERE EXISTS (FROM read_csv('{secret}'))",
    "SELECT * FROM packets, LATERAL (SELECT * FROM read_text(packet_id))",
    "COPY (SELECT 1) TO '{packets}/date=2026-03-04/x.parquet'",
    "COPY packets TO '{outside}/copy.csv'",
    "COPY packets FROM '{secret}'",
    "EXPORT DATABASE '{packets}/x'",
    "IMPORT DATABASE '{packets}'",
    "ATTACH '{packets}/x.db' AS x",
    "ATTACH ':memory:' AS x",
    "INSTALL httpfs",
    "INSTALL spatial FROM community",
    "LOAD httpfs",
    "LOAD '{secret}'",
    "SET memory_limit = '100GB'",
    "SET enable_external_access = true",
    "RESET lock_configuration",
    "SET VARIABLE a = 1",
    "PRAGMA enable_profiling",
    "PRAGMA database_list",
    "CALL enable_logging('QueryLog', storage => 'file', storage_path => '{packets}')",
    "FROM enable_logging('QueryLog', storage => 'file', storage_path => '{packets}')",
    "FROM query('FROM read_csv(''{secret}'')')",
    "FROM query_table('packets')",
    "FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
    "FROM duckdb_secrets()",
    "FROM duckdb_settings()",
    "FROM arrow_scan(1, 2, 3)",
    "FROM pandas_scan(1)",
    "FROM python_map_function(1)",
    "FROM seq_scan('packets')",
    "FROM checkpoint()",
    "FROM pragma_database_size()",
    "CREATE OR REPLACE VIEW packets AS SELECT 1",
    "CREATE TABLE x AS FROM packets",
    "CREATE MACRO f() AS TABLE FROM read_csv('{secret}')",
    "CREATE SECRET s (TYPE s3)",
    "DROP VIEW packets",
    "DELETE FROM packets",
    "UPDATE packets SET trace_id = ''",
    "INSERT INTO packets SELECT * FROM packets",
    "WITH x AS (INSERT INTO y VALUES (1) RETURNING *) FROM x",
    "WITH x AS (DELETE FROM packets RETURNING *) SELECT 1",
    "EXPLAIN ANALYZE COPY packets TO '{outside}/copy.csv'",
    "EXPLAIN ANALYZE DELETE FROM packets",
    "EXPLAIN EXPLAIN ANALYZE COPY packets TO '{outside}/copy.csv'",
    "SELECT 1; SELECT 2",
    "SELECT 1; COPY packets TO '{outside}/copy.csv'",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "BEGIN",
    "VACUUM",
    "FROM getenv('HOME')",
    "FROM system.main.duckdb_settings",
    "FROM pg_catalog.pg_class",
    "FROM sqlite_master",
    "FROM sources",
    "FROM (WITH \"{secret}\" AS (SELECT 1) SELECT 1) x, \"{secret}\"",
    "FROM (WITH sqlite_master AS (SELECT 1) SELECT 1) x, sqlite_master",
    "WITH a AS (FROM \"{secret}\"), \"{secret}\" AS (SELECT 1) FROM a",
    "WITH sqlite_master AS (FROM sqlite_master) FROM sqlite_master",
    "SELECT json_serialize_plan('COPY packets TO ''{outside}/copy.csv''')",
    "SELECT write_log('hello')",
    "",
    ";",
    "-- nothing",
    "SELECT (((((",
    "SELECT '\x00'; COPY packets TO '{outside}/copy.csv'",
]  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused_before_it_runs(sources: Sources, attack: str, tmp_path: Path) -> None:
    query = _aimed(attack, sources, tmp_path)
    with locked(sources) as database, pytest.raises(QueryError) as refused:
        check(database, query, VIEWS)
    assert "TOP SECRET" not in str(refused.value)


def _aimed(attack: str, sources: Sources, tmp_path: Path) -> str:
    (tmp_path / "secret.csv").write_text("a,b\nTOP SECRET,1\n")
    return (
        attack.replace("{secret}", str(tmp_path / "secret.csv"))
        .replace("{inside}", str(sources.layout.keys / "1.pub"))
        .replace("{packets}", str(sources.layout.packets))
        .replace("{outside}", str(tmp_path))
    )


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_csv('{secret}')",
        "SELECT * FROM read_blob('{inside}')",
        "SELECT * FROM read_text('{packets}/../keys/1.pub')",
        "COPY (SELECT 1) TO '{outside}/x.csv'",
        "ATTACH '{outside}/x.db' AS x",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET allowed_directories = ['/']",
        "SELECT * FROM glob('/**')",
        "FROM duckdb_secrets()",
        "SELECT getenv('HOME')",
        "SELECT $1",
    ],
)
def test_the_database_itself_opens_nothing_else_even_if_nobody_looks(
    sources: Sources, query: str, tmp_path: Path
) -> None:
    with locked(sources) as database, pytest.raises(duckdb.Error):
        database.execute(_aimed(query, sources, tmp_path)).fetchall()


def test_the_process_can_write_no_byte_even_if_nobody_looks(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DuckDB would let a COPY into the folders that it may read: the operating system does not."""
    folder = ledger.layout.packets
    target = folder / "date=2026-03-04" / "evil.parquet"
    unguarded = sql._SERVE.replace(
        "serve()", "import omniva_dagster.stardust.sql as s; s.check = lambda *_: None; serve()"
    )
    monkeypatch.setattr(sql, "_SERVE", unguarded)
    before = files(folder)
    with pytest.raises(LedgerError):
        answer(Sources.at(ledger.layout.root), f"COPY (FROM packets) TO '{target}'")
    assert {name: kept for name, kept in files(folder).items() if kept[0]} == before


def test_nothing_is_written_by_asking(ledger: Ledger, tmp_path: Path) -> None:
    before = files(tmp_path)
    here = set(Path.cwd().iterdir())
    source = Sources.at(ledger.layout.root)
    assert answer(source, "SELECT count(*) FROM packets") == [(ALL,)]
    with pytest.raises(QueryError):
        answer(source, "SELECT * FROM range(100000000) ORDER BY hash(range)", seconds=3)
    assert files(tmp_path) == before
    assert set(Path.cwd().iterdir()) == here


def test_a_query_that_takes_too_long_is_ended_and_says_what_to_do(sources: Sources) -> None:
    began = time.monotonic()
    with pytest.raises(QueryError, match="longer than 2 s: narrow it"):
        answer(
            sources,
            "SELECT count(*) FROM range(100000000) a, range(1000000) b WHERE hash(a, b) = 7",
            seconds=2,
        )
    assert time.monotonic() - began < 10


def test_a_query_that_stops_in_the_middle_of_its_rows_is_no_shorter_answer(
    sources: Sources,
) -> None:
    endless = "SELECT a.range FROM range(100000000) a, range(1000000) b"
    with (
        pytest.raises(QueryError, match="longer than"),
        asked(sources, endless, seconds=4) as found,
    ):
        for _ in found.rows():
            pass


def test_only_the_time_that_one_waits_for_a_query_counts(sources: Sources) -> None:
    """Who reads the answer may take their time: a pager, a slow disk."""
    rows = "SELECT range, repeat('x', 1000) FROM range(200000)"
    with asked(sources, rows, seconds=20) as found:
        found._worker._left = 3.0
        batches = found.batches()
        next(batches)
        time.sleep(3.5)
        assert sum(batch.num_rows for batch in batches) > 190_000


def test_a_query_that_takes_too_much_memory_is_ended(sources: Sources) -> None:
    query = "SELECT count(DISTINCT repeat('x', 1000000) || range::VARCHAR) FROM range(100000)"
    with pytest.raises(QueryError, match=r"memory|too much"):
        answer(sources, query, seconds=30)


@pytest.mark.parametrize("value", ["'infinity'::DATE", "'290000-01-01'::TIMESTAMP"])
def test_a_time_that_no_calendar_has_is_refused_not_a_crash(sources: Sources, value: str) -> None:
    with pytest.raises(QueryError, match="cast it to VARCHAR"):
        answer(sources, f"SELECT {value}")
    assert answer(sources, f"SELECT ({value})::VARCHAR")


def test_a_query_nested_beyond_reason_is_refused_not_a_crash(sources: Sources) -> None:
    with pytest.raises(QueryError):
        answer(sources, "SELECT " + "(" * 20_000 + "1" + ")" * 20_000)
    with pytest.raises(QueryError, match="longer than"):
        answer(sources, "SELECT " + "1 + " * 100_000 + "1")


def test_names_of_folders_are_not_patterns(built: Path, tmp_path: Path) -> None:
    """A home may be called anything."""
    import shutil

    home = tmp_path / "it's [a-z]* {home}?"
    shutil.copytree(built, home)
    assert answer(Sources.at(home / "ledger"), "SELECT count(*) FROM packets") == [(ALL,)]


def test_an_empty_ledger_has_the_same_columns(sources: Sources, tmp_path: Path) -> None:
    def described(those: Sources, view: str) -> list[Any]:
        with connect(those) as database:
            return [row[:2] for row in database.execute(f"DESCRIBE {view}").fetchall()]

    empty = Sources(Layout(tmp_path))
    for view in VIEWS:
        assert described(empty, view) == described(sources, view)
    assert inside(empty, "FROM packets") == []


def test_a_day_that_is_sealed_while_one_reads_is_read_again(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    real: Callable[..., Any] = sql._Worker.open
    calls = []

    def answered(worker: Any) -> Any:
        calls.append(1)
        if len(calls) == 1:
            raise sql._FilesMovedError("gone")
        return real(worker)

    monkeypatch.setattr(sql._Worker, "open", answered)
    source = Sources.at(ledger.layout.root)
    assert answer(source, "SELECT count(*) FROM packets") == [(ALL,)]
    assert len(calls) == 2


def test_a_damaged_file_is_said_to_be_damaged(ledger: Ledger) -> None:
    ledger.files[0].write_bytes(b"PAR1 nonsense")
    with pytest.raises(LedgerError):
        answer(Sources.at(ledger.layout.root), "SELECT count(*) FROM packets")


def test_look_ups_read_only_the_row_groups_whose_filters_say_so(sources: Sources) -> None:
    """Each file of the test's ledger is a row group of its own."""
    with connect(sources) as database:
        (packet, trace) = database.execute(
            "SELECT packet_id, trace_id FROM packets WHERE leaf_index = 100"
        ).fetchall()[0]
        for condition in (f"packet_id = '{packet}'", f"trace_id = '{trace}'"):
            plan = database.execute(
                f"EXPLAIN ANALYZE SELECT leaf_index FROM packets WHERE {condition}"
            ).fetchall()[0][1]
            assert "Row Groups Scanned: 1 / 9" in plan, plan
