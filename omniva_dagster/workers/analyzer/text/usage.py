"""What a word is used as in a transcript: noun, verb, name ... told from its neighbours (pure).

No model and no dictionary: a word after an article is a noun there, one after a pronoun or "to" is
a verb, one with a capital inside a sentence is a name. The transcript itself gives the votes, so a
word that it never shows in a telling place stays undecided.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from omniva_dagster.workers.analyzer.text.grammar import (
    BEFORE_ADJECTIVES,
    BEFORE_NOUNS,
    BEFORE_VERBS,
    ED_NOUNS,
    EST_NOUNS,
    HEAD_LAST,
    ING_NOUNS,
    LY_NOUNS,
    NOUNS_CAPITALIZED,
    VAGUE,
    VERB_FORMS,
)
from omniva_dagster.workers.analyzer.text.lexicon import NUMBER_WORDS
from omniva_dagster.workers.analyzer.text.words import key
from omniva_dagster.workers.media.timeline import Word

_BREAKS = re.compile(r"[.,;:!?…。！？、，；：؟،–—]['\"”’»)\]]*$|^[-–—]+$")
_SENTENCE_ENDS = re.compile(r"[.!?…。！？؟]['\"”’»)\]]*$")
# Korean particles; Japanese verbs and particles are written, or end, in hiragana.
_PARTICLES = re.compile("(?:에서|으로|에게|까지|부터|은|는|이|가|을|를|에|의|도|로|와|과)$")
_ENDS_AS_VERB = re.compile("[\u3041-\u309f]$|(?:니다|어요|아요|해요|하다|했다|한다)$")
_SHORTEST_STEM = 2
_OPENERS = "\"'“‘«([{¿¡„「"
_LONGEST_NAME = 3
_FEW = 20
_ADJECTIVE = re.compile(r".{2,}(?:ous|ful|less|able|ible|ish)$")


def form_of(text: str, language: str) -> str:
    """The word in the form of `words.key`, in Korean without the particle at its end."""
    form = key(text)
    return _PARTICLES.sub("", form) if language == "ko" and len(form) > _SHORTEST_STEM else form


def is_function(form: str) -> bool:
    """Whether a Japanese or Korean form ends as verbs and function words do."""
    return _ENDS_AS_VERB.search(form) is not None


class Usage:
    """The votes over one transcript.

    ``forms`` are the words as `form_of` gives them; ``breaks`` tells after which of them a
    clause ends; ``names`` are the forms that are written with a capital inside sentences.
    """

    def __init__(
        self, words: Sequence[Word], forms: Sequence[str], language: str, stops: frozenset[str]
    ) -> None:
        self.forms = forms
        # A particle that was taken off ended its phrase.
        self.breaks = [
            _BREAKS.search(word.text) is not None or (language == "ko" and form != key(word.text))
            for word, form in zip(words, forms, strict=True)
        ]
        self._language, self._stops = language, stops
        self._ends = [_SENTENCE_ENDS.search(word.text) is not None for word in words]
        self._capital = [word.text.lstrip(_OPENERS)[:1].isupper() for word in words]
        self._lower = {
            form for form, high in zip(self.forms, self._capital, strict=True) if not high
        }
        self._capitalized = self._written_with_capitals()
        self.names = frozenset() if language in NOUNS_CAPITALIZED else self._capitalized
        self._runs = self._find_names()
        self._whole = {tuple(forms[first:stop]) for first, stop in self._runs}
        self._nouns: Counter[str] = Counter()
        self._others: Counter[str] = Counter()
        self._verbs: Counter[str] = Counter()
        for i in range(1, len(words)):
            self._vote(i)
        if language in HEAD_LAST:
            single = Counter(self._nouns)
            for i in range(2, len(words)):
                self._vote_for_head(i, single)

    def whole_names(self) -> list[tuple[int, int]]:
        """(first, exclusive stop) of runs of two or three names: a person, a place, a work."""
        return self._runs

    def _find_names(self) -> list[tuple[int, int]]:
        runs, i = [], 0
        while i < len(self.forms):
            stop = i
            while stop < len(self.forms) and self._continues_name(i, stop):
                stop += 1
            if 2 <= stop - i <= _LONGEST_NAME:
                runs.append((i, stop))
            i = max(stop, i + 1)
        return runs

    def is_name(self, parts: Sequence[str]) -> bool:
        """Whether all of it is a name."""
        return tuple(parts) in self._whole or (len(parts) == 1 and parts[0] in self.names)

    def is_subject(self, parts: Sequence[str]) -> bool:
        """Whether the words, as they are used here, can name what is talked about."""
        if self.is_name(parts):
            return True
        if len(parts) == 1:
            return parts[0] not in VAGUE.get(self._language, ()) and self.can_stand(parts[0])
        # "released ChatGPT": what ends with a name is one, or is more than a subject.
        if parts[-1] in self.names and not self.names.issuperset(parts):
            return False
        inner = [part for part in parts[:-1] if part not in self._stops]
        return self.can_stand(parts[-1]) and all(self.can_begin(part) for part in inner)

    def can_stand(self, form: str) -> bool:
        """Whether the word can stand alone for a subject, or end a phrase that does."""
        if form in self.names:
            return True
        if self._language in NOUNS_CAPITALIZED and form not in self._capitalized:
            return False
        if self._language == "en" and _is_no_english_noun(form):
            return form.endswith("ing") and self._nouns[form] > self._others[form]
        return self._nouns[form] >= self._others[form]

    def is_proven(self, form: str) -> bool:
        """Whether the transcript shows it as a noun, or as a name, at least once."""
        shown = form in self._capitalized or self._nouns[form] > self._others[form]
        return shown and self.can_stand(form)

    def can_begin(self, form: str) -> bool:
        """Whether a phrase may begin with it: not with a number, nor what is used as a verb."""
        if form in self.names:
            return True
        if form in NUMBER_WORDS.get(self._language, ()):
            return False
        if self._language == "en" and (form in VERB_FORMS or _is_adverb(form)):
            return False
        if self._language == "en" and form.endswith("ing") and form not in ING_NOUNS:
            return False
        return self._verbs[form] <= self._nouns[form]

    def _vote(self, i: int) -> None:
        if self.breaks[i - 1]:
            return
        before, form = self.forms[i - 1], self.forms[i]
        if before in BEFORE_VERBS.get(self._language, ()):
            self._others[form] += 1
            self._verbs[form] += 1
        elif before in BEFORE_ADJECTIVES.get(self._language, ()):
            self._others[form] += self._is_last(i)
        elif before in BEFORE_NOUNS.get(self._language, ()):
            self._nouns[form] += self._is_last(i) or self._language not in HEAD_LAST

    def _vote_for_head(self, i: int, single: Counter[str]) -> None:
        # "a short story" ends with its noun; in "a cat sleeps" the cat is one, known as "the cat".
        if self.breaks[i - 1] or self.breaks[i - 2] or not self._is_last(i):
            return
        first, between = self.forms[i - 2], self.forms[i - 1]
        opens = first in BEFORE_NOUNS.get(self._language, ())
        self._nouns[self.forms[i]] += opens and between not in self._stops and not single[between]

    def _is_last(self, i: int) -> bool:
        """Whether a phrase ends with word ``i``."""
        return i + 1 == len(self.forms) or self.breaks[i] or self.forms[i + 1] in self._stops

    def _written_with_capitals(self) -> frozenset[str]:
        inside = [i for i in range(1, len(self.forms)) if not self._ends[i - 1]]
        inside = [i for i in inside if self.forms[i] and self.forms[i] not in self._stops]
        capital = Counter(self.forms[i] for i in inside if self._capital[i])
        everywhere = 2 * sum(capital.values()) > len(inside) > _FEW
        if everywhere and self._language not in NOUNS_CAPITALIZED:
            return frozenset()
        total = Counter(self.forms[i] for i in inside)
        return frozenset(form for form, count in capital.items() if 2 * count > total[form])

    def _continues_name(self, first: int, i: int) -> bool:
        form = self.forms[i]
        if not self._capital[i] or form in self._stops or (i > first and self.breaks[i - 1]):
            return False
        # A sentence begins with a capital whatever it begins with: it counts if a name follows.
        follows = (
            i + 1 < len(self.forms)
            and not self.breaks[i]
            and self.forms[i + 1] in self._capitalized
        )
        return form in self._capitalized or (i == first and follows and form not in self._lower)


def _is_adverb(form: str) -> bool:
    return form.endswith("ly") and form not in LY_NOUNS


def _is_no_english_noun(form: str) -> bool:
    verb = form in VERB_FORMS or (form.endswith("ed") and len(form) > 4 and form not in ED_NOUNS)
    running = form.endswith("ing") and form not in ING_NOUNS
    best = form.endswith("est") and form not in EST_NOUNS and len(form) > 5
    return verb or running or best or _is_adverb(form) or _ADJECTIVE.match(form) is not None
