from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from omniva_dagster.workers.media.ffmpeg import find_ffmpeg
from omniva_dagster.workers.scraper import ScrapeLimits, Scraper, UrlPolicy
from tests.workers.scraper.hostile import Site, hostile_site

LOOPBACK = UrlPolicy(allow_private_hosts=True)


class OnlyFirstLoopback(UrlPolicy):
    """127.0.0.1 stands for the public internet, 127.0.0.2 for somebody's private network."""

    def permits(self, address: object) -> bool:
        return str(address) == "127.0.0.1"


@pytest.fixture
def site() -> Iterator[Site]:
    with hostile_site() as running:
        yield running


@pytest.fixture
def private_site() -> Iterator[Site]:
    with hostile_site("127.0.0.2") as running:
        yield running


@pytest.fixture
def scraper(tmp_path: Path) -> Scraper:
    return Scraper(ScrapeLimits(socket_timeout_seconds=30), LOOPBACK, tmp_path / "work")


@pytest.fixture(scope="session")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds of picture and sound, the index in front (so that a cut-off file opens)."""
    path = tmp_path_factory.mktemp("footage") / "footage.mp4"
    picture = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=6"]
    sound = ["-f", "lavfi", "-i", "sine=duration=6"]
    encode = ["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", "-movflags", "+faststart"]
    subprocess.run(
        [find_ffmpeg(), "-v", "error", *picture, *sound, *encode, str(path)],
        check=True,
        timeout=300,
    )
    return path


@pytest.fixture(scope="session")
def footage_bytes(footage: Path) -> bytes:
    return footage.read_bytes()
