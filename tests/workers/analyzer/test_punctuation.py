import pytest

from omniva_dagster.workers.analyzer.text.punctuation import ends_sentence
from omniva_dagster.workers.analyzer.text.sentences import Sentence, split
from omniva_dagster.workers.media.timeline import Word
from tests.workers.analyzer.speeches import said


def texts(line: str, language: str = "en", gap: float = 0.1) -> list[str]:
    return [s.text for s in parts(line, language, gap)]


def parts(line: str, language: str, gap: float) -> list[Sentence]:
    return split(said(*((gap, 0.2, text) for text in line.split())), language)


@pytest.mark.parametrize(
    ("text", "following", "language"),
    [
        ("done.", "Then", "en"),
        ("really?", "Yes", "en"),
        ("wait…", "No", "en"),
        ("“go!”", "She", "en"),
        ("好。", "我", "zh"),
        ("嗎？", "是", "zh"),
        ("です。」", "次", "ja"),
        ("नहीं।", "वह", "hi"),
        ("لماذا؟", "لأن", "ar"),
        ("ہے۔", "وہ", "ur"),
        ("είναι;", "Ναι", "el"),
        ("է։", "Նա", "hy"),
        ("ነው።", "እሱ", "am"),
        ("gesagt.“", "Dann", "de"),
        ("1999.", "Then", "en"),
        ("12.", "Then", "en"),
        ("I.", "They", "en"),
        ("no.", "The", "en"),
        ("verdad?", "¿Y", "es"),
    ],
)
def test_a_sentence_ends_at_the_mark_of_its_script(
    text: str, following: str, language: str
) -> None:
    assert ends_sentence(text, following, 0.1, language)


@pytest.mark.parametrize(
    ("text", "following", "language"),
    [
        ("Dr.", "Smith", "en"),
        ("J.", "Rowling", "en"),
        ("U.S.", "troops", "en"),
        ("U.S.", "Army", "en"),
        ("etc.", "and", "en"),
        ("well...", "maybe", "en"),
        ("“What?”", "he", "en"),
        ("no.", "7", "en"),
        ("3.", "Mai", "de"),
        ("19.", "Jahrhundert", "de"),
        ("z.B.", "Hunde", "de"),
        ("Sra.", "García", "es"),
        ("3.5", "Percent", "en"),
        ("now;", "then", "en"),
        ("wisdom,", "It", "en"),
    ],
)
def test_a_full_stop_that_belongs_to_its_word_ends_nothing(
    text: str, following: str, language: str
) -> None:
    assert not ends_sentence(text, following, 0.1, language)


def test_a_pause_ends_the_sentence_after_a_shortened_word() -> None:
    assert ends_sentence("Corp.", "The", 0.7, "en")
    assert not ends_sentence("and", "The", 0.7, "en")


def test_sentences_of_several_languages() -> None:
    assert texts("Am 3. Mai kam Dr. Weiß. Das war z.B. früh.", "de") == [
        "Am 3. Mai kam Dr. Weiß.",
        "Das war z.B. früh.",
    ]
    assert texts("Vino la Sra. Paz. ¿Y tú? ¡Claro que sí!", "es") == [
        "Vino la Sra. Paz.",
        "¿Y tú?",
        "¡Claro que sí!",
    ]
    assert texts("今日 は いい 天気 です。 散歩 に 行き ます か？ はい。", "ja") == [
        "今日はいい天気です。",
        "散歩に行きますか？",
        "はい。",
    ]


def test_a_transcript_without_capitals_still_has_sentences() -> None:
    assert texts("it works. and then it stops. why is that? nobody knows.") == [
        "it works.",
        "and then it stops.",
        "why is that?",
        "nobody knows.",
    ]


def test_speech_without_marks_is_divided_where_it_pauses_and_says_so() -> None:
    words: list[Word] = said(
        *[((0.6 if i and i % 9 == 0 else 0.05), 0.25, "word") for i in range(90)]
    )
    found = split(words, "en")
    assert [s.stop - s.first for s in found] == [9] * 10
    assert not any(s.closed for s in found)
    assert [s.opened for s in found] == [True] + [False] * 9


def test_a_long_sentence_with_marks_is_not_divided_at_every_breath() -> None:
    line = [
        (0.6 if i % 9 == 0 else 0.05, 0.2, "word," if i % 9 == 8 else "word") for i in range(62)
    ]
    (found,) = split(said(*line, (0.05, 0.2, "end.")), "en")
    assert found.closed
