"""The embedded publisher: once a clip, whatever is killed or run again."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from omniva_dagster.contracts.editing import RenderedClip
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.publishing import PublicationReceipt, UploadJob
from omniva_dagster.workers.uploader import Submission
from omniva_dagster.workers.uploader.outbox import OutboxPublisher
from tests.contracts.support import example

NOW = "2026-03-04T05:06:07Z"


def _submission(folder: Path, title: str = "A title", size: int = 1000) -> Submission:
    media, thumbnail = folder / "m.mp4", folder / "t.jpg"
    media.write_bytes(b"m" * size)
    thumbnail.write_bytes(b"t")
    job = UploadJob.parse({**example("UploadJob"), "title": title})
    return Submission(
        creator="ada",
        job=job,
        clip=RenderedClip.parse(example("RenderedClip")),
        media=media,
        thumbnail=thumbnail,
        directive_id=derive_id("directive", "x"),
        idempotency_key=derive_id("publication", job.clip_id, "outbox"),
    )


def _published(root: Path) -> list[Path]:
    return sorted(root.rglob("receipt.json"))


@pytest.mark.part("UPL-2")
def test_a_clip_is_published_with_all_a_platform_needs(tmp_path: Path) -> None:
    """UPL-2: SCHEDULED/LIVE, yt_video_id, final slot."""
    submission = _submission(tmp_path)
    receipt = OutboxPublisher(tmp_path / "outbox").publish(submission, NOW)
    (path,) = _published(tmp_path / "outbox")
    names = {"clip.mp4", "thumbnail.jpg", "metadata.json", "receipt.json"}
    assert {item.name for item in path.parent.iterdir()} == names
    assert PublicationReceipt.parse(path.read_bytes()) == receipt
    assert UploadJob.parse((path.parent / "metadata.json").read_bytes()) == submission.job
    assert receipt.scheduled_time == submission.job.scheduled_time
    assert receipt.location == path.parent.as_uri()


@pytest.mark.part("AGT-10")
def test_published_again_it_is_the_same_receipt_even_under_another_title(tmp_path: Path) -> None:
    """AGT-10: side effects idempotent by task_id and idempotency_key."""
    publisher = OutboxPublisher(tmp_path / "outbox")
    first = publisher.publish(_submission(tmp_path), NOW)
    again = publisher.publish(_submission(tmp_path, title="Another"), "2026-04-01T00:00:00Z")
    assert again == first
    assert len(_published(tmp_path / "outbox")) == 1


@pytest.mark.parametrize(
    "title", ["../../etc/passwd", "a\"b'c", "🎉🎉", "a\\b/c", "-rf", ".", "a" * 120, "日本語"]
)
def test_no_title_leaves_the_outbox(tmp_path: Path, title: str) -> None:
    OutboxPublisher(tmp_path / "outbox").publish(_submission(tmp_path, title=title), NOW)
    (path,) = _published(tmp_path / "outbox")
    assert path.parent.parent.parent == tmp_path / "outbox" / "ada"
    assert json.loads((path.parent / "metadata.json").read_text())["title"] == title


def _publish_many(folder: Path, start: Any) -> None:
    submission = _submission(folder, size=3_000_000)
    publisher = OutboxPublisher(folder / "outbox")
    start.wait()
    for number in range(1000):
        clip_id = derive_id("clip", number)
        publisher.publish(
            replace(
                submission,
                job=submission.job.model_copy(update={"clip_id": clip_id}),
                idempotency_key=derive_id("publication", clip_id, "outbox"),
            ),
            NOW,
        )


def test_killed_while_publishing_no_half_folder_is_seen(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    for _ in range(2):
        start = context.Barrier(2)
        worker = context.Process(target=_publish_many, args=(tmp_path, start))
        worker.start()
        start.wait(60)
        worker.join(0.3)
        assert worker.pid
        os.kill(worker.pid, signal.SIGKILL)
        worker.join()
    published = list((tmp_path / "outbox" / "ada").glob("*/*"))
    assert published
    for folder in published:
        assert len(list(folder.iterdir())) == 4
        assert (folder / "clip.mp4").stat().st_size == 3_000_000
