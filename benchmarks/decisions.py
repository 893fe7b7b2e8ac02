"""What a control cycle costs, and whether it costs more the more there is behind it.

1,000 creators and 10,000 clips under way (some held, some waiting to be tried again) on top of a
short past and of a long one: idle cycles, and a cycle that hears 100 new pieces of advice. Then
Paradox's audit of a whole ledger. Each measurement is a process of its own, so its CPU seconds and
peak memory are its own.

Run: python -m benchmarks.decisions [--closed 10000 1000000] [--edges 10000000] [--folder DIR]
A million clips that are over need about 10 GB under the folder, ten million edges about 16 GB; with
0 edges there is no audit.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.history import CREATORS, Clip, fill
from benchmarks.ledger import Measured, measured
from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.types import format_timestamp

OPEN = 10_000
HELD, WAITING, ADVICE = 1_000, 500, 100
IDLE_CYCLES = 20
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def at(seconds: float) -> str:
    """A moment of the benchmark, as contracts write it."""
    return format_timestamp(NOW + timedelta(seconds=seconds))


def prepare(folder: Path, closed: int) -> int:
    """The store: what is over in bulk, what is under way through the state's own functions."""
    from omniva_dagster.state.store import Store

    store = Store(_url(folder))
    store.migrate()
    clips = fill(folder / "state.db", closed, OPEN)
    with store.begin() as connection:
        for number, clip in enumerate(clips):
            if number < HELD:
                _hold(connection, clip)
            elif number < HELD + WAITING:
                _wait(connection, clip)
    store.close()
    return len(clips)


def _hold(connection: Any, clip: Clip) -> None:
    """An operator's hold on a clip, heard and answered."""
    from omniva_dagster.resources.desk import ZenithDesk

    _emit(connection, clip, _override(clip, "hold"))
    ZenithDesk().attend(connection, at(0))


def _wait(connection: Any, clip: Clip) -> None:
    """A clip whose rendering failed; its next attempt is planned and ordered."""
    from omniva_dagster.resources.desk import ZenithDesk
    from omniva_dagster.state import recoveries

    packet_id = _emit(connection, clip, _retry(clip))
    recoveries.put(
        connection,
        recoveries.Recovery(
            stage="rendered_clips",
            subject_id=clip.clip_id,
            creator=clip.creator,
            day=clip.day,
            video_id=clip.video_id,
            trace_id=derive_id("trace", clip.video_id),
            label="a clip",
            worker="editor",
            instance=f"host-{clip.number % 20}",
            reason_code="render_timeout",
            transient=True,
            attempts_made=1,
            attempts=3,
            next_attempt_at=at(86_400),
            state=recoveries.PLANNED,
            plan_packet_id=packet_id,
            failure_packet_id=packet_id,
            first_failed_at=at(-60),
            last_failed_at=at(-60),
        ),
    )
    ZenithDesk().attend(connection, at(0))


def cycles(folder: Path) -> dict[str, float]:
    """Milliseconds of idle cycles, and of one that hears news; how much that one decided."""
    from omniva_dagster.resources.control import run_cycle
    from omniva_dagster.state.store import Store

    store = Store(_url(folder))
    run_cycle(store, at(30))
    idle = []
    for number in range(IDLE_CYCLES):
        started = time.process_time()
        run_cycle(store, at(60 + 30 * number))
        idle.append(1000 * (time.process_time() - started))
    before = _directives(store)
    _advise(store)
    started, cpu = time.perf_counter(), time.process_time()
    run_cycle(store, at(3_600))
    return {
        "idle": statistics.median(idle),
        "worst idle": max(idle),
        "busy": 1000 * (time.perf_counter() - started),
        "busy CPU": 1000 * (time.process_time() - cpu),
        "directives": _directives(store) - before,
        "MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _advise(store: Any) -> None:
    """News of four kinds about clips that are under way and that nobody spoke of before."""
    with store.read() as connection:
        count = int(connection.exec_driver_sql("SELECT count(*) FROM promotions").scalar())
    under_way = [Clip(count - 1 - number, False) for number in range(2 * ADVICE)]
    with store.begin() as connection:
        for number, clip in enumerate(under_way[:ADVICE]):
            match number % 5:
                case 0 | 1:
                    _emit(connection, clip, _conflict(under_way[ADVICE + number], clip))
                case 2:
                    _emit(connection, clip, _retry(clip))
                case 3:
                    _emit(connection, clip, _override(clip, "hold"))
                case _:
                    _emit(connection, clip, _quarantine(clip))


def _emit(connection: Any, clip: Clip, document: Document) -> str:
    from omniva_dagster.state import outbox
    from omniva_dagster.state.partition import Partition

    packet = outbox.emit(
        connection,
        outbox.Emission(
            document,
            "benchmark",
            clip.clip_id,
            derive_id("trace", clip.video_id),
            (_promotion(clip),),
            Partition(clip.creator, clip.day),
            at(0),
            occurrence=str(clip.number),
        ),
    )
    return packet.packet_id


def _promotion(clip: Clip) -> str:
    return derive_id("packet", "promote", clip.number)


def _conflict(first: Clip, second: Clip) -> Document:
    from omniva_dagster.contracts.cognition.paradox import ConflictResolution

    return ConflictResolution.parse(
        {
            "conflict_id": derive_id("conflict", first.number, second.number),
            "kind": "duplicate",
            "severity": "warning",
            "recommended_action": "quarantine",
            "status": "DONE",
            "affected_ids": [first.clip_id, second.clip_id],
            "trigger": "audit",
            "message": "two clips of one span; keep the first",
            "evidence": [_promotion(first), _promotion(second)],
            "prior_conflicts": [],
            "found_by": "benchmark/1",
            "detected_at": at(0),
        }
    )


def _retry(clip: Clip) -> Document:
    from omniva_dagster.contracts.cognition.eclipse import RetryPlan

    return RetryPlan.parse(
        {
            "plan_id": derive_id("plan", clip.number),
            "job_type": "edit_job",
            "job_id": clip.clip_id,
            "reason_code": "render_timeout",
            "attempts_made": 1,
            "attempts": 3,
            "backoff": {"initial_seconds": 120, "multiplier": 2, "max_seconds": 3600},
            "budget_seconds": 21_600,
            "next_attempt_at": at(86_400),
            "remediation": [],
            "evidence": [_promotion(clip)],
            "issued_at": at(0),
        }
    )


def _override(clip: Clip, kind: str) -> Document:
    from omniva_dagster.contracts.cognition.zenith import OverrideRequest

    return OverrideRequest.parse(
        {
            "request_id": derive_id("request", clip.number),
            "operator": "ada",
            "subject_id": clip.clip_id,
            "kind": kind,
            "reason": "the sponsor wants to see it first",
            "evidence": [_promotion(clip)],
            "requested_at": at(0),
        }
    )


def _quarantine(clip: Clip) -> Document:
    from omniva_dagster.contracts.cognition.eclipse import QuarantineInstruction

    return QuarantineInstruction.parse(
        {
            "instruction_id": derive_id("quarantine", clip.number),
            "subject_kind": "worker",
            "subject": f"editor/host-{clip.number}",
            "reason": "four failures in a row",
            "since": at(0),
            "until": at(86_400),
            "remediation": [],
            "evidence": [_promotion(clip)],
        }
    )


def _directives(store: Any) -> int:
    with store.read() as connection:
        count = connection.exec_driver_sql("SELECT count(*) FROM directives").scalar()
    return int(count or 0)


def _url(folder: Path) -> str:
    return f"sqlite:///{folder / 'state.db'}"


def report_cycles(folder: Path, histories: list[int]) -> None:
    """A row for each length of history, and how much the longest costs of the shortest."""
    print(f"control cycle: {CREATORS:,} creators, {OPEN:,} clips under way, {ADVICE} new advice")
    heads = ("idle", "worst idle", "busy", "busy CPU", "directives", "MiB")
    print(f"{'clips that are over':22}" + "".join(f"{head:>12}" for head in heads) + f"{'GB':>8}")
    rows: list[Measured] = []
    for closed in histories:
        place = folder / f"over-{closed}"
        place.mkdir()
        measured(prepare, place, closed)
        size = (place / "state.db").stat().st_size / 1e9
        row = measured(cycles, place)["result"]
        rows.append(row)
        cells = "".join(f"{row[head]:12,.1f}" for head in heads)
        print(f"{closed:22,}{cells}{size:8.2f}", flush=True)
        shutil.rmtree(place)
    if len(rows) > 1:
        for head in ("idle", "busy CPU", "MiB"):
            print(f"{head}: {rows[-1][head] / rows[0][head]:.2f} times (aim: 1)")
    print("idle and worst idle in CPU ms, busy in ms, directives in number")


def main() -> None:
    """Parse the command line, measure, tidy up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--closed", type=int, nargs="*", default=[10_000, 1_000_000])
    parser.add_argument("--edges", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path, help="where to work; a temporary one otherwise")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="omniva-decisions-", dir=options.folder))
    try:
        report_cycles(folder, options.closed)
        if options.edges:
            print(f"\nParadox's audit of {options.edges:,} edges", flush=True)
            command = [sys.executable, "-m", "benchmarks.audit", "--edges", str(options.edges)]
            subprocess.run([*command, "--folder", str(folder)], check=True)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
