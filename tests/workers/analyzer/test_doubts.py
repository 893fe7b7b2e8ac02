from omniva_dagster.workers.analyzer.speech.doubts import doubtful, share
from omniva_dagster.workers.media.timeline import Word


def words(*probabilities: float) -> list[Word]:
    return [Word("w", float(i), i + 0.8, p) for i, p in enumerate(probabilities)]


def test_sure_words_leave_no_doubt() -> None:
    assert doubtful(words(*[0.95] * 30)) == []
    assert doubtful([]) == []


def test_a_single_odd_word_is_a_name_not_a_doubt() -> None:
    assert doubtful(words(*[0.95] * 6, 0.1, *[0.95] * 6)) == []


def test_a_run_of_unsure_words_is_doubtful() -> None:
    heard = words(*[0.95] * 10, *[0.3] * 6, *[0.95] * 10)
    ((start, end),) = doubtful(heard)
    assert 8 <= start <= 10
    assert 15.8 <= end <= 18
    assert share([(start, end)], heard) < 0.4


def test_what_the_model_itself_was_unsure_of_is_doubtful_where_there_are_words() -> None:
    heard = words(*[0.9] * 5)
    assert doubtful(heard, [(1.0, 3.0), (60.0, 70.0)]) == [(1.0, 3.0)]


def test_doubts_next_to_each_other_are_one() -> None:
    assert doubtful(words(*[0.9] * 9), [(0.0, 2.0), (2.5, 4.0), (6.0, 7.0)]) == [
        (0.0, 4.0),
        (6.0, 7.0),
    ]


def test_a_few_words_are_judged_together() -> None:
    assert doubtful(words(0.2, 0.4)) == [(0.0, 1.8)]
