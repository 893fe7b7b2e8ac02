"""The code location, but for one thing: told so, its process group dies in the middle of a cycle.

``OMNIVA_TEST_DIES`` names a file that says where: ``undecided``, before what was decided is
committed; ``decided``, after that, but before a run is asked for; ``offered``, when that is noted,
but the daemon has not heard it. The file is taken away first, so that each death happens once.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from omniva_dagster.definitions import defs
from omniva_dagster.resources import control, offering
from omniva_dagster.resources.sitting import Sitting

__all__ = ["defs"]


def _die_if_told(where: str) -> None:
    told = Path(os.environ["OMNIVA_TEST_DIES"])
    with suppress(FileNotFoundError):
        if told.read_text() == where:
            told.unlink()
            os.killpg(0, signal.SIGKILL)


def _dying_after(where: str, act: Callable[..., Any]) -> Callable[..., Any]:
    def acted(*arguments: Any, **named: Any) -> Any:
        result = act(*arguments, **named)
        _die_if_told(where)
        return result

    return acted


Sitting.hear = _dying_after("undecided", Sitting.hear)  # type: ignore[method-assign]
control.run_cycle = _dying_after("decided", control.run_cycle)
offering.offer = _dying_after("offered", offering.offer)
