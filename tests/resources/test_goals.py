"""The goals file as operators get it wrong: named by field and line, and never more than that."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from omniva_dagster.contracts.errors import ContractError
from omniva_dagster.resources.goals import file_digest, read_goals

HEAD = "campaigns:\n  - name: spring\n    since: 2026-03-01\n    until: 2026-06-01\n"
CADENCE = "    cadence: {clips_per_week: 10}\n"


def refused(tmp_path: Path, text: str) -> str:
    path = tmp_path / "goals.yaml"
    path.write_text(text)
    with pytest.raises(ContractError) as caught:
        read_goals(path)
    return "; ".join(f"{one['pointer']}: {one['message']}" for one in caught.value.faults)


@pytest.mark.parametrize(
    ("text", "pointer", "said"),
    [
        ("", "/campaigns", "is required"),
        (HEAD + "    since: 2026-04-01\n" + CADENCE, "/campaigns/0/since", "(line 5)"),
        (HEAD + CADENCE + "    timezone: Mars/Phobos\n", "/campaigns/0/timezone", "(line 6)"),
        (HEAD + "    mix: []\n", "/campaigns/0/mix", "must not be empty (line 5)"),
        (HEAD + "    mix: [{subject: a, share: 0}]\n", "/campaigns/0/mix/0/share", "more than 0"),
        (HEAD + "    mix: [{subject: ' ! ', share: 1}]\n", "/campaigns/0/mix", "have a word"),
        (HEAD + "    windows: [{hours: [24]}]\n", "/campaigns/0/windows/0/hours/0", "at most 23"),
        # YAML 1.1 reads these as 8 and as 750.
        (HEAD + "    windows: [{hours: [010]}]\n", "/campaigns/0/windows/0/hours/0", "not text"),
        (HEAD + "    windows: [{hours: [12:30]}]\n", "/campaigns/0/windows/0/hours/0", "at most"),
        (HEAD + "    cadence: {clips_per_week: .inf}\n", "/campaigns/0/cadence", "finite"),
        (HEAD + "    cadence: {clips_per_week: 9999}\n", "/campaigns/0/cadence", "at most 168"),
        (HEAD + f"    cadence: {{clips_per_week: {'9' * 5000}}}\n", "", "more than|limit"),
        ("a: &a [x]\nb: [*a, *a]\n", "", "an alias"),
        ("a: " + "[" * 50_000, "", "nested too deeply"),
        (HEAD + "    cadence: {clips_per_week: !!int '" + "[" * 50_000 + "'}\n", "", "not text"),
        (HEAD + "    cadence: {clips_per_week: !!int '&a [*a]'}\n", "", "not text"),
        ("? [a, b]\n: 1\n" + HEAD + CADENCE, "", "line 1 has a list or mapping as a key"),
        ("!!python/object/apply:os.system ['true']", "", "must be a mapping"),
        (HEAD + "---\n" + HEAD, "", "another document"),
    ],
)
def test_a_wrong_file_is_named_by_field_and_line(
    tmp_path: Path, text: str, pointer: str, said: str
) -> None:
    found = refused(tmp_path, text)
    assert pointer in found
    assert any(words in found for words in said.split("|"))


def test_hours_across_midnight_are_hours_of_each_day_named(tmp_path: Path) -> None:
    path = tmp_path / "goals.yaml"
    path.write_text(HEAD + "    windows: [{weekdays: [friday], hours: [22, 23, 0, 1]}]\n")
    found = read_goals(path)
    assert found is not None
    assert found.campaigns[0].windows is not None
    assert found.campaigns[0].windows[0].hours == [22, 23, 0, 1]


def test_a_huge_file_is_refused_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "goals.yaml"
    with path.open("wb") as file:
        file.truncate(20 * 2**30)
    begun = time.monotonic()
    with pytest.raises(ContractError, match="is over"):
        read_goals(path)
    assert len(file_digest(path)) == 64
    assert time.monotonic() - begun < 5


def test_a_file_that_cannot_be_read_is_told_from_one_that_is_not_there(tmp_path: Path) -> None:
    assert file_digest(tmp_path / "goals.yaml") == ""
    assert file_digest(tmp_path) == "unreadable"
