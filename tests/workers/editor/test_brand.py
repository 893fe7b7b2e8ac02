"""Brand kits: what may be in them, what is refused, and what they make of a clip."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema_rs
import numpy as np
import pytest

from omniva_dagster.contracts.brand import BrandKit
from omniva_dagster.contracts.errors import ContractError
from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.editor.brand import Brand, read_brand, read_kit
from omniva_dagster.workers.editor.encoder import CPU
from omniva_dagster.workers.editor.plan import EditContext, editing_context_id, plan_edit
from omniva_dagster.workers.editor.render import Rendered, render
from omniva_dagster.workers.editor.sound.loudness import NO_SOUND, Loudness, find_loudness
from omniva_dagster.workers.editor.style import Pace, style_named
from tests.workers.editor.conftest import FPS, Talk, context_of, pictures, run, write_picture

SCHEMA = Path(__file__).parents[3] / "schemas" / "BrandKit.json"
FULL = """\
captions:
  style: karaoke
  size: 96
  max_words: 2
  upper: true
  position: middle
  outline: 4.5
colours:
  text: "#FFFFFF"
  highlight: "#00FF00"
  outline: "#101010"
logo:
  file: pictures/logo.png
  corner: top_left
  width: 0.2
  opacity: 1
intro: intro.mp4
outro: outro.mkv
title_card: true
faceless: centre
pace: {}
"""


@pytest.fixture(scope="session")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a kit of everything: a magenta logo, a blue intro with a tone (4:3, 1 s), a
    silent yellow outro (portrait, 0.5 s)."""
    folder = tmp_path_factory.mktemp("brands")
    (folder / "pictures").mkdir()
    logo = np.zeros((200, 400, 4), np.uint8)
    logo[20:180, 20:380] = (255, 0, 255, 255)
    write_picture(folder / "pictures" / "logo.png", logo)
    run(
        "-f", "lavfi", "-i", "color=blue:s=640x480:r=25:d=1", "-f", "lavfi", "-i",
        "sine=f=440:r=44100:d=1", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac",
        folder / "intro.mp4",
    )  # fmt: skip
    run(
        "-f", "lavfi", "-i", "color=yellow:s=270x480:r=30:d=0.5", "-c:v", "libx264",
        "-pix_fmt", "yuv420p", folder / "outro.mkv",
    )  # fmt: skip
    (folder / "ada.yaml").write_text(FULL)
    return folder


def faults(text: str, folder: Path) -> dict[str, str]:
    (folder / "bad.yaml").write_text(text)
    with pytest.raises(ContractError) as refused:
        read_brand(folder, "bad", "clean")
    assert refused.value.code == "INVALID_PAYLOAD"
    return {found["pointer"]: found["message"] for found in refused.value.faults}


def test_without_a_kit_a_creator_has_the_style_alone(tmp_path: Path) -> None:
    assert read_brand(tmp_path, "ada", "clean") == Brand(style_named("clean"))
    assert read_brand(tmp_path / "nowhere", "ada", "karaoke").style.name == "karaoke"


def test_the_default_kit_is_for_creators_without_one_of_their_own(kit: Path) -> None:
    default = kit / "default.yaml"
    default.write_text("captions: {style: bold}\n")
    assert read_brand(kit, "bob", "clean").style.name == "bold"
    assert read_brand(kit, "ada", "clean").style.name == "karaoke"
    default.unlink()


def test_every_field_of_a_kit_is_taken(kit: Path) -> None:
    brand = read_brand(kit, "ada", "clean")
    style = brand.style
    assert (style.name, style.font_size, style.max_words) == ("karaoke", 96, 2)
    assert (style.upper, style.position, style.outline) == (True, "middle", 4.5)
    assert (style.highlight_colour, style.outline_colour) == ("#00FF00", "#101010")
    assert (style.title_card, style.faceless, style.pace) == (True, "centre", Pace())
    branding = brand.branding
    assert branding.logo
    assert (branding.logo.corner, branding.logo.width, branding.logo.opacity) == (
        "top_left",
        0.2,
        1,
    )
    assert branding.intro
    assert (branding.intro.demuxer, branding.intro.width, branding.intro.height) == (
        "mov",
        640,
        480,
    )
    assert branding.outro
    assert (branding.outro.demuxer, branding.outro.has_audio) == ("matroska", False)
    assert set(branding.assets) == {"brand/logo.png", "brand/intro.mov", "brand/outro.matroska"}


def test_every_wrong_field_is_named_at_once_with_its_line(tmp_path: Path) -> None:
    found = faults(
        "captions:\n  style: loud\n  size: 5\ncolors: {}\ncolours:\n  text: #FFFFFF\n  box: white\n"
        "logo:\n  file: ../../etc/passwd\n  corner: middle\nfaceless: 3\n",
        tmp_path,
    )
    assert 'in quotes, like "#FFD93D"' in found["/colours/text"]
    lines = {
        pointer: message.rpartition("(line ")[2].rstrip(")") for pointer, message in found.items()
    }
    assert lines == {
        "/captions/style": "2", "/captions/size": "3", "/colors": "4", "/colours/text": "6",
        "/colours/box": "7", "/logo/file": "9", "/logo/corner": "10", "/faceless": "11",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title_card: true\ntitle_card: false\n", "more than once"),
        ("a: &x {b: 1}\nc: *x\n", "alias"),
        ("- 1\n", "must be a mapping"),
        ("captions: [\n", "is not YAML"),
        ("captions: " + "[" * 5000, "YAML"),
        ("font: {}\n", "either a family or a file"),
        ("pace: {pause_over: 0.4, pause_to: 0.5}\n", "shorter than pause_over"),
        ("schema_version: 2.0.0\n", "major version"),
        ("x" * 70_000, "larger than 64 KiB"),
        ("logo: {file: 'a.png', width: .inf}", "finite"),
    ],
)
def test_a_text_that_is_no_kit_is_refused_with_a_reason(
    text: str, said: str, tmp_path: Path
) -> None:
    assert any(said in message for message in faults(text, tmp_path).values())


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../x.png",
        "a/../../x.png",
        ".hidden.png",
        "a\\b.png",
        "a//b",
        "%d.png",
        "a\n.png",
    ],
)
def test_a_path_that_could_lead_elsewhere_is_no_path(path: str, tmp_path: Path) -> None:
    assert list(faults(json.dumps({"logo": {"file": path}}), tmp_path)) == ["/logo/file"]


def test_a_link_out_of_the_folder_is_refused_and_one_inside_is_followed(
    kit: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "brands"
    folder.mkdir()
    (folder / "logo.png").symlink_to(kit / "pictures" / "logo.png")
    text = "logo: {file: logo.png}\n"
    assert "leads out of the kit's folder" in faults(text, folder)["/logo/file"]
    (folder / "logo.png").unlink()
    shutil.copyfile(kit / "pictures" / "logo.png", folder / "real.png")
    (folder / "logo.png").symlink_to("real.png")
    (folder / "bad.yaml").write_text(text)
    assert read_brand(folder, "bad", "clean").branding.logo
    (folder / "out").symlink_to(kit)
    assert "leads out" in faults("intro: out/intro.mp4\n", folder)["/intro"]


def test_files_that_are_not_what_they_should_be_are_all_refused_at_once(
    kit: Path, tmp_path: Path
) -> None:
    whole = (kit / "pictures" / "logo.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "intro.mp4").write_bytes(b"#EXTM3U\nhttp://127.0.0.1/x.ts\n")
    (tmp_path / "outro.mp4").write_bytes((kit / "intro.mp4").read_bytes()[:900])
    (tmp_path / "font.ttf").write_bytes(b"\0\1\0\0" + b"no font" * 50)
    found = faults(
        "logo: {file: cut.png}\nintro: intro.mp4\noutro: outro.mp4\nfont: {file: font.ttf}\n",
        tmp_path,
    )
    assert set(found) == {"/logo/file", "/intro", "/outro", "/font/file"}
    assert "broken PNG" in found["/logo/file"]
    assert "neither mp4" in found["/intro"]
    assert "not a video that can be read" in found["/outro"]


def test_a_logo_is_not_decoded_before_its_size_is_known_to_be_sane(
    kit: Path, tmp_path: Path
) -> None:
    raw = bytearray((kit / "pictures" / "logo.png").read_bytes())
    raw[16:24] = (60_000).to_bytes(4, "big") * 2
    (tmp_path / "logo.png").write_bytes(raw)
    assert "60000x60000" in faults("logo: {file: logo.png}\n", tmp_path)["/logo/file"]


def test_an_intro_has_a_length_that_viewers_bear(tmp_path: Path) -> None:
    run(
        "-f", "lavfi", "-i", "color=red:s=64x64:r=1:d=11", "-c:v", "libx264", "-pix_fmt",
        "yuv420p", tmp_path / "long.mp4",
    )  # fmt: skip
    assert "lasts 11.0 s" in faults("intro: long.mp4\n", tmp_path)["/intro"]


def test_the_schema_file_takes_what_the_model_takes(kit: Path, tmp_path: Path) -> None:
    validator = jsonschema_rs.Draft202012Validator(json.loads(SCHEMA.read_text()))
    dumped = read_kit(kit / "ada.yaml").dump()
    assert validator.is_valid(dumped)
    assert BrandKit.parse(dumped).dump() == dumped
    for wrong in ({"colours": {"text": "red"}}, {"logo": {}}, {"intro": "/a"}, {"other": 1}):
        assert not validator.is_valid(wrong)
        with pytest.raises(ContractError):
            BrandKit.parse(wrong)


def _branded(
    talk: Talk, folder: Path, workdir: Path, creator: str = "ada", **known: object
) -> tuple[Rendered, EditContext]:
    def listen(path: Path, _digest: str, seconds: float) -> Loudness:
        return find_loudness(path, 0.0, seconds, style_named("clean"), has_audio=True)

    brand = read_brand(folder, creator, "clean", listen)
    context = context_of(
        talk.path, 0.5, 3.5, words=talk.words, faces=talk.faces, scenes=talk.scenes,
        has_audio=True,
    )  # fmt: skip
    loudness = find_loudness(talk.path, 0.5, 3.5, brand.style, has_audio=True)
    style = replace(brand.style, pace=None)
    plan = plan_edit(context, style, loudness, CPU, [], branding=brand.branding)
    assert sum("{video_encoder}" in command for command in plan.job.ffmpeg_commands) == 1
    made = render(plan, talk.path, workdir, encoder=CPU, timeout=300)
    return made, context


@pytest.fixture(scope="module")
def branded(talk: Talk, kit: Path, tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    return _branded(talk, kit, tmp_path_factory.mktemp("branded"))[0]


def _mostly(picture: np.ndarray, colour: tuple[int, int, int]) -> float:
    """Share of the pixels that are of about that colour."""
    return float((np.abs(picture.astype(int) - colour).max(axis=2) < 60).mean())


@pytest.mark.media
def test_intro_and_outro_stand_around_the_clip_in_one_encode(branded: Rendered) -> None:
    shown = [picture for _, picture in pictures(branded.media)]
    assert branded.duration == pytest.approx(1.0 + 3.0 + 0.5, abs=0.06)
    assert len(shown) == FPS + 3 * FPS + FPS // 2
    assert all(_mostly(picture, (0, 0, 255)) > 0.5 for picture in shown[: FPS - 1])
    assert _mostly(shown[FPS + 1], (0, 0, 255)) < 0.1
    assert _mostly(shown[4 * FPS - 2], (255, 255, 0)) < 0.1
    assert _mostly(shown[4 * FPS + 1], (255, 255, 0)) > 0.9
    assert len(branded.summary.commands) == 2


@pytest.mark.media
def test_the_logo_is_in_its_corner_throughout_the_clip_and_only_there(branded: Rendered) -> None:
    shown = [picture for _, picture in pictures(branded.media)]
    for number in (FPS + 2, 3 * FPS, 4 * FPS - 2):
        magenta = np.abs(shown[number].astype(int) - (255, 0, 255)).max(axis=2) < 70
        rows, columns = np.nonzero(magenta)
        assert columns.max() - columns.min() == pytest.approx(0.9 * 0.2 * 1080, abs=8)
        assert columns.max() < 540
        assert rows.max() < 500
    assert _mostly(shown[FPS // 2], (255, 0, 255)) == 0


@pytest.mark.media
def test_a_branded_clip_is_as_loud_as_any_and_its_sound_stays_with_the_picture(
    branded: Rendered,
) -> None:
    import av

    assert branded.integrated_lufs == pytest.approx(-14, abs=1)
    assert branded.true_peak_dbtp <= -1
    with av.open(str(branded.media)) as container:
        sound = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    rate = 48000
    assert np.abs(sound[: int(0.9 * rate)]).mean() > 0.02
    assert np.abs(sound[int(4.1 * rate) :]).max() < 0.01


@pytest.mark.media
def test_the_title_card_stands_on_the_thumbnail_inside_the_safe_area(
    branded: Rendered, talk: Talk, kit: Path, tmp_path: Path
) -> None:
    (kit / "plain.yaml").write_text("title_card: false\nfaceless: centre\n")
    plain = _branded(talk, kit, tmp_path, "plain")[0]
    ((_, still),), ((_, without),) = pictures(branded.thumbnail), pictures(plain.thumbnail)
    changed = np.abs(still.astype(int) - without).max(axis=2) > 60
    rows, columns = np.nonzero(changed)
    assert rows.size > 50_000
    assert rows.min() > 960
    assert rows.max() <= 1920 - 480 + 30
    assert columns.min() >= 80
    assert columns.max() <= 1000
    assert (still > 230).all(axis=2)[changed].sum() > 10_000


@pytest.mark.media
def test_a_file_that_changed_since_the_plan_is_not_rendered(
    talk: Talk, kit: Path, tmp_path: Path
) -> None:
    brand = read_brand(kit, "ada", "clean")
    context = context_of(talk.path, 0.5, 1.5)
    plan = plan_edit(context, brand.style, NO_SOUND, CPU, [], branding=brand.branding)
    other = tmp_path / "logo.png"
    other.write_bytes((kit / "pictures" / "logo.png").read_bytes() + b"\0")
    known = {name: Path(path) for name, path in plan.files.items()}
    for files in ({}, {**known, "brand/logo.png": other}):
        with pytest.raises(WorkerError, match="not the one the clip was planned with") as refused:
            render(plan, talk.path, tmp_path / "out", encoder=CPU, timeout=300, files=files)
        assert refused.value.code == ReasonCode.BAD_COMMAND
    assert list((tmp_path / "out").iterdir()) == []


def test_another_brand_is_another_editing_context(kit: Path) -> None:
    context = context_of(Path("/nowhere.mp4"), 0, 20)
    plans = []
    for text in (FULL, FULL.replace("top_left", "top_right"), FULL.replace("outro: outro.mkv", ""),
                 FULL.replace("opacity: 1", "opacity: 0.5")):  # fmt: skip
        (kit / "other.yaml").write_text(text)
        brand = read_brand(kit, "other", "clean")
        plans.append(plan_edit(context, brand.style, NO_SOUND, CPU, [], branding=brand.branding))
    logo = plans[0].assets["brand/logo.png"]
    plans.append(replace(plans[0], assets={**plans[0].assets, "brand/logo.png": logo[::-1]}))
    assert len({editing_context_id(plan, "ab" * 32) for plan in plans}) == 5


def field_rows() -> list[str]:
    """The rows of the table of fields in docs/brand.md, from the schema file."""
    rows: list[str] = []

    def add(schema: dict[str, Any], prefix: str) -> None:
        for name, field in schema["properties"].items():
            if "properties" in field:
                add(field, f"{prefix}{name}.")
            else:
                rows.append(f"| `{prefix}{name}` | {_takes(field)} | {field['description']} |")

    add(json.loads(SCHEMA.read_text()), "")
    return rows


def _takes(field: dict[str, Any]) -> str:
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if "minimum" in field:
        return f"{field['type']}, {field['minimum']:g} to {field['maximum']:g}"
    if "a-f" in field.get("pattern", ""):
        return '`"#RRGGBB"`'
    return "path" if "/" in field.get("pattern", "") else str(field["type"])


def test_the_documentation_has_every_field_as_the_schema_has_it() -> None:
    page = (SCHEMA.parents[1] / "docs" / "brand.md").read_text(encoding="utf-8")
    table = [line for line in page.splitlines() if line.startswith("| `")]
    assert table == field_rows()
