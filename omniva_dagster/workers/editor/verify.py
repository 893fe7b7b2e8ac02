"""Whether a render is what was planned, measured on the files themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.editor.plan import EditPlan
from omniva_dagster.workers.editor.sound.loudness import Measured, measure
from omniva_dagster.workers.media.probe import MediaInfo, probe

_DURATION_TOLERANCE = 0.15
_LOUDNESS_TOLERANCE = 1.0
_MEASURE_SECONDS = 300.0


def check_fonts(faces: Sequence[str], log: str) -> None:
    """Refuse text that libass drew in another font than those of ``faces`` (PostScript names), or
    not at all: ffmpeg calls it success."""
    if not faces:
        return
    chosen = set(re.findall(r"fontselect: \(.*?\) -> ([^,\n]+)", log))
    if not chosen or any(not any(face in name for face in faces) for name in chosen):
        raise WorkerError(
            ReasonCode.BAD_COMMAND,
            f"the captions were not drawn in {', '.join(faces)} (libass took: "
            f"{', '.join(sorted(chosen)) or 'nothing'}); use the bundled ffmpeg by leaving "
            "OMNIVA_FFMPEG out",
        )


def verified(plan: EditPlan, scratch: Path, program: str) -> tuple[MediaInfo, Measured]:
    """What the rendered files are, if they are what was planned (`WorkerError` otherwise)."""
    try:
        media, still = probe(scratch / "clip.mp4"), probe(scratch / "still.jpg")
    except WorkerError as error:
        raise _wrong(f"a file that cannot be read ({error.message})") from error
    size = (plan.width, plan.height)
    if not media.has_audio or media.video_codec != "h264" or media.audio_codec != "aac":
        raise _wrong(f"streams {media.video_codec!r} and {media.audio_codec!r}")
    if (media.width, media.height) != size or (still.width, still.height) != size:
        raise _wrong(f"a picture of {media.width}x{media.height}")
    for kind, seconds in _lengths(scratch / "clip.mp4").items():
        if abs(seconds - plan.duration) > _DURATION_TOLERANCE:
            raise _wrong(f"{seconds:.2f} s of {kind} instead of {plan.duration:.2f} s")
    sound = measure(scratch / "clip.mp4", ffmpeg=program, timeout=_MEASURE_SECONDS)
    target = plan.loudness_target
    if target is not None and abs(sound.integrated - target) > _LOUDNESS_TOLERANCE:
        raise _wrong(f"a loudness of {sound.integrated:.1f} LUFS")
    if target is not None and sound.true_peak > plan.true_peak_max:
        raise _wrong(f"a true peak of {sound.true_peak:.1f} dBTP")
    return media, sound


def _lengths(path: Path) -> dict[str, float]:
    """Seconds of each stream: the container's duration is only that of the longest."""
    import av

    with av.open(str(path)) as container:
        return {
            stream.type: float((stream.duration or 0) * (stream.time_base or 0))
            for stream in container.streams
        }


def _wrong(what: str) -> WorkerError:
    return WorkerError(
        ReasonCode.BAD_COMMAND,
        f"the commands made {what}; the clip was not kept: look at the source around the span, "
        "and plan the clip again",
    )
