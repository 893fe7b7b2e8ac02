from hypothesis import given, settings

from omniva_dagster.workers.analyzer.text.sentences import split
from omniva_dagster.workers.media.timeline import Word
from tests.workers.analyzer.speeches import said, speech


@settings(deadline=None)
@given(speech())
def test_every_word_is_in_exactly_one_sentence(said_in: tuple[list[Word], float]) -> None:
    words, _ = said_in
    sentences = split(words)
    assert [i for s in sentences for i in range(s.first, s.stop)] == list(range(len(words)))
    for sentence in sentences:
        assert sentence.start == words[sentence.first].start
        assert sentence.end == words[sentence.stop - 1].end
        assert sentence.stop - sentence.first == 1 or sentence.end - sentence.start <= 30


def texts(*parts: tuple[float, float, str]) -> list[str]:
    return [s.text for s in split(said(*parts))]


def test_full_stops_of_every_script_end_a_sentence() -> None:
    parts = [
        (0.1, 0.3, t)
        for t in ["Go!", "何？", "好。", "متى؟", "चलो।", "Well…", "He", "said", "“no.”", "Bye"]
    ]
    assert texts(*parts) == ["Go!", "何？", "好。", "متى؟", "चलो।", "Well…", "He said “no.”", "Bye"]


def test_abbreviations_and_numbers_do_not_end_a_sentence() -> None:
    parts = [(0.0, 0.3, t) for t in ["Dr.", "J.", "Smith", "paid", "3.50", "e.g.", "now."]]
    assert texts(*parts) == ["Dr. J. Smith paid 3.50 e.g. now."]


def test_a_pause_of_more_than_a_second_ends_a_sentence_that_is_not_closed() -> None:
    first, second = split(said((0, 1, "and"), (1.2, 1, "then.")))
    assert (first.text, first.closed, second.opened, second.closed) == ("and", False, False, True)


def test_an_endless_sentence_is_divided_where_it_breathes() -> None:
    parts = [(0.0, 0.5, "word")] * 90
    parts[45] = (0.6, 0.5, "next")
    first, second = split(said(*parts))
    assert (first.stop, first.closed, second.opened) == (45, False, False)
