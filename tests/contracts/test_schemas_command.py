"""``omniva schemas export`` and ``check``."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from omniva_dagster.cli.schemas import schemas
from omniva_dagster.contracts.schema import schema_files


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    folder = tmp_path / "schemas"
    assert CliRunner().invoke(schemas, ["export", "--out", str(folder)]).exit_code == 0
    return folder


def test_an_export_writes_every_file_and_the_check_agrees(exported: Path) -> None:
    assert {path.name: path.read_bytes() for path in exported.iterdir()} == schema_files()
    checked = CliRunner().invoke(schemas, ["check", "--out", str(exported)])
    assert checked.exit_code == 0
    assert "as the contracts say" in checked.output


def test_the_check_names_each_file_that_differs(exported: Path) -> None:
    (exported / "EditJob.json").write_text("{}\n")
    (exported / "UploadJob.json").unlink()
    old = (exported / "ScraperJob.json").read_text().replace("ScraperJob.json", "Forgotten.json")
    (exported / "Forgotten.json").write_text(old)
    checked = CliRunner().invoke(schemas, ["check", "--out", str(exported)])
    assert checked.exit_code == 1
    lines = {tuple(line.split()) for line in checked.output.splitlines()}
    expected = {("different", "EditJob.json"), ("missing", "UploadJob.json")}
    assert expected | {("stale", "Forgotten.json")} <= lines


def test_an_export_mends_what_differs_says_so_and_leaves_foreign_files(exported: Path) -> None:
    (exported / "EditJob.json").write_text("{}\n")
    old = (exported / "ScraperJob.json").read_text()
    (exported / "Forgotten.json").write_text(old)
    (exported / "package.json").write_text('{"name": "mine"}')
    (exported / "broken.json").write_text("{")
    output = CliRunner().invoke(schemas, ["export", "--out", str(exported)]).output
    assert "rewritten EditJob.json" in output
    assert "deleted   Forgotten.json" in output
    assert "2 changed" in output
    kept = {path.name for path in exported.iterdir()} - set(schema_files())
    assert kept == {"package.json", "broken.json"}
    again = CliRunner().invoke(schemas, ["export", "--out", str(exported)]).output
    assert "0 changed" in again


def test_the_check_of_an_absent_folder_fails(tmp_path: Path) -> None:
    checked = CliRunner().invoke(schemas, ["check", "--out", str(tmp_path / "nowhere")])
    assert checked.exit_code == 1
    assert not (tmp_path / "nowhere").exists()
