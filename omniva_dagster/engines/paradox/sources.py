"""An address in one form: the same channel, however somebody wrote it down."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

_MIRRORS = ("www.", "m.", "mobile.")
_PORTS = {"http": 80, "https": 443}
# What links carry for those who count clicks; it names nothing.
_COUNTING = re.compile(r"utm_.*|fbclid|gclid|igshid|si|pp|feature|ab_channel|app|is_from_webapp")
_YOUTUBE_VIDEO = re.compile(r"/(?:shorts|live|embed|v)/([A-Za-z0-9_-]{11})")
# The first page of a channel, by another name.
_FRONT = re.compile(r"(/(?:@[^/]+|channel/[^/]+|c/[^/]+|user/[^/]+))/(?:videos|featured)")


def source_of(url: str) -> str:
    """A channel's, feed's or video's address without what differs between ways to write it.

    Scheme, default port, ``www.``, a slash at the end, the order of parameters, what counts clicks,
    and YouTube's short forms. What is no address is given back as it is.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").lower().rstrip("."), parts.port
    except ValueError:
        return url
    if not host:
        return url
    for prefix in _MIRRORS:
        host = host.removeprefix(prefix)
    where = host if port in (None, _PORTS.get(parts.scheme.lower())) else f"{host}:{port}"
    path = re.sub(r"/{2,}", "/", unquote(parts.path)).rstrip("/")
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    kept = sorted(pair for pair in pairs if not _COUNTING.fullmatch(pair[0]))
    if host == "youtu.be" and path:
        return f"youtube.com/watch?v={path[1:]}"
    if host == "youtube.com":
        return f"youtube.com{_youtube(path, dict(kept))}"
    if host == "tiktok.com" and path.startswith("/@"):
        path = path.lower()
    return where + path + (f"?{urlencode(kept)}" if kept else "")


def _youtube(path: str, asked: dict[str, str]) -> str:
    video = _YOUTUBE_VIDEO.fullmatch(path)
    if video or (path == "/watch" and asked.get("v")):
        return f"/watch?v={video[1] if video else asked['v']}"
    if path == "/playlist" and asked.get("list"):
        return f"/playlist?list={asked['list']}"
    front = _FRONT.fullmatch(path)
    path = front[1] if front else path
    if path.startswith("/@"):
        handle, slash, rest = path.partition("/videos")
        return handle.lower() + slash + rest
    return path + (f"?{urlencode(sorted(asked.items()))}" if asked else "")
