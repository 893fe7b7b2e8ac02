"""Footage of known content made of the pictures in scikit-image: pans, cuts, faces that talk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from omniva_dagster.workers.media.ffmpeg import run_ffmpeg
from tests.workers.analyzer.conftest import package_file

Frame = NDArray[np.uint8]
WIDTH, HEIGHT = 320, 180
H264 = ("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p")


def picture(name: str) -> Frame:
    return np.asarray(cv2.imread(str(package_file("skimage", "data", name))), np.uint8)


def pan(
    name: str, count: int, *, step: float = 1.0, at: tuple[float, float] = (0, 0)
) -> list[Frame]:
    """``count`` frames that wander over a picture, ``step`` pixels a frame."""
    whole = picture(name)
    scale = 1.6 * max(WIDTH / whole.shape[1], HEIGHT / whole.shape[0])
    frames = []
    for i in range(count):
        moved = np.array([[scale, 0, -at[0] - i * step], [0, scale, -at[1] - i * step / 3]])
        frames.append(_warped(whole, moved))
    return frames


def _warped(whole: Frame, matrix: Any, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Frame:
    warped = cv2.warpAffine(whole, matrix, size, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(warped, np.uint8)


def brighter(frame: Frame, gain: float, offset: float = 0.0) -> Frame:
    return np.clip(frame.astype(np.float32) * gain + offset, 0, 255).astype(np.uint8)


def grainy(frames: Sequence[Frame], amount: float) -> list[Frame]:
    """With noise of that standard deviation, another in each frame."""
    random = np.random.default_rng(1)
    noise = random.normal(0, amount, frames[0].shape).round().astype(np.int16)
    shifts = random.integers(0, frames[0].shape[1], (len(frames), 2))
    return [
        np.clip(frame + np.roll(noise, shift, (0, 1)), 0, 255).astype(np.uint8)
        for frame, shift in zip(frames, shifts, strict=True)
    ]


def encode(
    frames: Sequence[Frame], path: Path, rate: float = 30, coded: Sequence[str] = H264
) -> Path:
    height, width = frames[0].shape[:2]
    raw = path.with_suffix(".raw")
    raw.write_bytes(b"".join(frame.tobytes() for frame in frames))
    taken = ["-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{width}x{height}", "-r", str(rate)]
    run_ffmpeg(["-y", "-v", "error", *taken, "-i", str(raw), *coded, str(path)], timeout=300)
    raw.unlink()
    return path


class Person:
    """The astronaut on 640 x 360: she can talk, sway, and shut her eyes."""

    def __init__(self) -> None:
        from omniva_dagster.workers.analyzer.pictures.faces import FaceFinder

        self.whole = picture("astronaut.png")
        self.features = FaceFinder(512, 512).find_features(self.whole, 0.0)[0]
        self.y, self.x = np.mgrid[0:512, 0:512].astype(np.float32)

    def frame(
        self, *, mouth: float = 0.0, sway: tuple[float, float] = (0, 0), shut: bool = False
    ) -> Frame:
        """``mouth`` open from 0 to 1; ``sway`` in pixels."""
        face = self._with_mouth(mouth)
        if shut:
            face = self._with_eyes_shut(face)
        moved = np.array([[0.7, 0, 100 + sway[0]], [0, 0.7, 10 + sway[1]]])
        still = cv2.warpAffine(face, moved, (640, 360), borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(still, np.uint8)

    def _with_mouth(self, amount: float) -> Frame:
        x, y = (v * 512 for v in self.features.mouth)
        wide, high = self.features.face.width * 512, self.features.face.height * 512
        lower = np.clip((self.y - y + 2) / (0.05 * high), 0, 1)
        weight = lower * np.exp(-(((self.x - x) / (0.35 * wide)) ** 2))
        weight = weight * np.exp(-((np.clip(self.y - y, 0, None) / (0.35 * high)) ** 2))
        rows = (self.y - weight * amount * 0.1 * high).astype(np.float32)
        return np.asarray(cv2.remap(self.whole, self.x, rows, cv2.INTER_LINEAR), np.uint8)

    def _with_eyes_shut(self, face: Frame) -> Frame:
        wide, high = self.features.face.width * 512, self.features.face.height * 512
        for eye in self.features.eyes:
            middle = int(eye[0] * 512), int(eye[1] * 512)
            radii = int(0.13 * wide), int(0.075 * high)
            lid = np.zeros(face.shape[:2], np.uint8)
            cv2.ellipse(lid, middle, radii, 0, 0, 360, 255, -1)
            face = np.asarray(cv2.inpaint(face, lid, 5, cv2.INPAINT_TELEA), np.uint8)
            lashes = int(radii[0] * 0.8), int(radii[1] * 0.5)
            cv2.ellipse(face, middle, lashes, 0, 20, 160, (40, 40, 60), 2)
        return face


def syllables(i: int, rate: float = 30) -> float:
    """How open a mouth is in frame ``i`` of speech: 4.3 syllables a second."""
    return max(0.0, float(np.sin(2 * np.pi * 4.3 * i / rate)))
