"""The uploader: publishing a clip once, whatever is killed or run again; taking it back (5.4)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from omniva_dagster.contracts.editing import RenderedClip
from omniva_dagster.contracts.operations.uploader import PublicationWithdrawn
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


@dataclass(frozen=True)
class Recall:
    """What is to be taken down, under whose cancel; ``receipt`` is what is known of its going out.

    A publication that was cut off may be out there without one.
    """

    creator: str
    clip_id: str
    idempotency_key: str
    directive_id: str
    reason: str
    receipt: PublicationReceipt | None = None


class Publisher(Protocol):
    """A place to publish to. ``publish`` called twice with one key publishes once."""

    target: str

    def publish(self, submission: Submission, now: str) -> PublicationReceipt:
        """Publish, or return the receipt of what was published before.

        `WorkerError` ``not_released`` for a key that was withdrawn.
        """
        ...

    def withdraw(self, recall: Recall, now: str) -> PublicationWithdrawn:
        """Take a publication down; the same document however often it is called.

        Afterwards ``publish`` refuses the key, also where nothing had gone out.
        """
        ...
