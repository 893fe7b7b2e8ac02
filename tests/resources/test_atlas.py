"""Atlas: put once, whole or not at all, never outside its folder."""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.resources.atlas import Atlas, sha256_of


def _file(folder: Path, content: bytes) -> Path:
    path = folder / f"in-{len(content)}-{content[:4].hex()}"
    path.write_bytes(content)
    return path


@pytest.mark.spec("CON-1")
def test_what_was_put_is_found_by_its_uri(tmp_path: Path) -> None:
    """CON-1: binary is referenced by URI, never inline."""
    atlas = Atlas(tmp_path / "atlas")
    uri = atlas.put(_file(tmp_path, b"abc"), "videos/one/source.mp4")
    assert uri == "atlas:/videos/one/source.mp4"
    assert atlas.path(uri).read_bytes() == b"abc"


def test_the_same_bytes_again_change_nothing(tmp_path: Path) -> None:
    atlas = Atlas(tmp_path / "atlas")
    source = _file(tmp_path, b"abc")
    atlas.put(source, "k")
    before = atlas.path("k").stat()
    atlas.put(source, "k")
    assert atlas.path("k").stat().st_ino == before.st_ino


def test_other_bytes_under_a_key_are_a_collision_and_the_first_stand(tmp_path: Path) -> None:
    atlas = Atlas(tmp_path / "atlas")
    atlas.put(_file(tmp_path, b"abc"), "k")
    with pytest.raises(WorkerError) as caught:
        atlas.put(_file(tmp_path, b"other"), "k")
    assert caught.value.code is ReasonCode.COLLISION
    assert atlas.path("k").read_bytes() == b"abc"


@pytest.mark.parametrize(
    "key", ["../x", "/etc/passwd", "a/../../b", "a//b", "", "a/", ".hidden", "a\nb", "a b", "é"]
)
def test_a_key_cannot_leave_the_store(tmp_path: Path, key: str) -> None:
    atlas = Atlas(tmp_path / "atlas")
    with pytest.raises(ValueError, match="not an Atlas key"):
        atlas.put(_file(tmp_path, b"abc"), key)


def test_a_folder_appears_whole_and_the_first_stands(tmp_path: Path) -> None:
    atlas = Atlas(tmp_path / "atlas")
    for content in ("first", "second"):
        folder = tmp_path / content
        folder.mkdir()
        (folder / "a.txt").write_text(content)
        atlas.put_folder(folder, "clips/one")
    assert (atlas.path("clips/one") / "a.txt").read_text() == "first"


def _put_forever(root: Path, source: Path, ready: object) -> None:
    atlas = Atlas(root)
    ready.set()  # type: ignore[attr-defined]
    number = 0
    while True:
        atlas.put(source, f"k/{number}")
        number += 1


def test_killed_at_any_moment_no_torn_file_is_seen(tmp_path: Path) -> None:
    source = tmp_path / "big"
    source.write_bytes(os.urandom(4_000_000))
    digest = sha256_of(source)
    context = multiprocessing.get_context("spawn")
    for _ in range(3):
        ready = context.Event()
        worker = context.Process(target=_put_forever, args=(tmp_path / "atlas", source, ready))
        worker.start()
        assert ready.wait(60)
        worker.join(0.3)
        assert worker.pid
        os.kill(worker.pid, signal.SIGKILL)
        worker.join()
    files = [path for path in (tmp_path / "atlas" / "objects").rglob("*") if path.is_file()]
    assert files
    assert {sha256_of(path) for path in files} == {digest}


def _work_until_killed(root: str, started: object) -> None:
    with Atlas(Path(root)).scratch() as folder:
        (folder / "half.mp4").write_bytes(b"half")
        started.set()  # type: ignore[attr-defined]
        signal.pause()


def test_what_a_killed_process_left_behind_goes_and_what_is_in_use_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omniva_dagster.resources.atlas._NEW_SECONDS", 0.0)
    atlas = Atlas(tmp_path / "atlas")
    context = multiprocessing.get_context("spawn")
    started = context.Event()
    process = context.Process(target=_work_until_killed, args=(str(tmp_path / "atlas"), started))
    process.start()
    assert started.wait(60)
    (left,) = atlas.staging.iterdir()
    with atlas.scratch():
        assert (left / "half.mp4").is_file()
    process.kill()
    process.join()
    with atlas.scratch() as folder:
        assert [path.name for path in atlas.staging.iterdir()] == [folder.name]
