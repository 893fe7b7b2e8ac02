"""``omniva preview``: a few seconds in a creator's brand, before anything is published in it."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from omniva_dagster.cli._home import prepare, store
from omniva_dagster.cli._pipeline import shown_progress
from omniva_dagster.contracts.errors import ContractError
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.settings import Settings

if TYPE_CHECKING:
    from omniva_dagster.resources.media import AtlasResource, RendererResource
    from omniva_dagster.workers.editor.brand import Brand
    from omniva_dagster.workers.editor.plan import EditContext
    from omniva_dagster.workers.editor.render import Rendered

_SAMPLE = "This is how your captions look, word by word, in your own brand."
_WORD_SECONDS = 0.42


@click.command()
@click.option("--creator", required=True, help="Whose brand kit to show.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the clip and pictures; previews/<creator> under OMNIVA_HOME if left out.",
)
@click.option("--seconds", type=click.FloatRange(1, 20), default=6.0, show_default=True)
@click.option("--open", "show", is_flag=True, help="Open the clip when it is ready.")
@click.option("--json", "as_json", is_flag=True, help="A JSON object instead of lines.")
def preview(creator: str, out: Path | None, seconds: float, show: bool, as_json: bool) -> None:
    """A few seconds in a creator's brand.

    Taken from the creator's newest video that was analyzed, or from a drawn one. Reads
    OMNIVA_HOME/brands/<creator>.yaml, or default.yaml, and lists every fault of it.
    """
    from omniva_dagster.resources.build import build_resources
    from omniva_dagster.state.creators import check_slug, refuse_revoked

    settings = prepare()
    slug = check_slug(creator)
    with store().read() as connection:
        refuse_revoked(connection, slug)
    resources = build_resources(settings)
    atlas, renderer = resources["atlas"], resources["renderer"]
    brand = _checked_brand(atlas, renderer, slug)
    folder = out or settings.home / "previews" / slug
    with (
        _material(settings, atlas, slug, seconds) as (context, what),
        shown_progress(f"{slug}: {what}", not as_json),
    ):
        made = _rendered(context, brand, atlas, renderer, folder)
    files = _pictures(made, brand, folder)
    _report(slug, brand, what, files, as_json)
    if show:
        click.launch(str(files["clip"]))


def _checked_brand(atlas: AtlasResource, renderer: RendererResource, creator: str) -> Brand:
    """The brand; every fault on a line of its own, and exit code 1, if its kit is wrong."""
    from omniva_dagster.resources.planning import ClipPlanner
    from omniva_dagster.workers.editor.brand import kit_file, read_brand

    try:
        read_brand(Path(renderer.brands), creator, renderer.style)
    except ContractError as error:
        path = kit_file(Path(renderer.brands), creator)
        for found in error.faults:
            click.echo(f"{path}: {found['pointer'] or '/'} {found['message']}", err=True)
        sys.exit(1)
    return ClipPlanner(atlas.store, renderer, creator).brand()


@contextmanager
def _material(
    settings: Settings, atlas: AtlasResource, creator: str, seconds: float
) -> Iterator[tuple[EditContext, str]]:
    """What to show, and what it is called: the creator's own, else something drawn."""
    found = _own(atlas, creator, seconds)
    if found is not None:
        yield found
        return
    with tempfile.TemporaryDirectory(prefix="omniva-preview-") as folder:
        yield _drawn(settings, Path(folder), creator, seconds), "a drawn sample"


def _own(atlas: AtlasResource, creator: str, seconds: float) -> tuple[EditContext, str] | None:
    from omniva_dagster.contracts.reasons import WorkerError
    from omniva_dagster.resources.planning import context_of
    from omniva_dagster.resources.sidecars import load_analysis
    from omniva_dagster.state import library

    opened = store()
    with opened.read() as connection:
        videos = library.newest_videos(connection, creator)
    for video in videos:
        source = atlas.store.path(video.media_uri)
        try:
            analysis = load_analysis(opened, atlas.store, video.video_id)
        except WorkerError:
            continue
        candidates = analysis.result.clip_candidates
        if not candidates or not source.is_file():
            continue
        best = max(candidates, key=lambda candidate: candidate.confidence)
        span = (best.start_time, min(best.end_time, best.start_time + seconds))
        clip_id = derive_id("preview", creator)
        return context_of(clip_id, span, video, source, analysis), video.title
    return None


def _drawn(settings: Settings, folder: Path, creator: str, seconds: float) -> EditContext:
    from omniva_dagster.workers.editor.plan import EditContext
    from omniva_dagster.workers.media.ffmpeg import find_ffmpeg, run_ffmpeg
    from omniva_dagster.workers.media.timeline import Word

    path = folder / "sample.mp4"
    picture = f"gradients=s=1280x720:r=30:d={seconds:g}:speed=0.02:nb_colors=4:seed=7"
    arguments = ["-f", "lavfi", "-i", picture, "-c:v", "libx264", "-preset", "ultrafast"]
    run_ffmpeg(
        [*arguments, "-pix_fmt", "yuv420p", f"file:{path}"],
        ffmpeg=find_ffmpeg(settings.ffmpeg),
        timeout=120,
    )
    words = [
        Word(text, 0.2 + number * _WORD_SECONDS, 0.2 + (number + 0.95) * _WORD_SECONDS, 1.0)
        for number, text in enumerate(_SAMPLE.split())
    ]
    return EditContext(
        clip_id=derive_id("preview", creator),
        video_id=derive_id("preview", creator, "sample"),
        source=path,
        start=0.0,
        end=seconds,
        source_width=1280,
        source_height=720,
        frame_rate=30.0,
        has_audio=False,
        words=[word for word in words if word.end < seconds],
    )


def _rendered(
    context: EditContext,
    brand: Brand,
    atlas: AtlasResource,
    renderer: RendererResource,
    folder: Path,
) -> Rendered:
    from omniva_dagster.resources import progress
    from omniva_dagster.workers.editor.plan import plan_edit, tightened
    from omniva_dagster.workers.editor.render import render
    from omniva_dagster.workers.editor.sound.loudness import find_loudness

    loudness = find_loudness(
        context.source,
        context.start,
        context.end,
        brand.style,
        has_audio=context.has_audio,
        kept=tightened(context, brand.style),
        track=context.track,
        ffmpeg=renderer.executable,
    )
    encoder = renderer.probe()
    plan = plan_edit(context, brand.style, loudness, encoder, [], branding=brand.branding)
    return render(
        # A few seconds of an excerpt need not come out at a whole clip's loudness.
        replace(plan, loudness_target=None),
        context.source,
        folder,
        ffmpeg=renderer.executable,
        encoder=encoder,
        timeout=renderer.timeout_seconds,
        on_progress=lambda done: progress.report("render", context.clip_id, done),
    )


def _pictures(made: Rendered, brand: Brand, folder: Path) -> dict[str, Path]:
    from omniva_dagster.workers.editor.sheets import contact_sheet, safe_areas

    intro = brand.branding.intro.duration if brand.branding.intro else 0.0
    share = min(0.95, (intro + 1.0) / made.duration)
    return {
        "clip": made.media.replace(folder / "preview.mp4"),
        "thumbnail": made.thumbnail.replace(folder / "thumbnail.jpg"),
        "sheet": contact_sheet(folder / "preview.mp4", folder / "sheet.png"),
        "safe_areas": safe_areas(
            folder / "preview.mp4", folder / "safe-areas.png", brand.style, share=share
        ),
    }


def _report(creator: str, brand: Brand, what: str, files: dict[str, Path], as_json: bool) -> None:
    kit = str(brand.source) if brand.source else ""
    if as_json:
        shown = {name: str(path) for name, path in files.items()}
        click.echo(json.dumps({"creator": creator, "kit": kit, "of": what, **shown}))
        return
    click.echo(f"{creator}: {kit or 'no brand kit, the style ' + brand.style.name}; of {what}")
    for name, path in files.items():
        click.echo(f"  {name.replace('_', ' '):11}{path}")
