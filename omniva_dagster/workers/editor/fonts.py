"""The caption font: taken from a package, so that captions never depend on the machine.

A caption in a font that is missing is not drawn, or drawn in another, without ffmpeg failing. So
the font is found before, handed over as one file, and its table of characters is consulted.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError

# Family as libass looks it up (bold) -> package, file, and PostScript name as libass reports it.
_FONTS = {
    "Source Sans Pro": ("font_source_sans_pro", "SourceSansPro-Bold.ttf", "SourceSansPro-Bold"),
}


@dataclass(frozen=True)
class Font:
    """A font file and what is needed to set text in it.

    ``advances`` has each character's width (as a fraction of the font size that libass is given)
    by code point; a character that is not in it has no glyph.
    """

    family: str
    path: Path
    postscript_name: str
    advances: Mapping[int, float]

    def has(self, text: str) -> bool:
        """Whether every character of ``text`` has a glyph."""
        return all(ord(character) in self.advances for character in text)

    def width(self, text: str, size: float) -> float:
        """Width of ``text`` on one line, in pixels (without kerning)."""
        return size * sum(self.advances.get(ord(character), 1.0) for character in text)


def font_files(family: str) -> Path:
    """The file of a caption font; `WorkerError` ``bad_command`` if its package is not there."""
    if family not in _FONTS:
        known = ", ".join(sorted(_FONTS))
        raise WorkerError(
            ReasonCode.BAD_COMMAND, f"there is no caption font {family!r}; known: {known}"
        )
    package, name, _ = _FONTS[family]
    spec = find_spec(package)
    path = Path(spec.origin).parent / "files" / name if spec and spec.origin else None
    if path is None or not path.is_file():
        raise WorkerError(
            ReasonCode.BAD_COMMAND,
            f"the caption font {family!r} is missing; install the package "
            f"{package.replace('_', '-')} again",
        )
    return path


@lru_cache(maxsize=4)
def load_font(family: str) -> Font:
    """The caption font of that family, with its metrics. Errors as in `font_files`."""
    path = font_files(family)
    return Font(family, path, _FONTS[family][2], _advances(path.read_bytes()))


def _advances(data: bytes) -> dict[int, float]:
    """Widths by code point, from the font's tables (OpenType 1.9: cmap, hmtx, OS/2)."""
    tables = {
        data[at : at + 4].decode("latin-1"): struct.unpack_from(">II", data, at + 8)[0]
        for at in range(12, 12 + 16 * struct.unpack_from(">H", data, 4)[0], 16)
    }
    metrics = struct.unpack_from(">H", data, tables["hhea"] + 34)[0]
    # libass takes a size as Windows does: the height of the line box, not of the em square.
    line_box = sum(struct.unpack_from(">HH", data, tables["OS/2"] + 74))
    widths = {}
    for code_point, glyph in _characters(data, tables["cmap"]):
        at = tables["hmtx"] + 4 * min(glyph, metrics - 1)
        widths[code_point] = struct.unpack_from(">H", data, at)[0] / line_box
    return widths


def _characters(data: bytes, cmap: int) -> Iterator[tuple[int, int]]:
    """``(code point, glyph)`` of every mapped character of the Basic Multilingual Plane."""
    count = struct.unpack_from(">H", data, cmap + 2)[0]
    offsets = [struct.unpack_from(">HHI", data, cmap + 4 + 8 * n) for n in range(count)]
    table = next(
        cmap + offset
        for platform, _, offset in offsets
        if platform in (0, 3) and struct.unpack_from(">H", data, cmap + offset)[0] == 4
    )
    segments = struct.unpack_from(">H", data, table + 6)[0] // 2
    ends, starts = table + 14, table + 16 + 2 * segments
    deltas, ranges = starts + 2 * segments, starts + 4 * segments
    for n in range(segments):
        end, start, delta, offset = (
            struct.unpack_from(">H", data, base + 2 * n)[0]
            for base in (ends, starts, deltas, ranges)
        )
        for code_point in range(start, end + 1):
            glyph = code_point
            if offset:
                at = ranges + 2 * n + offset + 2 * (code_point - start)
                glyph = struct.unpack_from(">H", data, at)[0]
                if glyph == 0:
                    continue
            glyph = (glyph + delta) % 65536
            if glyph and code_point != 0xFFFF:
                yield code_point, glyph
