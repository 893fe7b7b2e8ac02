"""The sample footage, built once: it costs more CPU than all the tests that look at it."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from omniva_dagster.demo import footage


@pytest.fixture(scope="session")
def sample_footage(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> list[footage.SampleVideo]:
    """Both videos, kept between sessions until a line of the package that builds them changes."""
    if getattr(pytestconfig, "cache", None) is None:
        return footage.build_footage(tmp_path_factory.mktemp("footage"))
    digest = hashlib.sha256()
    for module in sorted(Path(footage.__file__).parent.glob("*.py")):
        digest.update(module.read_bytes())
    folder = pytestconfig.cache.mkdir(f"footage-{digest.hexdigest()[:16]}")
    for outdated in folder.parent.glob("footage-*"):
        if outdated != folder:
            shutil.rmtree(outdated)
    return footage.build_footage(folder)
