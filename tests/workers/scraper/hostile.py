"""A web server on loopback that a test tells, path by path, how to misbehave."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from xml.sax.saxutils import escape

Route = Callable[["Handler"], None]


@dataclass
class Site:
    """``routes`` answer; ``asked`` has (path, Range header) of every request, ``sent`` the bytes
    of bodies per path."""

    base: str
    routes: dict[str, Route] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    sent: Counter[str] = field(default_factory=Counter)

    def url(self, path: str) -> str:
        return self.base + path

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]

    def ranges(self, path: str) -> list[str]:
        return [span for asked, span in self.asked if asked == path]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def do_GET(self) -> None:
        self.site = self.server.site  # type: ignore[attr-defined]
        self.site.asked.append((self.path, self.headers.get("Range", "")))
        self.site.routes.get(self.path, status(404))(self)

    do_HEAD = do_GET  # noqa: N815

    def handle(self) -> None:
        with suppress(ConnectionError):
            super().handle()

    def finish(self) -> None:
        with suppress(OSError):
            super().finish()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass

    def start(self, code: int, headers: dict[str, str]) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def send(self, data: bytes) -> None:
        self.wfile.write(data)
        self.site.sent[self.path] += len(data)

    def hang_up(self) -> None:
        self.wfile.flush()
        self.close_connection = True
        self.connection.shutdown(2)


@contextmanager
def hostile_site(address: str = "127.0.0.1") -> Iterator[Site]:
    server = ThreadingHTTPServer((address, 0), Handler)
    server.daemon_threads = True
    site = Site(f"http://{address}:{server.server_address[1]}")
    server.site = site  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def status(code: int, **headers: str) -> Route:
    def answer(handler: Handler) -> None:
        handler.start(code, {"Content-Length": "0", **headers})

    return answer


def text(body: str, kind: str = "text/html; charset=utf-8", **headers: str) -> Route:
    data = body.encode()

    def answer(handler: Handler) -> None:
        handler.start(200, {"Content-Type": kind, "Content-Length": str(len(data)), **headers})
        handler.send(data)

    return answer


def page(media_url: str, **about: Any) -> Route:
    described = {
        "@context": "https://schema.org",
        "@type": "VideoObject",
        "name": "A video",
        "contentUrl": media_url,
        "encodingFormat": "video/mp4",
        **about,
    }
    script = json.dumps(described).replace("<", "\\u003c")
    return text(f'<html><script type="application/ld+json">{script}</script></html>')


def feed(*items: str) -> Route:
    return text(f'<rss version="2.0"><channel><title>Feed</title>{"".join(items)}</channel></rss>')


def item(url: str, title: str = "An item", published: str = "") -> str:
    date = f"<pubDate>{published}</pubDate>" if published else ""
    return f"<item><title>{escape(title)}</title><link>{escape(url)}</link>{date}</item>"


def media(data: bytes, kind: str = "video/mp4") -> Route:
    """The whole file, or the rest of it from where the request says."""

    def answer(handler: Handler) -> None:
        first = start_of(handler)
        headers = {"Content-Type": kind, "Content-Length": str(len(data) - first)}
        if first >= len(data) > 0:
            handler.start(416, {"Content-Length": "0"})
            return
        if first:
            headers["Content-Range"] = f"bytes {first}-{len(data) - 1}/{len(data)}"
        handler.start(206 if first else 200, headers)
        handler.send(data[first:])

    return answer


def start_of(handler: Handler) -> int:
    span = handler.headers.get("Range", "")
    return int(span.removeprefix("bytes=").partition("-")[0]) if span else 0
