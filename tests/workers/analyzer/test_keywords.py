from omniva_dagster.workers.analyzer.keywords import extract, is_phrase, stop_words
from omniva_dagster.workers.media.timeline import Word


def words(text: str) -> list[Word]:
    return [Word(part, i * 0.4, i * 0.4 + 0.3, 0.9) for i, part in enumerate(text.split())]


TALK = (
    "Our channel is posting videos about machine learning every week. Machine learning needs "
    "clean data. In 2024 we don't have clean data. The age of wisdom is posting new videos. "
    "Everybody was asking how machine learning uses the data."
)


def phrases(text: str, language: str = "en") -> list[str]:
    return [keyword.phrase for keyword in extract(words(text), language)]


def test_keywords_are_subjects_not_fragments() -> None:
    found = phrases(TALK)
    assert "machine learning" in found
    assert "clean data" in found
    for fragment in ("channel is posting", "posting", "posting videos", "2024", "don't", "asking"):
        assert fragment not in found


def test_every_keyword_is_said_where_it_claims_to_be() -> None:
    said = words(TALK)
    for keyword in extract(said, "en"):
        assert keyword.at
        for at in keyword.at:
            text = " ".join(w.text for w in said[at : at + keyword.length])
            assert text.lower().strip(".") == keyword.phrase


def test_keywords_are_lower_case_unique_and_repeat() -> None:
    found = phrases(TALK)
    assert found == phrases(TALK)
    assert len(set(found)) == len(found)
    assert [phrase.lower() for phrase in found] == found


def test_phrases_end_and_begin_with_content() -> None:
    stops = stop_words("en")
    assert is_phrase(("age", "of", "wisdom"), "en", stops)
    assert not is_phrase(("the", "wisdom"), "en", stops)
    assert not is_phrase(("wisdom", "of"), "en", stops)
    assert not is_phrase(("channel", "is", "posting"), "en", stops)
    assert not is_phrase(("posting", "videos"), "en", stops)


def test_other_languages_have_their_own_stop_words() -> None:
    found = phrases("Die Katze schläft. Die Katze ist auf dem Dach und die Katze träumt.", "de")
    assert "katze" in found
    assert not {"die", "und", "auf", "ist"} & set(found)
    assert phrases("kissa nukkuu katolla ja kissa uneksii.", "xx")


def test_scripts_without_blanks_give_whole_words() -> None:
    found = phrases("人工 智能 改变 世界 。 人工 智能 需要 数据 。", "zh")
    assert found[0] == "人工智能"
    assert {"世界", "数据"} <= set(found)


def test_nothing_said_gives_no_keywords() -> None:
    assert extract([], "en") == []
