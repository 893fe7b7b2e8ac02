"""What the pipeline costs: CPU seconds and peak memory for each minute of video, beside the floor
(the same work with nothing around it) and beside plain tools run one after another.

Run: python benchmarks/pipeline.py [--footage FILE] [--minutes 1.5] [--rounds 3] [--only analysis]

Every measurement is a process of its own; imports and the loading of models are not counted, for
ours nor for the others'. Measurements take turns, so that a noisy machine is noisy for all of
them, and medians of the rounds are compared. Exit code 1 if an aim is missed.
"""

from __future__ import annotations

import argparse
import json
import pickle
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import clips
from footage import make_footage

from omniva_dagster.workers.editor.style import style_named
from omniva_dagster.workers.media.ffmpeg import find_ffmpeg, processor_name
from omniva_dagster.workers.media.probe import probe

STYLE = style_named("clean")
CLIP_SECONDS = 30.0
FACE_SECONDS, FACE_SIZE = 0.4, (640, 360)
_VERTICAL = "crop=ih*9/16:ih,scale=1080:1920,setsar=1"
# What ffmpeg does when nothing is asked of it, as plain tools leave it.
_PLAIN = ("-c:v", "libx264", "-c:a", "aac")
_WHO = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)

Run = Callable[[], object]


@dataclass(frozen=True)
class Aim:
    """The most that ``ours`` may cost, as a multiple of ``theirs``; None is for information."""

    part: str
    ours: tuple[str, ...]
    theirs: tuple[str, ...]
    most: float | None


AIMS = (
    Aim("analysis", ("analysis",), ("decode", "Whisper"), 1.25),
    Aim("analysis", ("analysis",), ("scenedetect", "faster-whisper", "face pass"), 0.5),
    Aim("rendering", ("render",), ("bare encode",), 1.05),
    Aim("rendering", ("plan", "render"), ("bare encode",), None),
    Aim("rendering", ("plan", "render"), ("cut", "reframe", "burn"), 1 / 3),
)


def analysis(media: Path, work: Path) -> Run:
    """The analyzer as its asset calls it."""
    clips.transcriber()
    return lambda: clips.analyzed(media)


def of_pictures(media: Path, work: Path) -> Run:
    """Of the analysis: the pass over the pictures."""
    import cv2  # noqa: F401

    from omniva_dagster.workers.analyzer import pictures

    return lambda: pictures.look(media)


def of_sound(media: Path, work: Path) -> Run:
    """Of the analysis: decoding the sound, and words."""
    from omniva_dagster.workers.analyzer import audio

    whisper = clips.transcriber()
    return lambda: whisper.transcribe(audio.decode(media))


def decode(media: Path, work: Path) -> Run:
    """Floor: every picture decoded once and thrown away."""
    return lambda: _ffmpeg("-i", media, "-map", "0:v:0", "-f", "null", "-")


def whisper(media: Path, work: Path) -> Run:
    """Floor: faster-whisper's own batched pipeline at the analyzer's settings."""
    from faster_whisper import BatchedInferencePipeline

    from omniva_dagster.workers.analyzer.speech.decoding import BATCH

    model = BatchedInferencePipeline(_model())
    settings = {"beam_size": 5, "temperature": 0.0, "word_timestamps": True, "batch_size": BATCH}
    return lambda: list(model.transcribe(str(media), **settings)[0])


def plain_whisper(media: Path, work: Path) -> Run:
    """A plain tool: faster-whisper as its README shows it, with the times of words."""
    model = _model()
    return lambda: list(model.transcribe(str(media), beam_size=5, word_timestamps=True)[0])


def scenes(media: Path, work: Path) -> Run:
    """A plain tool: PySceneDetect's command with the detector that it takes by default."""
    command = [sys.executable, "-m", "scenedetect", "-q", "-i", str(media), "-o", str(work)]
    return lambda: _run([*command, "detect-adaptive", "list-scenes", "-q"])


def faces(media: Path, work: Path) -> Run:
    """A plain tool: YuNet on a picture every 0.4 s, decoded for it by OpenCV."""
    import cv2

    from omniva_dagster.workers.analyzer.pictures.faces import FaceFinder

    def run() -> None:
        video, finder = cv2.VideoCapture(str(media)), FaceFinder(*FACE_SIZE)
        rate, at, due = video.get(cv2.CAP_PROP_FPS), 0, 0.0
        while video.grab():
            if at / rate >= due:
                due += FACE_SECONDS
                picture: Any = video.retrieve()[1]
                small: Any = cv2.resize(picture, FACE_SIZE, interpolation=cv2.INTER_AREA)
                finder.find(small, due)
            at += 1

    return run


def plan(media: Path, work: Path) -> Run:
    """Ours: black bars, colours, loudness, framing and captions of a clip."""
    found, number = _clip(media, work)
    return lambda: clips.plan_of(clips.context_of(media, found, number), found, STYLE)


def render(media: Path, work: Path) -> Run:
    """Ours: the clip from its plan; its one encode, its thumbnail, the checks of both files."""
    from omniva_dagster.workers.editor.encoder import CPU
    from omniva_dagster.workers.editor.render import render as rendered

    planned = _plan(media, work)
    return lambda: rendered(planned, media, work / "clips", encoder=CPU, timeout=900)


def bare(media: Path, work: Path) -> Run:
    """Floor: one encode of the same crops at the same settings, and nothing else."""
    import ffmpeg

    from omniva_dagster.workers.editor.colour import named, scaler_options
    from omniva_dagster.workers.editor.filters import constant, constant_rate, reframed

    found, number = _clip(media, work)
    context = clips.context_of(media, found, number)
    rate = constant_rate(context.frame_rate, STYLE.max_frame_rate)
    length = context.end - context.start
    source = ffmpeg.input(str(media), ss=f"{context.start:.3f}", t=f"{length:.3f}")
    picture = constant(named(source["V:0"], context.colour, context.source_height), rate)
    shots = clips.shots_of(context, STYLE)
    picture = reframed(picture, shots, rate, STYLE, scaler_options(context.colour))
    graph = ffmpeg.output(picture, source["a:0"], str(work / "bare.mp4")).get_args()
    return lambda: _ffmpeg(*graph[:-1], *_encoding(), graph[-1])


def cut(media: Path, work: Path) -> Run:
    """A plain tool: the first of three encodes, the span."""
    return lambda: _ffmpeg(*_opened(media, work), *_PLAIN, work / "cut.mp4")


def reframe(media: Path, work: Path) -> Run:
    """A plain tool: the second, cropped and scaled."""
    if not (work / "cut.mp4").is_file():
        cut(media, work)()
    made = work / "reframed.mp4"
    return lambda: _ffmpeg("-i", work / "cut.mp4", "-vf", _VERTICAL, *_PLAIN, made)


def burn(media: Path, work: Path) -> Run:
    """A plain tool: the third, with the captions."""
    from omniva_dagster.workers.editor.captions.fonts import load_font

    if not (work / "reframed.mp4").is_file():
        reframe(media, work)()
    (work / "captions.ass").write_text(_plan(media, work).captions_ass, encoding="utf-8")
    drawn = f"ass={work / 'captions.ass'}:fontsdir={load_font(STYLE.font).path.parent}"
    made = work / "burnt.mp4"
    return lambda: _ffmpeg("-i", work / "reframed.mp4", "-vf", drawn, *_PLAIN, made)


TASKS: dict[str, tuple[str, Callable[[Path, Path], Run]]] = {
    "analysis": ("analysis", analysis),
    "- pictures": ("analysis", of_pictures),
    "- sound": ("analysis", of_sound),
    "decode": ("analysis", decode),
    "Whisper": ("analysis", whisper),
    "scenedetect": ("analysis", scenes),
    "faster-whisper": ("analysis", plain_whisper),
    "face pass": ("analysis", faces),
    "plan": ("rendering", plan),
    "render": ("rendering", render),
    "bare encode": ("rendering", bare),
    "cut": ("rendering", cut),
    "reframe": ("rendering", reframe),
    "burn": ("rendering", burn),
}


def _encoding() -> list[str]:
    """The settings that a clip is encoded with."""
    return [
        *("-c:v", "libx264", "-preset", STYLE.preset, "-crf", str(STYLE.crf), "-g", "60"),
        *("-maxrate", STYLE.max_bitrate, "-bufsize", STYLE.max_bitrate, "-profile:v", "high"),
        *("-pix_fmt", "yuv420p", "-threads:v", "4"),
        *("-c:a", "aac", "-b:a", STYLE.audio_bitrate, "-ar", "48000", "-ac", "2"),
    ]


def _opened(media: Path, work: Path) -> list[object]:
    found, number = _clip(media, work)
    start, end = clips.spans_of(found)[number]
    return ["-ss", f"{start:.3f}", "-t", f"{end - start:.3f}", "-i", media]


def _clip(media: Path, work: Path) -> tuple[Any, int]:
    """The candidate that is rendered: the one nearest to half a minute."""
    found = clips.analysis_of(media, work)
    lengths = [end - start for start, end in clips.spans_of(found)]
    return found, min(range(len(lengths)), key=lambda n: abs(lengths[n] - CLIP_SECONDS))


def _plan(media: Path, work: Path) -> Any:
    kept = work / f"{media.stem}.plan"
    if not kept.is_file():
        kept.write_bytes(pickle.dumps(plan(media, work)()))
    return pickle.loads(kept.read_bytes())  # noqa: S301 - our own


def _model() -> Any:
    from faster_whisper import WhisperModel

    from omniva_dagster.workers.analyzer.speech.models import resolve_model

    folder = resolve_model("auto", clips.HOME)
    return WhisperModel(str(folder), device="cpu", compute_type="int8")


def _ffmpeg(*arguments: object) -> None:
    options = ["-hide_banner", "-loglevel", "error", "-nostdin", "-y"]
    _run([find_ffmpeg(), *options, *map(str, arguments)])


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _used() -> float:
    spent = [resource.getrusage(who) for who in _WHO]
    return sum(one.ru_utime + one.ru_stime for one in spent)


def _do(name: str, media: Path, work: Path) -> None:
    """One task, in a process of its own: print what it cost."""
    run = TASKS[name][1](media, work)
    find_ffmpeg()
    before = _used()
    run()
    peak = max(resource.getrusage(who).ru_maxrss for who in _WHO)
    print(json.dumps({"cpu": _used() - before, "megabytes": peak / 1024}))


def _measured(
    names: list[str], media: Path, work: Path, rounds: int
) -> dict[str, dict[str, float]]:
    found: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for number in range(rounds):
        for name in names:
            print(f"\rround {number + 1} of {rounds}: {name:<20}", end="", file=sys.stderr)
            task = ["--task", name, "--footage", str(media), "--work", str(work)]
            said = subprocess.run(
                [sys.executable, __file__, *task], check=True, stdout=subprocess.PIPE, text=True
            )
            found[name].append(json.loads(said.stdout.splitlines()[-1]))
    print("\r" + " " * 50 + "\r", end="", file=sys.stderr)
    return {
        name: {key: statistics.median(one[key] for one in costs) for key in costs[0]}
        for name, costs in found.items()
    }


def _kept(aim: Aim, costs: dict[str, dict[str, float]]) -> bool:
    ours, theirs = (sum(costs[name]["cpu"] for name in side) for side in (aim.ours, aim.theirs))
    kept = aim.most is None or ours <= aim.most * theirs
    aimed = f"; at most {aim.most:.2f}: {'kept' if kept else 'MISSED'}" if aim.most else ""
    print(f"{' + '.join(aim.ours)} is {ours / theirs:.2f} x {' + '.join(aim.theirs)}{aimed}")
    return kept


def _report(media: Path, work: Path, parts: list[str], rounds: int) -> bool:
    info = probe(media)
    found, number = _clip(media, work)
    start, end = clips.spans_of(found)[number]
    minutes = {"analysis": info.duration / 60, "rendering": (end - start) / 60}
    names = [name for name, (part, _) in TASKS.items() if part in parts]
    costs = _measured(names, media, work, rounds)
    print(
        f"{processor_name()}; {info.duration:.0f} s of {info.width}x{info.height} at "
        f"{info.frame_rate:g}/s, {media.stat().st_size * 8e-6 / info.duration:.1f} Mbit/s; "
        f"a clip of {end - start:.1f} s; medians of {rounds} rounds"
    )
    print(f"{'':16}{'CPU s':>8}{'a minute':>10}{'peak MB':>9}")
    for name, cost in costs.items():
        of = minutes[TASKS[name][0]]
        doc = (TASKS[name][1].__doc__ or "").split("\n")[0]
        print(f"{name:16}{cost['cpu']:8.1f}{cost['cpu'] / of:10.1f}{cost['megabytes']:9.0f}  {doc}")
    kept = [_kept(aim, costs) for aim in AIMS if aim.part in parts]
    return all(kept)


def main() -> int:
    """Measure, and print the table and how the aims are kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--footage", type=Path, help="a video with speech; made if left out")
    parser.add_argument("--minutes", type=float, default=1.25, help="of footage that is made")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=("analysis", "rendering"))
    parser.add_argument("--work", type=Path, help="a folder for footage and clips, kept")
    parser.add_argument("--task", choices=TASKS, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.task:
        _do(asked.task, asked.footage, asked.work)
        return 0
    parts = [asked.only] if asked.only else ["analysis", "rendering"]
    with tempfile.TemporaryDirectory(prefix="omniva-bench-") as temporary:
        work = (asked.work or Path(temporary)).resolve()
        media = (asked.footage or make_footage(work, 60 * asked.minutes).path).resolve()
        return 0 if _report(media, work, parts, asked.rounds) else 1


if __name__ == "__main__":
    sys.exit(main())
