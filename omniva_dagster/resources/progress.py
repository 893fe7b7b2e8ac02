"""Progress of long work, for whoever is watching in this process (the command line)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Listener = Callable[[str, str, float], None]

_listeners: list[Listener] = []


def report(stage: str, label: str, fraction: float) -> None:
    """Tell listeners how far (0 to 1) a stage has come with the thing called ``label``."""
    for listener in _listeners:
        listener(stage, label, fraction)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Call ``listener(stage, label, fraction)`` on every report meanwhile."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)
