from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omniva_dagster.contracts.reasons import WorkerError
from omniva_dagster.workers.editor.captions import Captions, fonts, make_captions
from omniva_dagster.workers.editor.captions.fonts import Font, font_for, load_font, read_font
from omniva_dagster.workers.editor.framing import Box
from omniva_dagster.workers.editor.style import Style, style_named
from omniva_dagster.workers.media.ffmpeg import run_ffmpeg
from omniva_dagster.workers.media.timeline import Word
from tests.workers.editor.conftest import pictures


def spoken(text: str, start: float = 10.0, each: float = 0.4) -> list[Word]:
    return [
        Word(word, start + n * each, start + n * each + 0.35, 0.9)
        for n, word in enumerate(text.split(" "))
    ]


def captions(
    words: list[Word],
    style: str | Style = "clean",
    end: float = 40.0,
    avoid: list[tuple[float, float, Box]] | None = None,
    language: str = "",
) -> Captions:
    chosen = style_named(style) if isinstance(style, str) else style
    font = load_font(chosen.font, chosen.weight)
    return make_captions(words, 10.0, end, chosen, font, avoid or [], language=language)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Pretends that only some packages are installed."""
    find = fonts.find_spec

    def only(*names: str) -> None:
        monkeypatch.setattr(fonts, "find_spec", lambda name: find(name) if name in names else None)
        fonts._packaged.cache_clear()

    yield only
    fonts._packaged.cache_clear()


def shown(ass: str) -> list[tuple[float, float, str]]:
    lines = [line.split(",", 9) for line in ass.splitlines() if line.startswith("Dialogue:")]
    return [(_seconds(line[1]), _seconds(line[2]), line[9]) for line in lines]


def _seconds(clock: str) -> float:
    hours, minutes, seconds = clock.split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds)


def test_at_most_three_words_are_shown_at_a_time_and_none_is_lost() -> None:
    text = "one two three four five six seven eight nine ten eleven"
    events = shown(captions(spoken(text)).ass)
    assert all(1 <= len(event[2].split()) <= 3 for event in events)
    assert " ".join(event[2] for event in events) == text


def test_every_word_is_on_screen_while_it_is_spoken_and_not_80_ms_longer() -> None:
    words = spoken("so this is it. And then we went home again")
    events = shown(captions(words).ass)
    for word in words:
        begins, ends, _ = next(event for event in events if word.text in event[2].split())
        assert begins <= word.start - 10 + 0.08
        assert ends >= word.end - 10 - 0.08
    for begins, ends, text in events:
        said = [word for word in words if word.text in text.split()]
        assert begins >= min(word.start for word in said) - 10 - 0.08
        assert ends <= max(word.end for word in said) - 10 + 0.08


def test_a_caption_runs_over_no_sentence_and_no_pause() -> None:
    words = [*spoken("We won. Nobody knew"), *spoken("why yet", start=14.0)]
    assert [event[2] for event in shown(captions(words).ass)] == [
        "We won.",
        "Nobody knew",
        "why yet",
    ]


def test_words_outside_the_span_are_left_out() -> None:
    words = [*spoken("before", start=9.0), *spoken("inside"), *spoken("after", start=12.5)]
    made = captions(words, end=12.0)
    assert [event[2] for event in shown(made.ass)] == ["inside"]
    assert made.words == 1


def test_what_ass_would_read_as_a_command_is_shown_as_text() -> None:
    made = captions([Word("{\\b1}\nbold\\N", 10.0, 10.4, 0.9)])
    assert [event[2] for event in shown(made.ass)] == ["\\{\\b1\\} bold\\\u2060N"]


@pytest.mark.parametrize(
    ("text", "package"),
    [
        ("東京", "noto-cjk-sans-jp-bold"),
        ("مرحبا", "manimgx-fonts"),
        ("안녕", "noto-cjk-sans-jp-bold"),
    ],
)
def test_words_no_font_can_write_are_left_out_and_the_note_says_what_to_install(
    text: str, package: str, installed: Callable[..., None]
) -> None:
    installed("font_source_sans_pro")
    made = captions([*spoken("hello"), Word(text, 11.0, 11.3, 0.9)])
    assert [event[2] for event in shown(made.ass)] == ["hello"]
    assert made.words == 1
    assert made.notes[0].startswith("1 spoken words are not shown: Source Sans Pro has no glyphs")
    assert made.notes[0].endswith(f"install the package {package}")


def test_a_script_that_no_package_has_is_refused_without_advice() -> None:
    made = captions([Word("\U00012000", 11.0, 11.3, 0.9)])
    assert made.words == 0
    assert made.notes == [
        "1 spoken words are not shown: Source Sans Pro has no glyphs for Cuneiform characters"
    ]


def test_accents_greek_and_cyrillic_are_written() -> None:
    text = "Ça Größe naïve λόγος слово “quoted” 20° €5 100% ñ n̈"
    made = captions(spoken(text))
    assert " ".join(event[2].replace("\\N", " ") for event in shown(made.ass)) == text
    assert made.notes == []
    assert [font.family for font in made.fonts] == ["Source Sans Pro"]


def test_an_emoji_is_dropped_from_its_word_without_a_word_lost() -> None:
    made = captions([Word("fire🔥", 10.0, 10.4, 0.9), Word("♪", 10.5, 10.9, 0.9)])
    assert [event[2] for event in shown(made.ass)] == ["fire"]


def test_nothing_to_show_makes_no_document() -> None:
    assert captions([]) == Captions("", 0, [])


def test_a_word_wider_than_the_picture_is_set_smaller_instead_of_cut_off() -> None:
    text = "Donaudampfschifffahrtsgesellschaft"
    (event,) = shown(captions(spoken(text)).ass)
    assert event[2].endswith(text)
    (size,) = map(int, re.findall(r"\\fs(\d+)", event[2]))
    assert load_font("Source Sans Pro").width(text, size) <= 1080 - 2 * 100


def test_the_word_being_spoken_is_highlighted_where_the_style_says_so() -> None:
    events = shown(captions(spoken("one two three"), style="karaoke").ass)
    assert [event[2] for event in events] == [
        "{\\c&H3DD9FF&}one{\\c} two three",
        "one {\\c&H3DD9FF&}two{\\c} three",
        "one two {\\c&H3DD9FF&}three{\\c}",
    ]
    assert [event[0] for event in events] == [0.0, 0.4, 0.8]


def test_words_whose_times_overlap_are_never_shown_over_each_other() -> None:
    words = [Word(f"w{n}", 10 + 0.2 * n, 11 + 0.2 * n, 0.9) for n in range(9)]
    events = shown(captions(words).ass)
    assert all(one[1] <= two[0] for one, two in pairwise(events))


def test_a_missing_font_is_an_error_that_names_the_package(
    installed: Callable[..., None],
) -> None:
    installed()
    with pytest.raises(WorkerError, match="install the package font-source-sans-pro"):
        fonts.font_files("Source Sans Pro")


@pytest.mark.parametrize(
    ("text", "language", "upper"),
    [
        ("straße", "de", "STRASSE"),
        ("istanbul ışık", "tr", "İSTANBUL IŞIK"),
        ("istanbul", "en", "ISTANBUL"),
        ("καλημέρα", "el", "ΚΑΛΗΜΕΡΑ"),
        ("שלום", "he", "שלום"),
        ("საქართველო", "ka", "ᲡᲐᲥᲐᲠᲗᲕᲔᲚᲝ"),
        ("ﬁn", "en", "FIN"),
    ],
)
def test_upper_case_is_that_of_the_language(text: str, language: str, upper: str) -> None:
    style = replace(style_named("clean"), upper=True)
    made = captions(spoken(text), style, language=language)
    words = " ".join(event[2].split("}")[-1] for event in shown(made.ass))
    assert words == upper


@pytest.mark.parametrize(
    "text", ["{\\b1}x", "%{n}", "a\\nb", "\\{\\}", "C:\\new\\home", "}{", "a\rb"]
)
def test_nothing_said_is_a_command(text: str) -> None:
    """Every brace is escaped, and no backslash stands before what it could command."""
    made = captions([Word(text, 10.0, 10.5, 0.9)])
    assert made.words == 1
    ((_, _, line),) = shown(made.ass)
    rest = line.replace("\\{", "").replace("\\}", "")
    assert not set("{}") & set(rest)
    assert not any(f"\\{command}" in rest for command in "Nnh")


def test_a_backslash_at_a_words_end_takes_no_command_from_what_follows() -> None:
    made = captions([Word("D:\\", 10.0, 10.4, 0.9), Word("x", 10.4, 10.8, 0.9)], "karaoke")
    assert all("\\{" not in line for _, _, line in shown(made.ass))


def test_scripts_without_blanks_are_shown_a_few_characters_at_a_time_and_unspaced() -> None:
    said = "今日はとても天気がいいですね散歩に行きましょう"
    words = [Word(c, 10 + 0.2 * n, 10.2 + 0.2 * n, 0.9) for n, c in enumerate(said)]
    if font_for("今") is None:
        pytest.skip("the package noto-cjk-sans-jp-bold is not installed")
    texts = [event[2].split("}")[-1] for event in shown(captions(words).ass)]
    assert "".join(texts) == said
    assert all(3 <= len(text) <= 8 for text in texts)


def test_a_long_run_without_blanks_is_parted_in_time() -> None:
    said = "สวัสดีครับยินดีต้อนรับทุกท่าน"
    events = shown(captions([Word(said, 10.0, 13.0, 0.9)]).ass)
    assert len(events) >= 3
    assert "".join(event[2].split("}")[-1] for event in events) == said
    assert all(one[1] <= two[0] for one, two in pairwise(events))


def test_a_mark_that_comes_as_a_word_of_its_own_belongs_to_the_one_before() -> None:
    words = [Word("ส", 10.0, 10.2, 0.9), Word("ี่", 10.2, 10.4, 0.9), Word("ก", 10.4, 10.6, 0.9)]
    made = captions(words)
    assert made.words == 2


def test_piled_up_marks_are_cut_down() -> None:
    made = captions([Word("z" + "\u0301" * 40, 10.0, 10.4, 0.9)])
    assert len(shown(made.ass)[0][2]) < 8


FACE = Box(200, 1180, 680, 400)


def stands(made: Captions) -> list[str]:
    return [line.split(",")[3] for line in made.ass.splitlines() if line.startswith("Dialogue:")]


def test_captions_stand_in_the_lower_third_where_nothing_is_in_their_way() -> None:
    made = captions(spoken("one two three. four five six."))
    assert set(stands(made)) == {"lower"}


def test_captions_go_off_a_face_for_a_whole_phrase_and_come_back() -> None:
    text = "one two three four five six. " + "and then we went on and on. " * 3
    made = captions(spoken(text.strip()), avoid=[(1.3, 2.2, FACE)])
    where = stands(made)
    assert where[:2] == [where[0]] * 2
    assert where[0] != "lower"
    assert where[-1] == "lower"
    assert sum(one != two for one, two in pairwise(where)) == 1


def test_captions_stand_between_two_faces() -> None:
    faces = [(0.0, 9.0, Box(300, 200, 480, 480)), (0.0, 9.0, Box(300, 1160, 480, 480))]
    assert set(stands(captions(spoken("one two three. four five six."), avoid=faces))) == {"middle"}


def test_a_word_just_before_the_end_of_the_clip_is_no_flash() -> None:
    made = captions([*spoken("then it was"), Word("over.", 39.96, 40.01, 0.9)])
    assert shown(made.ass)[-1] == (pytest.approx(29.92), 30.0, "over.")


def test_more_than_there_is_time_for_is_not_shown_rather_than_after_the_end() -> None:
    events = shown(captions([Word("no.", 39.9, 40.0, 0.9) for _ in range(500)], end=40.0).ass)
    assert max(end for _, end, _ in events) <= 30.0
    assert all(one[1] <= two[0] for one, two in pairwise(events))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(9, 20), st.floats(0, 2), st.sampled_from(["a", "wide", "so.", "東京"])),
        max_size=30,
    ),
    st.sampled_from(["clean", "karaoke", "bold"]),
)
def test_however_wrong_the_times_are_captions_never_flash_overlap_or_outlast_the_clip(
    said: list[tuple[float, float, str]], style: str
) -> None:
    words = [Word(text, start, start + length, 0.9) for start, length, text in said]
    events = shown(captions(words, style, end=18.0).ass)
    assert all(end - start >= 0.08 - 1e-6 for start, end, _ in events)
    assert all(one[1] <= two[0] for one, two in pairwise(events))
    assert all(start >= 0 and end <= 8.0 for start, end, _ in events)


def test_a_font_file_is_named_by_its_own_table(tmp_path: Path) -> None:
    copy = tmp_path / "brand.ttf"
    copy.write_bytes(load_font("Source Sans Pro", "black").path.read_bytes())
    font = read_font(copy)
    assert (font.family, font.postscript_name) == ("Source Sans Pro Black", "SourceSansPro-Black")
    assert font.path == copy


@pytest.mark.parametrize("damage", ["empty", "text", "cut off", "scrambled", "no characters"])
def test_a_font_file_that_is_none_is_refused(damage: str, tmp_path: Path) -> None:
    good = bytearray(load_font("Source Sans Pro").path.read_bytes())
    path = tmp_path / "brand.ttf"
    path.write_bytes(
        {
            "empty": b"",
            "text": b"not a font",
            "cut off": bytes(good[:400]),
            "scrambled": bytes(good[:12]) + bytes(reversed(good[12:400])) + bytes(good[400:]),
            "no characters": bytes(good).replace(b"cmap", b"xmap"),
        }[damage]
    )
    with pytest.raises(WorkerError, match=r"brand\.ttf.*cannot be used"):
        read_font(path)


BOXED = replace(style_named("karaoke"), name="boxed", box_colour="#101010")


@pytest.mark.media
@pytest.mark.parametrize("style", ["clean", "karaoke", "bold", BOXED], ids=str)
@pytest.mark.parametrize(
    "text",
    [
        "مرحبا بكم جميعا",
        "שלום לכולם כאן",
        "สวัสดีครับ",
        "नमस्ते दोस्तों",
        "Größe 100% {\\b1}",
        "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverordnung",
    ],
)
def test_every_caption_is_drawn_inside_the_safe_area(
    text: str, style: str | Style, tmp_path: Path
) -> None:
    chosen = style_named(style) if isinstance(style, str) else style
    made = captions(spoken(text, each=0.5), chosen)
    assert made.notes == []
    picture = burned(made, tmp_path)
    rows, columns = np.nonzero((picture != picture[0, 0]).any(axis=2))
    assert len(rows) > 3000
    assert columns.min() >= chosen.margin_side
    assert columns.max() <= chosen.width - chosen.margin_side
    assert rows.max() <= chosen.height - chosen.margin_bottom + 1
    assert rows.min() >= chosen.height / 2


@pytest.mark.media
def test_text_from_right_to_left_begins_on_the_right_and_ends_on_the_left(tmp_path: Path) -> None:
    karaoke = style_named("karaoke")
    picture = burned(captions(spoken("שלום לכולם כאן."), karaoke), tmp_path)
    first = np.flatnonzero(yellow(picture).any(axis=0))
    rest = np.flatnonzero(white(picture).any(axis=0))
    assert first.min() > rest.max()
    leftmost = np.flatnonzero(white(picture)[:, rest.min() : rest.min() + 8].any(axis=1))
    letters = np.flatnonzero(white(picture).any(axis=1))
    assert np.ptp(leftmost) < 0.4 * np.ptp(letters), "the full stop stands on the left"


@pytest.mark.media
def test_arabic_letters_are_joined(tmp_path: Path) -> None:
    """Apart they are five pieces, joined two: one up to alef, which joins nothing after it."""
    import cv2

    picture = burned(captions(spoken("حسنا")), tmp_path)
    count, *_ = cv2.connectedComponents(white(picture).astype(np.uint8))
    dot = 1
    assert count - 1 == 1 + dot


def yellow(picture: np.ndarray) -> np.ndarray:
    return (picture[:, :, 0] > 200) & (picture[:, :, 1] > 160) & (picture[:, :, 2] < 130)


def white(picture: np.ndarray) -> np.ndarray:
    return (picture > 200).all(axis=2)


def burned(made: Captions, folder: Path) -> np.ndarray:
    """The first caption on plain blue, as libass draws it with the named fonts alone."""
    files = folder / "fonts"
    files.mkdir()
    for font in made.fonts:
        (files / font.path.name).write_bytes(font.path.read_bytes())
    (folder / "c.ass").write_text(made.ass, encoding="utf-8")
    source = "color=0x000080:s=1080x1920:r=10:d=0.2"
    arguments = ["-f", "lavfi", "-i", source, "-vf", "ass=filename=c.ass:fontsdir=fonts"]
    said = run_ffmpeg([*arguments, "-frames:v", "1", "c.png"], timeout=300, cwd=folder).log
    assert "not found" not in said
    _check_fonts(said, made.fonts)
    ((_, picture),) = pictures(folder / "c.png")
    return picture


def _check_fonts(log: str, used: tuple[Font, ...]) -> None:
    taken = [line.split("-> ")[1] for line in log.splitlines() if "fontselect" in line]
    assert taken
    assert all(any(font.postscript_name in one for font in used) for one in taken)
