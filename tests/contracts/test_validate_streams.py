"""``omniva validate`` as a filter: whatever the length of a stream, the memory is the same."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable

import pytest

from tests.contracts.support import ROOT, example, without

pytestmark = pytest.mark.takes(8)

# The command, and then the most bytes its Python objects took at a time. Not `ru_maxrss`: on Linux
# that of a process begins with what its parent held.
MEASURED = (
    "import sys, tracemalloc\n"
    "from omniva_dagster.cli import main\n"
    "sys.argv = ['omniva', 'validate', *sys.argv[1:]]\n"
    "tracemalloc.start()\n"
    "try:\n    main()\n"
    "finally:\n"
    "    print(tracemalloc.get_traced_memory()[1], file=sys.stderr)\n"
)
MIB = 1024 * 1024


def validated(stream: Iterable[bytes], *arguments: str) -> tuple[int, str, int]:
    """Exit code, what was said last before the memory, and the memory in bytes."""
    command = [sys.executable, "-c", MEASURED, *arguments, "-"]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=subprocess.DEVNULL, stderr=pipe, cwd=ROOT
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        for each in stream:
            process.stdin.write(each)
        process.stdin.close()
        said = process.stderr.read().decode().splitlines()
        code = process.wait(timeout=300)
    return code, said[-2] if len(said) > 1 else "", int(said[-1])


def lines(number: int, wrong_every: int) -> Iterable[bytes]:
    good = json.dumps(example("UploadJob")).encode() + b"\n"
    wrong = json.dumps(without("UploadJob", "title", keywords=["a"] * 16)).encode() + b"\n"
    for at in range(number):
        yield wrong if at % wrong_every == 0 else good


@pytest.mark.parametrize("arguments", [(), ("--json",)], ids=["people", "programs"])
def test_ten_times_the_lines_take_no_more_memory(arguments: tuple[str, ...]) -> None:
    few = validated(lines(800, 2), *arguments, "UploadJob")
    many = validated(lines(8_000, 2), *arguments, "UploadJob")
    assert (few[0], many[0]) == (1, 1)
    if not arguments:
        assert many[1] == "4000 valid, 4000 not"
    assert many[2] - few[2] < MIB


def test_one_document_over_many_lines_and_one_a_line_are_both_read_from_standard_input() -> None:
    job = example("UploadJob")
    for text, count in (
        (json.dumps(job, indent=2), 1),
        (f"\n\n{json.dumps(job, indent=4)}\n\n", 1),
        (f"{json.dumps(job)}\r\n\n{json.dumps(job)}", 2),
    ):
        code, said, _ = validated([text.encode()], "UploadJob")
        assert (code, said) == (0, f"{count} valid, 0 not")
