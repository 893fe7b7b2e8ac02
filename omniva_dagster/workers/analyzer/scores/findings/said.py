"""Findings on what is said: hook, payoff, arousal, and what the span is about (pure)."""

from __future__ import annotations

from omniva_dagster.workers.analyzer.scores.evidence import Video
from omniva_dagster.workers.analyzer.scores.findings import Finding, quoted, together
from omniva_dagster.workers.analyzer.spans.candidates import Span
from omniva_dagster.workers.analyzer.text.lexicon import (
    DEPENDENT_OPENERS,
    NUMBER_WORDS,
    SECOND_PERSON,
)
from omniva_dagster.workers.analyzer.text.marks import Marks
from omniva_dagster.workers.analyzer.text.words import join, key

HOOK_SECONDS = 3.0
# The least time in which something can be answered, and where its answer is looked for.
_END_SENTENCES = 2
_FALL_SECONDS = 0.7
_FALL_SEMITONES = 1.0
_STEM = 5
_CLOSERS = "\"'”’»)]」』"
_QUESTION_MARKS = ("?", "？", "؟", ";")


def hook(video: Video, span: Span) -> Finding:
    """The first three seconds: are they full, do they ask, tease, address someone, name a number?

    A greeting or a call to subscribe there leaves a third of it.
    """
    stop = span.first_word
    while stop < span.stop_word and video.words[stop].start < span.start + HOOK_SECONDS:
        stop += 1
    first, opening = span.first_word, video.words[span.first_word : stop]
    forms = set(video.forms[first:stop])
    addressed = bool(forms & SECOND_PERSON.get(video.language, frozenset()))
    numbers = NUMBER_WORDS.get(video.language, frozenset())
    counts = any(form in numbers or any(c.isdigit() for c in form) for form in forms)
    begun = [i for i in range(span.first, span.stop) if video.sentences[i].first < stop]
    begun = begun[:_END_SENTENCES]
    asks = any(_asks(video, i) for i in begun)
    starts = {video.sentences[i].first for i in begun}
    teased = [at for at in _said(video, video.teasers, first, stop + 3) if at[0] in starts]
    signs = [
        (0.35, min(1.0, video.spoken(first, stop) / 8.0), f"{len(opening)} words in 3 s"),
        (0.40, asks, "a question"),
        (0.35, bool(teased), "a teaser"),
        (0.20, addressed, "speaks to the viewer"),
        (0.15, counts, "a number"),
        (0.20, bool(_said(video, video.stirring, first, stop)), "stirring words"),
    ]
    value = together((strength, presence) for strength, presence, _ in signs)
    seen = [said for _, presence, said in signs if presence]
    if _said(video, video.housekeeping, first, video.sentences[begun[-1]].stop if begun else stop):
        value, seen = value / 3, [*seen, "but it is a greeting or the like"]
    return value, f"opens with “{join(opening)}”: {', '.join(seen) or 'nothing is said yet'}"


def self_containedness(video: Video, span: Span) -> Finding:
    """Does it begin and end where a sentence does, begin anew rather than lean on what was said
    before? After one of the video's longest pauses speakers mostly come to something new (Swerts,
    "Prosodic features at discourse boundaries of different strength", 1997)."""
    first, last = video.sentences[span.first], video.sentences[span.stop - 1]
    opener = key(video.words[span.first_word].text)
    leaners = DEPENDENT_OPENERS.get(video.language)
    leans = leaners is not None and opener in leaners
    anew = video.is_long(video.pauses(span.first_word, span.stop_word)[0]) or not span.first
    value = 0.25 * first.opened + 0.35 * last.closed + 0.15 * anew
    value += 0.125 if leaners is None else 0.25 * (not leans)
    begins = "begins with a sentence" if first.opened else "begins within a sentence"
    ends = "ends with a full stop" if last.closed else "ends within a sentence"
    leaning = f"; “{opener}” leans on what came before" if leans else ""
    return value, f"{begins}{' after a long pause' if anew else ''}, {ends}{leaning}"


def payoff(video: Video, span: Span) -> Finding:
    """Does the end resolve: a full stop, a conclusion, the answer to an opening question, a long
    pause after it, a voice that falls? An ending that asks leaves half of it, one that announces
    or says goodbye a third."""
    last = video.sentences[span.stop - 1]
    tail = max(span.first, span.stop - _END_SENTENCES)
    start, stop = video.sentences[tail].first, span.stop_word
    concludes = _said(video, video.conclusions, start, stop)
    answer = _answer(video, span, tail)
    falls = _falls(video, last.end)
    rests = video.is_long(video.pauses(span.first_word, stop)[1]) or stop == len(video.words)
    signs = [
        (0.35, last.closed, "ends with a full stop"),
        (0.40, bool(concludes), f"concludes with {_texts(video, concludes)}"),
        (0.40, bool(answer), f"comes back to its opening question with {quoted(answer)}"),
        (0.30, rests, "a long pause follows"),
        (0.20, falls, "the voice falls"),
    ]
    value = together((strength, presence) for strength, presence, _ in signs)
    seen = [said for _, presence, said in signs if presence] or ["ends within a sentence"]
    if span.stop - span.first > 1 and _asks(video, span.stop - 1):
        value, seen = value / 2, [*seen, "but with a question"]
    if announced := _said(video, video.announcements, last.first, stop):
        value, seen = value / 3, [*seen, f"but {_texts(video, announced)} announces more"]
    elif parting := _said(video, video.housekeeping, last.first, stop):
        value, seen = value / 3, [*seen, f"but with {_texts(video, parting)}"]
    return value, ", ".join(seen)


def arousal(video: Video, span: Span) -> Finding:
    """Words that stir people, exclamations, raised voices. One stirring word in seven is a lot."""
    stirring = video.stirring
    if stirring is None and video.prosody is None:
        return None, "no list of stirring words in this language, and the voice was not measured"
    found = _said(video, stirring, span.first_word, span.stop_word)
    share = len(found) / max(1.0, video.content_words(span.first_word, span.stop_word))
    sentences = video.sentences[span.first : span.stop]
    exclaimed = sum(s.text.rstrip(_CLOSERS)[-1:] in ("!", "！") for s in sentences)
    raised = [at for at, end in video.raised if span.start <= at and end <= span.end]
    signs = [
        (0.9, share / 0.15, f"{len(found)} stirring words: {_texts(video, found)}"),
        (0.3, exclaimed / 2, f"{exclaimed} exclamations"),
        (0.3, len(raised) / 2, f"{len(raised)} raised voices"),
    ]
    value = together((strength, presence) for strength, presence, _ in signs)
    return value, ", ".join(said for _, presence, said in signs if presence) or "calm throughout"


def rare_words(video: Video, span: Span) -> Finding:
    """How much of what is said is names, figures and long words that are said hardly anywhere
    else; a quarter is enough. Rare words are the longer ones in every language studied (Piantadosi
    et al., "Word lengths are optimized for efficient communication", 2011)."""
    if video.uncommon is None:
        return None, "in this script a word's length says little"
    found = _said(video, video.uncommon, span.first_word, span.stop_word)
    said = video.content_words(span.first_word, span.stop_word)
    share = len(found) / said if said else 0.0
    examples = sorted({video.content[a] for a, _ in found}, key=lambda form: (-len(form), form))
    return share / 0.25, f"{len(found)} rare words: {quoted(examples) or 'none'}"


def keyword_density(video: Video, span: Span) -> Finding:
    """How much of what is said is on the video's keywords; half is enough."""
    if not video.keywords:
        return None, "the video has no keywords"
    share = video.keyword_share(span.first_word, span.stop_word)
    phrases = ", ".join(video.phrases_in(span.first_word, span.stop_word)[:5]) or "none"
    return share / 0.5, f"{share:.0%} of its content words are keywords: {phrases}"


def novelty(video: Video, span: Span) -> Finding:
    """Does it say what is not said all over the video? Not told of videos below a minute."""
    if video.duration < 60.0:
        return None, "the video is too short to repeat itself"
    value = video.rarity(span.first_word, span.stop_word)
    told = f"in {1 / value:.1f} half-minutes of the video" if value else "nowhere"
    return value, f"its content words are said {told} (harmonic mean)"


def _asks(video: Video, sentence: int) -> bool:
    text = video.sentences[sentence].text.rstrip(_CLOSERS)[-1:]
    return text in _QUESTION_MARKS and (text != ";" or video.language == "el")


def _said(video: Video, marks: Marks | None, first: int, stop: int) -> list[tuple[int, int]]:
    return marks.within(first, min(stop, len(video.words))) if marks else []


def _texts(video: Video, places: list[tuple[int, int]]) -> str:
    return quoted(" ".join(video.forms[a:b]) for a, b in places)


def _answer(video: Video, span: Span, tail: int) -> list[str]:
    """Content words of an opening question that the end says again, after something in between."""
    opening = range(span.first, min(span.first + _END_SENTENCES, tail))
    asked = [i for i in opening if _asks(video, i)]
    if not asked or tail - span.first < _END_SENTENCES or _asks(video, span.stop - 1):
        return []
    question = {
        form[:_STEM]
        for i in asked
        for form in video.content[video.sentences[i].first : video.sentences[i].stop]
        if form
    }
    end = video.content[video.sentences[tail].first : span.stop_word]
    return [form for form in end if form and form[:_STEM] in question]


def _falls(video: Video, end: float) -> bool:
    mean, _, voiced = video.movement_in(end - _FALL_SECONDS, end)
    return voiced >= _FALL_SECONDS / 3 and mean <= -_FALL_SEMITONES
