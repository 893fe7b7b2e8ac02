"""Text as people see it: one line, whole characters, nothing hidden in it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator

_JOINERS = "\u200c\u200d"  # Persian, the scripts of India and emoji are written with them
_LOOSE_JOINER = re.compile(
    rf"(?<!\S)[{_JOINERS}]+|[{_JOINERS}]+(?!\S)|(?<=[{_JOINERS}])[{_JOINERS}]+"
)
# What a terminal would take for a command, and a browser for an element: neither is a word.
_COMMAND = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?)")
_ELEMENT = re.compile(r"</?[A-Za-z][^<>]{0,500}>")
_MOST_MARKS = 4  # accents on one letter; no script needs more, stacks of them hide what is below
# Pictures, with what modifies and joins them; not digits, # and *, which are emoji by the book.
_EMOJI = re.compile(
    "(?:[\U0001f1e6-\U0001f1ff]{2}"
    "|[\u231a\u231b\u23e9-\u23fa\u2600-\u27bf\u2b05-\u2b55\U0001f000-\U0001faff]"
    "[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff\u20e3]*"
    "(?:\u200d[\u2600-\u27bf\u2b05-\u2b55\U0001f000-\U0001faff]"
    "[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]*)*)"
)


def plain(text: str) -> str:
    """One line without control characters, angle brackets, or what turns or hides text: direction
    marks, zero-width spaces, stacks of accents. Unicode's form NFC."""
    text = _ELEMENT.sub(" ", _COMMAND.sub("", text))
    kept = "".join(" " if char.isspace() else char for char in text if char not in "<>")
    printable = "".join(char for char in kept if char.isprintable() or char in _JOINERS)
    whole = unicodedata.normalize("NFC", "".join(_few_marks(printable)))
    return re.sub(r" +", " ", _LOOSE_JOINER.sub("", whole)).strip()


def cut(text: str, limit: int, size: Callable[[str], int] = len) -> str:
    """The text, or its beginning up to a whole word and an ellipsis, within ``limit``.

    No character that people see as one is broken: accents, flags, families, syllables of Hangul.
    """
    if size(text) <= limit:
        return text
    room = limit - size("…")
    kept, used = [], 0
    for cluster in _clusters(text):
        used += size(cluster)
        if used > room:
            break
        kept.append(cluster)
    head = "".join(kept)
    word = head.rsplit(" ", 1)[0]
    # Of a language that is written without spaces, the last space may be far back.
    head = word if 2 * len(word) >= len(head) else head
    return head.rstrip(" ,;:-") + "…"


def without_emoji(text: str) -> str:
    """The text without pictures, and without the gaps they leave."""
    return tidy(_EMOJI.sub("", text))


def tidy(text: str) -> str:
    """Lines without double spaces, or spaces and commas before a stop."""
    lines = (re.sub(r"[ \t]+", " ", line).strip() for line in text.split("\n"))
    return re.sub(r"[ ,]+(?=[.!?](?:\s|$))|(?<=\S) +(?=[,;])", "", "\n".join(lines)).strip()


def bytes_of(text: str) -> int:
    """Its size in UTF-8."""
    return len(text.encode("utf-8"))


def units(text: str) -> int:
    """Its length as platforms count it: a sign beyond the first 65,536, such as most emoji, is two
    (UTF-16). Whoever counts signs counts no more."""
    return len(text) + sum(char > "\uffff" for char in text)


def says_something(text: str) -> bool:
    """Whether there is a letter or digit in it."""
    return any(char.isalnum() for char in text)


def _clusters(text: str) -> Iterator[str]:
    """Extended grapheme clusters (Unicode Standard Annex #29)."""
    import regex  # type: ignore[import-untyped]

    for match in regex.finditer(r"\X", text):
        yield match.group()


def _few_marks(text: str) -> Iterator[str]:
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks <= _MOST_MARKS:
            yield char
