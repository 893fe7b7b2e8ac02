"""What of a font file is needed to set text in it (OpenType 1.9). Pure: bytes in."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

# More than Unicode has: a damaged table must not map for ever.
_MOST_CHARACTERS = 0x110000
_SIGNATURES = (b"\x00\x01\x00\x00", b"OTTO", b"true")
_WINDOWS = 3
_FAMILY, _POSTSCRIPT = 1, 6


class UnusableFontError(ValueError):
    """The bytes are no single TrueType or OpenType font; the message says why."""


@dataclass(frozen=True)
class FontFile:
    """``family`` as libass looks it up, and the advance of each character it has.

    ``line_box`` is the height of a line, ``ascent`` what of it is above the baseline, and
    ``advances`` (by code point) are widths: all in em.
    """

    family: str
    postscript_name: str
    line_box: float
    advances: dict[int, float]


def parse(data: bytes) -> FontFile:
    """Read a font. Raises `UnusableFontError`."""
    if data[:4] not in _SIGNATURES:
        raise UnusableFontError("it is not a TrueType or OpenType font file")
    try:
        tables = {
            data[at : at + 4].decode("latin-1"): struct.unpack_from(">I", data, at + 8)[0]
            for at in range(12, 12 + 16 * struct.unpack_from(">H", data, 4)[0], 16)
        }
        names = _names(data, tables["name"])
        em = struct.unpack_from(">H", data, tables["head"] + 18)[0]
        # libass takes a size as Windows does: the height of the line box, not of the em square.
        line_box = sum(struct.unpack_from(">HH", data, tables["OS/2"] + 74))
        font = FontFile(
            names[_FAMILY], names[_POSTSCRIPT], line_box / em, _advances(data, tables, em)
        )
    except KeyError as error:
        raise UnusableFontError(f"it has no {error.args[0]!r} entry") from error
    except (struct.error, UnicodeDecodeError, ZeroDivisionError, StopIteration) as error:
        raise UnusableFontError("its tables are damaged") from error
    if not font.advances or not line_box or not font.family.strip():
        raise UnusableFontError("it has no characters, no height or no name")
    return font


def _names(data: bytes, table: int) -> dict[int, str]:
    count, storage = struct.unpack_from(">HH", data, table + 2)
    names: dict[int, str] = {}
    for n in range(count):
        platform, _, _, name, length, offset = struct.unpack_from(">6H", data, table + 6 + 12 * n)
        at = table + storage + offset
        if platform == _WINDOWS and name not in names:
            names[name] = data[at : at + length].decode("utf-16-be")
    return names


def _advances(data: bytes, tables: dict[str, int], em: int) -> dict[int, float]:
    metrics = struct.unpack_from(">H", data, tables["hhea"] + 34)[0]
    widths: dict[int, float] = {}
    for code_point, glyph in _characters(data, tables["cmap"]):
        at = tables["hmtx"] + 4 * min(glyph, metrics - 1)
        widths[code_point] = struct.unpack_from(">H", data, at)[0] / em
    return widths


def _characters(data: bytes, cmap: int) -> Iterator[tuple[int, int]]:
    """``(code point, glyph)`` of every mapped character."""
    count = struct.unpack_from(">H", data, cmap + 2)[0]
    formats = {}
    for n in range(count):
        platform, _, offset = struct.unpack_from(">HHI", data, cmap + 4 + 8 * n)
        if platform in (0, _WINDOWS):
            formats[struct.unpack_from(">H", data, cmap + offset)[0]] = cmap + offset
    if 12 in formats:
        yield from _grouped(data, formats[12])
    elif 4 in formats:
        yield from _segmented(data, formats[4])
    else:
        raise UnusableFontError("it maps no Unicode characters")


def _grouped(data: bytes, table: int) -> Iterator[tuple[int, int]]:
    """Format 12: runs of 32-bit code points."""
    mapped = 0
    for n in range(struct.unpack_from(">I", data, table + 12)[0]):
        start, end, glyph = struct.unpack_from(">III", data, table + 16 + 12 * n)
        mapped += end - start + 1
        if end < start or mapped > _MOST_CHARACTERS:
            raise UnusableFontError("its tables are damaged")
        yield from zip(range(start, end + 1), range(glyph, glyph + end - start + 1), strict=True)


def _segmented(data: bytes, table: int) -> Iterator[tuple[int, int]]:
    """Format 4: segments of the Basic Multilingual Plane."""
    segments = struct.unpack_from(">H", data, table + 6)[0] // 2
    ends, starts = table + 14, table + 16 + 2 * segments
    deltas, ranges = starts + 2 * segments, starts + 4 * segments
    mapped = 0
    for n in range(segments):
        end, start, delta, offset = (
            struct.unpack_from(">H", data, base + 2 * n)[0]
            for base in (ends, starts, deltas, ranges)
        )
        mapped += max(0, end - start + 1)
        if mapped > _MOST_CHARACTERS:
            raise UnusableFontError("its tables are damaged")
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
