"""What a video is about: phrases of its transcript, and where they are said.

YAKE (Campos et al., "YAKE! Keyword extraction from single documents", 2020) says how much each
word is worth; which phrases are subjects is told from their shape and use (see `usage`): YAKE
alone gives fragments such as "channel is posting".
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from omniva_dagster.workers.analyzer.text.grammar import (
    BEFORE_NOUNS,
    HEAD_LAST,
    ING_NOUNS,
    LINKS,
    PLURAL_ENDINGS,
    VAGUE,
)
from omniva_dagster.workers.analyzer.text.usage import Usage, form_of, is_function
from omniva_dagster.workers.analyzer.text.words import join_texts, key, unspaced
from omniva_dagster.workers.media.timeline import Word

# The most that say what a whole video is about; there are more, for tags of its parts.
MOST_KEYWORDS = 20
_MOST_OF_A_LONG_VIDEO = 100
_LONGEST_PHRASE = 3
_MOST_TOKENS = 4
_MOST_COUNTED = 800
_LANGUAGE_FILES = {"cs": "cz", "nb": "no", "nn": "no"}
# What a phrase's worth is multiplied by (less is better, as in YAKE).
_NAME, _REPEATED, _ONCE, _UNPROVEN = 0.2, 0.35, 0.8, 3.0
_STOP_SHARE = 0.015
_OFTEN = 3
_SHORTEST_PLURAL = 3

Parts = tuple[str, ...]


@dataclass(frozen=True)
class Keyword:
    """A phrase in lower case, and the indices of the first words of its occurrences.

    Singular and plural are one keyword, in the form that is said more often. Letters, digits and
    inner hyphens only: without blanks it is a hashtag.
    """

    phrase: str
    length: int
    at: tuple[int, ...]


def extract(words: Sequence[Word], language: str, most: int | None = None) -> list[Keyword]:
    """Phrases of up to three words that say what is talked about, best first.

    At most ``most``; by default one for ten words, from 8 to 100. Every one is said in ``words``,
    within a clause. Names are kept whole; phrases
    with stop words at an edge or inside, verb forms, bare numbers, and words only ever said as part
    of a better phrase are left out.
    """
    if most is None:
        most = min(_MOST_OF_A_LONG_VIDEO, max(8, len(words) // 10))
    tokens = [form_of(word.text, language) for word in words]
    dense = 2 * sum(unspaced(token) for token in tokens) > len(tokens)
    ranked = _dense(words, tokens, language) if dense else _ranked(words, language)
    found: list[Keyword] = []
    covered: set[int] = set()
    for keyword in ranked:
        if len(found) == most:
            break
        places = {i for start in keyword.at for i in range(start, start + keyword.length)}
        if not places <= covered:
            found.append(keyword)
            covered |= places
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
    if not all(part.replace("-", "").isalnum() for part in parts):
        return False
    if any(part.isnumeric() for part in parts) or any(is_function(part) for part in parts):
        return False
    if language == "en" and parts[0].endswith("ing") and parts[0] not in ING_NOUNS:
        return False
    whole = "".join(parts)
    return len(whole) >= (2 if unspaced(whole) else 3)


def content(words: Sequence[Word], language: str) -> list[str]:
    """For each word its form, or an empty text where it is a stop word or a number."""
    forms = [form_of(word.text, language) for word in words]
    stops = _stops(forms, language)
    return ["" if form in stops or form.isnumeric() else form for form in forms]


@lru_cache(maxsize=16)
def stop_words(language: str) -> frozenset[str]:
    """YAKE's stop words of a language (ISO 639-1); of no language if it has none."""
    from importlib.resources import files

    folder = files("yake").joinpath("core", "StopwordsList")
    file = folder.joinpath(f"stopwords_{_LANGUAGE_FILES.get(language, language)}.txt")
    if not file.is_file():
        file = folder.joinpath("stopwords_noLang.txt")
    lines = file.read_bytes().decode("utf-8", errors="replace").splitlines()
    # Speech is written with the plain apostrophe or with the curly one.
    forms = {key(line) for line in lines} | {""}
    return frozenset(forms | {form.replace("'", "’") for form in forms})


def _stops(forms: Sequence[str], language: str) -> frozenset[str]:
    """Stop words; in a language without a list of them, the short words said most often."""
    listed = stop_words(language)
    if listed != stop_words("noLang"):
        return listed
    least = max(3.0, _STOP_SHARE * len(forms))
    return listed | {
        form for form, count in Counter(forms).items() if count >= least and len(form) <= 4
    }


def _ranked(words: Sequence[Word], language: str) -> Iterator[Keyword]:
    """Keywords by worth, most of all first."""
    forms = [form_of(word.text, language) for word in words]
    stops = _stops(forms, language)
    usage = Usage(words, forms, language, stops)
    names = {tuple(forms[a:b]) for a, b in usage.whole_names()}
    places = _merged(_places(usage, names, language, stops), language)
    worth = _worth_of_words(words, language, stops)
    values = {
        parts: _value(parts, len(at), usage, worth, language)
        for parts, at in places.items()
        if _is_sure(parts, len(at), usage, language)
    }
    for parts in sorted(values, key=lambda parts: (values[parts], parts)):
        yield Keyword(join_texts(parts), len(parts), tuple(places[parts]))


def _places(
    usage: Usage, names: set[Parts], language: str, stops: frozenset[str]
) -> dict[Parts, list[int]]:
    """Where each possible phrase is said, never across the end of a clause."""
    places: dict[Parts, list[int]] = defaultdict(list)
    parts_of_names = {part for name in names for part in name}
    for i, first in enumerate(usage.forms):
        if first in stops:
            continue
        for j in range(i + 1, min(len(usage.forms), i + _LONGEST_PHRASE) + 1):
            parts = tuple(usage.forms[i:j])
            # Half a name, or a name and a verb, is no subject.
            whole = parts in names or not parts_of_names.intersection(parts)
            if whole and is_phrase(parts, language, stops) and usage.is_subject(parts):
                places[parts].append(i)
            if usage.breaks[j - 1]:
                break
    return places


def _is_sure(parts: Parts, said: int, usage: Usage, language: str) -> bool:
    """Whether it is said often enough, or shown clearly enough as a subject, to be a keyword."""
    if usage.is_name(parts):
        return True
    if language not in BEFORE_NOUNS:
        return len(parts) == 1 or said > 1
    if len(parts) == 1:
        return usage.is_proven(parts[0]) or said >= _OFTEN
    if language in HEAD_LAST:
        return said > 1 or usage.is_proven(parts[-1])
    linked = any(part in LINKS.get(language, ()) for part in parts)
    return said > 1 or (linked and usage.is_proven(parts[0]))


def _value(
    parts: Parts, said: int, usage: Usage, worth: Mapping[str, float], language: str
) -> float:
    """What a phrase is worth beside others; less is better.

    The geometric mean of its words' worths, so that length alone neither helps nor hurts, times
    what its use says for it. Rounded: a last digit must not decide between two phrases.
    """
    logs = [math.log(worth[part]) for part in parts if part in worth]
    value = math.exp(sum(logs) / len(logs)) if logs else 1.0
    if usage.is_name(parts):
        value *= _NAME
    elif len(parts) > 1:
        value *= _REPEATED if said > 1 else _ONCE
        value *= 1 + sum(part in VAGUE.get(language, ()) for part in parts)
    if said == 1 and not usage.is_proven(parts[-1]):
        value *= _UNPROVEN
    return round(value / math.sqrt(said), 9)


def _merged(places: Mapping[Parts, Sequence[int]], language: str) -> dict[Parts, list[int]]:
    """Singular and plural as one, under the form said more often (the first said, if equal)."""
    groups: dict[Parts, list[Parts]] = defaultdict(list)
    for parts in places:
        groups[tuple(_stem(part, language) for part in parts)].append(parts)
    merged = {}
    for group in groups.values():
        shown = min(group, key=lambda parts: (-len(places[parts]), places[parts][0]))
        merged[shown] = sorted(at for parts in group for at in places[parts])
    return merged


def _stem(form: str, language: str) -> str:
    """What singular and plural have in common; good for telling that, not for showing."""
    endings = PLURAL_ENDINGS.get(language)
    return endings.sub("", form) if endings and len(form) > _SHORTEST_PLURAL else form


def _worth_of_words(
    words: Sequence[Word], language: str, stops: frozenset[str]
) -> dict[str, float]:
    """YAKE's score of each word by its form; less is better."""
    import yake

    extractor = yake.KeywordExtractor(
        lan=_LANGUAGE_FILES.get(language, language),
        n=1,
        dedup_lim=1.0,
        top=len(words),
        stopwords=set(stops),
    )
    worth: dict[str, float] = {}
    for text, score in extractor.extract_keywords(" ".join(word.text for word in words)):
        form = form_of(text, language)
        worth[form] = max(1e-9, min(float(score), worth.get(form, math.inf)))
    return worth


def _dense(words: Sequence[Word], tokens: Sequence[str], language: str) -> Iterator[Keyword]:
    """Phrases by how often they are said and how long they are.

    For scripts without blanks, where words of two characters are whole words; YAKE takes what is
    shorter than three for a stop word.
    """
    stops = stop_words(language)
    places: dict[Parts, list[int]] = defaultdict(list)
    for i in range(len(tokens)):
        for j in range(i + 1, min(len(tokens), i + _MOST_TOKENS) + 1):
            parts = tuple(tokens[i:j])
            if is_phrase(parts, language, stops):
                places[parts].append(i)
            if key(words[j - 1].text[-1]) == "":
                break

    def rank(parts: Parts) -> tuple[int, int, Parts]:
        repeated = (len(places[parts]) - 1) * (len("".join(parts)) - 1)
        return (-repeated, len(parts), parts)

    for parts in sorted(places, key=rank)[:_MOST_COUNTED]:
        yield Keyword(join_texts(parts), len(parts), tuple(places[parts]))
