"""The data dictionary says what the contracts say, of everything that there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from omniva_dagster.cli import cli
from omniva_dagster.contracts.registry import MESSAGE_TYPES
from omniva_dagster.stardust.entries import COLUMNS
from omniva_dagster.stardust.views import VIEWS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def written() -> str:
    result = CliRunner().invoke(cli, ["ledger", "dictionary"])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_committed_dictionary_is_what_the_contracts_say(written: str) -> None:
    committed = (ROOT / "docs/ledger-dictionary.md").read_text(encoding="utf-8")
    assert committed == written, "run `omniva ledger dictionary --out docs/ledger-dictionary.md`"


def test_every_column_table_and_field_is_there_with_its_meaning(written: str) -> None:
    for name in COLUMNS:
        assert f"| `{name}` |" in written
    for name in VIEWS:
        assert f"### `{name}`\n" in written
    for name, model in MESSAGE_TYPES.items():
        if name == "Envelope":
            continue
        part = written.split(f"### {name}\n")[1].split("\n### ")[0]
        for field, info in model.model_fields.items():
            assert f"| `{info.alias or field}` |" in part, (name, field)
    rows = [line for line in written.splitlines() if line.startswith("| `")]
    assert len(rows) > 500
    assert [row for row in rows if re.search(r"\|\s*\|$", row)] == []


def test_every_link_inside_leads_somewhere(written: str) -> None:
    headings = {line.strip("# `").lower() for line in written.splitlines() if line[:1] == "#"}
    assert set(re.findall(r"\]\(#([^)]+)\)", written)) <= headings
