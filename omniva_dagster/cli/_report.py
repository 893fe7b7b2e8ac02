"""What a partition came to, as a table for people or JSON for programs."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from omniva_dagster.cli._home import prepare, store
from omniva_dagster.contracts.analysis import ClipCandidate
from omniva_dagster.contracts.decisions import Outcome, OutcomeStatus
from omniva_dagster.state.partition import Partition

if TYPE_CHECKING:
    from omniva_dagster.state.publishing import Publication

FAILED_DOCUMENTS = 3
_EVIDENCE = 3


@dataclass(frozen=True)
class ClipReport:
    """A clip: where it comes from, why it was chosen, and where it is."""

    clip_id: str
    video: str
    start_time: float
    end_time: float
    score: float
    why: str
    title: str
    status: str
    scheduled_time: str
    path: str


@dataclass(frozen=True)
class PartitionReport:
    """A creator's day."""

    creator: str
    day: str
    clips: list[ClipReport] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def failed(self) -> list[Outcome]:
        """Documents that came to an error."""
        return [item for item in self.outcomes if item.status == OutcomeStatus.ERROR]


def report_of(creator: str, day: str) -> PartitionReport:
    """What state holds about a partition."""
    from omniva_dagster.contracts.decisions import DirectiveKind
    from omniva_dagster.state import decisions, outcomes

    partition = Partition(creator, day)
    with store().read() as connection:
        log = decisions.of_partition(connection, partition)
        # A clip that was held is promoted again when it is released: it is one clip.
        why = {
            directive.subject_id: directive.reason
            for directive, _ in reversed(log)
            if directive.kind is DirectiveKind.PROMOTE
        }
        clips = [_clip(connection, clip_id, reason) for clip_id, reason in why.items()]
        found = outcomes.of_partition(connection, partition)
    clips.sort(key=lambda clip: (clip.video, clip.start_time))
    return PartitionReport(creator, day, clips, found)


def show(reports: list[PartitionReport], as_json: bool) -> None:
    """Print reports."""
    if as_json:
        for report in reports:
            click.echo(json.dumps(_as_json(report), ensure_ascii=False))
        return
    from rich.console import Console

    console = Console()
    clips = [clip for report in reports for clip in report.clips]
    if clips:
        console.print(_clip_table(clips))
    troubled = [
        item
        for report in reports
        for item in report.outcomes
        if item.status not in (OutcomeStatus.DONE, OutcomeStatus.RUNNING)
    ]
    if troubled:
        console.print(_trouble_table(troubled))
    if not clips and not troubled:
        console.print("nothing was published on these days: no clips, no failures")


def exit_code(reports: list[PartitionReport]) -> int:
    """0, or 3 when some documents failed."""
    return FAILED_DOCUMENTS if any(report.failed for report in reports) else 0


def _clip(connection: Any, clip_id: str, reason: str) -> ClipReport:
    from omniva_dagster.contracts.publishing import UploadJob
    from omniva_dagster.state import decisions, library, outbox, publishing

    pinned = decisions.promotion(connection, clip_id)
    assert pinned is not None
    video = library.video(connection, pinned.video_id)
    upload = outbox.latest(connection, "UploadJob", clip_id)
    job = UploadJob.parse(upload.payload) if upload else None
    published = publishing.publication(connection, clip_id, "outbox")
    receipt = published.receipt if published else None
    strongest = _strongest(connection, pinned.video_id, pinned.candidate)
    return ClipReport(
        clip_id=clip_id,
        video=video[0].title if video else pinned.video_id,
        start_time=pinned.candidate.start_time,
        end_time=pinned.candidate.end_time,
        score=pinned.candidate.lattice_priority,
        why="; ".join([reason, *strongest]),
        title=job.title if job else "",
        status=_status(published),
        scheduled_time=job.scheduled_time if job else "",
        path=_path(receipt.location if receipt and published and not published.gone else ""),
    )


def _status(published: Publication | None) -> str:
    from omniva_dagster.state import publishing

    if published is not None and published.status in publishing.RECALLED:
        return published.status
    receipt = published.receipt if published else None
    return receipt.status.value if receipt else "not published"


def _strongest(connection: Any, video_id: str, candidate: ClipCandidate) -> list[str]:
    """The features that gave the clip most of its score, with what they rest on."""
    from omniva_dagster.resources.build import build_resources
    from omniva_dagster.state import library
    from omniva_dagster.workers.analyzer import sidecars

    key = library.analysis_key(connection, video_id)
    if key is None:
        return []
    analysis = sidecars.read(build_resources(prepare())["atlas"].store.path(key))
    for found, parts in zip(analysis.result.clip_candidates, analysis.contributions, strict=True):
        if (found.start_time, found.end_time) == (candidate.start_time, candidate.end_time):
            best = sorted(parts, key=lambda part: (-part.points, part.name))[:_EVIDENCE]
            return [f"{part.name.replace('_', ' ')}: {part.evidence}" for part in best]
    return []


def _path(location: str) -> str:
    from urllib.parse import unquote, urlsplit

    if not location.startswith("file:"):
        return location
    folder = Path(unquote(urlsplit(location).path))
    return str(folder / "clip.mp4")


def _as_json(report: PartitionReport) -> dict[str, Any]:
    return {
        "creator": report.creator,
        "day": report.day,
        "clips": [asdict(clip) for clip in report.clips],
        "outcomes": [item.dump() for item in report.outcomes],
    }


def _clip_table(clips: list[ClipReport]) -> Any:
    from rich import box
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    table = Table(title="Clips", title_justify="left", box=box.SIMPLE_HEAD, show_lines=True)
    table.add_column("score", justify="right")
    table.add_column("clip", overflow="fold", ratio=1)
    for clip in clips:
        span = f"{_clock(clip.start_time)}–{_clock(clip.end_time)}"
        when = clip.scheduled_time.replace("T", " ").removesuffix(":00Z")
        lines = [
            f"[bold]{escape(clip.title or clip.clip_id)}[/]",
            f"{clip.status.lower()} {when}  ·  {span} of “{escape(clip.video)}”",
            f"[dim]{escape(clip.why)}[/]",
            f"[cyan]{escape(_shortened(clip.path))}[/]",
        ]
        table.add_row(f"{clip.score:.2f}", Text.from_markup("\n".join(lines)))
    return table


def _shortened(path: str) -> str:
    """The path from here, where that is shorter."""
    if not path:
        return "not published"
    with suppress(ValueError):
        return str(Path(path).relative_to(Path.cwd()))
    return path


def _trouble_table(outcomes: list[Outcome]) -> Any:
    from rich.markup import escape
    from rich.table import Table

    table = Table(title="Not done", title_justify="left", show_lines=True)
    for name in ("what", "step", "reason", "what happened, what to do"):
        table.add_column(name, overflow="fold")
    for item in outcomes:
        reason = item.reason_code.value if item.reason_code else item.status.value
        table.add_row(escape(item.label), item.stage, reason, escape(item.message))
    return table


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
