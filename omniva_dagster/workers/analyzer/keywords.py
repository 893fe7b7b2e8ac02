"""What a video is about: phrases of its transcript, and where they are said (YAKE, filtered)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from omniva_dagster.workers.analyzer.lexicon import ING_NOUNS, LINKS
from omniva_dagster.workers.analyzer.words import join_texts, key, unspaced
from omniva_dagster.workers.media.timeline import Word

MOST_KEYWORDS = 20
_LONGEST_PHRASE = 3
_DRAWN = 80
_MOST_TOKENS = 4
_LANGUAGE_FILES = {"cs": "cz", "nb": "no", "nn": "no"}


@dataclass(frozen=True)
class Keyword:
    """A phrase in lower case, and the indices of the first words of its occurrences."""

    phrase: str
    length: int
    at: tuple[int, ...]


def extract(words: Sequence[Word], language: str, most: int = MOST_KEYWORDS) -> list[Keyword]:
    """Phrases of up to three words that say what is talked about, best first.

    Every one is said in ``words``. Fragments are left out: phrases with stop words at an edge or
    inside, verb forms, bare numbers, and words only ever said as part of a better phrase.
    """
    tokens = [key(word.text) for word in words]
    stops = stop_words(language)
    found: list[Keyword] = []
    dense = 2 * sum(unspaced(token) for token in tokens) > len(tokens)
    for parts in _counted(words, tokens) if dense else _yake(words, language):
        if not is_phrase(parts, language, stops):
            continue
        keyword = Keyword(join_texts(parts), len(parts), tuple(_occurrences(parts, tokens)))
        if keyword.at and not _said_within(keyword, found):
            found.append(keyword)
        if len(found) == most:
            break
    return found


def is_phrase(parts: Sequence[str], language: str, stops: frozenset[str]) -> bool:
    """Whether the words (in the form of `words.key`) can stand for a subject on their own."""
    if not parts or not all(parts) or len(set(parts)) != len(parts):
        return False
    if parts[0] in stops or parts[-1] in stops:
        return False
    links = LINKS.get(language, frozenset())
    if any(part in stops and part not in links for part in parts[1:-1]):
        return False
    if any(part.isnumeric() or "'" in part or "’" in part for part in parts):
        return False
    if language == "en" and parts[0].endswith("ing") and parts[0] not in ING_NOUNS:
        return False
    whole = "".join(parts)
    return len(whole) >= (2 if unspaced(whole) else 3)


def content(words: Sequence[Word], language: str) -> list[str]:
    """For each word its form, or an empty text where it is a stop word or a number."""
    stops = stop_words(language)
    forms = (key(word.text) for word in words)
    return ["" if form in stops or form.isnumeric() else form for form in forms]


@lru_cache(maxsize=16)
def stop_words(language: str) -> frozenset[str]:
    """YAKE's stop words of a language (ISO 639-1); of no language if it has none."""
    from importlib.resources import files

    folder = files("yake").joinpath("core", "StopwordsList")
    name = _LANGUAGE_FILES.get(language, language)
    file = folder.joinpath(f"stopwords_{name}.txt")
    if not file.is_file():
        file = folder.joinpath("stopwords_noLang.txt")
    lines = file.read_bytes().decode("utf-8", errors="replace").splitlines()
    return frozenset(key(line) for line in lines) | {""}


def _yake(words: Sequence[Word], language: str) -> list[tuple[str, ...]]:
    import yake

    extractor = yake.KeywordExtractor(
        lan=_LANGUAGE_FILES.get(language, language),
        n=_LONGEST_PHRASE,
        dedup_lim=0.85,
        top=_DRAWN,
        stopwords=set(stop_words(language)),
    )
    scored = extractor.extract_keywords(" ".join(word.text for word in words))
    ranked = sorted(scored, key=lambda pair: (float(pair[1]), pair[0]))
    return [tuple(key(part) for part in phrase.split()) for phrase, _ in ranked]


def _counted(words: Sequence[Word], tokens: Sequence[str]) -> list[tuple[str, ...]]:
    """Phrases by how often they are said and how long they are.

    For scripts without blanks, where words of two characters are whole words; YAKE takes what is
    shorter than three for a stop word.
    """
    counts: Counter[tuple[str, ...]] = Counter()
    for i in range(len(tokens)):
        for j in range(i + 1, min(len(tokens), i + _MOST_TOKENS) + 1):
            counts[tuple(tokens[i:j])] += 1
            if key(words[j - 1].text[-1]) == "":
                break

    def rank(parts: tuple[str, ...]) -> tuple[int, int, tuple[str, ...]]:
        repeated = (counts[parts] - 1) * (len("".join(parts)) - 1)
        return (-repeated, len(parts), parts)

    ranked = sorted(counts, key=rank)
    return ranked[: _DRAWN * 10]


def _occurrences(parts: tuple[str, ...], tokens: Sequence[str]) -> Iterable[int]:
    length = len(parts)
    for i in range(len(tokens) - length + 1):
        if tokens[i] == parts[0] and tuple(tokens[i : i + length]) == parts:
            yield i


def _said_within(keyword: Keyword, found: Iterable[Keyword]) -> bool:
    covered = {
        i for other in found for start in other.at for i in range(start, start + other.length)
    }
    return all(i in covered for start in keyword.at for i in range(start, start + keyword.length))
