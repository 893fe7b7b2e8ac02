"""Voice files as people write them: what is wrong is named, all of it, each with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.resources.voices import read_voice

WRONG = """\
tone: loud
avoid: [a, a, '']
replace: [{word: x}, {use: y, other: 1}, 3]
require: text
casing: UPPER
emoji: maybe
hashtags: 99
disclosure: ''
policies:
  - {rule: swearing, language: German, words: []}
  - {language: de}
foo: bar
"""
FIELDS = (
    "/tone /avoid /replace/0/use /replace/1/word /replace/1/other /replace/2 /require /casing"
    " /emoji /hashtags /disclosure /policies/0/rule /policies/0/language /policies/0/words"
    " /policies/1/rule /policies/1/words /foo"
)


def _why(folder: Path, text: str | bytes) -> str:
    raw = text.encode() if isinstance(text, str) else text
    (folder / "ada.yaml").write_bytes(raw)
    with pytest.raises(WorkerError) as refused:
        read_voice("ada", folder)
    assert refused.value.code is ReasonCode.BAD_COMMAND
    assert "run again" in refused.value.message
    return refused.value.message


def test_every_wrong_field_is_named_at_once_with_its_line(tmp_path: Path) -> None:
    said = _why(tmp_path, WRONG)
    for field in FIELDS.split():
        assert f"{field}" in said, field
    for line in (1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12):
        assert f"(line {line})" in said
    assert "more" not in said.split("correct it")[0].rsplit(";", 1)[-1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tone: neutral\ntone: playful\n", "/tone: is there more than once (line 2)"),
        ("avoid: &a [x]\nrequire: *a\n", "uses an alias"),
        ("- tone\n", "must be a mapping"),
        ("tone:\n", "has no value"),
        ("avoid: [1984]\n", "/avoid/0: must be text, not a number (line 1)"),
        ("a: " + "[" * 5000, "nested too deeply"),
        (b"disclosure: \xfc\n", "is not UTF-8"),
        ("tone: neutral\n".encode("utf-16"), "is not UTF-8"),
        (b"#" * 70_000, "is over 65536 bytes"),
        ("avoid: ['  ']\n", "/avoid/0: must have a letter or sign that can be seen (line 1)"),
        ('replace: [{word: x, use: "\\u202e"}]\n', "/replace/0/use: must have a letter"),
        (
            "policies: [{rule: clickbait, language: de, words: [ok, ' ']}]\n",
            "/policies/0/words/1: must have a letter or sign that can be seen (line 1)",
        ),
    ],
)
def test_a_file_that_cannot_be_taken_says_why(tmp_path: Path, text: str | bytes, said: str) -> None:
    assert said in _why(tmp_path, text)


def test_a_folder_in_the_place_of_a_file_is_no_voice(tmp_path: Path) -> None:
    (tmp_path / "ada.yaml").mkdir()
    assert read_voice("ada", tmp_path) is None


def test_an_empty_file_and_a_byte_order_mark_are_a_voice(tmp_path: Path) -> None:
    (tmp_path / "default.yaml").write_bytes(b"")
    assert read_voice("ada", tmp_path) is not None
    (tmp_path / "ada.yaml").write_bytes(b"\xef\xbb\xbftone: playful\n")
    voice = read_voice("ada", tmp_path)
    assert voice is not None
    assert voice.tone is not None
    assert voice.tone.value == "playful"
