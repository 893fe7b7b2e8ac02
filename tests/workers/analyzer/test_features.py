"""What speaks for a span: bounded, repeatable, explained, and never against what is not known."""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omniva_dagster.workers.analyzer.scores import features
from omniva_dagster.workers.analyzer.scores.evidence import Video
from omniva_dagster.workers.analyzer.scores.findings import heard, said, seen, together
from omniva_dagster.workers.analyzer.scores.hints import Hints
from omniva_dagster.workers.analyzer.scores.prosody import Prosody
from omniva_dagster.workers.analyzer.spans.candidates import Span, propose
from omniva_dagster.workers.analyzer.text import keywords
from omniva_dagster.workers.analyzer.text.sentences import split
from omniva_dagster.workers.media.timeline import Chapter, Face, Heat, Scene, Word
from tests.workers.analyzer.speeches import said as words_of
from tests.workers.analyzer.speeches import sentences_of, speech


def video(words: list[Word], language: str = "en", **known: Any) -> Video:
    given = {
        "keywords": [],
        "levels": (),
        "faces": (),
        "has_pictures": True,
        "duration": words[-1].end if words else 0.0,
    }
    forms = keywords.content(words, language)
    return Video(
        words, split(words), language, content=forms, step=0.1, looks=0.4, **{**given, **known}
    )


def whole(of: Video) -> Span:
    return Span(0, len(of.sentences), 0, len(of.words), 0, round(of.words[-1].end * 1000))


def talk(text: str, language: str = "en", pause: float = 0.0, **known: Any) -> Video:
    """A text said at 2.5 words a second, with a pause after each sentence."""
    parts, rest = [], 0.0
    for word in text.split():
        parts.append((rest, 0.4, word))
        rest = pause if word[-1] in ".?!" else 0.0
    return video(words_of(*parts), language, **known)


def value(finding: tuple[float | None, str]) -> float:
    assert finding[0] is not None
    return finding[0]


def sung(steps: int, movement: float = 0.0, **known: Any) -> Prosody:
    moved = [movement if i % 2 else -movement for i in range(steps)]
    return replace(Prosody([120.0] * steps, moved, [], []), **known)


stretches = st.lists(
    st.tuples(st.floats(0, 60), st.floats(0.1, 30)).map(lambda p: (p[0], p[0] + p[1])), max_size=5
)


@st.composite
def known(draw: st.DrawFn) -> dict[str, Any]:
    """All that a video may come with, each of it perhaps missing."""
    spans = draw(stretches)
    warm = [Heat(a, b, draw(st.floats(0, 1))) for a, b in spans]
    parts = [Chapter(a, b, "part") for a, b in sorted(spans)]
    steps = draw(st.integers(0, 900))
    movement = draw(st.floats(0, 9))
    voice = sung(steps, movement, pulses=sorted(draw(stretches)), raised=sorted(draw(stretches)))
    every: dict[str, Any] = {
        "prosody": voice,
        "hints": Hints(heat=warm, chapters=parts),
        "scenes": [Scene(a, b) for a, b in spans],
        "motion": draw(st.lists(st.floats(0, 1), max_size=60)),
        "levels": draw(st.lists(st.floats(-100, 0), max_size=90)),
        "has_pictures": draw(st.booleans()),
    }
    return {name: what for name, what in every.items() if draw(st.booleans())}


@settings(max_examples=80, deadline=None)
@given(speech(), known(), st.sampled_from(["en", "de", "fi", "zh"]))
def test_points_explain_the_confidence_and_repeat(
    spoken: tuple[list[Word], float], given_known: dict[str, Any], language: str
) -> None:
    words, duration = spoken
    before = copy.deepcopy((words, given_known))
    of = video(words, language, **given_known)
    spans = propose(of.sentences, words, duration)
    scored = {(span.start_ms, span.end_ms): features.score(of, span) for span in spans}
    for span in reversed(spans):
        points = scored[span.start_ms, span.end_ms]
        assert [p.name for p in points] == list(features.WEIGHTS)
        assert all(0 <= p.value <= 1 and p.evidence and 0 <= p.points <= p.value for p in points)
        assert math.isclose(sum(p.weight for p in points), 1.0, abs_tol=1e-4)
        confidence = features.confidence(points)
        assert 0 <= confidence <= 1
        assert math.isclose(confidence, min(1.0, sum(p.points for p in points)), abs_tol=1e-6)
        # Neither the order of the spans nor an earlier look at the video changes anything.
        assert features.score(video(words, language, **given_known), span) == points
    assert (words, given_known) == before


def test_weights_add_up_to_one_and_each_has_its_feature() -> None:
    assert math.isclose(sum(features.WEIGHTS.values()), 1.0)
    assert set(features.WEIGHTS) == set(features.FEATURES)


def test_what_a_source_cannot_tell_is_not_held_against_it() -> None:
    words = sentences_of(6, 5.0)
    bare = video(words)
    points = {p.name: p for p in features.score(bare, whole(bare))}
    assert {n for n, p in points.items() if p.weight == 0} == {
        *("heatmap", "chapters", "pitch", "bursts", "visual_change"),
        *("keyword_density", "novelty"),
    }
    assert all(points[name].evidence.startswith("does not apply") for name in ("heatmap", "pitch"))
    assert "heatmap" not in features.values(list(points.values()))
    cool = Hints(heat=[Heat(0, 30, 0.1), Heat(30, 60, 0.5), Heat(60, 90, 1.0)])
    ignored = video(words, hints=cool, duration=90.0)
    assert features.confidence(features.score(ignored, whole(ignored))) < features.confidence(
        list(points.values())
    )


def test_a_question_to_the_viewer_hooks_more_than_a_statement() -> None:
    asking, stating = talk("Did you know 7 facts?"), talk("The facts are known well.")
    assert value(said.hook(asking, whole(asking))) > value(said.hook(stating, whole(stating)))
    evidence = said.hook(asking, whole(asking))[1]
    assert "a question, a teaser, speaks to the viewer, a number" in evidence


@pytest.mark.parametrize(
    ("language", "greeting", "hook"),
    [
        ("en", "Welcome back to my channel.", "Nobody tells you this secret."),
        ("de", "Hallo zusammen und viel Spaß.", "Stell dir vor, alles brennt."),
        ("es", "Hola a todos mis amigos.", "Sabías que nadie duerme?"),
        ("fr", "Bonjour à tous mes amis.", "Imaginez que personne ne dorme."),
    ],
)
def test_a_greeting_hooks_nobody(language: str, greeting: str, hook: str) -> None:
    dull, good = talk(greeting, language), talk(hook, language)
    assert value(said.hook(dull, whole(dull))) < value(said.hook(good, whole(good))) / 2


def test_a_span_that_leans_on_what_came_before_is_less_self_contained() -> None:
    leaning, alone, cut = (
        talk(t) for t in ("But cats sleep.", "Old cats sleep.", "Old cats sleep")
    )
    scores = [value(said.self_containedness(v, whole(v))) for v in (alone, leaning, cut)]
    assert scores[0] == 1.0
    assert scores[0] > scores[1] > 0
    assert scores[0] > scores[2]


def test_a_language_without_word_lists_is_not_taken_for_english() -> None:
    finnish = talk("So kissat nukkuvat.", "fi")
    assert "leans" not in said.self_containedness(finnish, whole(finnish))[1]
    assert said.arousal(finnish, whole(finnish))[0] is None


STORY = (
    "Would you stop a rocket before the start? A sensor reported a leak. It was loud. "
    "A crew that can stop is a crew you can trust."
)


def test_an_end_that_answers_pays_off_more_than_one_that_breaks_off_or_announces() -> None:
    told = talk(STORY)
    broken = talk(STORY.replace(" a crew you can trust.", " a"))
    announced = talk(
        STORY.replace("A crew that can stop is a crew you can trust.", "Here are two.")
    )
    asking = talk(STORY[:-1] + "?")
    ends = [value(said.payoff(v, whole(v))) for v in (told, asking, announced, broken)]
    assert ends[0] == max(ends)
    assert ends[0] > 2 * ends[1]
    assert ends[0] > 2 * ends[2]
    assert ends[0] > ends[3]
    assert "comes back to its opening question" in said.payoff(told, whole(told))[1]


def test_a_goodbye_is_no_payoff() -> None:
    goodbye = talk("Rest keeps you sharp. Thank you for listening.")
    good = talk("Thank you for that. That is why rest keeps you sharp.")
    assert value(said.payoff(goodbye, whole(goodbye))) < value(said.payoff(good, whole(good))) / 2


def test_the_end_of_a_story_is_where_the_speaker_pauses_and_the_voice_falls() -> None:
    words = sentences_of(4, 5.0) + [
        replace(word, start=word.start + 22, end=word.end + 22) for word in sentences_of(4, 5.0)
    ]
    flat, falling = ([0.0] * 420, [-2.0 if 190 <= i < 200 else 0.0 for i in range(420)])
    first = Span(0, 4, 0, 40, 0, 20_000)
    middle = Span(0, 3, 0, 30, 0, 15_000)
    calm, fallen = (
        video(words, prosody=Prosody([120.0] * 420, movement, [], []))
        for movement in (flat, falling)
    )
    assert value(said.payoff(calm, first)) > value(said.payoff(calm, middle))
    assert value(said.payoff(fallen, first)) > value(said.payoff(calm, first))
    assert "a long pause follows, the voice falls" in said.payoff(fallen, first)[1]


def test_stirring_words_arouse_and_the_evidence_names_them() -> None:
    calm = talk("The desk is made of wood and made to last.")
    stirred = talk("The terrifying monster destroyed our beautiful desk!")
    assert value(said.arousal(calm, whole(calm))) == 0
    assert value(said.arousal(stirred, whole(stirred))) > 0.8
    assert "“terrifying”, “monster”" in said.arousal(stirred, whole(stirred))[1]


def test_names_figures_and_long_words_are_rare() -> None:
    plain = talk("We like the cat and the cat likes the old house a lot.")
    rare = talk("We met Grace Hopper about the incompatible 7090 compiler.")
    assert value(said.rare_words(rare, whole(rare))) > value(said.rare_words(plain, whole(plain)))


def test_an_empty_room_scores_less_than_a_face() -> None:
    words = sentences_of(4, 5.0)
    faces = tuple(Face(round(i * 0.4, 3), 0.4, 0.2, 0.2, 0.3, 0.9) for i in range(50))
    with_face, without = video(words, faces=faces), video(words)
    assert value(seen.face_presence(with_face, whole(with_face))) >= 1.0
    assert value(seen.face_presence(without, whole(without))) == 0.0


def test_lively_sound_has_more_energy_and_pitch_than_a_monotone() -> None:
    words = sentences_of(4, 5.0)
    lively = video(words, levels=(-10.0, -30.0) * 100, prosody=sung(200, 3.0))
    monotone = video(words, levels=(-20.0,) * 200, prosody=sung(200, 0.5))
    assert value(heard.energy(lively, whole(lively))) > value(
        heard.energy(monotone, whole(monotone))
    )
    assert value(heard.pitch(lively, whole(lively))) > 0.7
    assert value(heard.pitch(monotone, whole(monotone))) < 0.1


def test_laughter_counts_where_nothing_is_said_and_for_a_few_seconds_only() -> None:
    words = [*sentences_of(4, 5.0), Word("Hahaha!", 26.0, 27.0, 0.5)]
    over_words, alone, music = (2.0, 4.0), (21.0, 23.0), (30.0, 40.0)
    of = video(words, prosody=sung(400, pulses=[over_words, alone, music]), duration=40.0)
    assert of.laughter == [alone, (26.0, 27.0)]
    assert value(heard.bursts(of, whole(of))) == 1.0
    silent = video(words[:-1], prosody=sung(400))
    assert heard.bursts(silent, whole(silent))[0] is None


def test_rate_length_and_pauses_have_a_best() -> None:
    usual = video(sentences_of(6, 5.0))
    assert value(heard.speech_rate(usual, whole(usual))) == 1.0
    assert value(heard.length(usual, whole(usual))) == 1.0
    slow = video(sentences_of(2, 15.0))
    assert value(heard.speech_rate(slow, whole(slow))) < 0.5
    inside = Span(1, 2, 10, 20, 5000, 10000)
    assert 0.7 < value(heard.boundaries(usual, inside)) < 0.9


def test_what_is_said_in_one_place_is_newer_than_what_is_said_throughout() -> None:
    words = sentences_of(18, 5.0)
    words += [Word(text, 90.0 + i, 90.5 + i, 0.9) for i, text in enumerate(["Rockets", "explode."])]
    of = video(words)
    repeated, new = Span(0, 1, 0, 10, 0, 5000), Span(18, 19, 180, 182, 90_000, 91_500)
    assert value(said.novelty(of, new)) == 1.0
    assert value(said.novelty(of, repeated)) < 0.5


HOT = [Heat(i * 10.0, i * 10.0 + 10, 0.9 if i in (6, 7) else 0.2 + i / 100) for i in range(12)]


def at(start: float, end: float) -> Span:
    return Span(0, 1, 0, 10, round(start * 1000), round(end * 1000))


def test_what_viewers_replay_is_warm() -> None:
    of = video(sentences_of(24, 5.0), hints=Hints(heat=HOT))
    hot, half, cold = (value(seen.heatmap(of, at(*s))) for s in ((60, 80), (70, 90), (20, 40)))
    assert hot > half > cold
    assert hot > 0.9
    assert cold < 0.3


def test_the_start_is_not_hot_because_viewers_leave_there() -> None:
    leaving = [replace(HOT[0], value=1.0), *HOT[1:]]
    of = video(sentences_of(24, 5.0), hints=Hints(heat=leaving))
    assert value(seen.heatmap(of, at(0, 20))) < 0.3
    assert value(seen.heatmap(of, at(60, 80))) > 0.9


@pytest.mark.parametrize("heat", [HOT[:2], [replace(h, value=0.5) for h in HOT], []])
def test_a_heatmap_that_tells_nothing_apart_is_none(heat: list[Heat]) -> None:
    of = video(sentences_of(24, 5.0), hints=Hints(heat=heat))
    assert seen.heatmap(of, at(0, 20))[0] is None


def test_a_clip_lies_best_within_a_chapter_from_its_beginning() -> None:
    parts = [Chapter(0, 50, "one"), Chapter(50, 120, "two")]
    of = video(sentences_of(24, 5.0), hints=Hints(chapters=parts))
    spans = ((51, 80), (70, 95), (35, 65))
    begins, inside, across = (value(seen.chapters(of, at(*span))) for span in spans)
    assert begins == 1.0
    assert begins > inside > across
    assert "“two”, from its beginning" in seen.chapters(of, at(51, 80))[1]


def test_cuts_and_motion_change_the_picture() -> None:
    shots = [Scene(0, 30), Scene(30, 35), Scene(35, 40), Scene(40, 60), Scene(60, 120)]
    of = video(sentences_of(24, 5.0), scenes=shots, motion=[0.02] * 60 + [0.2] * 60)
    still, cutting, moving = (
        value(seen.visual_change(of, at(*span))) for span in ((0, 20), (28, 48), (80, 100))
    )
    assert cutting > still
    assert moving > still


def test_one_strong_sign_is_enough_and_more_never_hurt() -> None:
    assert together([(0.4, 1.0), (0.4, 0.0)]) == pytest.approx(0.4)
    assert together([(0.4, 1.0), (0.4, 1.0)]) == pytest.approx(0.64)
    assert together([(1.0, 5.0)]) == 1.0
