"""Plans in Atlas: with the files they were made with, for another machine and another day."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.resources import plans
from omniva_dagster.resources.atlas import Atlas
from omniva_dagster.resources.media import RendererResource
from omniva_dagster.workers.editor.brand.branding import PLAIN, font_assets
from omniva_dagster.workers.editor.captions.fonts import load_font, read_font
from omniva_dagster.workers.editor.encoder import CPU
from omniva_dagster.workers.editor.plan import EditContext, EditPlan, editing_context_id, plan_edit
from omniva_dagster.workers.editor.sound.loudness import NO_SOUND
from omniva_dagster.workers.editor.style import style_named
from omniva_dagster.workers.media.timeline import Word

CLIP_ID = "6a0f3c7e-5d0b-4a51-9f7e-0c2b8a4d1e11"
SHA = "ab" * 32


def _planned(font: Path) -> EditPlan:
    from dataclasses import replace

    context = EditContext(
        clip_id=CLIP_ID,
        video_id=CLIP_ID,
        source=Path("/nowhere.mp4"),
        start=0.0,
        end=20.0,
        source_width=1280,
        source_height=720,
        frame_rate=25.0,
        has_audio=False,
        words=[Word("hello", 1.0, 1.4, 0.9)],
    )
    branding = replace(PLAIN, font=font)
    plan = plan_edit(context, style_named("clean"), NO_SOUND, CPU, [], branding=branding)
    outputs = plans.expected_outputs(CLIP_ID, editing_context_id(plan, SHA))
    return replace(plan, job=plan.job.model_copy(update={"expected_outputs": outputs}))


def test_a_plan_is_rendered_with_the_files_it_was_made_with(tmp_path: Path) -> None:
    font = tmp_path / "kit.ttf"
    shutil.copyfile(load_font("Source Sans Pro").path, font)
    plan, atlas = _planned(font), Atlas(tmp_path / "atlas")
    plans.keep_assets(atlas, plan)
    plans.keep_plan(atlas, plan, editing_context_id(plan, SHA))
    before = font.read_bytes()
    font.unlink()
    loaded = plans.load_plan(atlas, plan.job)
    (found,) = plans.assets_of(atlas, loaded).values()
    assert found.read_bytes() == before
    assert loaded.assets == plan.assets
    assert (
        str(tmp_path)
        not in atlas.path(f"plans/{CLIP_ID}/{plans.context_of(plan.job)}.json").read_text()
    )


def test_the_same_font_elsewhere_makes_the_same_plan_and_another_font_another(
    tmp_path: Path,
) -> None:
    packaged = load_font("Source Sans Pro").path
    moved = tmp_path / "moved.ttf"
    shutil.copyfile(packaged, moved)
    changed = tmp_path / "changed.ttf"
    changed.write_bytes(packaged.read_bytes() + b"\0\0\0\0")
    ids = [editing_context_id(_planned(path), SHA) for path in (packaged, moved, changed)]
    assert ids[0] == ids[1] != ids[2]
    assert font_assets([read_font(moved)]).keys() == {"fonts/0.ttf"}


def test_a_kit_that_is_wrong_is_an_outcome_that_says_what_to_correct(tmp_path: Path) -> None:
    (tmp_path / "ada.yaml").write_text("captions: {style: loud}\nintro: none.mp4\n")
    renderer = RendererResource(brands=str(tmp_path))
    with pytest.raises(WorkerError) as failed:
        renderer.brand("ada", lambda *_: NO_SOUND)
    assert failed.value.code == ReasonCode.BAD_COMMAND
    assert not failed.value.transient
    for said in ("/captions/style", "line 1", "/intro", "line 2", "omniva preview --creator ada"):
        assert said in failed.value.message
