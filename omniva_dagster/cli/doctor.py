"""``omniva doctor``: what is configured, found and missing."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass

import click

from omniva_dagster.cli._home import prepare
from omniva_dagster.contracts.reasons import WorkerError


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str
    works: bool
    found: str


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def doctor(as_json: bool) -> None:
    """Look at everything a run needs, by really using it; exit 1 if something is missing."""
    findings = [_try(name, look) for name, look in _CHECKS.items()]
    for finding in findings:
        if as_json:
            click.echo(json.dumps(asdict(finding)))
        else:
            mark = (
                click.style("ok  ", fg="green") if finding.works else click.style("FAIL", fg="red")
            )
            click.echo(f"{mark} {finding.name:12} {finding.found}")
    sys.exit(0 if all(finding.works for finding in findings) else 1)


def _try(name: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, look())
    except click.ClickException as error:
        return Finding(name, False, error.message)
    except WorkerError as error:
        return Finding(name, False, error.message)
    except Exception as error:
        return Finding(name, False, f"{type(error).__name__}: {error}")


def _home() -> str:
    import shutil

    home = prepare().home
    probe = home / ".write-test"
    probe.write_text("")
    probe.unlink()
    free = shutil.disk_usage(home).free / 2**30
    return f"{home} ({free:.0f} GiB free)"


def _state() -> str:
    from omniva_dagster.cli._home import store
    from omniva_dagster.state import creators, library

    opened = store()
    with opened.read() as connection:
        count = len(creators.all_of(connection))
        packets = library.packet_count(connection)
    where = opened.url.render_as_string(hide_password=True)
    return f"{where}: {count} creators, {packets} packets"


def _dagster() -> str:
    from dagster import DefaultRunLauncher

    from omniva_dagster.cli._home import instance, shipped

    with instance() as opened:
        if type(opened.run_launcher) is DefaultRunLauncher:
            raise click.ClickException(
                f"{opened.root_directory}/dagster.yaml has no run_launcher, as homes of before: a "
                "run whose process dies would keep its place in the queue for hours; copy those "
                f"three lines from {shipped('dagster.yaml')}"
            )
        return f"{opened.root_directory}: {opened.get_runs_count()} runs"


def _ffmpeg() -> str:
    import subprocess

    from omniva_dagster.workers.media.ffmpeg import find_ffmpeg

    path = find_ffmpeg(prepare().ffmpeg)
    version = subprocess.run([path, "-version"], capture_output=True, text=True, timeout=30)
    return f"{path}: {version.stdout.splitlines()[0]}"


def _encoder() -> str:
    from omniva_dagster.workers.editor.encoder import probe_encoder
    from omniva_dagster.workers.media.ffmpeg import find_ffmpeg

    found = prepare()
    encoder = probe_encoder(find_ffmpeg(found.ffmpeg), found.encoder)
    return f"{encoder.name} (probed by a real encode)"


def _whisper() -> str:
    from omniva_dagster.workers.analyzer.speech.models import resolve_model

    found = prepare()
    return f"{found.whisper_model}: {resolve_model(found.whisper_model, found.home)}"


def _captions() -> str:
    from omniva_dagster.workers.editor.captions.fonts import font_files
    from omniva_dagster.workers.editor.style import style_named

    style = style_named(prepare().caption_style)
    return f"style {prepare().caption_style}, {style.font}: {font_files(style.font)}"


_CHECKS: dict[str, Callable[[], str]] = {
    "home": _home,
    "state": _state,
    "dagster": _dagster,
    "ffmpeg": _ffmpeg,
    "encoder": _encoder,
    "whisper": _whisper,
    "captions": _captions,
}
