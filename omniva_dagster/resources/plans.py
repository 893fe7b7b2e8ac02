"""Edit plans and finished clips as they stand in Atlas, whole or not at all.

A plan is found by the clip and its editing context: the id that is the same for every retry and
another as soon as anything would look or sound different (5.3).
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from omniva_dagster.contracts.editing import EditJob, RenderedClip
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.resources.atlas import Atlas

if TYPE_CHECKING:
    from omniva_dagster.workers.editor.plan import EditPlan
    from omniva_dagster.workers.editor.sound.loudness import Loudness
    from omniva_dagster.workers.editor.style import Style


def clip_folder(clip_id: str, context_id: str) -> str:
    """The Atlas key of a finished clip's folder."""
    return f"clips/{clip_id}/{context_id}"


def expected_outputs(clip_id: str, context_id: str) -> list[str]:
    """URIs of the clip and its thumbnail."""
    folder = clip_folder(clip_id, context_id)
    return [Atlas.uri(f"{folder}/clip.mp4"), Atlas.uri(f"{folder}/thumbnail.jpg")]


def context_of(job: EditJob) -> str:
    """The editing context of a planned job."""
    assert job.expected_outputs
    return job.expected_outputs[0].rsplit("/", 2)[1]


def known_loudness(
    atlas: Atlas, video_sha256: str, span: str, style: Style, find: Callable[[], Loudness]
) -> Loudness:
    """The loudness of a span, measured once: finding it encodes the sound several times over."""
    from omniva_dagster.workers.editor.sound.loudness import Loudness, Measured

    wanted = json.dumps(dataclasses.asdict(style), sort_keys=True)
    key = f"loudness/{derive_id('loudness', video_sha256, span, wanted)}.json"
    if not atlas.has(key):
        found = json.dumps(dataclasses.asdict(find()), sort_keys=True)
        atlas.put_bytes(found.encode(), key)
    fields = json.loads(atlas.path(key).read_text())
    return Loudness(**{**fields, "source": Measured(**fields["source"])})


def keep_assets(atlas: Atlas, plan: EditPlan) -> None:
    """Put the files that a plan's commands read into Atlas, by what they contain: it can be
    rendered on another machine, and after they have changed here."""
    for name, digest in plan.assets.items():
        atlas.put(Path(plan.files[name]), _asset_key(digest))


def assets_of(atlas: Atlas, plan: EditPlan) -> dict[str, Path]:
    """Where the files of a plan are, by the name its commands call them."""
    return {name: atlas.path(_asset_key(digest)) for name, digest in plan.assets.items()}


def _asset_key(digest: str) -> str:
    return f"assets/{digest}"


def keep_plan(atlas: Atlas, plan: EditPlan, context_id: str) -> None:
    """Put a plan into Atlas."""
    # Where files were is not part of what is planned.
    fields = dataclasses.asdict(plan) | {"job": plan.job.dump(), "files": {}}
    text = json.dumps(fields, indent=1, sort_keys=True)
    atlas.put_bytes(text.encode("utf-8"), f"plans/{plan.job.clip_id}/{context_id}.json")


def load_plan(atlas: Atlas, job: EditJob) -> EditPlan:
    """The plan of a job."""
    from omniva_dagster.workers.editor.plan import EditPlan

    path = atlas.path(f"plans/{job.clip_id}/{context_of(job)}.json")
    fields = json.loads(path.read_text(encoding="utf-8"))
    return EditPlan(**{**fields, "job": EditJob.parse(fields["job"])})


def finished(atlas: Atlas, clip_id: str, context_id: str) -> RenderedClip | None:
    """The clip of an editing context, if it was finished before."""
    path = atlas.path(f"{clip_folder(clip_id, context_id)}/rendered.json")
    return RenderedClip.parse(path.read_bytes()) if path.is_file() else None
