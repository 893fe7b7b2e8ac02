"""Caption fonts: taken from packages (or a brand's file), so that captions never depend on what is
installed on a machine.

A caption in a font that is missing is not drawn, or drawn in another, without ffmpeg failing. So
fonts are found before, handed over as files, and their tables of characters are consulted.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.editor.captions.opentype import UnusableFontError, parse

_LARGEST_FILE = 64 * 1024 * 1024
# What a caption document's fields and tags are separated by.
_UNNAMEABLE = frozenset("{}\\,\r\n")

# Family and weight -> package and file.
_FONTS = {
    ("Source Sans Pro", "bold"): ("font_source_sans_pro", "files/SourceSansPro-Bold.ttf"),
    ("Source Sans Pro", "black"): ("font_source_sans_pro", "files/SourceSansPro-Black.ttf"),
}
_NOTO = "manimgx_fonts"
_NOTO_CJK = "noto_cjk_sans_jp_bold"
# First word of a character's Unicode name -> its script's part of the font's file name.
_SCRIPTS = {
    name.upper(): name
    for name in (
        *("Arabic", "Armenian", "Bengali", "Devanagari", "Ethiopic", "Georgian", "Gujarati"),
        *("Gurmukhi", "Hebrew", "Kannada", "Khmer", "Lao", "Malayalam", "Myanmar", "Oriya"),
        *("Sinhala", "Tamil", "Telugu", "Thai"),
    )
}
_CJK = {
    *("BOPOMOFO", "CJK", "CORNER", "FULLWIDTH", "HALFWIDTH", "HANGUL", "HIRAGANA", "IDEOGRAPHIC"),
    *("KATAKANA", "KATAKANA-HIRAGANA", "LEFT-CORNER"),
}


@dataclass(frozen=True)
class Font:
    """A font file and what is needed to set text in it.

    ``family`` is the name that libass looks it up by. ``advances`` has each character's width (as
    a fraction of the font size that libass is given) by code point; a character that is not in it
    has no glyph. ``line_box`` is the height of a line in em: text in two fonts is equally large
    where their sizes are as their line boxes.
    """

    family: str
    path: Path
    postscript_name: str
    advances: Mapping[int, float]
    line_box: float = 1.0

    def has(self, text: str) -> bool:
        """Whether every character of ``text`` has a glyph."""
        return all(ord(character) in self.advances for character in text)

    def width(self, text: str, size: float) -> float:
        """Width of ``text`` on one line, in pixels (without kerning and ligatures)."""
        return size * sum(self.advances.get(ord(character), 1.0) for character in text)


def font_files(family: str, weight: str = "bold") -> Path:
    """The file of a caption font (its bold one where the weight is not to be had).

    `WorkerError` ``bad_command`` if it is not known or its package is not there.
    """
    found = _FONTS.get((family, weight)) or _FONTS.get((family, "bold"))
    if found is None:
        known = ", ".join(sorted({name for name, _ in _FONTS}))
        raise WorkerError(
            ReasonCode.BAD_COMMAND, f"there is no caption font {family!r}; known: {known}"
        )
    path = _packaged(*found)
    if path is None:
        raise WorkerError(
            ReasonCode.BAD_COMMAND,
            f"the caption font {family!r} is missing; install the package "
            f"{_distribution(found[0])} again",
        )
    return path


def load_font(family: str, weight: str = "bold") -> Font:
    """The caption font of that family, with its metrics. Errors as in `font_files`."""
    return read_font(font_files(family, weight))


def read_font(path: Path) -> Font:
    """A font from its file; its names come from its own name table.

    `WorkerError` ``bad_command`` for what is no usable TrueType or OpenType font.
    """
    try:
        known = path.stat()
        return _read(path, known.st_mtime_ns, known.st_size)
    except OSError as error:
        raise _unusable(path, error.strerror or "it cannot be read") from error
    except UnusableFontError as error:
        raise _unusable(path, str(error)) from error


@lru_cache(maxsize=32)
def _read(path: Path, changed: int, size: int) -> Font:
    if size > _LARGEST_FILE:
        raise UnusableFontError("it is larger than 64 MB")
    font = parse(path.read_bytes())
    if _UNNAMEABLE & set(font.family):
        raise UnusableFontError(f"captions cannot name the family {font.family!r}")
    return Font(
        font.family,
        path,
        font.postscript_name,
        {code: width / font.line_box for code, width in font.advances.items()},
        font.line_box,
    )


def font_for(character: str) -> Font | None:
    """The packaged font that has a character which a style's font lacks; None if none does, or
    its package is not installed."""
    package, name = _by_script(character)
    path = _packaged(package, name)
    font = read_font(path) if path else None
    return font if font and font.has(character) else None


def package_for(character: str) -> str:
    """The package to install for a character's script; empty if none is known to help."""
    package, name = _by_script(character)
    return "" if _packaged(package, name) else _distribution(package)


def script(character: str) -> str:
    """A character's script (or kind), as the first word of its Unicode name: ``ARABIC``."""
    return unicodedata.name(character, "UNNAMED").split()[0]


def _by_script(character: str) -> tuple[str, str]:
    kind = script(character)
    if kind in _CJK:
        return _NOTO_CJK, "NotoSansCJKjp-Bold.otf"
    return _NOTO, f"NotoSans{_SCRIPTS.get(kind, '')}[wght].ttf"


@lru_cache(maxsize=64)
def _packaged(package: str, name: str) -> Path | None:
    spec = find_spec(package)
    path = Path(spec.origin).parent / name if spec and spec.origin else None
    return path if path and path.is_file() else None


def _distribution(package: str) -> str:
    return package.replace("_", "-")


def _unusable(path: Path, why: str) -> WorkerError:
    return WorkerError(
        ReasonCode.BAD_COMMAND,
        f"the font file {path.name!r} cannot be used: {why}; give a .ttf or .otf file",
    )
