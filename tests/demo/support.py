"""Short programmes, builders in processes of their own, and how far two texts are apart."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from omniva_dagster.demo.footage.programme import Passage, Programme, Shot, Window

_BUILDER = """
import sys
from pathlib import Path
from omniva_dagster.demo import footage
from tests.demo.support import silent_programme
footage.PROGRAMMES = (silent_programme(float(sys.argv[2])),)
footage.build_footage(Path(sys.argv[1]), lambda _, done: print(done, flush=True))
"""
_DIGITS = {"40": "forty", "10": "ten"}


def silent_programme(seconds: float) -> Programme:
    """Nothing is said while a camera moves over a cup of coffee."""
    pan = Shot("coffee", Window(0.4, 0.5, 0.7), Window(0.6, 0.5, 0.7))
    return Programme("silent", "Silence", "", (), (Passage("", (pan,), pause=seconds),))


def start_builder(folder: Path, seconds: float) -> subprocess.Popen[str]:
    """Build a silent programme in another process, which prints each fraction that it reports."""
    command = [sys.executable, "-c", _BUILDER, str(folder), str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def words(text: str) -> list[str]:
    """Words in lower case without punctuation; the numbers that Whisper writes, in letters."""
    found = re.findall(r"[a-z0-9']+", text.lower())
    return [_DIGITS.get(word, word) for word in found]


def word_error_rate(said: list[str], heard: list[str]) -> float:
    """Substitutions, insertions and omissions, by the number of words said."""
    row = list(range(len(heard) + 1))
    for i, expected in enumerate(said, 1):
        diagonal, row[0] = row[0], i
        for j, actual in enumerate(heard, 1):
            cost = min(row[j] + 1, row[j - 1] + 1, diagonal + (expected != actual))
            diagonal, row[j] = row[j], cost
    return row[-1] / len(said)
