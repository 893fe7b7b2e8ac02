"""Bringing one video to this machine.

A video has a folder of its own, named by its URL's digest. Parts are collected in
``partial-<digest of the chosen format>/``, where a killed download goes on. A small rendition is
put down first, where there is one, the page's description next, and the file moved beside them
last: a folder with description and file is complete.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.durable import sync
from omniva_dagster.workers.media.probe import probe
from omniva_dagster.workers.media.proxy import STEM, proxy_of
from omniva_dagster.workers.scraper.guard import lifted
from omniva_dagster.workers.scraper.listing import open_video
from omniva_dagster.workers.scraper.metadata import (
    Info,
    describe,
    duration_of,
    normalize,
    platform_of,
)
from omniva_dagster.workers.scraper.model import Fetched, Listing, ScrapeLimits
from omniva_dagster.workers.scraper.session import Session
from omniva_dagster.workers.scraper.small import bring_small
from omniva_dagster.workers.scraper.verify import too_large, too_long, verify

OnProgress = Callable[[float], None]
_SIZES = "sizes.json"


class SourceChangedError(WorkerError):
    """The file at the source is another than the one that was begun."""

    def __init__(self) -> None:
        super().__init__(
            ReasonCode.UNREACHABLE,
            "the file at the source keeps changing; it is tried again later",
            transient=True,
        )


def folder_of(workdir: Path, listing: Listing) -> Path:
    """Where a video's files lie."""
    return workdir / hashlib.sha256(listing.url.encode()).hexdigest()[:32]


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Only one process at a time in the folder; a killed one lets go."""
    path = folder / ".lock"
    while True:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = path.open("wb")
        except (FileExistsError, FileNotFoundError):
            # Removed by another process since the line before, or while it was looked at.
            if folder.exists() and not folder.is_dir():
                raise
            continue
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # Who held it may have removed the folder: then this lock is nobody's any more.
            if _is_at(lock.fileno(), path):
                yield
                return


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def kept(folder: Path, listing: Listing) -> Fetched | None:
    """What an earlier call brought, if it came to its end."""
    info_json = folder / "info.json"
    files = list(folder.glob("media.*"))
    if not info_json.is_file() or len(files) != 1:
        return None
    media = files[0]
    metadata = normalize(json.loads(info_json.read_text("utf-8")))
    with media.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return Fetched(
        listing=listing,
        media=media,
        info_json=info_json,
        sha256=sha256,
        size_bytes=media.stat().st_size,
        media_info=probe(media),
        # Whose video it is was decided when it was listed; a page that moved changes nothing.
        metadata=replace(
            metadata,
            platform=platform_of(listing.url),
            platform_id=listing.platform_id,
            source_url=listing.url,
            title=metadata.title or listing.title,
            uploaded_at=listing.uploaded_at or metadata.uploaded_at,
        ),
        proxy=proxy_of(media),
    )


def bring(
    session: Session,
    limits: ScrapeLimits,
    folder: Path,
    listing: Listing,
    on_progress: OnProgress | None,
) -> None:
    """Download into the folder, going on where an earlier call was interrupted."""
    info = open_video(session, listing.url)
    _check_declared(info, limits)
    if info.get("direct") and listing.title:
        # A bare file's name is no title; the feed that listed it had one.
        info = {**info, "title": listing.title}
    partial = _partial(folder, info)
    described = describe(info)
    try:
        media = _download(session, limits, info, partial, on_progress)
        held = verify(media, limits)
    except WorkerError as error:
        if isinstance(error, SourceChangedError) or not error.transient:
            _discard(partial)
        raise
    small = bring_small(session, limits, info, partial, media, held)
    if small is not None:
        sync(small)
        small.replace(folder / f"{STEM}.{_extension(small)}")
    _write(folder / "info.json", described)
    sync(media)
    media.replace(folder / f"media.{_extension(media)}")
    _discard(partial)
    sync(folder)
    if on_progress:
        on_progress(1.0)


def _download(
    session: Session,
    limits: ScrapeLimits,
    info: Info,
    partial: Path,
    on_progress: OnProgress | None,
) -> Path:
    template = partial / "media.%(ext)s"
    try:
        return session.download(info, template, _Watch(limits, info, partial, on_progress))
    except SourceChangedError:
        _discard(partial)
        partial.mkdir()
        return session.download(info, template, _Watch(limits, info, partial, on_progress))


class _Watch:
    """Follows a download: reports it, and stops it where it must not go on."""

    def __init__(
        self, limits: ScrapeLimits, info: Info, partial: Path, on_progress: OnProgress | None
    ) -> None:
        self._limits = limits
        self._sizes_file = partial / _SIZES
        self._sizes: dict[str, int] = _read_sizes(self._sizes_file)
        self._on_progress = on_progress
        self._have: dict[str, int] = {}
        self._expected = float(_declared_size(info) or 0)
        self._reported = 0.0

    def __call__(self, status: dict[str, Any]) -> None:
        name = Path(str(status.get("filename") or "")).name
        self._have[name] = int(status.get("downloaded_bytes") or 0)
        total = status.get("total_bytes")
        if max(sum(self._have.values()), total or 0) > self._limits.max_bytes:
            raise too_large(self._limits)
        if status.get("status") != "downloading":
            return
        if total and not status.get("fragment_count"):
            self._compare(name, int(total))
        self._report(float(total or status.get("total_bytes_estimate") or 0))

    def _compare(self, name: str, total: int) -> None:
        """A part of one file and the rest of another make no video, though each byte arrived."""
        if self._sizes.setdefault(name, total) != total:
            raise SourceChangedError()
        if len(self._sizes) != len(_read_sizes(self._sizes_file)):
            _write(self._sizes_file, self._sizes)

    def _report(self, total: float) -> None:
        whole = max(self._expected, total)
        fraction = min(0.99, sum(self._have.values()) / whole) if whole else 0.0
        if self._on_progress and fraction > self._reported:
            self._reported = fraction
            with lifted():
                self._on_progress(fraction)


def _check_declared(info: Info, limits: ScrapeLimits) -> None:
    if info.get("is_live") or info.get("live_status") in ("is_live", "is_upcoming", "post_live"):
        raise WorkerError(
            ReasonCode.NO_VIDEO, "it is not over yet; it is tried again later", transient=True
        )
    duration = duration_of(info)
    if duration is not None and duration > limits.max_duration_seconds:
        raise too_long(duration, limits)
    if (_declared_size(info) or 0) > limits.max_bytes:
        raise too_large(limits)


def _declared_size(info: Info) -> int | None:
    sizes = [part.get("filesize") for part in info.get("requested_formats") or [info]]
    whole = [int(size) for size in sizes if isinstance(size, (int, float)) and 0 < size < 1e18]
    return sum(whole) if len(whole) == len(sizes) else None


def _partial(folder: Path, info: Info) -> Path:
    """The place for the parts of this very format; those of others are of no use any more."""
    chosen = "\n".join(str(info.get(key)) for key in ("format_id", "ext", "protocol"))
    place = folder / f"partial-{hashlib.sha256(chosen.encode()).hexdigest()[:12]}"
    for other in folder.glob("partial-*"):
        if other != place:
            _discard(other)
    for pattern in ("media.*", f"{STEM}.*"):
        for finished in folder.glob(pattern):
            finished.unlink()
    place.mkdir(exist_ok=True)
    return place


def _extension(media: Path) -> str:
    suffix = media.suffix.lower().lstrip(".")
    return suffix if re.fullmatch(r"[a-z0-9]{1,8}", suffix) else "bin"


def _read_sizes(path: Path) -> dict[str, int]:
    try:
        return dict(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError):
        return {}


def _write(path: Path, content: Any) -> None:
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(json.dumps(content, indent=1, sort_keys=True, allow_nan=False) + "\n", "utf-8")
    sync(fresh)
    fresh.replace(path)


def _discard(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
