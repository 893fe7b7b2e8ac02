"""The uploader: publishing a clip once, whatever is killed or run again (5.4)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from omniva_dagster.contracts.editing import RenderedClip
from omniva_dagster.contracts.publishing import PublicationReceipt, UploadJob


@dataclass(frozen=True)
class Submission:
    """What goes to a platform, under whose release, and the key that makes it happen once."""

    creator: str
    job: UploadJob
    clip: RenderedClip
    media: Path
    thumbnail: Path
    directive_id: str
    idempotency_key: str


class Publisher(Protocol):
    """A place to publish to. ``publish`` called twice with one key publishes once."""

    target: str

    def publish(self, submission: Submission, now: str) -> PublicationReceipt:
        """Publish, or return the receipt of what was published before."""
        ...
