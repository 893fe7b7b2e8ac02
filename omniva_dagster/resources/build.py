"""All resources from the settings."""

import os
import platform
from typing import Any

from omniva_dagster.resources.desk import ZenithDesk
from omniva_dagster.resources.ledger import LedgerResource
from omniva_dagster.resources.media import (
    AtlasResource,
    JuryResource,
    PublisherResource,
    RendererResource,
    ScraperResource,
    TranscriberResource,
)
from omniva_dagster.resources.state import StateResource
from omniva_dagster.resources.warehouse.io_manager import WarehouseIOManager
from omniva_dagster.settings import Settings


def build_resources(settings: Settings) -> dict[str, Any]:
    """The resources by the names that assets ask for."""
    home = settings.home
    return {
        "io_manager": WarehouseIOManager(home=str(home)),
        "state": StateResource(url=settings.state_url),
        "ledger": LedgerResource(
            url=settings.state_url, home=str(home), anchor=settings.ledger_anchor
        ),
        "atlas": AtlasResource(home=str(home)),
        "scraper": ScraperResource(
            workdir=str(home / "downloads"),
            allow_private_hosts=settings.allow_private_hosts,
            max_bytes=settings.max_video_bytes,
            max_seconds=settings.max_video_seconds,
            max_height=settings.max_video_height,
            cookies=settings.cookies,
        ),
        "transcriber": TranscriberResource(
            model=settings.whisper_model,
            home=str(home),
            device=settings.whisper_device,
            retry_model=settings.whisper_retry_model,
        ),
        "jury": JuryResource(judge=settings.judge, memory=str(home / "judges")),
        "renderer": RendererResource(
            ffmpeg=settings.ffmpeg,
            encoder=settings.encoder,
            style=settings.caption_style,
            timeout_seconds=settings.render_timeout_seconds,
            brands=str(home / "brands"),
            # A machine's own: what is shared out is this machine's processors.
            slots=str(home / "slots" / platform.node()),
            at_once=min(4, os.cpu_count() or 1),
        ),
        "publisher": PublisherResource(
            outbox=str(home / "outbox"),
            privacy_status=settings.privacy_status,
            slot_hours=settings.slot_hours,
            daily_quota=settings.daily_quota,
        ),
        "zenith": ZenithDesk(
            max_clips_per_video=settings.max_clips_per_video,
            min_clip_score=settings.min_clip_score,
        ),
    }
