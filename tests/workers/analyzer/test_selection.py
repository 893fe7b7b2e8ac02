import time
from itertools import pairwise

from omniva_dagster.workers.analyzer.scores.evidence import Video
from omniva_dagster.workers.analyzer.spans.candidates import Span
from omniva_dagster.workers.analyzer.spans.penalties import LARGEST, penalties
from omniva_dagster.workers.analyzer.spans.selection import Chosen, select
from omniva_dagster.workers.analyzer.text import keywords
from omniva_dagster.workers.analyzer.text.embeddings import SIZE, embed
from omniva_dagster.workers.analyzer.text.sentences import split
from omniva_dagster.workers.media.timeline import Scene, Word
from tests.workers.analyzer.speeches import said

NOUNS = ["river", "bridge", "candle", "violin", "harbour", "garden", "engine", "letter", "winter"]
NOUNS += ["copper", "pepper", "mirror", "tunnel", "rocket", "carpet", "falcon", "market", "island"]
NOUNS += ["pencil", "thunder", "saddle", "orchard", "lantern", "compass"]


def story(seed: int, sentences: int = 5) -> list[tuple[float, float, str]]:
    """About 5 s a sentence, of words that other stories do not have in that order."""
    parts = []
    for i in range(sentences):
        nouns = [NOUNS[(seed * 7 + i * 3 + k * (seed + 2)) % len(NOUNS)] for k in range(8)]
        body = [(0.02, 0.5, f"{noun}{seed}") for noun in nouns]
        parts += [(0.4, 0.4, "The"), *body, (0.02, 0.4, "moved.")]
    return parts


def video(words: list[Word], language: str = "en") -> Video:
    return Video(
        words,
        split(words, language),
        language,
        content=keywords.content(words, language),
        keywords=keywords.extract(words, language),
        levels=[-20.0] * int(words[-1].end * 10),
        step=0.1,
        faces=[],
        looks=0.4,
        has_pictures=True,
        duration=words[-1].end + 1,
    )


def chosen(words: list[Word]) -> list[Chosen]:
    end = words[-1].end + 1
    return select(video(words), [Scene(0.0, end)], end)


def texts(words: list[Word]) -> list[str]:
    return [
        " ".join(w.text for w in words[c.span.first_word : c.span.stop_word]) for c in chosen(words)
    ]


def test_what_is_said_twice_becomes_one_clip_where_there_are_others() -> None:
    # Breaks of more than 5 s keep each story a clip of its own.
    gap = (6.0, 0.4, "Well.")
    parts = [part for seed in (1, 2, 3, 4, 5, 1) for part in (*story(seed), gap)]
    found = texts(said(*parts))
    assert sum("1 moved" in text for text in found) == 1
    assert len(found) == 5


def test_a_short_video_keeps_its_repetitions() -> None:
    gap = (6.0, 0.4, "Well.")
    found = texts(said(*[part for seed in (1, 2, 1) for part in (*story(seed), gap)]))
    assert sum("1 moved" in text for text in found) == 2


def test_every_clip_comes_with_what_speaks_for_and_against_it() -> None:
    for item in chosen(said(*story(1, 12))):
        assert item.contributions
        assert [p.name for p in item.penalties] == []


def test_three_hours_of_speech_take_seconds() -> None:
    words = said(*[part for seed in range(400) for part in story(seed)])
    assert words[-1].end > 3 * 3600 * 0.85
    began = time.process_time()
    found = chosen(words)
    assert time.process_time() - began < 30
    assert len(found) == 9


def test_texts_that_say_the_same_are_near_each_other() -> None:
    sentences = [" ".join(text for _, _, text in story(seed, 1)) for seed in range(20)]
    one, misheard, other = embed(
        [sentences[1], sentences[1].replace("river", "rivers"), sentences[2]], sentences
    )
    assert one.dtype == "float32"
    assert one.shape == (SIZE,)
    assert abs(float(one @ one) - 1) < 1e-6
    assert one @ misheard > 0.8
    assert one @ other < 0.5


def test_vectors_are_the_same_every_time_and_zero_for_no_words() -> None:
    assert embed(["a b c"], ["a b c"]).tobytes() == embed(["a b c"], ["a b c"]).tobytes()
    assert not embed(["… —"], []).any()
    one, near, far = embed(
        ["今日はいい天気です。", "今日は天気がいい。", "明後日、駅で会おう。"], []
    )
    assert one @ near > 2 * (one @ far)
    assert embed([], []).shape == (0, SIZE)


def test_a_clip_does_not_run_over_a_long_rest_when_there_are_clips_on_both_sides() -> None:
    words = said(*story(1), (3.0, 0.4, "Well."), *story(2)[1:])
    rest = next(b.start for a, b in pairwise(words) if b.start - a.end > 2.5)
    found = chosen(words)
    assert len(found) == 2
    assert not any(c.span.start < rest - 1.5 and c.span.end > rest for c in found)
    assert all(p.name != "long_rest" for c in found for p in c.penalties)


def test_a_long_rest_is_charged_by_its_length() -> None:
    def charged(rest: float) -> float:
        words = said(*story(1, 2), (rest, 0.4, "Then"), *story(2, 2)[1:])
        sentences = split(words, "en")
        whole = Span(0, len(sentences), 0, len(words), 0, round(words[-1].end * 1000))
        shares = {p.name: p.share for p in penalties(whole, sentences, words, [], "en")}
        return shares.get("long_rest", 0.0)

    assert charged(1.0) == 0.0
    assert 0.0 < charged(1.8) < charged(4.0) == LARGEST["long_rest"]
