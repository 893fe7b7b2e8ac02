from __future__ import annotations

import re
import shlex
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from omniva_dagster.contracts.editing import EditJob
from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.editor.encoder import CPU, GPU, Encoder, probe_encoder
from omniva_dagster.workers.editor.filters import constant_rate
from omniva_dagster.workers.editor.plan import editing_context_id, plan_edit
from omniva_dagster.workers.editor.render import render, resolve
from omniva_dagster.workers.editor.sound.loudness import NO_SOUND, Loudness, Measured
from omniva_dagster.workers.editor.style import style_named
from omniva_dagster.workers.media.ffmpeg import find_ffmpeg
from omniva_dagster.workers.media.timeline import Face, Scene, Word
from tests.workers.editor.conftest import OTHER_ID, Talk, context_of, planned, run

SHA = "ab" * 32
CLEAN = style_named("clean")
CONTEXT = replace(
    context_of(Path("/nowhere/talk.mp4"), 10.0, 40.0, has_audio=True),
    words=[Word("hello", 11.0, 11.4, 0.9)],
    faces=[Face(12.0, 0.6, 0.2, 0.1, 0.2, 0.9)],
    scenes=[Scene(0, 30), Scene(30, 60)],
)
LOUDNESS = Loudness(Measured(-20.0, -3.0), gain=6.0, ceiling=-1.5, target=-14.0)


@pytest.mark.spec("OBJ-4")
def test_a_plan_is_a_valid_job_with_placeholders_for_what_differs_between_machines() -> None:
    job = planned(CONTEXT, loudness=LOUDNESS).job
    assert EditJob.parse(job.dump()) == job
    clip, still = (shlex.split(command) for command in job.ffmpeg_commands)
    for vector in (clip, still):
        assert vector[0] == "{ffmpeg}"
        assert vector[vector.index("-i") + 1] == "{input}"
        assert vector[-1] == "{output}"
    assert clip[clip.index("-c:v") + 1] == "{video_encoder}"
    assert "/nowhere" not in " ".join(job.ffmpeg_commands)


def test_every_input_is_guarded_against_opening_the_network() -> None:
    for context in (CONTEXT, replace(CONTEXT, has_audio=False)):
        for command in planned(context).job.ffmpeg_commands:
            vector = shlex.split(command)
            assert vector.count("-protocol_whitelist") == vector.count("-i")


def test_a_clip_is_encoded_exactly_once() -> None:
    commands = planned(CONTEXT, loudness=LOUDNESS).job.ffmpeg_commands
    assert sum("{video_encoder}" in command for command in commands) == 1
    assert len(commands) == 2


@pytest.mark.spec("EDI-1")
def test_a_retry_has_the_same_editing_context_and_any_change_another() -> None:
    plan = planned(CONTEXT, loudness=LOUDNESS)
    same = editing_context_id(planned(CONTEXT, loudness=LOUDNESS), SHA)
    assert editing_context_id(plan, SHA) == same
    others = {
        editing_context_id(plan, "cd" * 32),
        editing_context_id(planned(replace(CONTEXT, end=39.0), loudness=LOUDNESS), SHA),
        editing_context_id(planned(replace(CONTEXT, words=[]), loudness=LOUDNESS), SHA),
        editing_context_id(planned(replace(CONTEXT, faces=[]), loudness=LOUDNESS), SHA),
        editing_context_id(planned(CONTEXT, loudness=replace(LOUDNESS, gain=5.0)), SHA),
        editing_context_id(planned(CONTEXT, style_named("karaoke"), LOUDNESS), SHA),
        editing_context_id(planned(replace(CONTEXT, clip_id=OTHER_ID)), SHA),
    }
    assert same not in others
    assert len(others) == 7


def test_placeholders_are_filled_after_splitting_and_once() -> None:
    path = "/a b/it's {output}: [x],;.mp4"
    vector = resolve(
        shlex.join(["{ffmpeg}", "-i", "{input}", "-vf", "ass=c.ass:fontsdir={fontsdir}"]),
        {"ffmpeg": "ff", "input": path, "output": "o", "fontsdir": "fonts"},
    )
    assert vector == ["ff", "-i", path, "-vf", "ass=c.ass:fontsdir=fonts"]


def test_without_words_nothing_is_drawn_and_no_font_is_named() -> None:
    plan = planned(replace(CONTEXT, words=[]))
    assert (plan.captions_ass, plan.font, plan.caption_words) == ("", "", 0)
    assert "]ass=" not in plan.job.ffmpeg_commands[0]


@pytest.mark.parametrize(("start", "end"), [(5.0, 5.0), (9.0, 3.0), (-1.0, 3.0)])
def test_an_impossible_span_is_refused(start: float, end: float) -> None:
    with pytest.raises(WorkerError, match="cannot run from") as refused:
        planned(replace(CONTEXT, start=start, end=end))
    assert refused.value.code == ReasonCode.BAD_COMMAND


def test_an_unknown_style_is_refused_with_the_known_ones() -> None:
    with pytest.raises(WorkerError, match="choose one of: bold, clean, karaoke"):
        style_named("loud")


@pytest.mark.parametrize(
    ("measured", "constant"),
    [
        (30.0, Fraction(30)),
        (29.97, Fraction(30000, 1001)),
        (23.976, Fraction(24000, 1001)),
        (12.0, Fraction(12)),
        (15.0, Fraction(15)),
        (60.0, Fraction(60)),
        (59.94, Fraction(60000, 1001)),
        (120.0, Fraction(60)),
        (119.88, Fraction(60000, 1001)),
        (27.3, Fraction(30000, 1001)),
        (7.0, Fraction(24000, 1001)),
        (0.0, Fraction(30)),
    ],
)
def test_a_clip_keeps_a_usual_frame_rate_up_to_60(measured: float, constant: Fraction) -> None:
    assert constant_rate(measured, 60.0) == constant


def _renumbered(graph: str) -> str:
    labels = list(dict.fromkeys(re.findall(r"\[s[0-9]+\]", graph)))
    for number, label in enumerate(labels):
        graph = graph.replace(label, f"<{number}>")
    return graph


def _options(vector: list[str], graph: int) -> list[str]:
    others = [*vector[:graph], *vector[graph + 1 :]]
    return [part for part in others if not re.fullmatch(r"\[s[0-9]+\]", part)]


def _fake_ffmpeg(folder: Path, body: str) -> str:
    script = folder / "ffmpeg"
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(0o755)
    return str(script)


def test_an_encoder_that_is_listed_but_fails_is_not_used(tmp_path: Path) -> None:
    ffmpeg = _fake_ffmpeg(tmp_path, 'case "$*" in *nvenc*|*hwaccel*) exit 1;; esac')
    assert probe_encoder(ffmpeg) == Encoder("libx264", gpu=False)
    with pytest.raises(WorkerError, match="does not work on this host") as missing:
        probe_encoder(ffmpeg, "h264_nvenc")
    assert missing.value.code == ReasonCode.GPU_STARVATION
    assert missing.value.transient


def test_an_encoder_that_works_is_probed_once(tmp_path: Path) -> None:
    ffmpeg = _fake_ffmpeg(tmp_path, f"echo run >> {tmp_path}/runs")
    expected = Encoder("h264_nvenc", gpu=True, decoder="cuda")
    assert probe_encoder(ffmpeg) == probe_encoder(ffmpeg) == expected
    # An encode, an encode of something to decode, and its decode.
    assert (tmp_path / "runs").read_text() == "run\n" * 3


def test_a_host_that_decodes_but_does_not_encode_on_its_gpu_does_the_one_and_not_the_other(
    tmp_path: Path,
) -> None:
    ffmpeg = _fake_ffmpeg(tmp_path, 'case "$*" in *nvenc*) exit 1;; esac')
    assert probe_encoder(ffmpeg) == Encoder("libx264", gpu=False, decoder="cuda")
    assert probe_encoder(ffmpeg, "libx264") == Encoder("libx264", gpu=False)


def test_this_hosts_own_ffmpeg_is_probed_by_running_it() -> None:
    found = probe_encoder(find_ffmpeg())
    assert found.needs_gpu is Path("/dev/nvidia0").exists()


NVDEC = Encoder("libx264", gpu=False, decoder="cuda")


def test_where_the_picture_is_decoded_changes_nothing_behind_the_decoder() -> None:
    plain, decoded = (
        shlex.split(plan_edit(CONTEXT, CLEAN, LOUDNESS, encoder, []).job.ffmpeg_commands[0])
        for encoder in (CPU, NVDEC)
    )
    at = decoded.index("-hwaccel")
    assert decoded[at + 1] == "cuda"
    del decoded[at : at + 2]
    graph = decoded.index("-filter_complex") + 1
    decoder, _, rest = decoded[graph].partition("[s0];[s0]")
    assert decoder.startswith("[0:V:0]format=yuv420p|")
    assert _renumbered(plain[graph]) == _renumbered("[0:V:0]" + rest)
    assert _options(plain, graph) == _options(decoded, graph)


@pytest.mark.media
def test_a_picture_that_comes_from_a_gpu_is_the_processors_to_the_bit(
    talk: Talk, tmp_path: Path
) -> None:
    """A hardware decoder hands over the same samples in another order: NV12."""
    graph = shlex.split(plan_edit(CONTEXT, CLEAN, LOUDNESS, NVDEC, []).job.ffmpeg_commands[0])
    back = graph[graph.index("-filter_complex") + 1].partition("]")[2].partition("[")[0]
    assert back.startswith("format=")
    scaled = "crop=404:720:101:0,scale=1080:1920:flags=bicubic+accurate_rnd+full_chroma_int"
    hashes = []
    for number, chain in enumerate((scaled, f"format=nv12,{back},{scaled}")):
        run("-t", "0.5", "-i", talk.path, "-vf", chain, "-an", "-f", "framemd5",
            tmp_path / f"{number}.txt")  # fmt: skip
        hashes.append((tmp_path / f"{number}.txt").read_text())
    assert hashes[0] == hashes[1]


def test_a_plan_for_nvenc_differs_from_the_processors_in_the_encoders_options_alone() -> None:
    plain, gpu = (
        shlex.split(plan_edit(CONTEXT, CLEAN, LOUDNESS, encoder, []).job.ffmpeg_commands[0])
        for encoder in (CPU, GPU)
    )
    graph = plain.index("-filter_complex") + 1
    assert plain[graph] == gpu[graph]
    changed = set(gpu) ^ set(plain)
    assert changed <= {"-crf", "20", "veryfast", "-threads:v", "p5", "-rc", "vbr", "-cq", "23",
                       "-b:v", "0", "4"}  # fmt: skip


def test_a_plan_that_decodes_on_a_gpu_is_not_run_where_there_is_none(tmp_path: Path) -> None:
    plan = plan_edit(CONTEXT, CLEAN, NO_SOUND, NVDEC, [])
    assert plan.job.gpu_required
    with pytest.raises(WorkerError, match="planned for a GPU decoder") as refused:
        render(plan, tmp_path, tmp_path, encoder=CPU, timeout=120)
    assert (refused.value.code, refused.value.transient) == (ReasonCode.GPU_STARVATION, True)


@pytest.mark.part("EDI-3")
@pytest.mark.parametrize(
    ("said", "code", "transient"),
    [
        ("OpenEncodeSessionEx failed: out of memory (10)", ReasonCode.GPU_STARVATION, True),
        ("CUDA_ERROR_OUT_OF_MEMORY: out of memory", ReasonCode.GPU_STARVATION, True),
        ("av_interleaved_write_frame(): No space left on device", ReasonCode.DISK_FULL, True),
        ("Error initializing complex filters.", ReasonCode.BAD_COMMAND, False),
    ],
)
def test_what_may_pass_is_told_apart_from_what_will_fail_again(
    tmp_path: Path, said: str, code: ReasonCode, transient: bool
) -> None:
    ffmpeg = _fake_ffmpeg(tmp_path, f"echo '{said}' >&2; exit 1")
    plan = plan_edit(CONTEXT, style_named("clean"), NO_SOUND, GPU, [])
    assert plan.job.gpu_required
    with pytest.raises(WorkerError) as failed:
        render(plan, tmp_path, tmp_path / "out", ffmpeg=ffmpeg, encoder=GPU, timeout=120)
    assert (failed.value.code, failed.value.transient) == (code, transient)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_render_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    ffmpeg = _fake_ffmpeg(tmp_path, "exec sleep 60")
    with pytest.raises(WorkerError) as failed:
        render(
            planned(CONTEXT),
            tmp_path,
            tmp_path / "out",
            ffmpeg=ffmpeg,
            encoder=Encoder("libx264", gpu=False),
            timeout=0.5,
        )
    assert failed.value.code == ReasonCode.RENDER_TIMEOUT
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.part("EDI-3")
def test_a_plan_for_a_gpu_host_is_not_run_where_there_is_none(tmp_path: Path) -> None:
    plan = plan_edit(CONTEXT, style_named("clean"), NO_SOUND, GPU, [])
    with pytest.raises(WorkerError, match="planned for a GPU") as refused:
        render(plan, tmp_path, tmp_path, encoder=Encoder("libx264", gpu=False), timeout=120)
    assert (refused.value.code, refused.value.transient) == (ReasonCode.GPU_STARVATION, True)
