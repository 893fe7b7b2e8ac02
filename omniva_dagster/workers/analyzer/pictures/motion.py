"""How much the picture changes, second by second."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Pictures are compared over so long, whatever the frame rate.
_APART_SECONDS = 0.2


class Motion:
    """Takes gists (`small.Thumb.gist`) in order; a second's motion is their mean absolute change
    in brightness over a fifth of a second, of 255. What a cut changes is no motion."""

    def __init__(self) -> None:
        self._sums: list[float] = []
        self._counts: list[int] = []
        self._time = 0.0
        self._luma: NDArray[np.float32] | None = None

    def see(self, time: float, gist: NDArray[np.float32], *, new: bool) -> None:
        """Take a picture; ``new`` says that it may be the first of a shot."""
        import numpy as np

        if new or self._luma is None:
            self._time, self._luma = time, gist[0]
        elif time - self._time >= _APART_SECONDS - 1e-6:
            change = float(np.abs(gist[0] - self._luma).mean()) / 255
            self._note(change, self._time, time)
            self._time, self._luma = time, gist[0]

    def _note(self, change: float, start: float, end: float) -> None:
        """At one picture a second and less, a change is that of every second it took."""
        for second in range(int(start), max(int(start) + 1, math.ceil(end))):
            while len(self._sums) <= second:
                self._sums.append(0.0)
                self._counts.append(0)
            self._sums[second] += change
            self._counts[second] += 1

    def finish(self, end: float) -> list[float]:
        """A value for each second up to ``end`` (seconds), 0 to 1."""
        found = [
            round(total / count, 4) if count else 0.0
            for total, count in zip(self._sums, self._counts, strict=True)
        ]
        length = math.ceil(end)
        return (found + [0.0] * (length - len(found)))[:length]
