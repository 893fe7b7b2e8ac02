"""What a render may use: disk, memory, places; and what is left when it gets no more."""

from __future__ import annotations

import json
import multiprocessing
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.editor import render as rendering
from omniva_dagster.workers.media.ffmpeg import run_ffmpeg
from omniva_dagster.workers.slots import slot
from tests.workers.editor.conftest import Talk, context_of, rendered, run

FULL = """
import json, subprocess, sys
from pathlib import Path
from omniva_dagster.contracts.reasons import WorkerError
from tests.workers.editor.conftest import context_of, rendered
source, mount, size = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", mount], check=True)
try:
    rendered(context_of(source, 0, 2, frame_rate=30.0), mount)
    said = "rendered"
except WorkerError as error:
    said = f"{error.code.value} {error.transient}"
print(json.dumps([said, sorted(path.name for path in mount.iterdir())]))
"""


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2 s in which everything moves."""
    path = tmp_path_factory.mktemp("busy") / "busy.mp4"
    run(
        "-f", "lavfi", "-i", "testsrc2=s=1280x720:r=30:d=2", "-c:v", "libx264", "-preset",
        "ultrafast", "-pix_fmt", "yuv420p", path,
    )  # fmt: skip
    return path


@pytest.fixture(scope="module")
def needed(busy: Path, tmp_path_factory: pytest.TempPathFactory) -> int:
    """Bytes of what a render of it makes."""
    context = context_of(busy, 0, 2, frame_rate=30.0)
    return rendered(context, tmp_path_factory.mktemp("needed")).size_bytes


def _on_a_disk_of(size: str, source: Path, mount: Path) -> tuple[str, list[str]]:
    """What a render comes to in a file system of its own, in a mount namespace of its own."""
    command = ["unshare", "--user", "--map-root-user", "--mount"]
    allowed = subprocess.run(
        [*command, "mount", "-t", "tmpfs", "tmpfs", str(mount)], capture_output=True
    )
    if allowed.returncode:
        pytest.skip("this machine lets nobody mount a file system of their own")
    done = subprocess.run(
        [*command, sys.executable, "-c", FULL, str(source), str(mount), size],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    said, left = json.loads(done.stdout)
    return said, left


@pytest.mark.media
@pytest.mark.parametrize("share", [0.05, 0.5, 0.97])
def test_a_disk_that_fills_up_in_the_middle_is_named_and_leaves_no_torn_file(
    share: float, busy: Path, needed: int, tmp_path: Path
) -> None:
    size = str(round(share * needed))
    assert _on_a_disk_of(size, busy, tmp_path) == ("disk_full True", [])


@pytest.mark.media
def test_more_memory_than_allowed_is_an_error_with_a_reason_and_no_torn_file(
    busy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendering, "MEMORY_LIMIT", 600 * 2**20)
    with pytest.raises(WorkerError) as failed:
        rendered(context_of(busy, 0, 2, frame_rate=30.0), tmp_path)
    assert failed.value.code == ReasonCode.INTERNAL
    assert list(tmp_path.iterdir()) == []


@pytest.mark.media
def test_a_render_takes_a_fraction_of_the_memory_it_may_have(
    talk: Talk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A quarter is enough: what asks for more than it may have fails.
    monkeypatch.setattr(rendering, "MEMORY_LIMIT", rendering.MEMORY_LIMIT // 4)
    context = context_of(talk.path, 0, 2, words=talk.words, faces=talk.faces, scenes=talk.scenes)
    assert rendered(context, tmp_path).media.is_file()


def test_a_run_that_ends_at_once_is_not_upset_by_its_limit(tmp_path: Path) -> None:
    with pytest.raises(WorkerError) as failed:
        run_ffmpeg(["-i", str(tmp_path / "none")], timeout=120, memory=2**32)
    assert failed.value.code == ReasonCode.BAD_COMMAND


def _hold(folder: Path, held: object, leave: object) -> None:
    with slot(folder, 1, timeout=120):
        held.set()  # type: ignore[attr-defined]
        leave.wait(300)  # type: ignore[attr-defined]


def test_no_more_than_the_places_there_are_work_at_once(tmp_path: Path) -> None:
    together, most, lock = 0, 0, threading.Lock()

    def work() -> None:
        nonlocal together, most
        with slot(tmp_path, 2, timeout=120):
            with lock:
                together += 1
                most = max(most, together)
            pair.wait(120)
            released.wait(0.15)
            with lock:
                together -= 1

    # Each waits for another beside it, so that two are sure, and a while for a third to be seen.
    pair, released = threading.Barrier(2), threading.Event()
    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


def test_a_place_is_another_processs_until_it_leaves_or_dies(tmp_path: Path) -> None:
    processes = multiprocessing.get_context("spawn")
    held, leave = processes.Event(), processes.Event()
    other = processes.Process(target=_hold, args=(tmp_path, held, leave))
    other.start()
    assert held.wait(120)
    with (
        pytest.raises(WorkerError, match="none of the 1 render places") as late,
        slot(tmp_path, 1, timeout=0.2),
    ):
        raise AssertionError
    assert (late.value.code, late.value.transient) == (ReasonCode.RENDER_TIMEOUT, True)
    other.kill()
    with slot(tmp_path, 1, timeout=120) as number:
        assert number == 0
    other.join()
