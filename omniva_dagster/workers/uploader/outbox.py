"""The embedded publisher: a folder a clip, with all that a person or a platform would need.

``<outbox>/<creator>/<slot day>/<title>-<clip>/`` holds ``clip.mp4 thumbnail.jpg metadata.json
receipt.json`` and appears by one rename: what is there is published, once. The folder is found
again by the clip's id, so that a changed title does not publish anew. A clip that is withdrawn
leaves by one rename too (`workers.uploader.withdrawal`).
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.operations.uploader import PublicationWithdrawn
from omniva_dagster.contracts.publishing import PublicationReceipt, PublicationStatus
from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.contracts.types import parse_timestamp
from omniva_dagster.workers.durable import sync
from omniva_dagster.workers.uploader import Recall, Submission, folders
from omniva_dagster.workers.uploader.withdrawal import Withdrawal

# Copying a clip to a slow disk takes minutes at worst.
_LOCK_SECONDS = 300.0


class OutboxPublisher:
    """Publishes into a folder."""

    target = "outbox"

    def __init__(self, root: Path) -> None:
        self.root = root
        self.staging = root.with_name(root.name + ".staging")
        self.withdrawn = root.with_name(root.name + ".withdrawn")

    def publish(self, submission: Submission, now: str) -> PublicationReceipt:
        """Write the clip's folder, or return the receipt that stands in it.

        `WorkerError` ``not_released`` for a clip that was withdrawn.
        """
        with self._alone(submission.job.clip_id):
            self._refuse_withdrawn(submission)
            return self._publish(submission, now)

    def withdraw(self, recall: Recall, now: str) -> PublicationWithdrawn:
        """Take the clip's folder out of the outbox, and keep its receipt with why it went."""
        with self._alone(recall.clip_id):
            return Withdrawal(self.root, self.staging, self.withdrawn, self.target, recall).done(
                now
            )

    def _publish(self, submission: Submission, now: str) -> PublicationReceipt:
        home = self.root / submission.creator
        standing = self._standing(home, submission)
        if standing is not None:
            return standing
        target = home / submission.job.scheduled_time[:10] / _folder_name(submission)
        receipt = _receipt(submission, target, now)
        self.staging.mkdir(parents=True, exist_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        # Named after the clip: what is left by a process that was killed goes with a withdrawal.
        staged = Path(tempfile.mkdtemp(prefix=f"{submission.job.clip_id}-", dir=self.staging))
        try:
            _fill(staged, submission, receipt)
            staged.rename(target)
        except OSError as error:
            shutil.rmtree(staged, ignore_errors=True)
            standing = self._standing(home, submission)
            if standing is not None:
                return standing
            raise WorkerError(
                ReasonCode.DISK_FULL,
                f"the outbox could not be written ({error.strerror}); free some space, "
                "see that the folder can be written, and run again",
                transient=True,
            ) from error
        sync(target.parent)
        return receipt

    @contextmanager
    def _alone(self, clip_id: str) -> Iterator[None]:
        # Sixteen locks for all clips there are: a lock file a clip would stay for good.
        with folders.alone(self.staging / f"lock-{clip_id[:1]}", _LOCK_SECONDS):
            yield

    def _refuse_withdrawn(self, submission: Submission) -> None:
        kept = self.withdrawn / submission.creator / submission.job.clip_id
        if kept.exists():
            raise WorkerError(
                ReasonCode.NOT_RELEASED,
                f"the clip was withdrawn (see {kept / 'withdrawn.json'}); "
                "what is withdrawn is not posted again",
            )

    def _standing(self, home: Path, submission: Submission) -> PublicationReceipt | None:
        for path in sorted(home.glob(f"*/*-{submission.job.clip_id}/receipt.json")):
            receipt = PublicationReceipt.parse(path.read_bytes())
            if receipt.idempotency_key == submission.idempotency_key:
                return receipt
        return None


def _receipt(submission: Submission, target: Path, now: str) -> PublicationReceipt:
    live = parse_timestamp(submission.job.scheduled_time) <= parse_timestamp(now)
    return PublicationReceipt(
        receipt_id=derive_id("receipt", submission.idempotency_key),
        clip_id=submission.job.clip_id,
        directive_id=submission.directive_id,
        target=OutboxPublisher.target,
        status=PublicationStatus.LIVE if live else PublicationStatus.SCHEDULED,
        location=target.as_uri(),
        scheduled_time=submission.job.scheduled_time,
        published_at=now,
        media_sha256=submission.clip.sha256,
        idempotency_key=submission.idempotency_key,
    )


def _fill(folder: Path, submission: Submission, receipt: PublicationReceipt) -> None:
    shutil.copyfile(submission.media, folder / "clip.mp4")
    shutil.copyfile(submission.thumbnail, folder / "thumbnail.jpg")
    for name, document in (("metadata", submission.job), ("receipt", receipt)):
        text = json.dumps(document.dump(), indent=2, ensure_ascii=False) + "\n"
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
    for path in folder.iterdir():
        sync(path)
    folder.chmod(0o755)
    sync(folder)


def _folder_name(submission: Submission) -> str:
    # A title is somebody's words: only letters and digits of it become part of a path.
    words = re.findall(r"[a-z0-9]+", submission.job.title.lower())
    return "-".join([*words, "clip"][:8])[:60].strip("-") + f"-{submission.job.clip_id}"
