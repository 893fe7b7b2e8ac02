"""Running a plan: into a scratch folder, verified, then moved into place.

Killed at any moment it leaves at most a hidden scratch folder, which the next render in the same
folder removes.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import re
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from omniva_dagster.contracts.editing import EditSummary
from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.durable import sync
from omniva_dagster.workers.editor.brand.branding import FONTS
from omniva_dagster.workers.editor.encoder import CPU, Encoder
from omniva_dagster.workers.editor.plan import CAPTIONS_FILE, CARD_FILE, EditPlan
from omniva_dagster.workers.editor.sound.loudness import Measured
from omniva_dagster.workers.editor.verify import check_fonts, verified
from omniva_dagster.workers.media.ffmpeg import (
    FfmpegRun,
    find_ffmpeg,
    processor_name,
    run_ffmpeg,
)
from omniva_dagster.workers.media.probe import MediaInfo

_SCRATCH = ".render-"
_LOCK = "lock"
# Address space of one ffmpeg.
MEMORY_LIMIT = 6 * 2**30


@dataclass(frozen=True)
class Rendered:
    """A finished clip; everything was measured on the file itself.

    ``integrated_lufs`` is -70 and ``true_peak_dbtp`` -120 for silence.
    """

    media: Path
    thumbnail: Path
    summary: EditSummary
    duration: float
    width: int
    height: int
    sha256: str
    size_bytes: int
    integrated_lufs: float
    true_peak_dbtp: float


def render(
    plan: EditPlan,
    source: Path,
    workdir: Path,
    *,
    ffmpeg: str = "",
    encoder: Encoder,
    timeout: float,
    files: Mapping[str, Path] | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Rendered:
    """Make the clip ``plan`` describes: ``<clip id>.mp4`` and ``.jpg`` in ``workdir``.

    ``encoder`` is what this machine has, ``timeout`` (seconds) is for all commands together,
    ``files`` has each of the plan's assets by name (those it was planned with if None). Raises
    `WorkerError`: ``gpu_starvation`` (transient) if the plan needs a GPU that is missing or busy,
    ``render_timeout``, ``disk_full``, and ``bad_command`` for what would fail again.
    """
    _check_hardware(plan, encoder)
    program = find_ffmpeg(ffmpeg)
    try:
        workdir.mkdir(parents=True, exist_ok=True)
        with _scratch(workdir) as scratch:
            _lay_out(plan, scratch, files)
            commands, runs = _run_all(plan, source, scratch, program, timeout, on_progress)
            check_fonts(plan.faces, "\n".join(run.log for run in runs))
            media, sound = verified(plan, scratch, program)
            return _published(
                plan,
                workdir,
                scratch,
                media,
                sound,
                _summary(plan, commands, runs),
            )
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise WorkerError(
                ReasonCode.DISK_FULL,
                f"there is no space left in {workdir}; free some and run again",
                transient=True,
            ) from error
        raise


def resolve(command: str, values: Mapping[str, str]) -> list[str]:
    """The argument vector of a planned command, its placeholders filled in.

    Filling comes after splitting, each placeholder once: no path can add an argument or be taken
    for a placeholder itself.
    """

    def value(found: re.Match[str]) -> str:
        return values[found[1]]

    pattern = re.compile("{(" + "|".join(map(re.escape, values)) + ")}")
    return [pattern.sub(value, part) for part in shlex.split(command)]


def _check_hardware(plan: EditPlan, encoder: Encoder) -> None:
    if plan.encoder != CPU.name and plan.encoder != encoder.name:
        raise _starved("a GPU encoder")
    if plan.decoder and plan.decoder != encoder.decoder:
        raise _starved("a GPU decoder")


def _starved(what: str) -> WorkerError:
    return WorkerError(
        ReasonCode.GPU_STARVATION,
        f"the clip was planned for {what} and this host has none; run it on a GPU host, "
        "or plan it again here",
        transient=True,
    )


def _run_all(
    plan: EditPlan,
    source: Path,
    scratch: Path,
    program: str,
    timeout: float,
    on_progress: Callable[[float], None] | None,
) -> tuple[list[str], list[FfmpegRun]]:
    values = {
        "ffmpeg": program,
        "input": f"file:{source.resolve()}",
        # Relative to the folder that commands run in: nothing in it needs a filter's escapes.
        "fontsdir": FONTS,
        "video_encoder": plan.encoder,
    }
    deadline = time.monotonic() + timeout
    resolved: list[str] = []
    runs: list[FfmpegRun] = []
    outputs = ("file:clip.mp4", "file:still.jpg")
    for planned, output in zip(plan.job.ffmpeg_commands, outputs, strict=True):
        vector = resolve(planned, {**values, "output": output})
        runs.append(
            run_ffmpeg(
                vector[1:],
                ffmpeg=vector[0],
                timeout=max(1.0, deadline - time.monotonic()),
                duration=plan.duration if not runs else 0.0,
                on_progress=on_progress,
                cwd=scratch,
                # CUDA maps the whole of the GPU's memory into the process.
                memory=None if plan.job.gpu_required else MEMORY_LIMIT,
            )
        )
        resolved.append(shlex.join(vector))
    return resolved, runs


def _lay_out(plan: EditPlan, scratch: Path, files: Mapping[str, Path] | None) -> None:
    """Write what the commands refer to. Fonts go alone: with their whole families in the folder
    it depends on the file system which of two equal names is taken."""
    known = {name: Path(path) for name, path in plan.files.items()} if files is None else files
    for name, digest in plan.assets.items():
        _take(known.get(name), digest, scratch / name)
    (scratch / CAPTIONS_FILE).write_text(plan.captions_ass, encoding="utf-8")
    (scratch / CARD_FILE).write_text(plan.card_ass, encoding="utf-8")


def _take(source: Path | None, digest: str, target: Path) -> None:
    """A copy of a file, if it is still the one that was planned with."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        if source is not None:
            shutil.copyfile(source, target)
    if not target.is_file() or _sha256(target) != digest:
        raise WorkerError(
            ReasonCode.BAD_COMMAND,
            f"the file {target.name} is gone or not the one the clip was planned with; "
            "plan the clip again",
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _summary(plan: EditPlan, commands: list[str], runs: list[FfmpegRun]) -> EditSummary:
    return EditSummary(
        framing=plan.framing,
        caption_words=plan.caption_words,
        font=plan.font,
        encoder=plan.encoder,
        commands=commands,
        hardware=_gpu_name() if plan.job.gpu_required else processor_name(),
        cpu_seconds=round(sum(run.cpu_seconds for run in runs), 3),
        wall_seconds=round(sum(run.wall_seconds for run in runs), 3),
    )


def _gpu_name() -> str:
    query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        said = subprocess.run(query, capture_output=True, text=True, timeout=20).stdout
    except (OSError, subprocess.TimeoutExpired):
        said = ""
    return said.strip().replace("\n", "; ") or f"GPU of {processor_name()}"


def _published(
    plan: EditPlan,
    workdir: Path,
    scratch: Path,
    media: MediaInfo,
    sound: Measured,
    summary: EditSummary,
) -> Rendered:
    clip, still = workdir / f"{plan.job.clip_id}.mp4", workdir / f"{plan.job.clip_id}.jpg"
    digest = _sha256(scratch / "clip.mp4")
    # The clip last: where it is, its thumbnail is too.
    _moved(scratch / "still.jpg", still)
    _moved(scratch / "clip.mp4", clip)
    return Rendered(
        media=clip,
        thumbnail=still,
        summary=summary,
        duration=media.duration,
        width=media.width,
        height=media.height,
        sha256=digest,
        size_bytes=clip.stat().st_size,
        integrated_lufs=sound.integrated,
        true_peak_dbtp=sound.true_peak,
    )


def _moved(made: Path, final: Path) -> None:
    sync(made)
    made.replace(final)
    sync(final.parent)


@contextmanager
def _scratch(workdir: Path) -> Iterator[Path]:
    """A hidden folder, locked while its process lives, removed at the end whatever happens."""
    _swept(workdir)
    scratch, lock = _locked_folder(workdir)
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        lock.close()


def _locked_folder(workdir: Path) -> tuple[Path, IO[str]]:
    while True:
        scratch = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=workdir))
        # Another render may sweep the folder before it is locked: then there is none, or no lock.
        with suppress(FileNotFoundError):
            lock = (scratch / _LOCK).open("w")
            fcntl.flock(lock, fcntl.LOCK_EX)
            if (scratch / _LOCK).exists():
                return scratch, lock
            lock.close()


def _swept(workdir: Path) -> None:
    """Remove what killed renders have left: their locks went with their processes."""
    for left in workdir.glob(f"{_SCRATCH}*"):
        with suppress(OSError):
            left.rmdir()
        with suppress(OSError), (left / _LOCK).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
