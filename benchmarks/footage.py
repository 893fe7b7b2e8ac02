"""A talk whose truth is known: when each word is said, where shots change and where the face is.

Made from the packages of the ``demo`` extra: 1080p at 30 frames a second with grain, so that
decoding and encoding it costs what footage of a camera does; a recorded human voice, a synthetic
one that tells when it says which word, a real face that stands, walks or is beside another.

The program piper is under the GPL and never imported: it is run for its phonemes alone, and the
voice model (a network of its own licence) is run by onnxruntime, which also tells each phoneme's
length.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import wave
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from omniva_dagster.demo.footage.sources import Sources, find_sources
from omniva_dagster.demo.footage.stopping import STOPPING
from omniva_dagster.workers.media.ffmpeg import find_ffmpeg

RATE, WIDTH, HEIGHT = 30, 1920, 1080
SAMPLE_RATE = 48_000
VERSION = 1
# espeak speaks these as one word.
_MERGED = re.compile(
    r"\b(of the|for the|on the|in the|was the|for a|not a|had to|do not|did not|at once)\b",
    re.IGNORECASE,
)
# The face in skimage's astronaut.png, 512 x 512, as YuNet boxes it.
_PERSON, _FACE = 512, (178.2, 62.9, 89.9, 113.3)
_PAUSES = (0.7, 1.6, 1.1, 2.2)
_SHOTS = ("still", "coffee", "walk", "cat", "pair", "rocket", "walk", "coins", "still", "sky")
_LENGTHS = (6.4, 4.7, 9.3, 4.1, 7.9, 3.6, 10.2, 5.2, 6.8, 3.9)
_PICTURES = {
    "coffee": "coffee.png",
    "cat": "chelsea.png",
    "rocket": "rocket.jpg",
    "coins": "coins.png",
    "sky": "hubble_deep_field.jpg",
}


@dataclass(frozen=True)
class Footage:
    """The file and its truth; times in seconds, faces as (time, x, y, width, height) in pixels.

    ``words`` are (text, start, end) of the synthetic voice alone; ``speech`` are the spans of all
    speech between pauses that were laid in.
    """

    path: Path
    seconds: float
    words: list[tuple[str, float, float]] = field(default_factory=list)
    speech: list[tuple[float, float]] = field(default_factory=list)
    cuts: list[float] = field(default_factory=list)
    faces: list[tuple[float, float, float, float, float]] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)


def make_footage(folder: Path, seconds: float) -> Footage:
    """The talk, about ``seconds`` long (at most two minutes), as ``folder``/talk-<seconds>.mp4;
    what is there already is used again. It takes about a CPU second a second."""
    path = folder / f"talk-{seconds:g}-v{VERSION}.mp4"
    truth = path.with_suffix(".json")
    if not (path.is_file() and truth.is_file()):
        folder.mkdir(parents=True, exist_ok=True)
        sources = find_sources()
        with tempfile.TemporaryDirectory(dir=folder) as work:
            samples, words, speech = _spoken(sources, Path(work), seconds)
            count = len(samples) * RATE // SAMPLE_RATE
            sound = Path(work) / "sound.wav"
            _write(sound, samples)
            film = _Film(sources, count)
            made = Path(work) / path.name
            _encode(film.frames(), sound, made)
            found = Footage(
                path, count / RATE, words, speech, film.cuts, film.faces, list(film.kinds)
            )
            truth.write_text(json.dumps(asdict(found) | {"path": ""}))
            made.replace(path)
    known = json.loads(truth.read_text())
    for name in ("words", "speech", "faces"):
        known[name] = [tuple(one) for one in known[name]]
    return Footage(**(known | {"path": path}))


def _spoken(
    sources: Sources, work: Path, seconds: float
) -> tuple[Any, list[tuple[str, float, float]], list[tuple[float, float]]]:
    """Passages and pauses until there are ``seconds`` of them: stories, then the recording."""
    voice = _Voice(sources)
    stories = [passage.text for passage in STOPPING.passages if passage.text]
    pieces: list[Any] = [np.zeros(SAMPLE_RATE // 2)]
    words: list[tuple[str, float, float]] = []
    speech: list[tuple[float, float]] = []
    clock = len(pieces[0])

    def add(piece: Any, said: list[tuple[str, float, float]]) -> None:
        nonlocal clock
        begins = clock / SAMPLE_RATE
        words.extend((text, a + begins, b + begins) for text, a, b in said)
        loud = np.flatnonzero(np.abs(piece) > 0.01)
        speech.append((begins + loud[0] / SAMPLE_RATE, begins + loud[-1] / SAMPLE_RATE))
        pause = round(_PAUSES[len(speech) % len(_PAUSES)] * SAMPLE_RATE)
        pieces.extend([_levelled(piece), np.zeros(pause)])
        clock += len(piece) + pause

    for number, said in enumerate(voice.say([stories[1], *stories[2:], stories[0]], work)):
        add(*said)
        if number == 0:
            add(_read(sources.recording), [])
        if clock >= seconds * SAMPLE_RATE:
            break
    # A room is never silent.
    samples = np.concatenate(pieces) + np.random.default_rng(7).normal(0, 0.0006, clock)
    return samples[: clock // (SAMPLE_RATE // RATE) * (SAMPLE_RATE // RATE)], words, speech


class _Voice:
    """The synthetic voice, with the length of each phoneme as a second output."""

    def __init__(self, sources: Sources) -> None:
        import onnxruntime  # type: ignore[import-untyped]

        self._sources = sources
        self._config = json.loads(sources.voice_config.read_text(encoding="utf-8"))
        model = sources.voice_model.read_bytes()
        lengths = next(iter(set(re.findall(rb"[\w/.]*Ceil_output_\d+", model))))
        # Protocol buffers merge a field that comes twice: this adds an output to the graph.
        model += _message(7, _message(12, _message(1, lengths)))
        self._session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])

    def say(
        self, texts: list[str], work: Path
    ) -> Iterator[tuple[Any, list[tuple[str, float, float]]]]:
        """For each text its samples at 48 kHz, and (word, start, end) of each word."""
        for text, sentences in zip(texts, self._phonemes(texts, work), strict=True):
            pieces: list[Any] = []
            words: list[tuple[str, float, float]] = []
            clock = 0.0
            joined = _MERGED.sub(lambda pair: pair[0].replace(" ", "~"), text)
            said = joined.split()
            for phonemes in sentences:
                samples, spans = self._sentence(phonemes)
                mine, said = said[: len(spans)], said[len(spans) :]
                words += [
                    (word.replace("~", " "), clock + a, clock + b)
                    for word, (a, b) in zip(mine, spans, strict=True)
                ]
                if not re.search(r"[.?!]$", mine[-1]):
                    raise RuntimeError(f"the voice says other words than are written: {mine}")
                pause = np.zeros(round(0.35 * SAMPLE_RATE))
                pieces += [samples, pause]
                clock += (len(samples) + len(pause)) / SAMPLE_RATE
            yield np.concatenate(pieces), words

    def _phonemes(self, texts: list[str], work: Path) -> list[list[list[str]]]:
        script = work / "texts.txt"
        script.write_text("\n".join(texts) + "\n", encoding="utf-8")
        command = [sys.executable, "-P", "-m", "piper", "--debug"]
        command += ["--model", str(self._sources.voice_model)]
        command += ["--config", str(self._sources.voice_config)]
        command += ["--input-file", str(script), "--output-dir", str(work / "unused")]
        said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
        found = re.findall(r"phonemes=(\[\[.*\]\])$", said.stderr, re.MULTILINE)
        return [json.loads(one.replace("'", '"')) for one in found]

    def _sentence(self, phonemes: list[str]) -> tuple[Any, list[tuple[float, float]]]:
        table = self._config["phoneme_id_map"]
        ids, owners = [*table["^"], *table["_"]], [-1, -1]
        word = 0
        for phoneme in phonemes:
            word += phoneme == " "
            owner = -1 if phoneme in " ,.?!;:" else word
            ids += [*table[phoneme], *table["_"]]
            owners += [owner] * (len(table[phoneme]) + 1)
        ids += table["$"]
        owners += [-1] * len(table["$"])
        samples, lengths = self._session.run(
            None,
            {
                "input": np.array([ids], np.int64),
                "input_lengths": np.array([len(ids)], np.int64),
                "scales": np.array([0.0, 1.0, 0.0], np.float32),
            },
        )
        rate = self._config["audio"]["sample_rate"]
        ends = np.cumsum(lengths.reshape(-1)) * 256 / rate
        spans: list[tuple[float, float]] = []
        for number in range(word + 1):
            mine = [i for i, owner in enumerate(owners) if owner == number]
            spans.append((float(ends[mine[0] - 1]), float(ends[mine[-1]])))
        return _resampled(samples.reshape(-1), rate), spans


def _message(number: int, content: bytes) -> bytes:
    """A field of a protocol buffer that holds other fields or text."""
    length, size = len(content), b""
    while length > 127:
        size += bytes([length & 127 | 128])
        length >>= 7
    return bytes([number << 3 | 2]) + size + bytes([length]) + content


class _Film:
    """The pictures; ``cuts`` and ``faces`` are known when they all have been made."""

    def __init__(self, sources: Sources, count: int) -> None:
        self.cuts: list[float] = []
        self.faces: list[tuple[float, float, float, float, float]] = []
        self.kinds: list[str] = []
        self._sources, self._count = sources, count
        chance = np.random.default_rng(3)
        self._grain = chance.normal(0, 2.2, (6, HEIGHT, WIDTH)).astype(np.int16)
        self._person = _picture(sources, "astronaut.png")

    def frames(self) -> Iterator[bytes]:
        """Planar YUV 4:2:0."""
        import cv2

        at = 0
        for number in range(self._count):
            kind, length = _SHOTS[number % len(_SHOTS)], _LENGTHS[number % len(_LENGTHS)]
            many = min(self._count - at, round(length * RATE))
            if at + many > self._count - RATE:
                many = self._count - at
            self.kinds.append(kind)
            if at:
                self.cuts.append(at / RATE)
            draw = self._shot(kind, number)
            for frame in range(many):
                picture = draw(frame / max(1, many - 1), (at + frame) / RATE)
                planes = cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420)
                luma = planes[:HEIGHT].astype(np.int16) + self._grain[(at + frame) % 6]
                planes[:HEIGHT] = np.clip(luma, 16, 235)
                yield planes.tobytes()
            at += many
            if at >= self._count:
                return

    def _shot(self, kind: str, number: int) -> Callable[[float, float], Any]:
        if kind in _PICTURES:
            return self._push_in(_picture(self._sources, _PICTURES[kind]))
        places: dict[str, list[Callable[[float], tuple[float, float]]]] = {
            "still": [lambda part: (0.3 + 0.4 * (number % 4 == 0), 0.52)],
            "walk": [_walk if number % 4 else lambda part: _walk(1 - part)],
            "pair": [lambda part: (0.24, 0.52), lambda part: (0.76, 0.5)],
        }
        return self._people(places[kind])

    def _push_in(self, picture: Any) -> Callable[[float, float], Any]:
        import cv2

        height, width = picture.shape[:2]
        factor = max(WIDTH * 1.2 / width, HEIGHT * 1.2 / height)
        canvas = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
        tall, wide = canvas.shape[:2]

        def draw(part: float, _: float) -> Any:
            scale = 1.0 - 0.12 * part
            across, down = WIDTH * 1.15 * scale, HEIGHT * 1.15 * scale
            left, top = (wide - across) / 2, (tall - down) / 2
            matrix = np.array([[across / WIDTH, 0, left], [0, down / HEIGHT, top]])
            way = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            return cv2.warpAffine(canvas, matrix, (WIDTH, HEIGHT), flags=way)

        return draw

    def _people(
        self, places: list[Callable[[float], tuple[float, float]]]
    ) -> Callable[[float, float], Any]:
        """People before a room; each place is the middle of the person's square at a part of the
        shot, in parts of the picture."""
        import cv2

        room = cv2.resize(_picture(self._sources, "brick.png"), (WIDTH, WIDTH))[:HEIGHT]
        room = cv2.GaussianBlur(room, (0, 0), 9)
        side = round(HEIGHT * (0.86 if len(places) == 1 else 0.8))
        scale = side / _PERSON
        masks = np.ones((_PERSON, _PERSON), np.float32)
        masks[:, :40] = np.linspace(0, 1, 40)
        masks[:, -40:] = np.linspace(1, 0, 40)
        masks[:40] *= np.linspace(0, 1, 40)[:, None]

        def draw(part: float, time: float) -> Any:
            picture = room.copy()
            for person, place in enumerate(places):
                x, y = place(part)
                sway = 2.5 * np.sin(1.7 * time + person)
                left, top = x * WIDTH - side / 2 + sway, y * HEIGHT - side / 2
                looks = self._person[:, ::-1] if person else self._person
                self._lay(picture, looks, masks, scale, left, top)
                face = (_PERSON - _FACE[0] - _FACE[2] if person else _FACE[0], *_FACE[1:])
                self.faces.append(
                    (
                        round(time, 4),
                        round(left + face[0] * scale, 2),
                        round(top + face[1] * scale, 2),
                        round(face[2] * scale, 2),
                        round(face[3] * scale, 2),
                    )
                )
            return picture

        return draw

    @staticmethod
    def _lay(picture: Any, looks: Any, mask: Any, scale: float, left: float, top: float) -> None:
        import cv2

        first, upper = int(np.floor(left)), int(np.floor(top))
        size = int(np.ceil(_PERSON * scale)) + 1
        matrix = np.array([[scale, 0, left - first], [0, scale, top - upper]])
        laid = cv2.warpAffine(looks, matrix, (size, size), flags=cv2.INTER_LINEAR)
        share = cv2.warpAffine(mask, matrix, (size, size), flags=cv2.INTER_LINEAR)
        x, y = max(0, first), max(0, upper)
        right, low = min(WIDTH, first + size), min(HEIGHT, upper + size)
        part = (slice(y - upper, low - upper), slice(x - first, right - first))
        weight = share[part][..., None]
        under = picture[y:low, x:right]
        picture[y:low, x:right] = (laid[part] * weight + under * (1 - weight)).astype(np.uint8)


def _walk(part: float) -> tuple[float, float]:
    """Stand, walk to the other side in the middle third, stand."""
    step = min(1.0, max(0.0, (part - 0.3) / 0.45))
    return 0.27 + 0.46 * step * step * (3 - 2 * step), 0.52


def _picture(sources: Sources, name: str) -> Any:
    import cv2

    return cv2.imread(str(sources.pictures / name), cv2.IMREAD_COLOR)


def _encode(frames: Iterator[bytes], sound: Path, path: Path) -> None:
    command = [find_ffmpeg(), "-hide_banner", "-loglevel", "error", "-y"]
    command += ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{WIDTH}x{HEIGHT}"]
    command += ["-r", str(RATE), "-i", "pipe:0", "-i", str(sound)]
    # What a camera's or a site's file is like: B-frames, several references, a long GOP.
    command += ["-c:v", "libx264", "-preset", "veryfast", "-bf", "3", "-refs", "3", "-g", "150"]
    command += ["-b:v", "4M", "-maxrate", "6M", "-bufsize", "8M", "-color_range", "tv"]
    command += ["-c:a", "aac", "-b:a", "160k", "-movflags", "+faststart", str(path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    assert process.stdin is not None
    for frame in frames:
        process.stdin.write(frame)
    process.stdin.close()
    if process.wait() != 0:
        raise RuntimeError("ffmpeg could not encode the footage")


def _read(path: Path) -> Any:
    with wave.open(str(path), "rb") as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16) / 32768
        return _resampled(samples.astype(np.float32), file.getframerate())


def _resampled(samples: Any, rate: int) -> Any:
    import av

    frame = av.AudioFrame.from_ndarray(samples[None, :], format="flt", layout="mono")
    frame.sample_rate = rate
    sampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
    parts = [part.to_ndarray()[0] for part in (*sampler.resample(frame), *sampler.resample(None))]
    return np.concatenate(parts)


def _levelled(samples: Any) -> Any:
    return samples * min(0.07 / np.sqrt(np.mean(samples**2)), 0.89 / np.max(np.abs(samples)))


def _write(path: Path, samples: Any) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
