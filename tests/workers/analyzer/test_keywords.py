import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omniva_dagster.workers.analyzer.text.keywords import extract, is_phrase, stop_words
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
            assert text.lower().strip(".").removesuffix("s") == keyword.phrase.removesuffix("s")


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


INTERVIEW = (
    "When OpenAI released ChatGPT, everybody asked about transformers. A transformer is a neural "
    "network. Neural networks learn from training data. My friend Sarah Connor built a neural "
    "network in her garage, and Sarah Connor personally cleaned the training data. Most startups "
    "in San Francisco fail. It was harder than she thought. She drank coffee. The coffee was cold."
)


def test_names_stay_whole_and_their_parts_are_no_keywords() -> None:
    found = phrases(INTERVIEW)
    assert {"sarah connor", "san francisco", "chatgpt"} <= set(found)
    assert not {"sarah", "connor", "francisco", "san", "released chatgpt", "friend sarah"} & set(
        found
    )


def test_singular_and_plural_are_one_keyword() -> None:
    found = {keyword.phrase: keyword for keyword in extract(words(INTERVIEW), "en")}
    assert len(found["neural network"].at) == 3
    assert "neural networks" not in found


def test_verbs_adverbs_and_comparatives_are_no_keywords() -> None:
    found = " ".join(phrases(INTERVIEW)).split()
    assert not {"personally", "harder", "drank", "built", "asked", "fail", "cleaned"} & set(found)
    assert "coffee" in found


def test_no_phrase_reaches_over_a_comma() -> None:
    found = phrases("The tired cat, dogs and rain. The tired cat, dogs and rain. A cat. The dogs.")
    assert not [phrase for phrase in found if "cat dogs" in phrase]


def test_a_transcript_all_in_capitals_or_without_any_still_has_keywords() -> None:
    for text in (INTERVIEW.upper(), INTERVIEW.lower(), INTERVIEW.title()):
        assert "neural network" in phrases(text)


@pytest.mark.parametrize(
    ("language", "text", "subjects", "fragments"),
    [
        (
            "de",
            "Ein neuronales Netz lernt aus Daten. Neuronale Netze brauchen Strom. Angela Merkel "
            "sagt, dass neuronale Netze viel lernen. Der Strom ist teuer und die Daten fehlen.",
            {"neuronale netze", "angela merkel", "strom"},
            {"lernt", "lernen", "brauchen", "teuer", "merkel"},
        ),
        (
            "es",
            "La inteligencia artificial cambia el trabajo. Una red neuronal aprende de los datos. "
            "Gabriel García Márquez no conocía la inteligencia artificial ni los datos.",
            {"inteligencia artificial", "gabriel garcía márquez", "datos"},
            {"cambia", "aprende", "cambia el trabajo", "neuronal aprende"},
        ),
        (
            "fr",
            "Un réseau de neurones apprend. Les réseaux de neurones ont besoin des données. "
            "Victor Hugo ne parlait pas des données.",
            {"réseau de neurones", "victor hugo", "données"},
            {"apprend", "neurones apprend", "hugo"},
        ),
        (
            "ko",
            "인공지능은 데이터를 배웁니다. 인공지능은 데이터가 필요합니다.",
            {"인공지능", "데이터"},
            {"배웁니다", "필요합니다", "데이터를"},
        ),
        (
            "ja",
            "人工 知能 は データ を 学び ます 。 人工 知能 が 必要 です 。",
            {"人工知能"},
            {"ます"},
        ),
    ],
)
def test_subjects_are_told_from_fragments_in_other_languages(
    language: str, text: str, subjects: set[str], fragments: set[str]
) -> None:
    found = set(phrases(text, language))
    assert subjects & found == subjects
    assert not fragments & found


@settings(deadline=None)
@given(st.lists(st.text(max_size=8), max_size=40), st.sampled_from(["en", "de", "zh", "xx", ""]))
def test_whatever_is_said_keywords_are_hashtags(texts: list[str], language: str) -> None:
    said = [Word(text, float(i), i + 0.5, 0.9) for i, text in enumerate(texts) if text.strip()]
    for keyword in extract(said, language):
        assert keyword.phrase.replace(" ", "").replace("-", "").isalnum()
        assert all(0 <= at <= len(said) - keyword.length for at in keyword.at)


def test_a_long_video_has_keywords_for_all_of_its_parts() -> None:
    subjects = [
        f"The {a}{b} sleeps in the {b}{a}." for a in ("ar", "ol", "um") for b in "bcdfghklmn"
    ]
    long = words(" ".join(subjects * 15))
    assert len(extract(long, "en")) > 20
    assert len(extract(long, "en", 7)) == 7
