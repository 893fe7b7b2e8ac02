"""What a site says of a video's viewers is used where it makes sense, and never trusted."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omniva_dagster.workers.analyzer.scores.hints import (
    LARGEST_BYTES,
    MOST_CHAPTERS,
    MOST_HEAT,
    NO_HINTS,
    Hints,
    read_hints,
)
from omniva_dagster.workers.media.timeline import Chapter, Heat

HEAT = [
    {"start_time": 0.0, "end_time": 10.0, "value": 1.0},
    {"start_time": 10.0, "end_time": 20.0, "value": 0.25},
]
CHAPTERS = [
    {"start_time": 0, "end_time": 12, "title": "Intro"},
    {"start_time": 12, "end_time": 20, "title": "The\npoint \u202e"},
]

leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.just(10**400)
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["Infinity", "\ud800", "12"])
)
shapes = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["start_time", "end_time", "value", "title", "x"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


def read(info: Any, folder: Path) -> Hints:
    path = folder / "info.json"
    path.write_text(json.dumps(info), "utf-8")
    return read_hints(path)


def test_heat_chapters_and_counts_are_read(tmp_path: Path) -> None:
    info = {"heatmap": HEAT, "chapters": CHAPTERS, "view_count": 1200, "like_count": 34}
    found = read(info, tmp_path)
    assert found.heat == [Heat(0.0, 10.0, 1.0), Heat(10.0, 20.0, 0.25)]
    assert found.chapters == [Chapter(0.0, 12.0, "Intro"), Chapter(12.0, 20.0, "The point")]
    assert (found.views, found.likes) == (1200, 34)


@pytest.mark.parametrize("raw", [b"", b"[]", b"nonsense", b"\xff\xfe", b'"x"', b"[" * 100_000])
def test_what_is_no_description_gives_no_hints(raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "info.json"
    path.write_bytes(raw)
    assert read_hints(path) == NO_HINTS
    assert read_hints(tmp_path / "missing.json") == NO_HINTS


def test_a_huge_description_is_not_read(tmp_path: Path) -> None:
    info = {"heatmap": HEAT, "description": "x" * LARGEST_BYTES}
    assert read(info, tmp_path) == NO_HINTS


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(heat=shapes, chapters=shapes, views=shapes)
def test_any_shape_gives_hints_that_make_sense(
    heat: Any, chapters: Any, views: Any, tmp_path: Path
) -> None:
    found = read({"heatmap": heat, "chapters": chapters, "view_count": views}, tmp_path)
    for parts in (found.heat, found.chapters):
        assert all(0 <= part.start < part.end for part in parts)
        assert all(a.end <= b.start for a, b in pairwise(parts))
    assert all(0 <= item.value <= 1 for item in found.heat)
    assert all(chapter.title.isprintable() for chapter in found.chapters)
    assert found.views is None or found.views >= 0
    assert found.digest == read({"heatmap": heat, "chapters": chapters}, tmp_path).digest


def test_only_a_bounded_number_of_entries_is_kept(tmp_path: Path) -> None:
    heat = [{"start_time": i, "end_time": i + 1, "value": 0.5} for i in range(9999)]
    chapters = [{"start_time": i, "title": "x" * 500} for i in range(9999)]
    found = read({"heatmap": heat, "chapters": chapters}, tmp_path)
    assert (len(found.heat), len(found.chapters)) == (MOST_HEAT, MOST_CHAPTERS)
    assert max(len(chapter.title) for chapter in found.chapters) == 200


def test_overlapping_and_unordered_entries_are_put_in_order(tmp_path: Path) -> None:
    chapters = [{"start_time": 30, "title": "b"}, {"start_time": 0, "end_time": 99, "title": "a"}]
    found = read({"chapters": chapters}, tmp_path).chapters
    assert [(c.title, c.start) for c in found] == [("a", 0.0), ("b", 30.0)]
    assert found[0].end == 30.0


def test_heat_beyond_the_scale_is_cut_to_it(tmp_path: Path) -> None:
    heat = [{**HEAT[0], "value": 7}, {**HEAT[1], "value": -3.5}]
    assert [item.value for item in read({"heatmap": heat}, tmp_path).heat] == [1.0, 0.0]


def test_a_single_chapter_is_none(tmp_path: Path) -> None:
    assert read({"chapters": CHAPTERS[:1]}, tmp_path).chapters == []


def test_the_digest_changes_with_what_changes_an_analysis_and_not_with_counts(
    tmp_path: Path,
) -> None:
    one = read({"heatmap": HEAT, "view_count": 1}, tmp_path)
    assert one.digest == read({"heatmap": HEAT, "view_count": 2}, tmp_path).digest
    assert one.digest != read({"heatmap": HEAT[:1]}, tmp_path).digest
    assert NO_HINTS.digest == ""
    assert read({"view_count": 5}, tmp_path).digest == ""
