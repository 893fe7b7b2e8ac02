"""The rules of the house: which way the arrows point, what an import costs, what a file may be."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from omniva_dagster.contracts.schema import schema_files

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "omniva_dagster"
MOST_LINES = 400
HEAVY = ("pyarrow", "pandas", "sqlalchemy", "dagster", "cv2", "numpy", "av", "faster_whisper")
# Written apart, so that this file does not name them either.
REGISTRY_HOSTS = [
    f"{name}.{top}"
    for name, top in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("crates", "io"),
        ("rubygems", "org"),
        ("anaconda", "org"),
    )
]
INDEX_SETTINGS = re.compile(r"(?:^|[^\w-])--(?:extra-)?(?:index-url|find-links)[ =]\S")


def repository_files() -> list[Path]:
    """Every file that is committed or would be: git's, without what it ignores."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True).stdout
    paths = (ROOT / os.fsdecode(name) for name in listed.split(b"\0") if name)
    return [path for path in paths if path.is_file()]


def configured_hosts() -> list[str]:
    """Hosts of the indexes that this machine's installers were told to use."""
    names = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX")
    pip = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(pip, check=False, capture_output=True, text=True)
    text = " ".join([listed.stdout, *(os.environ.get(name, "") for name in names)])
    hosts = {urlsplit(url).hostname for url in re.findall(r"https?://[^\s'\"]+", text)}
    return sorted(host for host in hosts if host)


def test_the_arrows_between_packages_point_one_way() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [linter, "--no-cache"], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"[1-9][0-9]* kept, 0 broken", done.stdout)


def test_the_contracts_load_without_any_heavy_library() -> None:
    code = "import json, sys, omniva_dagster.contracts.registry; print(json.dumps([*sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    loaded = {name.split(".")[0] for name in json.loads(done.stdout)}
    assert "pydantic" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_the_committed_schemas_are_what_the_contracts_say() -> None:
    committed = {path.name: path.read_bytes() for path in (ROOT / "schemas").glob("*.json")}
    generated = schema_files()
    differing = [name for name in generated if committed.get(name) != generated[name]]
    assert not differing, "run `omniva schemas export`"
    assert set(committed) == set(generated)


def test_no_file_names_the_host_of_a_package_registry() -> None:
    hosts = [host.encode() for host in REGISTRY_HOSTS + configured_hosts()]
    files = repository_files()
    assert ROOT / "requirements.lock" in files
    contents = ((path, path.read_bytes().lower()) for path in files)
    naming = [
        f"{path.relative_to(ROOT)}: {host.decode()}"
        for path, content in contents
        for host in hosts
        if host in content
    ]
    assert naming == []
    lock = (ROOT / "requirements.lock").read_text()
    assert not INDEX_SETTINGS.search(lock)


def test_a_module_fits_in_a_readers_head() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for path in PACKAGE.rglob("*.py")
    }
    assert lengths
    assert {path: n for path, n in lengths.items() if n >= MOST_LINES} == {}
