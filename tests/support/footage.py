"""Small real footage for whole-pipeline tests: human speech, a real face, a hard cut."""

from __future__ import annotations

from pathlib import Path

from omniva_dagster.workers.media.ffmpeg import run_ffmpeg


def package_file(package: str, *parts: str) -> Path:
    """A file that an installed package ships."""
    import importlib.util

    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent.joinpath(*parts)


def talking_head(target: Path, *, start: float = 0.0, seconds: float = 22.0) -> Path:
    """A 640x360 video of a face off centre, with recorded human speech, cut once."""
    face = package_file("skimage", "data", "astronaut.png")
    speech = package_file("moonshine_voice", "assets", "two_cities.wav")
    half = seconds / 2
    graph = (
        "[0:v]scale=360:360,pad=640:360:20:0:color=gray,setsar=1,fps=10[a];"
        "[0:v]scale=360:360,hflip,pad=640:360:260:0:color=teal,setsar=1,fps=10[b];"
        f"[a]trim=duration={half}[x];[b]trim=duration={half}[y];[x][y]concat=n=2[v]"
    )
    arguments = ["-y", "-loop", "1", "-t", str(seconds), "-i", str(face)]
    arguments += ["-ss", str(start), "-t", str(seconds), "-i", str(speech)]
    arguments += ["-filter_complex", graph, "-map", "[v]", "-map", "1:a", "-shortest"]
    arguments += ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
    run_ffmpeg([*arguments, "-c:a", "aac", str(target)], timeout=300)
    return target


def silent(target: Path, *, seconds: float = 20.0, with_track: bool = True) -> Path:
    """A moving test picture without speech; with a silent sound track, or with none."""
    arguments = ["-y", "-f", "lavfi", "-i", f"testsrc2=s=320x180:r=25:d={seconds}"]
    if with_track:
        arguments += ["-f", "lavfi", "-i", f"anullsrc=r=48000:cl=mono:d={seconds}"]
    arguments += ["-shortest", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
    run_ffmpeg([*arguments, str(target)], timeout=300)
    return target
