"""What the scraper is told, and what it hands back."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from omniva_dagster.contracts.reasons import WorkerError
from omniva_dagster.contracts.video import Platform
from omniva_dagster.workers.media.probe import MediaInfo


@dataclass(frozen=True)
class ScrapeLimits:
    """Bounds that no source can talk the scraper out of. ``max_height`` is a preference: the
    best format up to it, else the smallest above."""

    max_bytes: int = 8 * 2**30
    max_duration_seconds: float = 6 * 3600
    socket_timeout_seconds: float = 30
    max_entries: int = 5000
    max_height: int = 1080


@dataclass(frozen=True)
class Listing:
    """One video found at a source. ``uploaded_at`` is a timestamp of `contracts.types`;
    ``platform_id`` the platform's id, or the page's URL where ids are not unique; ``uploader``
    the name the platform shows, empty where a listing has none."""

    url: str
    platform_id: str
    title: str
    uploaded_at: str | None
    duration: float | None
    uploader: str = ""


@dataclass(frozen=True)
class Failure:
    """One entry of a source that could not be listed; the others were."""

    url: str
    title: str
    error: WorkerError


class Catalog(Protocol):
    """Remembers what a page said, so that a backfill over many days reads each page once."""

    def get(self, url: str) -> Listing | None:
        """What was put under this URL."""
        ...

    def put(self, listing: Listing) -> None:
        """Remember it under its URL."""
        ...


@dataclass
class MemoryCatalog:
    """A catalog that lives as long as its scraper."""

    listings: dict[str, Listing] = field(default_factory=dict)

    def get(self, url: str) -> Listing | None:
        """What was put under this URL."""
        return self.listings.get(url)

    def put(self, listing: Listing) -> None:
        """Remember it under its URL."""
        self.listings[listing.url] = listing


@dataclass(frozen=True)
class VideoMetadata:
    """What an extractor said of a video, in one form whatever the platform; every field fits
    the bounds of `contracts.video.VideoAsset`."""

    platform: Platform
    platform_id: str
    source_url: str
    title: str
    description: str
    uploader: str
    tags: tuple[str, ...]
    uploaded_at: str | None
    view_count: int | None
    like_count: int | None


@dataclass(frozen=True)
class Fetched:
    """A video on this machine: its file, what the file holds, and what the page said.

    ``proxy`` is a small rendition of the same pictures, where the site has one.
    """

    listing: Listing
    media: Path
    info_json: Path
    sha256: str
    size_bytes: int
    media_info: MediaInfo
    metadata: VideoMetadata
    proxy: Path | None = None
