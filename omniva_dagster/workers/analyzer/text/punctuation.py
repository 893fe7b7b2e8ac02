"""What a mark at the end of a word says, in the scripts of the world (pure).

A full stop is not always one: it shortens words, makes ordinals, stands in names and times of day.
What follows tells them apart: a small letter, or no pause.
"""

from __future__ import annotations

import re


def _listed(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Latin, Greek and Cyrillic; Chinese and Japanese; Arabic and Urdu; the danda of Indian scripts;
# Armenian, Ethiopic, Burmese, Khmer, Tibetan, Mongolian.
_TERMINAL = ".!?…‥‼⁇⁈⁉‽。！？｡．؟۔॥।։።፧፨။៕។།༎᠃᠉"
_CLAUSE = ",;:—–-،؛、，；：､·፣፤፥၊"
# Of quotes both sides: German closes with what English opens with.
_CLOSERS = "\"'”’“‘»›«‹)]}」』）】〉》〕］｝"
_OPENERS = "\"'“‘„‚«‹([{「『（【〈《〔［｛¿¡"
# Questions in Greek end with what is a semicolon elsewhere (U+037E is the same mark).
_GREEK_QUESTION = ";\u037e"
_INITIALS = re.compile(r"^(?:[^\W\d_]\.)+$")
_ORDINAL = re.compile(r"^[0-9]{1,2}\.$")
_ORDINAL_LANGUAGES = _listed("cs da de et fi hr hu is lv nb nn no pl sk sl sr tr")
# Shortened words of the languages that are heard most; those that are words of their own at the
# end of a sentence ("no.", "fig.") only with what they shorten after them.
_ABBREVIATED = _listed(
    "mr. mrs. ms. dr. prof. st. vs. jr. sr. sra. srta. mme. mlle. hr. fr. z.b. d.h. bzw. ca. "
    "vgl. usw. evtl. ggf. nr. str. e.g. i.e. approx. gen. col. sgt. capt. lt. rev. hon. gov. "
    "sen. rep. inc. ltd. corp. dept. est. dott. sig. ing. avv. tel. pág. ud. uds. av. bd. "
    "boul. ul. г. ул. т.е. т.д. т.п. tzn. tj. np. m.in. bl.a. t.ex. o.s.v. bijv. dhr. mevr."
)
_NUMBERED = _listed("no. nos. nr. fig. vol. ch. p. pp. art. núm. s. str. abb. č. º.")
# Ends a sentence in English more often than it shortens a name.
_PRONOUN = {"en": "i."}
_PAUSE_SECONDS = 0.5
_LONG_PAUSE_SECONDS = 1.0


def ends_sentence(
    text: str, following: str, pause: float, language: str = "", *, cased: bool = True
) -> bool:
    """Whether a sentence ends with the word ``text``.

    ``following`` is the next word (empty: there is none), ``pause`` the seconds before it,
    ``language`` its ISO 639-1 code; ``cased`` is whether sentences begin with a capital here.
    """
    bare = text.rstrip(_CLOSERS)
    if not bare:
        return False
    if language == "el" and bare[-1] in _GREEK_QUESTION:
        return True
    if bare[-1] not in _TERMINAL:
        return False
    if not following or pause >= _LONG_PAUSE_SECONDS:
        return True
    # “What?” he asked; U.S. troops; well... maybe: nothing ends before a small letter.
    if cased and begins_small(following):
        return False
    return pause >= _PAUSE_SECONDS or not _shortens(bare, following, language)


def is_marked(text: str) -> bool:
    """Whether a mark that may end a sentence stands after the word."""
    return text.rstrip(_CLOSERS)[-1:] in tuple(_TERMINAL)


def begins_small(text: str) -> bool:
    """Whether the word begins with a small letter."""
    return text.lstrip(_OPENERS)[:1].islower()


def ends_clause(text: str) -> bool:
    """Whether a comma, a colon or the like stands after the word, where it is good to breathe."""
    return text.rstrip(_CLOSERS)[-1:] in tuple(_CLAUSE)


def _shortens(bare: str, following: str, language: str) -> bool:
    """Whether the full stop belongs to the word."""
    if not bare.endswith("."):
        return False
    lower = bare.lstrip(_OPENERS).casefold()
    if lower == _PRONOUN.get(language):
        return False
    if _ORDINAL.match(lower):
        return language in _ORDINAL_LANGUAGES
    if lower in _NUMBERED:
        return following[:1].isdigit()
    return lower in _ABBREVIATED or _INITIALS.match(lower) is not None
