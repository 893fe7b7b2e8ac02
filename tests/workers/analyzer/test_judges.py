"""A registered judge is asked once, remembered for good, and never fails a video."""

from __future__ import annotations

import json
import sys
import threading
import types
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omniva_dagster.workers.analyzer.scores.judges import Panel, _keep

Answer = Callable[[str, Mapping[str, float]], Any]


class Taste:
    """A judge that counts how often it is asked."""

    def __init__(self, answer: Answer, name: str = "taste", version: str = "1") -> None:
        self.name, self.version, self._answer = name, version, answer
        self.asked = 0

    def judge(self, text: str, features: Mapping[str, float]) -> float:
        self.asked += 1
        answer: float = self._answer(text, features)
        return answer


Register = Callable[[Any], str]


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Iterator[Register]:
    def put(judge: Any) -> str:
        module = types.ModuleType("house_rules")
        module.judge = judge  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "house_rules", module)
        return "house_rules:judge"

    return put


def test_an_answer_is_asked_for_once_and_kept_across_processes(
    register: Register, tmp_path: Path
) -> None:
    judge = Taste(lambda text, features: features["hook"] / 2)
    setting = register(judge)
    first = Panel(setting, tmp_path).ask("A text.", {"hook": 0.5})
    again = Panel(setting, tmp_path).ask("A text.", {"hook": 0.5})
    assert first is not None
    assert again is not None
    assert (first.value, again.value, judge.asked) == (0.25, 0.25, 1)
    assert (first.note, again.note) == ("asked now", "said so before")


def test_another_text_feature_or_version_is_asked_anew(register: Register, tmp_path: Path) -> None:
    judge = Taste(lambda text, features: 0.5)
    panel = Panel(register(judge), tmp_path)
    panel.ask("one", {"hook": 0.5})
    panel.ask("two", {"hook": 0.5})
    panel.ask("one", {"hook": 0.6})
    judge.version = "2"
    panel.ask("one", {"hook": 0.5})
    assert judge.asked == 4
    panel.ask("one", {"hook": 0.5})
    assert judge.asked == 4


def test_the_order_of_the_features_is_not_part_of_the_question(
    register: Register, tmp_path: Path
) -> None:
    judge = Taste(lambda text, features: 0.5)
    panel = Panel(register(judge), tmp_path)
    panel.ask("one", {"hook": 0.5, "length": 1.0})
    panel.ask("one", {"length": 1.0, "hook": 0.5})
    assert judge.asked == 1


def test_the_first_of_two_answers_to_one_question_stays(tmp_path: Path) -> None:
    path = tmp_path / "ab" / "answer.json"
    assert _keep(path, "taste", "1", 0.25) == 0.25
    assert _keep(path, "taste", "1", 0.75) == 0.25
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"value": 7}', b'{"value": "x"}', b"\xff"])
def test_a_damaged_memory_is_asked_again_and_mended(
    damage: bytes, register: Register, tmp_path: Path
) -> None:
    judge = Taste(lambda text, features: 0.5)
    setting = register(judge)
    Panel(setting, tmp_path).ask("one", {})
    (path,) = tmp_path.rglob("*.json")
    path.write_bytes(damage)
    opinion = Panel(setting, tmp_path).ask("one", {})
    assert opinion is not None
    assert (opinion.value, judge.asked) == (0.5, 2)
    assert json.loads(path.read_bytes())["value"] == 0.5


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError

    __repr__ = __str__


def _exit(text: str, features: Mapping[str, float]) -> float:
    raise SystemExit(3)


@pytest.mark.parametrize(
    "answer",
    [
        lambda text, features: 1 / 0,
        _exit,
        lambda text, features: 1.5,
        lambda text, features: -0.1,
        lambda text, features: float("nan"),
        lambda text, features: 10**5000,
        lambda text, features: True,
        lambda text, features: "0.5",
        lambda text, features: None,
        lambda text, features: Unprintable(),
    ],
)
def test_a_judge_that_fails_abstains_and_nothing_is_remembered(
    answer: Answer, register: Register, tmp_path: Path
) -> None:
    opinion = Panel(register(Taste(answer)), tmp_path).ask("one", {"hook": 0.5})
    assert opinion is not None
    assert opinion.value is None
    assert opinion.note.startswith("abstains: ")
    assert "no answer" not in opinion.note
    assert not list(tmp_path.rglob("*.json"))


def test_a_judge_that_never_answers_is_waited_for_once(register: Register, tmp_path: Path) -> None:
    never = threading.Event()
    judge = Taste(lambda text, features: float(never.wait()))
    panel = Panel(register(judge), tmp_path, limit=0.05)
    opinions = [panel.ask(text, {}) for text in ("one", "two", "three")]
    never.set()
    assert [opinion.value for opinion in opinions if opinion] == [None, None, None]
    assert judge.asked == 1


def test_a_judge_may_fail_twice_but_not_three_times_in_a_row(
    register: Register, tmp_path: Path
) -> None:
    judge = Taste(lambda text, features: 0.5 if text == "good" else 1 / 0)
    panel = Panel(register(judge), tmp_path)
    for text in ("a", "b", "good", "c", "d", "e", "f"):
        panel.ask(text, {})
    assert judge.asked == 6


def test_the_judge_cannot_change_what_others_vote_on(register: Register, tmp_path: Path) -> None:
    def spoil(text: str, features: Mapping[str, float]) -> float:
        features["hook"] = 1.0  # type: ignore[index]
        return 0.5

    features = {"hook": 0.2}
    Panel(register(Taste(spoil)), tmp_path).ask("one", features)
    assert features == {"hook": 0.2}


def test_nobody_registered_says_nothing(tmp_path: Path) -> None:
    assert Panel("", tmp_path).ask("one", {}) is None


def test_a_class_is_registered_by_its_name(register: Register, tmp_path: Path) -> None:
    class Steady(Taste):
        def __init__(self) -> None:
            super().__init__(lambda text, features: 1)

    opinion = Panel(register(Steady), tmp_path).ask("one", {})
    assert opinion is not None
    assert opinion.value == 1.0


@pytest.mark.parametrize(
    "judge", [object(), Taste(lambda t, f: 1, name="No One"), Taste(lambda t, f: 1, version="")]
)
def test_what_is_no_judge_abstains_and_says_what_is_missing(
    judge: Any, register: Register, tmp_path: Path
) -> None:
    opinion = Panel(register(judge), tmp_path).ask("one", {})
    assert opinion is not None
    assert opinion.value is None
    assert "OMNIVA_JUDGE" in opinion.note


@pytest.mark.parametrize("setting", ["nowhere.to.be.found:x", "json:nothing", ":", "json", "json:"])
def test_a_wrong_setting_is_named_and_stops_nothing(setting: str, tmp_path: Path) -> None:
    opinion = Panel(setting, tmp_path).ask("one", {})
    assert opinion is not None
    assert opinion.value is None
    assert setting in opinion.note


def test_an_answer_that_cannot_be_kept_still_counts(register: Register, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    opinion = Panel(register(Taste(lambda t, f: 0.5)), blocked).ask("one", {})
    assert opinion is not None
    assert opinion.value == 0.5


@settings(deadline=None)
@given(st.text(), st.dictionaries(st.text(), st.floats(0, 1), max_size=3))
def test_any_text_can_be_asked_about(text: str, features: dict[str, float]) -> None:
    panel = Panel("tests.workers.analyzer.test_judges:CALM", Path("/nonexistent/judges"))
    opinion = panel.ask(text + "\ud800", features)
    assert opinion is not None
    assert opinion.value == 0.5


CALM = Taste(lambda text, features: 0.5, name="calm")
