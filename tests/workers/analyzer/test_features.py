import math

from hypothesis import given, settings

from omniva_dagster.workers.analyzer import features, keywords
from omniva_dagster.workers.analyzer.candidates import Span, propose
from omniva_dagster.workers.analyzer.evidence import Video
from omniva_dagster.workers.analyzer.sentences import split
from omniva_dagster.workers.media.timeline import Face, Word
from tests.workers.analyzer.speeches import said, sentences_of, speech


def video(
    words: list[Word],
    language: str = "en",
    faces: tuple[Face, ...] = (),
    levels: tuple[float, ...] = (),
) -> Video:
    return Video(
        words,
        split(words),
        language,
        content=keywords.content(words, language),
        keywords=[],
        levels=levels,
        step=0.1,
        faces=faces,
        looks=0.4,
        has_pictures=True,
        duration=words[-1].end if words else 0.0,
    )


def whole(seen: Video) -> Span:
    last = seen.words[-1]
    return Span(0, len(seen.sentences), 0, len(seen.words), 0, round(last.end * 1000))


def spoken(*texts: str, language: str = "en") -> Video:
    return video(said(*[(0.0, 0.4, text) for text in texts]), language)


@settings(max_examples=50, deadline=None)
@given(speech())
def test_points_explain_the_confidence_and_repeat(said_in: tuple[list[Word], float]) -> None:
    words, duration = said_in
    seen = video(words)
    for span in propose(seen.sentences, words, duration):
        points = features.score(seen, span)
        assert [p.name for p in points] == list(features.WEIGHTS)
        assert all(0 <= p.value <= 1 and p.evidence for p in points)
        confidence = features.confidence(points)
        assert 0 <= confidence <= 1
        assert math.isclose(confidence, sum(p.value * p.weight for p in points), abs_tol=1e-5)
        assert features.score(video(words), span) == points


def test_weights_add_up_to_one_and_each_has_its_feature() -> None:
    assert math.isclose(sum(features.WEIGHTS.values()), 1.0)
    assert set(features.WEIGHTS) == set(features.FEATURES)


def test_a_question_to_the_viewer_hooks_more_than_a_statement() -> None:
    asking = spoken("Did", "you", "know", "7", "facts?")
    stating = spoken("The", "facts", "are", "known", "well.")
    assert features.hook(asking, whole(asking))[0] > features.hook(stating, whole(stating))[0]
    assert "a question, speaks to the viewer, a number" in features.hook(asking, whole(asking))[1]


def test_a_span_that_leans_on_what_came_before_is_less_self_contained() -> None:
    leaning, alone = spoken("But", "cats", "sleep."), spoken("Old", "cats", "sleep.")
    cut = spoken("Old", "cats", "sleep")
    value = [features.self_containedness(v, whole(v))[0] for v in (alone, leaning, cut)]
    assert value[0] == 1.0
    assert value[0] > value[1] > 0
    assert value[0] > value[2]


def test_a_language_without_word_lists_is_not_taken_for_english() -> None:
    finnish = spoken("So", "kissat", "nukkuvat.", language="fi")
    assert "leans" not in features.self_containedness(finnish, whole(finnish))[1]


def test_an_empty_room_scores_less_than_a_face() -> None:
    words = sentences_of(4, 5.0)
    faces = tuple(Face(round(i * 0.4, 3), 0.4, 0.2, 0.2, 0.3, 0.9) for i in range(50))
    with_face, without = video(words, faces=faces), video(words)
    assert features.face_presence(with_face, whole(with_face))[0] >= 1.0
    assert features.face_presence(without, whole(without))[0] == 0.0


def test_lively_sound_has_more_energy_than_a_monotone() -> None:
    words = sentences_of(4, 5.0)
    lively = video(words, levels=(-10.0, -30.0) * 100)
    monotone = video(words, levels=(-20.0,) * 200)
    assert features.energy(lively, whole(lively))[0] > features.energy(monotone, whole(monotone))[0]


def test_rate_length_and_pauses_have_a_best() -> None:
    usual = video(sentences_of(6, 5.0))
    assert features.speech_rate(usual, whole(usual))[0] == 1.0
    assert features.length(usual, whole(usual))[0] == 1.0
    slow = video(sentences_of(2, 15.0))
    assert features.speech_rate(slow, whole(slow))[0] < 0.5
    inside = Span(1, 2, 10, 20, 5000, 10000)
    assert 0.7 < features.boundaries(usual, inside)[0] < 0.9


def test_what_is_said_only_once_is_newer_than_what_is_repeated() -> None:
    seen = spoken("Cats", "sleep.", "Cats", "sleep.", "Rockets", "explode.")
    repeated, new = Span(0, 1, 0, 2, 0, 800), Span(2, 3, 4, 6, 1600, 2400)
    assert features.novelty(seen, new)[0] > features.novelty(seen, repeated)[0]
