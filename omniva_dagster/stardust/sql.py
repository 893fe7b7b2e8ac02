"""SQL over the ledger for whoever asks: nothing can be changed, and nothing else be read.

Four walls, each enough by itself for most attacks. The statement is looked through before it runs
(`statements`). DuckDB may open nothing but the folders of the tables, loads no extension, and its
settings are locked. It runs in a process of its own, which the operating system lets write no byte
to any file. That process is ended when it takes too long or too much memory.
"""

from __future__ import annotations

import glob
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Any, BinaryIO

from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.layout import Layout
from omniva_dagster.stardust.statements import QueryError, check
from omniva_dagster.stardust.views import MEMORY, VIEWS, Sources, connect

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

SECONDS = 60.0
_ADDRESS_SPACE = 8 << 30
_ROWS_AT_ONCE = 2_048
_ATTEMPTS = 3
_REFUSED, _MOVED = 3, 4  # how the process ends when it says why on standard error
# The process imports what this one would, from wherever this one would.
_SERVE = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
    "from omniva_dagster.stardust.sql import serve; serve()"
)


class Answer:
    """A query's rows, read as they come."""

    def __init__(self, worker: _Worker) -> None:
        self._worker = worker
        self.schema: pa.Schema = worker.open()
        # A query that fails at once has no answer at all.
        self._first = worker.next_batch()

    @property
    def columns(self) -> list[str]:
        """The columns' names; a name may be there twice."""
        return list(self.schema.names)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, some thousand at a time; only once."""
        batch, self._first = self._first, None
        while batch is not None:
            yield batch
            batch = self._worker.next_batch()

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """The rows, one at a time; only once."""
        for batch in self.batches():
            try:
                columns = [column.to_pylist() for column in batch.columns]
            except OverflowError:
                raise QueryError(
                    "a date or time is beyond the year 9999, or infinite: cast it to VARCHAR"
                ) from None
            yield from zip(*columns, strict=True)


@contextmanager
def asked(sources: Sources, query: str, *, seconds: float = SECONDS) -> Iterator[Answer]:
    """The answer to a query, while the process that computes it runs.

    Raises `QueryError` for what is not a query over the tables, for what DuckDB does not
    understand, and for what takes longer than ``seconds`` or more memory than there is.
    """
    for attempt in range(_ATTEMPTS):
        worker = _Worker(sources, query, seconds)
        try:
            answer = Answer(worker)
        except _FilesMovedError:
            worker.end()
            # Sealing put other files in the place of a day's.
            if attempt == _ATTEMPTS - 1:
                raise
            continue
        except BaseException:
            worker.end()
            raise
        try:
            yield answer
        finally:
            worker.end()
        return


class _FilesMovedError(LedgerError):
    """A file was gone when it was to be read."""


class _Worker:
    """The process that runs one query. Only the time that one waits for it counts."""

    def __init__(self, sources: Sources, query: str, seconds: float) -> None:
        self._seconds, self._left, self._late = seconds, seconds, False
        self._reader: Any = None
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SERVE, json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        asked = {
            "ledger": str(sources.layout.root),
            "warehouse": str(sources.warehouse) if sources.warehouse else None,
            "query": query,
        }
        assert self._process.stdin
        with suppress(BrokenPipeError), self._process.stdin as stdin:
            stdin.write(json.dumps(asked).encode())

    def open(self) -> pa.Schema:
        """Wait for the answer to begin."""
        import pyarrow as pa

        with self._waiting():
            self._reader = pa.ipc.open_stream(self._process.stdout)
        schema: pa.Schema = self._reader.schema
        return schema

    def next_batch(self) -> pa.RecordBatch | None:
        """The next rows; None after the last."""
        with self._waiting():
            batch = next(self._reader, None)
            if batch is None and self._process.wait():
                # It was ended between two batches: to Arrow, that is an end like any other.
                raise OSError("the process was ended")
            return batch

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        """End it when it takes too long, and tell a broken answer by why it broke."""
        import pyarrow as pa

        began = time.monotonic()
        timer = Timer(max(0.0, self._left), self._end_late)
        timer.daemon = True
        timer.start()
        try:
            yield
        except (pa.ArrowException, OSError) as error:
            raise self._reason() or error from None
        finally:
            timer.cancel()
            self._left -= time.monotonic() - began

    def end(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdout, self._process.stderr):
            if stream:
                stream.close()

    def _end_late(self) -> None:
        self._late = True
        self._process.kill()

    def _reason(self) -> Exception | None:
        assert self._process.stderr
        said = self._process.stderr.read().decode(errors="replace").strip()
        code = self._process.wait()
        if self._late:
            return QueryError(
                f"the query took longer than {self._seconds:g} s: narrow it (a condition on date, "
                "trace_id or packet_id leaves out most of the ledger), or give it longer"
            )
        if code == _MOVED:
            return _FilesMovedError(f"a file was gone when it was read, ask again: {said}")
        if code == _REFUSED:
            return QueryError(said)
        if code:
            return QueryError(f"the query ended its process ({code}): it needed too much")
        return None


def serve() -> None:
    """The process's side: a query as JSON on standard input, its rows as Arrow on the output."""
    asked = json.load(sys.stdin)
    output = _claimed_output()
    _give_up_rights()
    import duckdb
    import pyarrow as pa

    warehouse = asked["warehouse"]
    sources = Sources(Layout(Path(asked["ledger"])), Path(warehouse) if warehouse else None)
    try:
        reader = _run(sources, asked["query"])
        with output, pa.ipc.new_stream(output, reader.schema) as writer:
            for batch in reader:
                writer.write_batch(batch)
        os._exit(0)
    except BrokenPipeError:
        os._exit(1)
    except (duckdb.IOException, FileNotFoundError) as error:
        _leave(_MOVED, str(error))
    except (duckdb.OutOfMemoryException, duckdb.InternalException, MemoryError):
        # Where even telling of it fails for want of memory, DuckDB calls it internal.
        _leave(_REFUSED, f"the query needs more than {MEMORY} of memory: narrow it")
    except (duckdb.Error, LedgerError, pa.ArrowException, ValueError) as error:
        _leave(_REFUSED, str(error).partition("\n\nStack Trace")[0])


def locked(sources: Sources) -> duckdb.DuckDBPyConnection:
    """A database with the views that opens nothing but their folders, from now on for good."""
    database = connect(sources)
    # DuckDB compares patterns as they are written, and what they find as it is called.
    named = [str(folder) for folder in sources.folders]
    folders = [*named, *map(glob.escape, named)]
    database.execute("SET allowed_directories = $1", [folders])
    database.execute("SET enable_external_access = false")
    database.execute("SET lock_configuration = true")
    return database


def _run(sources: Sources, query: str) -> pa.RecordBatchReader:
    database = locked(sources)
    check(database, query, [*VIEWS, *sources.assets()])
    # The connection must outlive its reader.
    _KEPT.append(database)
    return database.sql(query).to_arrow_reader(_ROWS_AT_ONCE)


_KEPT: list[duckdb.DuckDBPyConnection] = []


def _give_up_rights() -> None:
    """From now on this process writes no byte to a file, and takes only so much memory."""
    import resource
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    for limit, most in (
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, _ADDRESS_SPACE),
    ):
        resource.setrlimit(limit, (most, most))


def _claimed_output() -> BinaryIO:
    """Standard output for the answer alone: what a library prints goes to standard error."""
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return output


def _leave(code: int, said: str) -> None:
    os.write(2, said[:4000].encode())
    os._exit(code)
