"""Where a recording is quiet for what it is: a pause in a room is not digital silence. Pure."""

from __future__ import annotations

from collections.abc import Sequence

STEP_SECONDS = 0.1
_SHORTEST = 0.3
# dB: what is this far below speech is never speech, nor a laugh or music that was meant to be
# heard; and a room's own noise varies by this much.
_FAR_BELOW = 30.0
_BELOW = 18.0
_ROOM = 8.0
_SPEECH_SHARE = 0.9
_ROOM_SHARE = 0.1


def quiet_parts(
    levels: Sequence[float], *, step: float = STEP_SECONDS, shortest: float = _SHORTEST
) -> list[tuple[float, float]]:
    """Spans (seconds) of at least ``shortest`` in which nothing but the room is heard.

    ``levels`` are dB for each ``step`` seconds of a video. Quiet is what is near the level that a
    tenth of the video stays below, if that is at least 18 dB below the level of its speech: under
    music that never stops nothing is quiet.
    """
    if not levels:
        return []
    ordered = sorted(levels)
    speech = ordered[int(_SPEECH_SHARE * (len(ordered) - 1))]
    room = ordered[int(_ROOM_SHARE * (len(ordered) - 1))]
    threshold = min(speech - _BELOW, max(room + _ROOM, speech - _FAR_BELOW))
    found: list[tuple[float, float]] = []
    began: int | None = None
    for number, level in enumerate([*levels, float("inf")]):
        if level <= threshold:
            began = number if began is None else began
        elif began is not None:
            if (number - began) * step >= shortest - 1e-9:
                found.append((round(began * step, 3), round(number * step, 3)))
            began = None
    return found
