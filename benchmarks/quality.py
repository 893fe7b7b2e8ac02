"""What clips are like, measured from the outside: where they are cut, who is in the picture, how
the picture moves, when captions come, how loud it is, whether sound and picture agree.

Run: python benchmarks/quality.py [FILE ...] [--most 3] [--work FOLDER]

Without files a talk is made whose truth is known (`footage`); for files the truth is what the
analyzer found, and what needs more than that is left out. Each line names its bound; exit code 1
if one is broken.
"""

from __future__ import annotations

import argparse
import difflib
import re
import shlex
import statistics
import sys
import tempfile
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import clips
import numpy as np
from footage import Footage, make_footage

from omniva_dagster.workers.analyzer import audio
from omniva_dagster.workers.editor.style import style_named

STYLE = style_named("clean")
# Seconds between a look at the clip and one at its video.
NEAR = 0.21
STEP = 0.01
# dB below the loud parts of the speech: nobody speaks there.
QUIET = 26.0
FLASH = 0.3


@dataclass
class Found:
    """All measurements of a name, from all clips, and what bounds them."""

    unit: str
    bound: str
    values: list[float] = field(default_factory=list)

    def broken(self) -> bool:
        """Whether the bound, such as ``median <= 80``, is not kept."""
        if not self.values or not self.bound:
            return False
        measure, relation, limit = self.bound.split()
        value = _measure(measure, self.values)
        return value > float(limit) + 1e-9 if relation == "<=" else value < float(limit) - 1e-9


def _measure(name: str, values: Sequence[float]) -> float:
    ordered = sorted(values)
    if name == "mean":
        return statistics.fmean(values)
    share = {"min": 0.0, "p05": 0.05, "median": 0.5, "p95": 0.95, "max": 1.0}[name]
    return ordered[round(share * (len(ordered) - 1))]


def table() -> dict[str, Found]:
    """What is measured, with the bounds of clips that can be posted."""
    return {
        "length": Found("s", "max <= 60"),
        "length ": Found("s", "min >= 15"),
        "encodes of a clip": Found("", "max <= 1"),
        "words cut in half": Found("", "max <= 0"),
        "cut to quiet": Found("ms", "max <= 60"),
        "cut to shot change": Found("ms", ""),
        "flashes of a shot": Found("", "mean <= 0.34"),
        "face in the picture": Found("share", "mean >= 0.9"),
        "face off the middle": Found("of width", "median <= 0.12"),
        "jitter": Found("px/frame2", "p95 <= 1"),
        "words: beginning": Found("ms", "median <= 80"),
        "captions: beginning": Found("ms", "median <= 80"),
        "loudness off": Found("LU", "max <= 0.5"),
        "true peak": Found("dBTP", "max <= -1"),
        "sound late": Found("ms", "max <= 20"),
        "picture late": Found("ms", "max <= 40"),
    }


def measure_all(media: Path, truth: Footage | None, work: Path, most: int) -> dict[str, Found]:
    """Make at most ``most`` clips of a video and measure them."""
    from omniva_dagster.workers.editor.encoder import CPU
    from omniva_dagster.workers.editor.render import render

    found = table()
    analysis = clips.analysis_of(media, work)
    sound = audio.decode(media)
    assert sound is not None
    if truth is not None:
        _words(found, analysis, truth)
    for number, span in enumerate(clips.spans_of(analysis)[:most]):
        context = clips.context_of(media, analysis, number)
        plan = clips.plan_of(context, analysis, STYLE)
        made = work / f"{media.stem}-{number + 1}"
        clip = render(plan, media, made, encoder=CPU, timeout=900)
        print(f"{clip.media}: {span[0]:.2f}-{span[1]:.2f} s, {plan.framing}", file=sys.stderr)
        _cuts(found, span, sound, analysis, truth)
        _picture(found, clip.media, context, truth)
        _captions(found, plan.captions_ass, span, analysis, truth)
        _file(found, clip, sound, span)
        encodes = [
            command for command in clip.summary.commands if "libx264" in shlex.split(command)
        ]
        found["encodes of a clip"].values.append(len(encodes))
    return found


def _cuts(
    found: dict[str, Found],
    span: tuple[float, float],
    sound: Any,
    analysis: Any,
    truth: Footage | None,
) -> None:
    for name in ("length", "length "):
        found[name].values.append(span[1] - span[0])
    words = [(word.start, word.end) for word in analysis.words]
    if truth is not None:
        # Of the recorded voice only the words that the analyzer heard are known.
        first, last = truth.words[0][1], truth.words[-1][2]
        spoken = [(a, b) for _, a, b in truth.words]
        words = spoken + [word for word in words if not _among(word, spoken, first, last)]
    changes = truth.cuts if truth else [scene.start for scene in analysis.scenes[1:]]
    quiet = _quiet(sound)
    for moment in span:
        # 20 ms: the resolution of the words' times.
        halves = [1 for a, b in words if a + 0.02 < moment < b - 0.02]
        found["words cut in half"].values.append(len(halves))
        found["cut to quiet"].values.append(1000 * _distance(moment, quiet))
        if changes:
            off = min(abs(moment - change) for change in changes)
            found["cut to shot change"].values.append(1000 * off)
            found["flashes of a shot"].values.append(float(0.04 < off < FLASH))


def _among(
    word: tuple[float, float], spoken: Sequence[tuple[float, float]], first: float, last: float
) -> bool:
    """Whether the word is one of the synthetic voice, whose true times are known."""
    if not first - 0.3 <= word[0] <= last + 0.3:
        return False
    middle = sum(word) / 2
    at = bisect_left(spoken, (middle, 0.0))
    return any(a - 0.4 <= middle <= b + 0.4 for a, b in spoken[max(0, at - 2) : at + 2])


def _quiet(sound: Any) -> Any:
    """For each 10 ms, whether nobody speaks."""
    hop = round(STEP * audio.SAMPLE_RATE)
    frames = sound[: len(sound) // hop * hop].reshape(-1, hop).astype(np.float64)
    levels = 10 * np.log10(np.mean(frames**2, axis=1) + 1e-12)
    return levels < np.percentile(levels, 95) - QUIET


def _distance(moment: float, quiet: Any) -> float:
    places = np.flatnonzero(quiet) * STEP
    inside = np.maximum(0, np.maximum(places - moment, moment - places - STEP))
    return float(inside.min()) if len(inside) else 1.0


def _picture(found: dict[str, Found], clip: Path, context: Any, truth: Footage | None) -> None:
    from omniva_dagster.workers.analyzer import pictures

    shots = clips.shots_of(context, STYLE)
    for shot in shots:
        if shot.path:
            found["jitter"].values += _jitter(shot, context.frame_rate)
    seen = pictures.look(clip)
    changes = truth.cuts if truth else [scene.start for scene in context.scenes[1:]]
    for change in changes:
        near = [abs(scene.start - (change - context.start)) for scene in seen.scenes[1:]]
        if context.start + FLASH < change < context.end - FLASH and near and min(near) < 0.5:
            found["picture late"].values.append(1000 * min(near))
    times = sorted({time for time, *_ in truth.faces} if truth else {f.time for f in context.faces})
    moment = pictures.FACE_INTERVAL
    while moment < context.end - context.start:
        at = bisect_left(times, context.start + moment - NEAR)
        shot = next((shot for shot in shots if moment < shot.end), shots[-1])
        inside = shot.start + NEAR < moment < shot.end - NEAR
        if inside and at < len(times) and times[at] <= context.start + moment + NEAR:
            boxes = [face for face in seen.faces if abs(face.time - moment) < 0.01]
            found["face in the picture"].values.append(float(bool(boxes)))
            if boxes and shot.mode in ("face", "follow"):
                off = min(abs(face.x + face.width / 2 - 0.5) for face in boxes)
                found["face off the middle"].values.append(off)
        moment = round(moment + pictures.FACE_INTERVAL, 3)


def _jitter(shot: Any, rate: float) -> list[float]:
    """Changes of the crop's speed from picture to picture, in pixels of the clip."""
    from omniva_dagster.workers.editor.framing.path import position

    scale = STYLE.width / shot.crop.width
    count = int((shot.end - shot.start) * rate)
    places = np.array([position(shot.path, shot.start + n / rate) for n in range(count)]) * scale
    return [float(v) for v in np.abs(np.diff(places, 2, axis=0)).max(axis=1)] if count > 2 else []


def _words(found: dict[str, Found], analysis: Any, truth: Footage) -> None:
    heard = [(word.text, word.start) for word in analysis.words]
    found["words: beginning"].values += _errors(heard, truth)


def _captions(
    found: dict[str, Found],
    document: str,
    span: tuple[float, float],
    analysis: Any,
    truth: Footage | None,
) -> None:
    import pysubs2

    if not document:
        return
    events = pysubs2.SSAFile.from_string(document).events
    if truth is None:
        starts = sorted(word.start for word in analysis.words)
        for event in events:
            moment = span[0] + event.start / 1000
            off = min(abs(moment - start) for start in starts)
            found["captions: beginning"].values.append(1000 * off)
        return
    shown: list[tuple[str, float]] = []
    for event in events:
        texts = event.plaintext.split()
        shown += [
            (text, span[0] + event.start / 1000 if n == 0 else -1.0) for n, text in enumerate(texts)
        ]
    found["captions: beginning"].values += _errors(shown, truth)


def _errors(heard: Sequence[tuple[str, float]], truth: Footage) -> list[float]:
    """How far words begin from when they are said, in ms, for those that were heard right; a
    negative time is not known."""
    known = [
        (part, start if n == 0 else -1.0)
        for text, start, _ in truth.words
        for n, part in enumerate(text.split())
    ]
    mine, theirs = ([_bare(text) for text, _ in words] for words in (heard, known))
    errors = []
    for a, b, size in difflib.SequenceMatcher(
        None, mine, theirs, autojunk=False
    ).get_matching_blocks():
        if size < 2:
            continue
        for k in range(size):
            one, other = heard[a + k][1], known[b + k][1]
            # Further off it is the same word said at another time.
            if min(one, other) >= 0 and abs(one - other) < 1.5:
                errors.append(1000 * abs(one - other))
    return errors


def _bare(text: str) -> str:
    return re.sub(r"\W", "", text.lower())


def _file(found: dict[str, Found], clip: Any, sound: Any, span: tuple[float, float]) -> None:
    found["loudness off"].values.append(abs(clip.integrated_lufs - STYLE.loudness_target))
    found["true peak"].values.append(clip.true_peak_dbtp)
    heard = audio.decode(clip.media)
    assert heard is not None
    found["sound late"].values.append(1000 * abs(_lag(heard, sound, span[0])))


def _lag(heard: Any, sound: Any, start: float) -> float:
    """Seconds by which the clip's sound comes later than the video's."""
    first = round(start * audio.SAMPLE_RATE)
    length = min(len(heard), len(sound) - first, 12 * audio.SAMPLE_RATE)
    original = sound[first : first + length]
    size = 2 * length
    spectrum = np.fft.rfft(heard[:length], size) * np.conj(np.fft.rfft(original[:length], size))
    lags = np.fft.irfft(spectrum, size)
    best = int(np.argmax(lags))
    return (best if best < length else best - size) / audio.SAMPLE_RATE


def report(found: dict[str, Found]) -> bool:
    """Print the table; whether all bounds are kept."""
    print(f"{'':22}{'median':>9}{'95 %':>9}{'worst':>9}{'n':>6}  bound")
    fine = True
    for name, one in found.items():
        if not one.values:
            print(f"{name:22}{'-':>9}{'-':>9}{'-':>9}{0:6}  {one.bound}")
            continue
        worst = "min" if ">=" in one.bound else "max"
        columns = [_measure(m, one.values) for m in ("median", "p95", worst)]
        numbers = "".join(f"{value:9.2f}" for value in columns)
        state = " BROKEN" if one.broken() else ""
        print(f"{name:22}{numbers}{len(one.values):6}  {one.unit} {one.bound}{state}")
        fine = fine and not one.broken()
    return fine


def main() -> int:
    """Make clips, measure them, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="videos with speech; made if left out")
    parser.add_argument("--seconds", type=float, default=75.0, help="of footage that is made")
    parser.add_argument("--most", type=int, default=3, help="clips of each video")
    parser.add_argument("--work", type=Path, help="a folder for footage and clips, kept")
    asked = parser.parse_args()
    fine = True
    with tempfile.TemporaryDirectory(prefix="omniva-bench-") as temporary:
        work = (asked.work or Path(temporary)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        for file in asked.files or [None]:
            truth = None if file else make_footage(work, asked.seconds)
            media = truth.path if truth else file.resolve()
            print(media.name)
            fine = report(measure_all(media, truth, work, asked.most)) and fine
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
