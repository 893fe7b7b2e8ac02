"""One more judge, if somebody registers one: a language model, a trained ranker, a house rule.

`OMNIVA_JUDGE="module:attribute"` names it. Its answers are kept on disk by the hash of what it was
asked, and the first answer stays: a run repeated gives the same votes, whatever the judge would say
today. A judge that fails abstains; no video fails because of it.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import re
import threading
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from omniva_dagster.workers.durable import sync

ANSWER_SECONDS = 60.0
_MOST_FAILURES = 3
_DIGITS = 6
_LONGEST_NOTE = 300
_NAME = re.compile(r"[a-z_]{1,40}")


@runtime_checkable
class Judge(Protocol):
    """What is registered. A new ``version`` is asked everything anew."""

    name: str
    version: str

    def judge(self, text: str, features: Mapping[str, float]) -> float:
        """How good a clip the text would make, from 0 to 1; ``features`` are from 0 to 1 too."""
        ...


@dataclass(frozen=True)
class Opinion:
    """What a judge says of one span. ``value`` is None where it abstains; ``note`` says why, or
    where the value comes from."""

    judge: str
    version: str
    value: float | None
    note: str


class Panel:
    """The registered judge, or nobody, with the memory of what it said.

    ``setting`` is `OMNIVA_JUDGE`; ``memory`` the folder of its answers. A judge that fails three
    times in a row, or does not answer within ``limit`` seconds, isn't asked again by this panel.
    """

    def __init__(self, setting: str, memory: Path, limit: float = ANSWER_SECONDS) -> None:
        self._memory, self._limit = memory, limit
        self._failures = 0
        self._judge, self._problem = _registered(setting) if setting.strip() else (None, "")

    def ask(self, text: str, features: Mapping[str, float]) -> Opinion | None:
        """The judge's opinion; None where nobody is registered. Never raises."""
        if self._judge is None:
            return Opinion("judge", "", None, self._problem) if self._problem else None
        name, version = self._judge.name, self._judge.version
        asked = {name: round(value, _DIGITS) for name, value in sorted(features.items())}
        path = self._path(name, version, text, asked)
        kept = _kept(path)
        if kept is not None:
            return Opinion(name, version, kept, "said so before")
        if self._failures >= _MOST_FAILURES:
            return Opinion(name, version, None, "abstains: it failed too often to be asked again")
        value, problem = self._answer(text, asked)
        if value is None:
            return Opinion(name, version, None, f"abstains: {problem}"[:_LONGEST_NOTE])
        return Opinion(name, version, _keep(path, name, version, value), "asked now")

    def _path(self, name: str, version: str, text: str, features: Mapping[str, float]) -> Path:
        asked = json.dumps([name, version, text, features], ensure_ascii=True, sort_keys=True)
        digest = hashlib.sha256(asked.encode("ascii")).hexdigest()
        return self._memory / digest[:2] / f"{digest}.json"

    def _answer(self, text: str, features: dict[str, float]) -> tuple[float | None, str]:
        """The value, or why there is none. Asked in a thread of its own: a judge that waits for a
        network for ever must not keep the video waiting."""
        judge, answers = self._judge, list[tuple[float | None, str]]()
        assert judge is not None
        asking = threading.Thread(
            target=lambda: answers.append(_judged(judge, text, dict(features))), daemon=True
        )
        asking.start()
        asking.join(self._limit)
        if not answers:
            self._failures = _MOST_FAILURES
            return None, f"no answer within {self._limit:g} s"
        self._failures = self._failures + 1 if answers[0][0] is None else 0
        return answers[0]


def _registered(setting: str) -> tuple[Judge | None, str]:
    """The judge that the setting names, or what is wrong with it. A class is instantiated."""
    module, _, attribute = setting.strip().partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
        if isinstance(found, type):
            found = found()
        name, version = found.name, found.version
    except (Exception, SystemExit) as error:  # whatever a module does when it is imported
        return None, f"OMNIVA_JUDGE={setting!r} cannot be used ({type(error).__name__}: {error})"
    if not isinstance(found, Judge) or not isinstance(version, str) or not version:
        return None, f"OMNIVA_JUDGE={setting!r} is no judge: it needs name, version and judge()"
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return None, f"OMNIVA_JUDGE={setting!r} has a name that is not of a-z and _ alone"
    return found, ""


def _judged(judge: Judge, text: str, features: dict[str, float]) -> tuple[float | None, str]:
    try:
        value: Any = judge.judge(text, features)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None, f"it answered with a {type(value).__name__}, which is no number"
        if not 0 <= value <= 1:  # nor is "not a number"
            return None, "its answer is not from 0 to 1"
        return round(float(value), _DIGITS), ""
    except BaseException as error:  # in its thread even an exit must end in an answer
        return None, f"{type(error).__name__}: {error}"


def _kept(path: Path) -> float | None:
    """An earlier answer; None if there is none, or the file is damaged."""
    try:
        value = json.loads(path.read_bytes())["value"]
        return float(value) if 0 <= value <= 1 else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _keep(path: Path, name: str, version: str, value: float) -> float:
    """Keep an answer unless another process kept one first; the one that is kept."""
    fresh = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"judge": name, "version": version, "value": value}, sort_keys=True)
        fresh.write_text(text + "\n", "utf-8")
        sync(fresh)
        if _kept(path) is None:
            path.unlink(missing_ok=True)
        with suppress(FileExistsError):
            os.link(fresh, path)
        sync(path.parent)
    except OSError:
        return value  # a full disk costs the memory of it, not the answer
    finally:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
    kept = _kept(path)
    return value if kept is None else kept
