"""Footage made once a session from installed packages: a real voice, a real face, hard cuts."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

from omniva_dagster.workers.analyzer.analyze import Analysis, analyze
from omniva_dagster.workers.analyzer.speech import FasterWhisper
from omniva_dagster.workers.media.ffmpeg import run_ffmpeg
from tests.support.sharing import Shared

VIDEO_ID = "7f3c1d52-9a64-4b0e-8d21-5c6b7a8e9f10"
PARENT = "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"
GENERATED_AT = "2026-03-04T05:06:07Z"
CUTS = [4.0, 9.0, 13.0]

Make = Callable[[str, Sequence[str]], Path]


def encode(path: Path, arguments: Sequence[str]) -> Path:
    run_ffmpeg(["-y", "-v", "error", *arguments, str(path)], timeout=300)
    return path


def package_file(package: str, *parts: str) -> Path:
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent.joinpath(*parts)


@pytest.fixture(scope="session")
def voice() -> Path:
    """44 s of a person reading."""
    return package_file("moonshine_voice", "assets", "two_cities.wav")


@pytest.fixture(scope="session")
def portrait() -> Path:
    """A person looking at the camera."""
    return package_file("skimage", "data", "astronaut.png")


@pytest.fixture(scope="session")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    folder = tmp_path_factory.mktemp("footage")

    return lambda name, arguments: encode(folder / name, arguments)


@pytest.fixture(scope="session")
def talk(shared: Shared, voice: Path, portrait: Path) -> Path:
    """The person and the voice, 640 x 360 at 10 fps; patterns between the cuts and up to 15 s."""
    person = ["-loop", "1", "-framerate", "10", "-t", "46", "-i", str(portrait)]
    pattern = ["-f", "lavfi", "-t", "46", "-i", "testsrc2=s=640x360:r=10"]
    between = f"between(t,{CUTS[0]},{CUTS[1]}-0.05)+gte(t,{CUTS[2]})*lt(t,15)"
    graph = (
        "[0]scale=640:640,crop=640:360:0:0,format=yuv420p[p];"
        f"[p][1]overlay=0:0:enable='{between}'[v]"
    )
    mapped = ["-filter_complex", graph, "-map", "[v]", "-map", "2:a", "-t", "44.3"]
    coded = ["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "pcm_s16le"]
    arguments = [*person, *pattern, "-i", str(voice), *mapped, *coded]
    return shared.file("analyzer/talk.mkv", lambda path: encode(path, arguments))


@pytest.fixture(scope="session")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> FasterWhisper:
    return FasterWhisper("bundled:tiny.en", tmp_path_factory.mktemp("home"), device="cpu")


@pytest.fixture(scope="session")
def analysis(shared: Shared, talk: Path, whisper: FasterWhisper) -> Analysis:
    def make(path: Path) -> None:
        made = analyze(talk, VIDEO_ID, whisper, generated_at=GENERATED_AT, parents=[PARENT])
        path.write_bytes(pickle.dumps(made))

    found: Analysis = pickle.loads(shared.file("analyzed/talk.pickle", make).read_bytes())
    return found
