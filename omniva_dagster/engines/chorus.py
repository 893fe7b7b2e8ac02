"""Chorus: what a clip is called, in its own words and within the platform's limits (4.7)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

VERSION = "1"
# The contract allows 120; YouTube ends a title at 100 and refuses angle brackets.
TITLE_LIMIT = 100
DESCRIPTION_LIMIT = 5000
KEYWORD_LIMIT = 15
_KEYWORDS_TOTAL = 480  # YouTube: 500 characters over all tags
_SHORTEST_TITLE = 15


@dataclass(frozen=True)
class Wording:
    """Title, description and keywords of a clip."""

    title: str
    description: str
    keywords: list[str]


def word(
    sentences: Sequence[str], tags: Sequence[str], video_title: str, source_url: str
) -> Wording:
    """The wording of a clip from the sentences it speaks and the phrases it is about."""
    said = [plain(sentence) for sentence in sentences if plain(sentence)]
    keywords = _keywords(tags)
    title = _title(said, keywords) or _cut(plain(video_title), TITLE_LIMIT) or "Clip"
    body = " ".join(said)
    source = f"From “{plain(video_title)}”: {source_url}" if video_title else source_url
    hashtags = " ".join("#" + re.sub(r"\W", "", keyword) for keyword in keywords[:3])
    parts = [_cut(body, 600), source, hashtags]
    description = "\n\n".join(part for part in parts if part)
    return Wording(title, description[:DESCRIPTION_LIMIT], keywords)


def plain(text: str) -> str:
    """One line without control characters or angle brackets."""
    kept = "".join(" " if char in "\n\r\t" else char for char in text if char not in "<>")
    printable = "".join(char for char in kept if char.isprintable() or char == "\u200d")
    return re.sub(r" +", " ", printable).strip()


def _title(sentences: Sequence[str], keywords: Sequence[str]) -> str:
    """The earliest of the sentences that say most of what the clip is about."""
    fitting = [text for text in sentences if _SHORTEST_TITLE <= len(text) <= TITLE_LIMIT]
    if not fitting:
        return _cut(sentences[0], TITLE_LIMIT) if sentences else ""

    def worth(text: str) -> tuple[int, int]:
        lower = text.lower()
        hits = sum(keyword in lower for keyword in keywords)
        return (hits + text.endswith("?"), -fitting.index(text))

    return max(fitting, key=worth).rstrip(".")


def _keywords(tags: Sequence[str]) -> list[str]:
    kept: list[str] = []
    for tag in tags:
        keyword = plain(tag)[:100]
        total = sum(map(len, kept)) + len(keyword)
        if keyword and keyword not in kept and total <= _KEYWORDS_TOTAL:
            kept.append(keyword)
    return kept[:KEYWORD_LIMIT]


def _cut(text: str, limit: int) -> str:
    """The text, or its beginning up to a whole word and an ellipsis."""
    if len(text) <= limit:
        return text
    return text[: limit - 1].rsplit(" ", 1)[0].rstrip(" ,;:-") + "…"
