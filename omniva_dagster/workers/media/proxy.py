"""The proxy: a small rendition of a video that a site offers, looked at in place of the large one.

It lies beside the media under the name ``proxy`` and an extension of its own. It is always
optional: whoever needs pictures takes the media itself where there is none or it does not fit.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

from omniva_dagster.workers.media.probe import MediaInfo

STEM = "proxy"
_NAME = re.compile(rf"{STEM}\.[a-z0-9]{{1,8}}")
_SECONDS_APART = 1.0
_RATE_APART, _SHAPE_APART = 0.02, 0.03


def proxy_of(media: Path) -> Path | None:
    """The proxy that lies beside a media file, if one does."""
    beside = (path for path in media.parent.glob(f"{STEM}.*") if _NAME.fullmatch(path.name))
    return min((path for path in beside if path.is_file()), default=None)


def fits(media: MediaInfo, proxy: MediaInfo) -> bool:
    """Whether what is seen in the proxy is so in the media: as long to a second, with the same
    pictures each second (or cuts would not be exact to the frame), of the same shape, and smaller.
    """
    if not (media.has_video and proxy.has_video and media.height > 0 and proxy.height > 0):
        return False
    shapes = media.width / media.height, proxy.width / proxy.height
    return (
        abs(media.duration - proxy.duration) <= _SECONDS_APART
        and math.isclose(media.frame_rate, proxy.frame_rate, rel_tol=_RATE_APART)
        and math.isclose(*shapes, rel_tol=_SHAPE_APART)
        and proxy.width * proxy.height < media.width * media.height
    )
