"""What loading the code location costs, beside `import dagster` alone, in CPU seconds.

Run: python benchmarks/load.py
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys

ROUNDS = 7


def cpu_seconds(code: str) -> float:
    """User and system time of a fresh interpreter that runs ``code``."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def main() -> None:
    """Alternate the two, so that a noisy machine is noisy for both."""
    codes = {"dagster": "import dagster", "omniva": "import omniva_dagster.definitions"}
    taken: dict[str, list[float]] = {name: [] for name in codes}
    for _ in range(ROUNDS):
        for name, code in codes.items():
            taken[name].append(cpu_seconds(code))
    medians = {name: statistics.median(values) for name, values in taken.items()}
    for name, value in medians.items():
        print(f"{name:8} {value:.2f} CPU s")
    print(f"ratio    {medians['omniva'] / medians['dagster']:.2f} (aim: at most 1.3)")


if __name__ == "__main__":
    main()
