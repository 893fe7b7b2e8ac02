"""The embedded publisher takes a clip back: once, whole, and for good."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.operations.uploader import PublicationWithdrawn
from omniva_dagster.contracts.publishing import PublicationReceipt
from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.uploader import Recall, Submission
from omniva_dagster.workers.uploader.outbox import OutboxPublisher
from tests.workers.uploader.test_outbox import NOW, _submission

LATER = "2026-03-06T09:00:00Z"
# What changes a file system: a process can be killed before each of these calls.
STEPS = ("mkdir", "rename", "unlink", "rmdir", "fsync", "open", "close")


def _recall(submission: Submission, receipt: PublicationReceipt | None = None) -> Recall:
    return Recall(
        creator=submission.creator,
        clip_id=submission.job.clip_id,
        idempotency_key=submission.idempotency_key,
        directive_id=derive_id("directive", "cancel"),
        reason="ada withdrew consent",
        receipt=receipt,
    )


def _files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def _gone(root: Path) -> bool:
    """Whether no media is left anywhere that the publisher writes to."""
    return not [
        path for path in root.parent.glob("outbox*/**/*") if path.suffix in (".mp4", ".jpg")
    ]


@pytest.mark.spec("CON-11")
def test_withdrawn_twice_it_is_one_withdrawal_and_its_receipt_stays(tmp_path: Path) -> None:
    """CON-11: modules are idempotent: the same message twice has one effect."""
    publisher = OutboxPublisher(tmp_path / "outbox")
    submission = _submission(tmp_path)
    receipt = publisher.publish(submission, NOW)
    first = publisher.withdraw(_recall(submission, receipt), NOW)
    again = publisher.withdraw(_recall(submission, receipt), LATER)
    assert again == first
    assert (first.receipt_id, first.location) == (receipt.receipt_id, receipt.location)
    assert _files(tmp_path / "outbox") == []
    kept = tmp_path / "outbox.withdrawn" / "ada" / submission.job.clip_id
    day = receipt.scheduled_time[:10]
    assert _files(kept) == [f"{day}/receipt.json", "withdrawn.json"]
    assert PublicationReceipt.parse((kept / day / "receipt.json").read_bytes()) == receipt
    assert PublicationWithdrawn.parse((kept / "withdrawn.json").read_bytes()) == first
    assert first.kept_at == kept.as_uri()


@pytest.mark.parametrize("posted", [True, False], ids=["posted", "never posted"])
def test_what_is_withdrawn_is_not_published_again(tmp_path: Path, posted: bool) -> None:
    publisher = OutboxPublisher(tmp_path / "outbox")
    submission = _submission(tmp_path)
    if posted:
        publisher.publish(submission, NOW)
    withdrawn = publisher.withdraw(_recall(submission), NOW)
    assert (withdrawn.receipt_id is not None) is posted
    with pytest.raises(WorkerError, match="not posted again") as caught:
        publisher.publish(submission, LATER)
    assert caught.value.code is ReasonCode.NOT_RELEASED
    assert _files(tmp_path / "outbox") == []


def test_other_clips_of_the_creator_stay_where_they_are(tmp_path: Path) -> None:
    publisher = OutboxPublisher(tmp_path / "outbox")
    submission = _submission(tmp_path)
    publisher.publish(submission, NOW)
    stays = tmp_path / "outbox" / "ada" / "2026-03-05" / f"x-{derive_id('clip', 'other')}"
    stays.mkdir(parents=True)
    (stays / "clip.mp4").write_bytes(b"other")
    publisher.withdraw(_recall(submission), NOW)
    assert (stays / "clip.mp4").read_bytes() == b"other"


def test_a_folder_that_comes_back_from_a_backup_goes_again(tmp_path: Path) -> None:
    publisher = OutboxPublisher(tmp_path / "outbox")
    submission = _submission(tmp_path)
    publisher.publish(submission, NOW)
    first = publisher.withdraw(_recall(submission), NOW)
    for day in ("2026-03-05", "2026-03-09", "withdrawn.json"):
        back = tmp_path / "outbox" / "ada" / day / f"old-title-{submission.job.clip_id}"
        back.mkdir(parents=True)
        (back / "clip.mp4").write_bytes(b"m")
    assert publisher.withdraw(_recall(submission), LATER) == first
    assert _gone(tmp_path / "outbox")


def test_what_a_killed_publication_left_goes_too(tmp_path: Path) -> None:
    publisher = OutboxPublisher(tmp_path / "outbox")
    submission = _submission(tmp_path)
    left = tmp_path / "outbox.staging" / f"{submission.job.clip_id}-abc"
    other = tmp_path / "outbox.staging" / f"{derive_id('clip', 'other')}-abc"
    for folder in (left, other):
        folder.mkdir(parents=True)
        (folder / "clip.mp4").write_bytes(b"m")
    publisher.withdraw(_recall(submission), NOW)
    assert not left.exists()
    assert other.exists()


# Links: what they point to is never touched, and that they stand there is said.


def _linked_clip(home: Path, elsewhere: Path, clip_id: str) -> None:
    (home / "2026-03-05").mkdir(parents=True)
    (home / "2026-03-05" / f"title-{clip_id}").symlink_to(elsewhere, target_is_directory=True)


def _linked_day(home: Path, elsewhere: Path, _clip_id: str) -> None:
    home.mkdir(parents=True)
    (home / "2026-03-05").symlink_to(elsewhere, target_is_directory=True)


def _linked_home(home: Path, elsewhere: Path, _clip_id: str) -> None:
    home.parent.mkdir(parents=True)
    home.symlink_to(elsewhere, target_is_directory=True)


@pytest.mark.parametrize("link", [_linked_clip, _linked_day, _linked_home])
def test_a_link_is_not_followed_and_is_said(
    tmp_path: Path, link: Callable[[Path, Path, str], None]
) -> None:
    submission = _submission(tmp_path)
    clip_id = submission.job.clip_id
    elsewhere = tmp_path / "elsewhere"
    for folder in (elsewhere, elsewhere / f"title-{clip_id}"):
        folder.mkdir()
        (folder / "clip.mp4").write_bytes(b"precious")
    before = _files(elsewhere)
    link(tmp_path / "outbox" / "ada", elsewhere, clip_id)
    publisher = OutboxPublisher(tmp_path / "outbox")
    with pytest.raises(WorkerError, match="is not followed; remove it") as caught:
        publisher.withdraw(_recall(submission), NOW)
    assert caught.value.code is ReasonCode.COLLISION
    assert _files(elsewhere) == before
    with pytest.raises(WorkerError, match="not posted again"):
        publisher.publish(submission, NOW)


def test_a_link_inside_a_clips_folder_goes_and_its_target_stays(tmp_path: Path) -> None:
    publisher = OutboxPublisher(tmp_path / "outbox")
    submission = _submission(tmp_path)
    receipt = publisher.publish(submission, NOW)
    folder = next((tmp_path / "outbox").rglob("receipt.json")).parent
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_bytes(b"precious")
    (folder / "receipt.json").unlink()
    (folder / "receipt.json").symlink_to(precious / "file")
    (folder / "extra").symlink_to(precious, target_is_directory=True)
    (folder / "deep").mkdir()
    (folder / "deep" / "link").symlink_to(precious, target_is_directory=True)
    withdrawn = publisher.withdraw(_recall(submission, receipt), NOW)
    assert withdrawn.receipt_id == receipt.receipt_id
    assert (precious / "file").read_bytes() == b"precious"
    assert _gone(tmp_path / "outbox")


def test_where_withdrawn_clips_are_kept_may_be_no_link_either(tmp_path: Path) -> None:
    publisher = OutboxPublisher(tmp_path / "outbox")
    submission = _submission(tmp_path)
    publisher.publish(submission, NOW)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "outbox.withdrawn").mkdir()
    (tmp_path / "outbox.withdrawn" / "ada").symlink_to(elsewhere, target_is_directory=True)
    with pytest.raises(WorkerError, match="is not followed"):
        publisher.withdraw(_recall(submission), NOW)
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize(
    ("creator", "clip_id"),
    [
        ("../ada", derive_id("clip", "x")),
        ("ada/..", derive_id("clip", "x")),
        ("", derive_id("clip", "x")),
        ("ada\n", derive_id("clip", "x")),
        ("ada", "../../elsewhere"),
        ("ada", "*"),
        ("ada", ""),
        ("ada", derive_id("clip", "x") + "\n"),
    ],
)
def test_no_id_leaves_the_outbox(tmp_path: Path, creator: str, clip_id: str) -> None:
    publisher = OutboxPublisher(tmp_path / "outbox")
    key = derive_id("publication", "x")
    with pytest.raises(WorkerError) as caught:
        publisher.withdraw(Recall(creator, clip_id, key, derive_id("directive", "x"), "why"), NOW)
    assert caught.value.code is ReasonCode.BAD_COMMAND
    assert not (tmp_path / "outbox.withdrawn").exists()


@pytest.mark.parametrize("title", ["../../etc/passwd", "-rf", "🎉", "a\\b/c", "*", "x" * 120])
def test_a_clip_of_any_title_is_found(tmp_path: Path, title: str) -> None:
    publisher = OutboxPublisher(tmp_path / "outbox")
    submission = _submission(tmp_path, title=title)
    receipt = publisher.publish(submission, NOW)
    assert publisher.withdraw(_recall(submission), NOW).receipt_id == receipt.receipt_id
    assert _gone(tmp_path / "outbox")


@pytest.mark.parametrize("tombstone", [b"", b"{", b"[]", b'{"clip_id": 1}'])
def test_a_tombstone_that_is_none_is_written_anew(tmp_path: Path, tombstone: bytes) -> None:
    publisher = OutboxPublisher(tmp_path / "outbox")
    submission = _submission(tmp_path)
    publisher.publish(submission, NOW)
    withdrawn = publisher.withdraw(_recall(submission), NOW)
    path = tmp_path / "outbox.withdrawn" / "ada" / submission.job.clip_id / "withdrawn.json"
    path.write_bytes(tombstone)
    assert publisher.withdraw(_recall(submission), NOW) == withdrawn
    assert json.loads(path.read_text()) == withdrawn.dump()


def test_a_folder_that_cannot_be_written_is_said_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher = OutboxPublisher(tmp_path / "outbox")
    submission = _submission(tmp_path)
    publisher.publish(submission, NOW)
    with monkeypatch.context() as patch:

        def refuse(*_arguments: Any, **_named: Any) -> None:
            raise PermissionError(13, "Permission denied")

        patch.setattr(os, "rename", refuse)
        with pytest.raises(WorkerError, match="Permission denied") as caught:
            publisher.withdraw(_recall(submission), NOW)
    assert caught.value.transient
    assert publisher.withdraw(_recall(submission), NOW).receipt_id is not None
    assert _gone(tmp_path / "outbox")


def _killed_at(step: int, act: Callable[[], object]) -> bool:
    """Whether a child process that is killed before its ``step``-th change was killed at all."""
    child = os.fork()
    if child == 0:
        counted = 0

        def counting(real: Callable[..., Any]) -> Callable[..., Any]:
            def call(*arguments: Any, **named: Any) -> Any:
                nonlocal counted
                counted += 1
                if counted == step:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*arguments, **named)

            return call

        for name in STEPS:
            setattr(os, name, counting(getattr(os, name)))
        try:
            act()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


@pytest.mark.part("CON-11")
def test_killed_at_any_step_it_comes_right_when_called_again(tmp_path: Path) -> None:
    """CON-11: the same message twice has one effect, whatever became of the first."""
    steps = 0
    killed = True
    while killed:
        steps += 1
        folder = tmp_path / str(steps)
        folder.mkdir()
        publisher = OutboxPublisher(folder / "outbox")
        submission = _submission(folder)
        receipt = publisher.publish(submission, NOW)
        recall = _recall(submission)
        killed = _killed_at(steps, lambda: publisher.withdraw(recall, NOW))  # noqa: B023
        # What people see is the whole clip, or nothing of it.
        assert len(_files(folder / "outbox")) in (0, 4)
        withdrawn = publisher.withdraw(recall, LATER)
        assert withdrawn.receipt_id == receipt.receipt_id
        assert withdrawn.withdrawn_at in (NOW, LATER)
        assert _gone(folder / "outbox")
        assert publisher.withdraw(recall, LATER) == withdrawn
        with pytest.raises(WorkerError, match="not posted again"):
            publisher.publish(submission, LATER)
    assert steps > 20


def _publish(folder: Path, start: Any, said: Any) -> None:
    publisher = OutboxPublisher(folder / "outbox")
    submission = _submission(folder, size=20_000_000)
    start.wait()
    try:
        publisher.publish(submission, NOW)
        said.put("published")
    except WorkerError as error:
        said.put(error.code.value)


def test_a_publication_in_flight_is_taken_back_or_refused(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    start, said = context.Barrier(2), context.Queue()
    worker = context.Process(target=_publish, args=(tmp_path, start, said))
    worker.start()
    submission = _submission(tmp_path, size=20_000_000)
    publisher = OutboxPublisher(tmp_path / "outbox")
    start.wait(60)
    publisher.withdraw(_recall(submission), NOW)
    assert said.get(timeout=60) in ("published", "not_released")
    worker.join(60)
    assert _gone(tmp_path / "outbox")
