"""The sample footage: two talks with real and synthetic voices, real pictures and a real face.

They are built on the user's machine from packages of the ``demo`` extra, without a network. What
each ingredient is and under which licence it comes: docs/demo-sources.md.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from omniva_dagster.demo.footage.programme import Programme
from omniva_dagster.demo.footage.sources import DemoExtraMissingError, Sources, find_sources
from omniva_dagster.demo.footage.stopping import STOPPING
from omniva_dagster.demo.footage.two_cities import TWO_CITIES

__all__ = ["PROGRAMMES", "UPLOADER", "DemoExtraMissingError", "SampleVideo", "build_footage"]

PROGRAMMES = (TWO_CITIES, STOPPING)
UPLOADER = "Omniva Sample Channel"
_WORK_PREFIX = ".footage-"
_SPOKEN_SHARE = 0.2

OnProgress = Callable[[str, float], None]


@dataclass(frozen=True)
class SampleVideo:
    """A finished video of the sample channel, with what a channel would say about it."""

    slug: str
    path: Path
    title: str
    description: str
    uploader: str
    tags: tuple[str, ...]


def build_footage(folder: Path, on_progress: OnProgress | None = None) -> list[SampleVideo]:
    """Make sure that ``folder`` holds every sample video as ``<slug>.mp4``; return them in order.

    A file that is there is finished and stays as it is. ``on_progress`` gets a slug and a fraction
    (0 to 1). Builders in several processes wait for each other; what a killed one left behind is
    removed. Raises `DemoExtraMissingError` when something is to be built and the ``demo`` extra
    isn't installed, RuntimeError when a tool fails.
    """
    report = on_progress or (lambda _slug, _fraction: None)
    videos = [_video(folder, programme) for programme in PROGRAMMES]
    if not all(video.path.is_file() for video in videos):
        sources = find_sources()
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            _remove_leftovers(folder)
            for programme, video in zip(PROGRAMMES, videos, strict=True):
                if not video.path.is_file():
                    _build(programme, video.path, sources, report)
    for video in videos:
        report(video.slug, 1.0)
    return videos


def _video(folder: Path, programme: Programme) -> SampleVideo:
    return SampleVideo(
        slug=programme.slug,
        path=folder / f"{programme.slug}.mp4",
        title=programme.title,
        description=programme.description,
        uploader=UPLOADER,
        tags=programme.tags,
    )


def _build(programme: Programme, path: Path, sources: Sources, report: OnProgress) -> None:
    from omniva_dagster.demo.footage.encode import encode
    from omniva_dagster.demo.footage.sound import record

    report(programme.slug, 0.0)
    with tempfile.TemporaryDirectory(prefix=_WORK_PREFIX, dir=path.parent) as work:
        soundtrack, lengths = record(programme, sources, Path(work))
        report(programme.slug, _SPOKEN_SHARE)
        unfinished = Path(work) / path.name
        encode(
            _frames(programme, lengths, sources),
            sum(lengths),
            soundtrack,
            unfinished,
            lambda done: report(programme.slug, _SPOKEN_SHARE + (1 - _SPOKEN_SHARE) * done),
        )
        _flush(unfinished)
        unfinished.replace(path)
    _flush(path.parent)


def _frames(programme: Programme, lengths: list[int], sources: Sources) -> Iterator[bytes]:
    """All frames of a programme; each passage's are dealt out to its shots by their shares."""
    from omniva_dagster.demo.footage.pictures import frames

    for passage, length in zip(programme.passages, lengths, strict=True):
        whole = sum(shot.share for shot in passage.shots)
        dealt, share = 0, 0.0
        for shot in passage.shots:
            share += shot.share
            until = round(length * share / whole)
            yield from frames(shot, until - dealt, sources)
            dealt = until


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which the system lets go when its holder dies."""
    with (folder / ".footage.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _remove_leftovers(folder: Path) -> None:
    for leftover in folder.glob(f"{_WORK_PREFIX}*"):
        shutil.rmtree(leftover, ignore_errors=True)


def _flush(path: Path) -> None:
    """Force a file, or a folder's list of names, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
