"""``omniva preview``: what a creator's clips will look like, or what is wrong with their kit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from omniva_dagster.settings import settings
from omniva_dagster.workers.media.probe import probe


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OMNIVA_HOME", str(tmp_path))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    settings.cache_clear()
    (tmp_path / "brands").mkdir()
    yield tmp_path
    settings.cache_clear()


def _previewed(*arguments: str) -> object:
    from omniva_dagster.cli.preview import preview

    return CliRunner().invoke(preview, arguments, catch_exceptions=False)


@pytest.mark.media
def test_a_preview_is_a_clip_a_sheet_and_a_picture_of_the_safe_area(home: Path) -> None:
    (home / "brands" / "ada.yaml").write_text(
        'captions: {style: bold}\ncolours: {text: "#FFEE00"}\n'
    )
    done = _previewed("--creator", "ada", "--seconds", "2", "--json")
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout.splitlines()[-1])
    assert (said["creator"], said["of"]) == ("ada", "a drawn sample")
    assert said["kit"] == str(home / "brands" / "ada.yaml")
    clip = probe(Path(said["clip"]))
    assert (clip.width, clip.height) == (1080, 1920)
    assert clip.duration == pytest.approx(2.0, abs=0.1)
    folder = home / "previews" / "ada"
    assert sorted(path.name for path in folder.iterdir()) == [
        "preview.mp4", "safe-areas.png", "sheet.png", "thumbnail.jpg",
    ]  # fmt: skip
    picture = probe(Path(said["safe_areas"]))
    assert (picture.width, picture.height) == (1080, 1920)


@pytest.mark.media
def test_a_second_preview_takes_the_place_of_the_first(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "elsewhere"
    for _ in range(2):
        done = _previewed("--creator", "ada", "--seconds", "1", "--out", str(out), "--json")
        assert done.exit_code == 0, done.output
    assert len(list(out.iterdir())) == 4


def test_every_fault_of_a_kit_is_a_line_that_says_where(home: Path) -> None:
    kit = home / "brands" / "ada.yaml"
    kit.write_text("captions:\n  style: loud\ncolors: {}\n")
    done = _previewed("--creator", "ada")
    assert done.exit_code == 1
    lines = done.stderr.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(f"{kit}: /captions/style ")
    assert lines[0].endswith("(line 2)")
    assert lines[1].startswith(f"{kit}: /colors ")
    assert not (home / "previews").exists()


def test_a_creators_name_is_no_path(home: Path) -> None:
    from omniva_dagster.contracts.errors import ContractError

    (home / "evil.yaml").write_text("{}")
    with pytest.raises((ContractError, ValueError, LookupError)):
        _previewed("--creator", "../evil")
