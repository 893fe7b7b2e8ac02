"""Capitals: titles like sentences, titles in title case, words in the case of others."""

from __future__ import annotations

import re

LOUD_WORDS = 3
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_SMALL = frozenset(
    "a an and as at but by for from in of on or the to with".split()  # noqa: SIM905 - a sentence
)


def cased_like(use: str, said: str) -> str:
    """A word that is used instead of another, in that one's case."""
    if len(said) > 1 and said.isupper():
        return use.upper()
    return use[:1].upper() + use[1:] if said[:1].isupper() else use


def sentence_case(text: str) -> str:
    """Each sentence begins with a capital, and so does "I"."""
    text = re.sub(r"\bi\b(?=['’ ]|$)", "I", text)
    return re.sub(r"(^\W*|[.!?]\s+)(\w)", lambda match: match[1] + match[2].upper(), text)


def lowered(text: str) -> str:
    """Words in lower case that are capitalized only because a title is; names are not known, so
    only text in title case is touched."""
    words = [word for word in WORD.findall(text) if word.lower() not in _SMALL]
    titled = words and all(word[:1].isupper() for word in words) and len(words) >= LOUD_WORDS
    if not titled:
        return text
    return WORD.sub(lambda match: match[0] if match[0].isupper() else match[0].lower(), text)


def title_case(text: str) -> str:
    """English title case; what is in capitals stays so."""
    first = True

    def cased(match: re.Match[str]) -> str:
        nonlocal first
        word = match.group()
        small = word.lower() in _SMALL and not first and match.end() < len(text)
        first = False
        if word.isupper() and len(word) > 1:
            return word
        return word.lower() if small else word[:1].upper() + word[1:]

    return WORD.sub(cased, text)
