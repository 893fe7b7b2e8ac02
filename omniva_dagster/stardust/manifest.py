"""The signed list of a day's files: what an analyst's copy of the folder must hold.

There is no list of the days: each says which leaves it holds, so a day that is missing leaves a
gap below the size that the checkpoint signs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import rfc8785

from omniva_dagster.stardust import files
from omniva_dagster.stardust.keys import SigningKeys
from omniva_dagster.stardust.layout import Layout
from omniva_dagster.stardust.segments import Segment


def document(origin: str, date: str, segments: Sequence[Segment]) -> dict[str, Any]:
    """What is signed: the day's files, in the order of their leaves, each with its digest."""
    return {
        "origin": origin,
        "date": date,
        "first_leaf": segments[0].first_leaf,
        "leaves": sum(segment.count for segment in segments),
        "files": [
            {
                "name": segment.file,
                "sha256": segment.sha256,
                "size": segment.size,
                "rows": segment.count,
                "first_leaf": segment.first_leaf,
                "last_leaf": segment.end - 1,
                "sealed": segment.sealed,
            }
            for segment in segments
        ],
    }


def signed_text(listed: dict[str, Any]) -> str:
    """The text that the signatures are over: canonical JSON (RFC 8785) on a line."""
    return rfc8785.dumps(listed).decode() + "\n"


def write(layout: Layout, keys: SigningKeys, date: str, segments: Sequence[Segment]) -> None:
    """Sign and write the list of a day's files, unless it stands there already."""
    listed = document(keys.origin, date, segments)
    signatures = keys.lines(signed_text(listed))
    content = rfc8785.dumps({"manifest": listed, "signatures": signatures})
    path = layout.manifest_of(date)
    if not path.is_file() or path.read_bytes() != content:
        files.replace(path, content)
