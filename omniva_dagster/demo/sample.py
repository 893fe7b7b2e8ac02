"""The sample channel: its footage, and the pages it is published on."""

from __future__ import annotations

from pathlib import Path

from omniva_dagster.resources import progress

DAY = "2026-03-04"
TITLE = "Omniva Sampler"


def build_channel(folder: Path) -> tuple[Path, str]:
    """Build the channel into ``folder``, unless it is there; the folder and the upload day."""
    from omniva_dagster.demo.channel import ChannelVideo, write_channel
    from omniva_dagster.demo.footage import build_footage

    folder.mkdir(parents=True, exist_ok=True)
    samples = build_footage(
        folder, lambda label, fraction: progress.report("footage", label, fraction)
    )
    videos = [
        ChannelVideo(
            slug=sample.slug,
            file=sample.path.name,
            title=sample.title,
            description=sample.description,
            uploader=sample.uploader,
            uploaded_at=f"{DAY}T{9 + number:02d}:00:00Z",
            tags=sample.tags,
        )
        for number, sample in enumerate(samples)
    ]
    write_channel(folder, TITLE, videos)
    return folder, DAY
