"""What the site knows of a video's viewers, from the description that was stored beside the file.

yt-dlp's info.json may hold ``heatmap`` (the most replayed stretches), ``chapters`` and counts. A
page made its extractor say it, so nothing in it is trusted: what has the wrong type or makes no
sense is as if it weren't there.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from omniva_dagster.workers.media.timeline import Chapter, Heat

Part = TypeVar("Part", Heat, Chapter)

LARGEST_BYTES = 8 * 2**20
MOST_HEAT, MOST_CHAPTERS, LONGEST_TITLE = 2000, 500, 200
_LATEST = 7 * 24 * 3600.0
_MOST_COUNTED = 2**53


@dataclass(frozen=True)
class Hints:
    """Times in seconds, in order, without overlaps; heat from 0 to 1. Empty where not known."""

    heat: list[Heat] = field(default_factory=list)
    chapters: list[Chapter] = field(default_factory=list)
    views: int | None = None
    likes: int | None = None

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of what changes an analysis; empty where there is nothing of it.

        Counts are no part of it: they grow by the hour and say nothing about any one span.
        """
        if not self.heat and not self.chapters:
            return ""
        parts = [[asdict(item) for item in items] for items in (self.heat, self.chapters)]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


NO_HINTS = Hints()


def read_hints(info_json: Path) -> Hints:
    """The hints in a stored info.json. `NO_HINTS` where it is missing, larger than 8 MiB, or not
    a JSON object; this never raises because of what the file says."""
    try:
        with info_json.open("rb") as file:
            raw = file.read(LARGEST_BYTES + 1)
        info = json.loads(raw) if len(raw) <= LARGEST_BYTES else None
    except (OSError, ValueError, RecursionError):
        return NO_HINTS
    if not isinstance(info, dict):
        return NO_HINTS
    return Hints(
        heat=_heat(info.get("heatmap")),
        chapters=_chapters(info.get("chapters")),
        views=_count(info.get("view_count")),
        likes=_count(info.get("like_count")),
    )


def _heat(listed: Any) -> list[Heat]:
    found = []
    for item in _objects(listed, MOST_HEAT):
        start, end = _time(item.get("start_time")), _time(item.get("end_time"))
        value = _number(item.get("value"))
        if start is not None and end is not None and value is not None:
            found.append(Heat(start, end, round(min(1.0, max(0.0, value)), 6)))
    return _apart(found)


def _chapters(listed: Any) -> list[Chapter]:
    found = []
    for item in _objects(listed, MOST_CHAPTERS):
        start, end = _time(item.get("start_time")), _time(item.get("end_time"))
        if start is not None:
            # Without an end of its own it lasts until the next one begins.
            found.append(Chapter(start, _LATEST if end is None else end, _title(item.get("title"))))
    apart = _apart(found)
    # One chapter is none: it says no more than that there is a video.
    return apart if len(apart) > 1 else []


def _apart(items: Iterable[Part]) -> list[Part]:
    """In order of time, each ending where the next begins at the latest."""
    ordered: list[Part] = sorted(items, key=lambda item: (item.start, item.end))
    starts = [*(item.start for item in ordered[1:]), _LATEST]
    apart: list[Part] = []
    for item, start in zip(ordered, starts, strict=False):
        cut = replace(item, end=min(item.end, start))
        apart += [cut] if cut.start < cut.end else []
    return apart


def _objects(listed: Any, most: int) -> list[dict[str, Any]]:
    items = listed[:most] if isinstance(listed, list) else []
    return [item for item in items if isinstance(item, dict)]


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # An integer too large for a float raises where a float would be infinite.
    if isinstance(value, int) and abs(value) > _MOST_COUNTED:
        return None
    return float(value) if math.isfinite(value) else None


def _time(value: Any) -> float | None:
    seconds = _number(value)
    return round(seconds, 3) if seconds is not None and 0 <= seconds <= _LATEST else None


def _count(value: Any) -> int | None:
    number = _number(value)
    return int(number) if number is not None and 0 <= number <= _MOST_COUNTED else None


def _title(value: Any) -> str:
    text = value[: 4 * LONGEST_TITLE] if isinstance(value, str) else ""
    shown = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(shown.split())[:LONGEST_TITLE]
