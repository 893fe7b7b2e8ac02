"""What the advisors cost, and how it grows: an engine a section.

Run: python -m benchmarks.advisors [lattice] [horizon] ... (all, if none is named)
HaloLux's ledgers of up to a million packets take 5 GB of temporary space and five minutes.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.types import format_timestamp

NOW = "2026-03-22T12:00:00Z"
SUBJECTS = [f"{first} {second}" for first in ("budget", "jazz", "garden", "tax", "rust", "yoga",
            "chess", "bread") for second in ("plan", "basics", "mistakes", "history", "tools",
            "questions", "week", "myths")]  # fmt: skip


def timed(work: Callable[[], object], times: int = 3) -> float:
    """CPU seconds of the quickest of so many times."""
    best = float("inf")
    for _ in range(times):
        begun = time.process_time()
        work()
        best = min(best, time.process_time() - begun)
    return best


def lattice() -> None:
    """Ordering, routing and clustering in memory; a look at a queue of runs with the store."""
    from omniva_dagster.engines.lattice import Job, Member, Pool, cluster, rank, route

    pools = [Pool(f"pool-{n}", f"q{n}", frozenset({"edit"}), 2 + n, 1.0 + n) for n in range(4)]
    print("Lattice: CPU seconds in one process, and per job or candidate in microseconds")
    print(f"{'jobs':>8} {'creators':>9} {'order':>8} {'us':>6} {'route':>8} {'us':>6}")
    for count in (1_000, 10_000, 100_000):
        rng = random.Random(count)  # noqa: S311 - numbers to measure with
        creators = count // 10
        jobs = [
            Job(
                derive_id("job", number),
                f"creator-{rng.randrange(creators):05}",
                "edit",
                rng.random(),
                rng.uniform(0, 7200),
                rng.uniform(-1, 1),
                rng.uniform(30, 300),
            )
            for number in range(count)
        ]
        ordering = timed(lambda jobs=jobs: rank(jobs, 3600))
        ranked = rank(jobs, 3600)
        routing = timed(lambda ranked=ranked: route(ranked, pools))
        print(
            f"{count:>8,} {creators:>9,} {ordering:>8.3f} {1e6 * ordering / count:>6.1f} "
            f"{routing:>8.3f} {1e6 * routing / count:>6.1f}"
        )
    print(f"{'candidates':>10} {'clusters':>9} {'cluster':>8} {'us':>6}")
    for count in (1_000, 10_000, 100_000):
        rng = random.Random(count)  # noqa: S311 - numbers to measure with
        members = [
            Member(
                derive_id("candidate", number),
                tuple(rng.sample(SUBJECTS, 3)),
                packet_id=derive_id("packet", number),
                weight=rng.random(),
            )
            for number in range(count)
        ]
        taken = timed(lambda members=members: cluster(members), times=1)
        print(f"{count:>10,} {len(cluster(members)):>9,} {taken:>8.3f} {1e6 * taken / count:>6.1f}")
    _rounds()


def _rounds() -> None:
    """Advice on so many creators whose runs wait: packets, numbers, routes, Zenith's directives."""
    from omniva_dagster.contracts.video import Platform
    from omniva_dagster.resources.routing import advise
    from omniva_dagster.resources.workload import WaitingRun, Workload, pools_of
    from omniva_dagster.settings import Settings
    from omniva_dagster.state import creators as registry
    from omniva_dagster.state.partition import Partition
    from omniva_dagster.state.store import Store

    print(f"{'runs wait':>10} {'creators':>9} {'first look, s':>14} {'nothing new, s':>15}")
    for count in (10, 100, 1_000):
        with tempfile.TemporaryDirectory() as folder:
            store = Store(f"sqlite:///{Path(folder) / 'state.db'}")
            store.migrate()
            with store.begin() as connection:
                for number in range(count):
                    registry.register(
                        connection, f"creator-{number:05}", "http://a.example/", Platform.OTHER, NOW
                    )
                pools = pools_of(connection, NOW, Settings())
            runs = tuple(
                WaitingRun(
                    derive_id("run", number, day),
                    Partition(f"creator-{number:05}", f"2026-03-{day + 10:02}"),
                    "2026-03-22T11:50:00Z",
                    {},
                )
                for number in range(count)
                for day in range(10)
            )
            load = Workload(NOW, runs, (), (), pools)
            taken = []
            for _ in range(2):
                begun = time.process_time()
                advise(store, load, Settings())
                taken.append(time.process_time() - begun)
            print(f"{len(runs):>10,} {count:>9,} {taken[0]:>14.2f} {taken[1]:>15.2f}")
            store.close()


def horizon() -> None:
    """Guidance of one creator from so many posts."""
    from omniva_dagster.contracts.campaign import Campaign
    from omniva_dagster.contracts.video import Platform
    from omniva_dagster.engines.horizon import Dossier, Post, campaign_goals, guide

    campaign = Campaign.parse(
        {
            "name": "spring",
            "since": "2026-03-01",
            "until": "2026-06-01",
            "cadence": {"clips_per_week": 20.0},
            "growth": [{"measure": "views", "target": 10_000.0}],
            "mix": [{"subject": "budget", "share": 0.3}],
        }
    )
    print("Horizon: CPU seconds for one creator's guidance")
    print(f"{'posts':>8} {'seconds':>8} {'us a post':>10}")
    for count in (100, 1_000, 10_000):
        rng = random.Random(count)  # noqa: S311 - numbers to measure with
        end = datetime(2026, 3, 22, tzinfo=UTC)
        posts = tuple(
            Post(
                derive_id("clip", number),
                format_timestamp(end - timedelta(minutes=25 * number)),
                rng.lognormvariate(5, 1),
                tuple(rng.sample(SUBJECTS, 2)),
                derive_id("packet", number),
            )
            for number in range(count)
        )
        goals = campaign_goals(campaign, "ada", "ops", NOW)
        dossier = Dossier(NOW, campaign, goals, derive_id("packet", "g"), Platform.YOUTUBE, posts)
        taken = timed(lambda dossier=dossier: guide(dossier))
        print(f"{count:>8,} {taken:>8.3f} {1e6 * taken / count:>10.1f}")


def pantheon() -> None:
    """A vote of all personas on one batch: the ballots and the order, then with vote reports."""
    from omniva_dagster.engines import lattice as weighing
    from omniva_dagster.engines import pantheon as judges
    from omniva_dagster.workers.analyzer.scores.features import WEIGHTS

    print("Pantheon: CPU seconds in one process, and per candidate in microseconds")
    print(f"{'candidates':>10} {'vote':>8} {'us':>6} {'with reports':>13} {'us':>6}")
    for count in (1_000, 10_000, 100_000):
        rng = random.Random(count)  # noqa: S311 - numbers to measure with
        cases = [
            judges.Case(
                derive_id("candidate", number),
                {name: round(rng.random(), 4) for name in WEIGHTS},
                float(number),
                round(rng.random(), 4),
                round(rng.random(), 2),
                evidence=(derive_id("packet", number),),
            )
            for number in range(count)
        ]
        voting = timed(lambda cases=cases: judges.deliberate(cases, weighing.priority), times=1)
        findings = judges.deliberate(cases, weighing.priority)
        reporting = timed(lambda findings=findings: judges.reports(findings, NOW), times=1)
        whole = voting + reporting
        print(
            f"{count:>10,} {voting:>8.2f} {1e6 * voting / count:>6.1f} "
            f"{whole:>13.2f} {1e6 * whole / count:>6.1f}"
        )


def chorus() -> None:
    """Drafting and refining the wording of clips of a minute, in a voice that changes much."""
    from omniva_dagster.contracts.voice import BrandVoice
    from omniva_dagster.engines import chorus as wording

    voice = wording.preferences(
        BrandVoice.parse(
            {
                "tone": "authoritative",
                "avoid": ["very", "stuff"],
                "replace": [{"word": "tax", "use": "taxes"}],
                "require": ["Follow us."],
                "emoji": False,
            }
        ),
        NOW,
    )
    print("Chorus: CPU seconds in one process, and per clip in milliseconds")
    print(f"{'clips':>8} {'refine':>8} {'ms':>6}")
    for count in (100, 1_000, 5_000):
        rng = random.Random(count)  # noqa: S311 - numbers to measure with
        said = [
            [" ".join(rng.choice(SUBJECTS) for _ in range(6)) + "!" for _ in range(12)]
            for _ in range(count)
        ]

        def work(said: list[list[str]] = said) -> None:
            for number, sentences in enumerate(said):
                wording.refine(
                    derive_id("clip", number),
                    wording.draft(sentences, SUBJECTS[:8], "A video", "http://v.example/1"),
                    voice,
                    language="en",
                    spoken=" ".join(sentences),
                    now=NOW,
                    evidence=[derive_id("packet", number)],
                )

        taken = timed(work, times=1)
        print(f"{count:>8,} {taken:>8.2f} {1e3 * taken / count:>6.2f}")


def halolux() -> None:
    """Explanations: in memory, and with the look-ups among so many packets of other workflows."""
    print("HaloLux: CPU milliseconds to explain a trace whose packets are at hand")
    print(f"{'packets':>8} {'sentences':>9} {'explain':>8} {'check':>8}")
    for count in (50, 200, 1_000, 2_000):
        _in_memory(count)
    print("a trace of 202 packets with the look-ups; wall milliseconds in one process, then of the")
    print("whole command and (of that) the explanation: files not in memory, and in memory")
    print(f"{'among':>10} {'warm':>6} {'kept':>6} {'cold command':>16} {'warm command':>16}")
    for count in (100_000, 300_000, 1_000_000):
        with tempfile.TemporaryDirectory() as name:
            _fill(Path(name), count)
            _looked_up(Path(name), count)


def _in_memory(count: int) -> None:
    import sqlite3

    from benchmarks.ledger import generate
    from omniva_dagster.engines.halolux import Matter, Question, explain, unfounded_in
    from omniva_dagster.resources.explaining import Library
    from omniva_dagster.stardust.layout import Layout
    from omniva_dagster.state.store import Store

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generate(folder, max(count, 100) * 2, 1)
        query = "SELECT DISTINCT trace_id FROM packets ORDER BY sequence"
        traces = [row[0] for row in sqlite3.connect(folder / "state.db").execute(query)]
        library = Library(Layout(folder / "ledger"), Store(f"sqlite:///{folder / 'state.db'}"))
        packets = [one for trace in traces for one in library.trace(trace)][:count]
    question = Question(Matter.TRACE, traces[0], traces[0])
    bundle = explain(question, packets)
    explaining = timed(lambda: explain(question, packets))
    checking = timed(lambda: unfounded_in(bundle, packets))
    print(
        f"{len(packets):>8,} {len(bundle.narrative):>9} {1e3 * explaining:>8.1f} "
        f"{1e3 * checking:>8.1f}"
    )


def _fill(folder: Path, count: int) -> None:
    """A sealed ledger of so many packets, in traces of 202."""
    from benchmarks import packets
    from benchmarks.ledger import generate, ingest, seal_all

    clips, packets.CLIPS = packets.CLIPS, 18
    try:
        generate(folder, count, 1)
    finally:
        packets.CLIPS = clips
    ingest(folder, 0)
    seal_all(folder, 1)


def _looked_up(folder: Path, count: int) -> None:
    from statistics import median

    from benchmarks.ledger import sample
    from omniva_dagster.engines.halolux import Matter, Question
    from omniva_dagster.resources.explaining import Library, explain, record
    from omniva_dagster.stardust.layout import Layout
    from omniva_dagster.state.store import Store

    _, traces = sample(folder)
    _uncached(folder)
    cold = _command(folder, traces[-1])
    warm = sorted(_command(folder, trace) for trace in traces[-6:-1])[2]
    store = Store(f"sqlite:///{folder / 'state.db'}")

    def taken(trace: str) -> float:
        library = Library(Layout(folder / "ledger"), store)
        found = explain(library, Question(Matter.TRACE, trace, trace))
        record(store, found, NOW)
        return 1e3 * found.seconds

    first, kept = (median([taken(trace) for trace in traces[:12]]) for _ in range(2))
    print(
        f"{count:>10,} {first:>6.0f} {kept:>6.0f} {cold[0]:>8.0f} ({cold[1]:.0f} ms) "
        f"{warm[0]:>8.0f} ({warm[1]:.0f} ms)"
    )
    store.close()


def _command(folder: Path, trace: str) -> tuple[float, float]:
    """Milliseconds that `omniva explain` takes, and what of them is the explanation itself."""
    import os
    import re
    import subprocess

    begun = time.perf_counter()
    done = subprocess.run(
        [Path(sys.executable).with_name("omniva"), "explain", trace, "--no-record"],
        env={**os.environ, "OMNIVA_HOME": str(folder)},
        check=True,
        capture_output=True,
        text=True,
    )
    whole = 1e3 * (time.perf_counter() - begun)
    said = re.search(r"packets read in ([0-9]+) ms", done.stderr)
    return whole, float(said[1]) if said else 0.0


def _uncached(folder: Path) -> None:
    """Have the system forget what it holds of the files in memory."""
    import os

    for path in folder.rglob("*"):
        if path.is_file():
            handle = os.open(path, os.O_RDONLY)
            os.fsync(handle)
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(handle)


SECTIONS: dict[str, Callable[[], None]] = {
    "lattice": lattice,
    "horizon": horizon,
    "pantheon": pantheon,
    "chorus": chorus,
    "halolux": halolux,
}


def main() -> None:
    """The sections that are named, or all."""
    for name in sys.argv[1:] or SECTIONS:
        SECTIONS[name]()
        print()


if __name__ == "__main__":
    main()
