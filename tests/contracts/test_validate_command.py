"""``omniva validate``: for people, for programs, and for streams."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from omniva_dagster.cli import validate as module
from omniva_dagster.cli.validate import validate
from tests.contracts.support import ROOT, TYPES, example, without


def run(*arguments: str | Path, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(validate, [str(argument) for argument in arguments], input=stdin)


def line(document: object) -> bytes:
    return json.dumps(document).encode() + b"\n"


@pytest.mark.parametrize("name", TYPES)
def test_a_printed_example_is_valid(name: str) -> None:
    result = run(name, ROOT / "schemas/examples" / f"{name}.json")
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "1 valid, 0 not" in result.stderr


def test_each_fault_is_a_line_with_file_line_pointer_and_words(tmp_path: Path) -> None:
    path = tmp_path / "jobs.ndjson"
    bad = without("UploadJob", "title", privacy_status="hidden")
    path.write_bytes(line(example("UploadJob")) + b"\n" + line(bad) + b'{"clip_id": \n')
    result = run("UploadJob", path)
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        f"{path}:3 /title is required",
        f'{path}:3 /privacy_status must be one of public, unlisted or private (got "hidden")',
        f"{path}:4 / is not JSON: Expecting value at column 13",
    ]
    assert "1 valid, 2 not" in result.stderr


def test_for_programs_each_error_object_is_a_line(tmp_path: Path) -> None:
    path = tmp_path / "job.json"
    path.write_text(json.dumps(without("UploadJob", "title"), indent=2))
    result = run("--json", "UploadJob", path)
    assert result.exit_code == 1
    (error,) = [json.loads(each) for each in result.output.splitlines()]
    assert error["code"] == "INVALID_PAYLOAD"
    assert error["details"] == {
        "file": str(path),
        "line": 1,
        "faults": [{"pointer": "/title", "message": "is required"}],
    }


def test_standard_input_is_read_as_a_dash() -> None:
    good = run("ScheduleTask", "-", stdin=line(example("ScheduleTask")) * 3)
    assert (good.exit_code, good.stdout) == (0, "")
    assert "3 valid" in good.stderr
    bad = run("ScheduleTask", "-", stdin=line({}))
    assert bad.exit_code == 1
    assert "standard input:1 /clip_id is required" in bad.stdout


@pytest.mark.parametrize(
    "stdin",
    [b"\xff\xfe{}", b'{"clip_id": 1, "clip_id": 2}', b"[1,\n2]", b"[]", b"", b" \n\n", b"\x00"],
)
def test_what_is_no_document_is_an_error_not_a_crash(stdin: bytes) -> None:
    result = run("ScheduleTask", "-", stdin=stdin)
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert "standard input:1 /" in result.stdout


def test_a_key_that_comes_twice_is_named() -> None:
    text = line(example("ScheduleTask")).replace(b'{"clip_id"', b'{"clip_id": "x", "clip_id"')
    result = run("ScheduleTask", "-", stdin=text)
    assert result.stdout == "standard input:1 /clip_id is there more than once\n"


def test_a_terminal_is_not_given_what_a_sender_wrote() -> None:
    text = line({**example("ScheduleTask"), "\x1b[2J\u202e": "\x1b]0;title\x07"})
    result = run("ScheduleTask", "-", stdin=text)
    assert result.exit_code == 1
    assert result.stdout.count("\n") == 1
    assert result.stdout.strip().isprintable()


def test_an_unknown_type_is_a_usage_error_that_lists_the_known_ones() -> None:
    result = run("Clip", "-", stdin=b"{}")
    assert result.exit_code == 2
    listed = "".join(result.output.split())
    assert all(name in listed for name in TYPES)


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    assert run("UploadJob", tmp_path / "none.json").exit_code == 2
    assert run("UploadJob").exit_code == 2


def test_a_stream_is_read_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "many.ndjson"
    with path.open("wb") as file:
        for _ in range(5_000):
            file.write(line(example("ScheduleTask")))
    run("ScheduleTask", "-", stdin=line(example("ScheduleTask")))
    tracemalloc.start()
    result = run("ScheduleTask", path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "5000 valid" in result.stderr
    assert peak < path.stat().st_size / 4


@pytest.mark.parametrize("suffix", ["ndjson", "json"])
def test_a_line_too_long_is_refused_and_the_next_one_read(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 1000)
    path = tmp_path / f"long.{suffix}"
    path.write_bytes(line(example("ScheduleTask")) + b"{" + b" " * 5000 + b"}\n" + line({}))
    result = run("ScheduleTask", path)
    assert f"{path}:2 / is longer than 1000 bytes" in result.stdout
    assert f"{path}:3 /clip_id is required" in result.stdout
    assert "1 valid, 2 not" in result.stderr
    whole = tmp_path / "whole.json"
    whole.write_bytes(b"{\n" + b" " * 5000 + b"}")
    assert "is longer than 1000 bytes" in run("ScheduleTask", whole).stdout
