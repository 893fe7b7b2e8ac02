"""Warnings by their form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.engines import eclipse


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("retry 3 of 10 in 2.5 s", "retry 4 of 10 in 5.0 s"),
        ("cannot open /srv/a b/x.mp4", "cannot open /tmp/y.mp4"),
        ("GET https://a.example/x?t=1 failed", "GET https://b.example/ failed"),
        (
            f"video {derive_id('video', 'a')} is odd",
            f"video {derive_id('video', 'b')} is odd",
        ),
    ],
)
def test_lines_of_a_kind_have_one_signature(first: str, second: str) -> None:
    assert eclipse.signature(first) == eclipse.signature(second)
    assert eclipse.signature(first) != eclipse.signature("something else")


@pytest.mark.parametrize(
    "line",
    [
        "login with token=hunter2hunter2",
        "Authorization: Bearer hunter2hunter2",
        "fetching https://ada:hunter2hunter2@example.org/feed",
        "password: hunter2hunter2, next",
        "GET /x?api_key=hunter2hunter2&y=1",
    ],
)
def test_no_sample_holds_a_secret(line: str) -> None:
    assert "hunter2" not in eclipse.scrubbed(line)
    assert "hunter2" not in eclipse.signature(line)


@given(st.text(max_size=3000))
def test_any_line_has_a_signature_and_a_sample(line: str) -> None:
    assert 0 < len(eclipse.signature(line)) <= 200
    assert 0 < len(eclipse.scrubbed(line)) <= 500
