"""Bringing a small rendition of a video beside it, where the site offers one.

It spares the analyzer three quarters of its decoding. It is a favour and no more: whatever goes
wrong, the video is as complete without.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.media.probe import MediaInfo
from omniva_dagster.workers.media.proxy import STEM, fits
from omniva_dagster.workers.scraper.metadata import Info
from omniva_dagster.workers.scraper.model import ScrapeLimits
from omniva_dagster.workers.scraper.session import Session
from omniva_dagster.workers.scraper.verify import too_large, verify

_log = logging.getLogger(__name__)
# The shorter side in pixels: below this small faces are lost, above it little is saved.
_SMALLEST, _LARGEST = 300, 400
_WORTH_IT = 480
_PATIENCE_SECONDS = 600.0


def bring_small(
    session: Session, limits: ScrapeLimits, info: Info, folder: Path, media: Path, held: MediaInfo
) -> Path | None:
    """Download a rendition of about 360p into ``folder``; None where there is none to be had.

    ``held`` is what ``media``, the video itself, holds.
    """
    wanted = _wanted(held)
    if wanted is None or len(info.get("formats") or ()) < 2:
        return None
    bounds = replace(limits, max_bytes=min(limits.max_bytes, media.stat().st_size))
    # A part that an earlier call left may be of another file.
    for part in folder.glob(f"{STEM}.*"):
        part.unlink()
    try:
        small = session.download(info, folder / f"{STEM}.%(ext)s", _Watch(bounds), wanted)
        if fits(held, verify(small, bounds)):
            return small
        _log.info("the small rendition of %s is another video; it is left out", media.name)
    except (WorkerError, OSError) as error:
        _log.info("there is no small rendition of %s: %s", media.name, error)
    return None


def _wanted(held: MediaInfo) -> str | None:
    """yt-dlp's words for the renditions that would do; None where none could save much."""
    if min(held.width, held.height) < _WORTH_IT:
        return None
    side = "height" if held.width >= held.height else "width"
    # Fewer pictures a second would not show cuts to the frame.
    rate = f"[fps>=?{held.frame_rate * 0.98:.2f}]" if held.frame_rate else ""
    return f"bv*[{side}>={_SMALLEST}][{side}<={_LARGEST}]{rate}"


class _Watch:
    """Stops a download that is larger or slower than it is worth."""

    def __init__(self, limits: ScrapeLimits) -> None:
        self._limits = limits
        self._until = time.monotonic() + _PATIENCE_SECONDS

    def __call__(self, status: dict[str, Any]) -> None:
        size = max(int(status.get(key) or 0) for key in ("downloaded_bytes", "total_bytes"))
        if size > self._limits.max_bytes:
            raise too_large(self._limits)
        if time.monotonic() > self._until:
            raise WorkerError(
                ReasonCode.UNREACHABLE, "the small rendition came too slowly; it is left out"
            )
