"""How facts are put into words, so that each word can be found again in its packet."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

LONGEST_QUOTE = 200
LONGEST_TEXT = 2000
CUT = "…"
_INSTEAD = {"“": '"', "”": '"'}
_UNUSUAL = re.compile(r"[“”]|^ | $|  ")


def plain(text: str) -> str:
    """Somebody's words on one line: nothing that steers a terminal or turns the reading order."""
    if not isinstance(text, str):
        raise TypeError(f"words are expected, not {type(text).__name__}")
    if text.isprintable() and not _UNUSUAL.search(text):
        return text
    kept = []
    for char in text:
        if char.isspace():
            kept.append(" ")
        elif unicodedata.category(char) not in ("Cf", "Cs"):
            shown = char if char.isprintable() else "\N{REPLACEMENT CHARACTER}"
            kept.append(_INSTEAD.get(char, shown))
    return " ".join("".join(kept).split())


def quoted(text: str, most: int = LONGEST_QUOTE) -> str:
    """Somebody's words between quotation marks, which stand nowhere else in a sentence."""
    line = plain(text)
    return f"“{line}”" if len(line) <= most else f"“{line[: most - 1].rstrip()}{CUT}”"


def listed(texts: Iterable[str], most: int = 5, each: int = 80) -> str:
    """The first of several, quoted; that there are more is said, not how many."""
    items = list(texts)
    shown = ", ".join(quoted(text, each) for text in items[:most])
    return f"{shown} and more" if len(items) > most else shown


def number(value: float, digits: int = 2) -> str:
    """A number with so many decimals."""
    return f"{value:.{digits}f}"


def seconds(value: float) -> str:
    """A time in a video, in seconds."""
    return f"{value:.2f}"


def clock(value: float) -> str:
    """A time in a video as ``m:ss``."""
    return f"{int(value) // 60}:{int(value) % 60:02d}"


def moment(timestamp: str) -> str:
    """A timestamp to the minute, for people; UTC."""
    return f"{timestamp[:10]} {timestamp[11:16]} UTC"


def digest(sha256: str) -> str:
    """The beginning of a hash, enough to tell files apart."""
    return sha256[:16]


def joined(parts: Sequence[str], most: int = LONGEST_TEXT) -> str:
    """Parts of a sentence that there are, with commas."""
    return fitting(", ".join(part for part in parts if part), most)


def fitting(text: str, most: int = LONGEST_TEXT) -> str:
    """Text of at most so many characters; what is cut off inside a quotation still ends it."""
    if len(text) <= most:
        return text
    head = text[: most - 2].rstrip()
    open_quote = head.count("“") > head.count("”")
    return f"{head}{CUT}”" if open_quote else f"{head}{CUT}"
