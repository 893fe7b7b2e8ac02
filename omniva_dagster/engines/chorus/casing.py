"""Capitals: titles like sentences, titles in title case, words in the case of others."""

from __future__ import annotations

import re

LOUD_WORDS = 3
_DOTTED = ("tr", "az")
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_SMALL = frozenset(
    "a an and as at but by for from in of on or the to with".split()  # noqa: SIM905 - a sentence
)


def cased_like(use: str, said: str) -> str:
    """A word that is used instead of another, in that one's case."""
    if len(said) > 1 and said.isupper():
        return use.upper()
    return use[:1].upper() + use[1:] if said[:1].isupper() else use


def small(text: str, language: str) -> str:
    """In lower case; in Turkish and Azerbaijani I and İ are two letters."""
    if language.lower()[:2] in _DOTTED:
        text = text.replace("I", "ı").replace("İ", "i")
    return text.lower()


def sentence_case(text: str, language: str = "en") -> str:
    """Each sentence begins with a capital, and so does the English "I"."""
    if language.lower()[:2] == "en":
        text = re.sub(r"\bi\b(?=['’ ]|$)", "I", text)

    def begun(match: re.Match[str]) -> str:
        return match[1] + _capital(match[2], language)

    return re.sub(r"(^\W*|[.!?]\s+)(\w)", begun, text)


def _capital(letter: str, language: str = "en") -> str:
    """Its capital, where that is one letter: not that of ß."""
    if letter == "i" and language.lower()[:2] in _DOTTED:
        return "İ"
    return letter.upper() if len(letter.upper()) == 1 else letter


def lowered(text: str, language: str = "en") -> str:
    """Words in lower case that are capitalized only because a title is; names are not known, so
    only text in title case is touched, and none in German, whose nouns are."""
    if language.lower()[:2] == "de":
        return text
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
        little = word.lower() in _SMALL and not first and match.end() < len(text)
        first = False
        if word.isupper() and len(word) > 1:
            return word
        return word.lower() if little else _capital(word[:1]) + word[1:]

    return WORD.sub(cased, text)
