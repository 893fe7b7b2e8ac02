"""A sample channel on loopback: what a creator's site looks like to a scraper.

An RSS feed (RSS 2.0) whose items link to pages that describe their video as JSON-LD
``VideoObject`` (schema.org), and the media with byte ranges (RFC 9110, section 14). yt-dlp's
generic extractor reads all of it, and people can open it in a browser.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from email.utils import format_datetime
from functools import lru_cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from omniva_dagster.contracts.reasons import WorkerError
from omniva_dagster.contracts.types import parse_timestamp
from omniva_dagster.demo.channel_pages import (
    ChannelVideo,
    feed_xml,
    index_page,
    media_type,
    served_name,
    watch_page,
    watch_url,
)
from omniva_dagster.workers.media.probe import MediaInfo, probe

_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")
_FILE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,120}")
_RANGE = re.compile(r"bytes=(?=-?[0-9])([0-9]{0,18})-([0-9]{0,18})")
_PIECE = 2**18


@dataclass(frozen=True)
class Channel:
    """A channel being served. ``base_url`` has no slash at its end."""

    base_url: str

    @property
    def feed_url(self) -> str:
        """The RSS feed, newest video first."""
        return f"{self.base_url}/feed.xml"

    def watch_url(self, slug: str) -> str:
        """The page of one video."""
        return watch_url(self.base_url, slug)


def write_channel(folder: Path, title: str, videos: list[ChannelVideo]) -> Path:
    """Write ``channel.json`` beside the media files, which must be there already."""
    content = {"title": title, "videos": [asdict(video) for video in videos]}
    _parsed(folder, content)
    path = folder / "channel.json"
    fresh = folder / ".channel.json.new"
    fresh.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", "utf-8")
    fresh.replace(path)
    return path


def read_channel(folder: Path) -> tuple[str, list[ChannelVideo]]:
    """The channel's title and its videos, newest first; ``ValueError`` names what is wrong."""
    return _parsed(folder, json.loads((folder / "channel.json").read_text("utf-8")))


def _parsed(folder: Path, content: dict[str, Any]) -> tuple[str, list[ChannelVideo]]:
    videos = []
    for entry in content["videos"]:
        video = ChannelVideo(**{**entry, "tags": tuple(entry.get("tags") or ())})
        if not _SLUG.fullmatch(video.slug):
            raise ValueError(f"{video.slug!r} is no slug: lower-case letters, digits, - and _")
        parse_timestamp(video.uploaded_at)
        for name in filter(None, (video.file, video.thumbnail)):
            if not _FILE.fullmatch(name) or not (folder / name).is_file():
                raise ValueError(f"{name!r} is not a file in {folder}")
        videos.append(video)
    if len({video.slug for video in videos}) != len(videos):
        raise ValueError("two videos have the same slug")
    newest_first = sorted(videos, key=lambda v: parse_timestamp(v.uploaded_at), reverse=True)
    return str(content["title"]), newest_first


@contextmanager
def serve_channel(folder: Path, port: int = 0) -> Iterator[Channel]:
    """Serve the folder on 127.0.0.1 while inside; port 0 takes a free one.

    ``channel.json`` is read for every request, so a video added meanwhile appears.
    """
    read_channel(folder)
    server = ThreadingHTTPServer(("127.0.0.1", port), ChannelHandler)
    server.daemon_threads = True
    channel = Channel(f"http://127.0.0.1:{server.server_address[1]}")
    server.channel, server.folder = channel, folder  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield channel
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class ChannelHandler(BaseHTTPRequestHandler):
    """Answers for the channel that its server carries."""

    protocol_version = "HTTP/1.1"
    server_version = "omniva-channel"
    sys_version = ""
    # A client that goes silent must not hold a thread for ever.
    timeout = 60

    def do_GET(self) -> None:
        """A page, or a file with a range of it."""
        self._answer(body=True)

    def do_HEAD(self) -> None:
        """The headers of what GET would give."""
        self._answer(body=False)

    def handle(self) -> None:
        """Serve one connection; a client that goes away is no error."""
        with suppress(ConnectionError):
            super().handle()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing: the console is the pipeline's."""

    def _answer(self, *, body: bool) -> None:
        channel: Channel = self.server.channel  # type: ignore[attr-defined]
        folder: Path = self.server.folder  # type: ignore[attr-defined]
        title, videos = read_channel(folder)
        path = urlsplit(self.path).path
        if path == "/":
            return self._text(index_page(channel.base_url, title, videos), "text/html", body=body)
        if path == "/feed.xml":
            feed = feed_xml(channel.base_url, title, videos)
            return self._text(feed, "application/rss+xml", body=body)
        kind, _, name = path.lstrip("/").partition("/")
        video = next((v for v in videos if v.slug == Path(name).stem), None)
        if video is not None and kind == "watch" and name == video.slug:
            page = watch_page(channel.base_url, title, video, measured(folder / video.file))
            return self._text(page, "text/html", body=body)
        if video is not None and kind == "media" and name == served_name(video, video.file):
            return self._file(folder / video.file, video, body=body)
        if video is not None and kind == "image" and name == served_name(video, video.thumbnail):
            return self._file(folder / video.thumbnail, video, body=body)
        return self._text("not here", "text/plain", body=body, status=HTTPStatus.NOT_FOUND)

    def _text(
        self, text: str, kind: str, *, body: bool, status: HTTPStatus = HTTPStatus.OK
    ) -> None:
        data = text.encode("utf-8", "replace")
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Content-Security-Policy", "default-src 'self'; style-src 'unsafe-inline'")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        if body:
            self.wfile.write(data)

    def _file(self, path: Path, video: ChannelVideo, *, body: bool) -> None:
        with path.open("rb") as file:
            status = path.stat()
            size, tag = status.st_size, f'"{status.st_size:x}-{status.st_mtime_ns:x}"'
            wanted = self.headers.get("Range", "")
            if self.headers.get("If-Range", tag) != tag:
                wanted = ""
            span = byte_range(wanted, size)
            if span is None:
                self.send_response(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
                self.send_header("Content-Range", f"bytes */{size}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            first, last = span
            partial = bool(_RANGE.fullmatch(wanted))
            self.send_response(HTTPStatus.PARTIAL_CONTENT if partial else HTTPStatus.OK)
            if partial:
                self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
            self.send_header("Content-Type", media_type(path))
            self.send_header("Content-Length", str(last - first + 1))
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("ETag", tag)
            published = parse_timestamp(video.uploaded_at)
            self.send_header("Last-Modified", format_datetime(published, usegmt=True))
            self.end_headers()
            if body:
                self._send(file, first, last - first + 1)

    def _send(self, file: BinaryIO, first: int, left: int) -> None:
        file.seek(first)
        while left > 0 and (piece := file.read(min(_PIECE, left))):
            try:
                self.wfile.write(piece)
            except ConnectionError:
                self.close_connection = True
                return
            left -= len(piece)


def byte_range(header: str, size: int) -> tuple[int, int] | None:
    """First and last byte that a ``Range`` header asks for; None if it can't be satisfied. A
    header that is no single byte range is ignored, as RFC 9110, 14.2 allows."""
    match = _RANGE.fullmatch(header)
    if match is None:
        return 0, size - 1
    start, end = match.groups()
    if not start:
        return (max(0, size - int(end)), size - 1) if int(end) and size else None
    last = min(int(end), size - 1) if end else size - 1
    return (int(start), last) if int(start) <= last else None


@lru_cache(maxsize=256)
def _measured(path: Path, _changed: tuple[int, int]) -> MediaInfo | None:
    try:
        return probe(path)
    except WorkerError:
        return None


def measured(path: Path) -> MediaInfo | None:
    """What the file holds, measured once while it stays the same; None for a damaged file, which
    a channel may well have."""
    status = path.stat()
    return _measured(path, (status.st_size, status.st_mtime_ns))


__all__ = ["Channel", "ChannelVideo", "read_channel", "serve_channel", "write_channel"]
