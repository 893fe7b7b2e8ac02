"""A clip's wording as it comes: its own sentences, what it is about, and where it is from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from omniva_dagster.engines.chorus.seeing import UNSPACED, as_seen
from omniva_dagster.engines.chorus.text import bytes_of, cut, plain, says_something, units

# The contract allows 120; YouTube ends a title at 100 and refuses angle brackets.
TITLE_LIMIT = 100
DESCRIPTION_LIMIT = 5000  # YouTube counts bytes
KEYWORD_LIMIT = 15
HASHTAGS = 3
_KEYWORDS_TOTAL = 500  # YouTube: over all tags, quotes and commas included
_LONGEST_KEYWORD = 100
_BODY = 600
_SHORTEST_TITLE = 15


@dataclass(frozen=True)
class Wording:
    """Title, description and keywords of a clip."""

    title: str
    description: str
    keywords: list[str]


@dataclass(frozen=True)
class Draft:
    """The parts of a wording; ``titles`` are all that would do, the best first."""

    titles: tuple[str, ...]
    body: str
    source_title: str
    source_url: str
    keywords: tuple[str, ...]
    # Whether the body is all of the description, and the first title the one: a person wrote it.
    whole: bool = False
    titled: bool = False

    @property
    def title(self) -> str:
        """The best title."""
        return self.titles[0]

    @property
    def description(self) -> str:
        """As drafted, hashtags and all."""
        if self.whole:
            return cut(self.body, DESCRIPTION_LIMIT, bytes_of)
        parts = [self.body, credited(self.source_title, self.source_url)]
        return described(parts, hashtags(self.keywords, HASHTAGS))


def draft(
    sentences: Sequence[str], tags: Sequence[str], video_title: str, source_url: str
) -> Draft:
    """The parts of a clip's wording, from the sentences it speaks and what it is about."""
    said = [plain(sentence) for sentence in sentences if plain(sentence)]
    keywords = fitting_keywords(tags)
    named = plain(video_title)
    titles = _titles(said, keywords) or [cut(named, TITLE_LIMIT, units) or "Clip"]
    return Draft(
        tuple(dict.fromkeys(titles)),
        cut(" ".join(said), _BODY),
        cut(named, 200),
        "" if set("<>\n\r") & set(source_url) else source_url,
        tuple(keywords),
    )


def word(
    sentences: Sequence[str], tags: Sequence[str], video_title: str, source_url: str
) -> Wording:
    """The wording of a clip as drafted, within the platform's limits."""
    made = draft(sentences, tags, video_title, source_url)
    return Wording(made.title, made.description, list(made.keywords))


def credited(title: str, url: str) -> str:
    """Where a clip is from."""
    return f"From “{title}”: {url}" if title else url


def described(parts: Sequence[str], last: str) -> str:
    """A description of its parts, the hashtags last; what is too long loses of its first part."""
    first, *rest = [*parts, last]
    tail = "\n\n".join(part for part in rest if part)
    if bytes_of(tail) > DESCRIPTION_LIMIT // 2:
        tail = cut(tail, DESCRIPTION_LIMIT // 2, bytes_of)
    room = DESCRIPTION_LIMIT - bytes_of(tail) - 2
    return "\n\n".join(part for part in (cut(first, room, bytes_of), tail) if part)


def hashtags(keywords: Sequence[str], most: int) -> str:
    """The first keywords as hashtags."""
    marks = (re.sub(r"[^\w\u200c\u200d]", "", keyword) for keyword in keywords)
    return " ".join(["#" + mark for mark in dict.fromkeys(marks) if mark][:most])


def fitting_keywords(tags: Sequence[str]) -> list[str]:
    """Each tag once, as many as a platform takes, without the mark of a hashtag."""
    kept: dict[str, str] = {}
    total = 0
    for tag in tags:
        bare = plain(plain(tag).replace(",", " ").lstrip("#＃ "))
        keyword = cut(bare, _LONGEST_KEYWORD, units)
        # A tag of several words is sent in quotes, and all but the first after a comma.
        cost = units(keyword) + (2 if " " in keyword else 0) + (1 if kept else 0)
        same = as_seen(keyword, False).text.casefold()
        if keyword and same not in kept and total + cost <= _KEYWORDS_TOTAL:
            kept[same] = keyword
            total += cost
    return list(kept.values())[:KEYWORD_LIMIT]


def _long_enough(text: str) -> bool:
    # A sign of a script without spaces says about as much as half a word.
    return len(text) + 2 * len(re.findall(f"[{UNSPACED}]", text)) >= _SHORTEST_TITLE


def _titles(sentences: Sequence[str], keywords: Sequence[str]) -> list[str]:
    """The sentences that fit, those first that say most of what the clip is about."""
    worded = [text for text in sentences if says_something(text)]
    fitting = [text for text in worded if _long_enough(text) and units(text) <= TITLE_LIMIT]
    if not fitting:
        return [cut(text, TITLE_LIMIT, units) for text in worded]

    def worth(text: str) -> int:
        lower = text.lower()
        return sum(keyword in lower for keyword in keywords) + text.endswith("?")

    ranked = sorted(enumerate(fitting), key=lambda item: (-worth(item[1]), item[0]))
    return [text.rstrip(".") for _, text in ranked]
