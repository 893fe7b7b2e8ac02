"""The pages and the feed of the sample channel, everything in them escaped."""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from omniva_dagster.contracts.types import parse_timestamp
from omniva_dagster.workers.media.probe import MediaInfo

# XML 1.0, production 2: what may not stand in a document even escaped.
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TYPES = {
    ".mp4": "video/mp4",
    ".mkv": "video/x-matroska",
    ".webm": "video/webm",
    ".mov": "video/quicktime",
    ".jpg": "image/jpeg",
    ".png": "image/png",
}


@dataclass(frozen=True)
class ChannelVideo:
    """One video of a channel. ``slug`` names its page; ``file`` and ``thumbnail`` lie in the
    channel's folder; ``uploaded_at`` is a UTC timestamp of `contracts.types`."""

    slug: str
    file: str
    title: str
    uploaded_at: str
    description: str = ""
    uploader: str = ""
    tags: tuple[str, ...] = ()
    thumbnail: str = ""
    view_count: int = 0
    like_count: int = 0


def watch_url(base_url: str, slug: str) -> str:
    """The address of a video's page."""
    return f"{base_url}/watch/{slug}"


def feed_xml(base_url: str, title: str, videos: list[ChannelVideo]) -> str:
    """The RSS 2.0 feed."""
    items = "".join(_item(base_url, video) for video in videos)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel>'
        f"<title>{_xml(title)}</title><link>{base_url}/</link>"
        f"<description>{_xml(title)}</description>\n{items}</channel></rss>\n"
    )


def _item(base_url: str, video: ChannelVideo) -> str:
    page = watch_url(base_url, video.slug)
    published = format_datetime(parse_timestamp(video.uploaded_at), usegmt=True)
    return (
        f"<item><title>{_xml(video.title)}</title><link>{page}</link>"
        f'<guid isPermaLink="true">{page}</guid><pubDate>{published}</pubDate>'
        f"<description>{_xml(video.description)}</description></item>\n"
    )


def _xml(text: str) -> str:
    return escape(_NOT_XML.sub("", text))


def watch_page(base_url: str, title: str, video: ChannelVideo, media: MediaInfo | None) -> str:
    """The page of one video, for people and (as JSON-LD) for programs."""
    source = f"{base_url}/media/{served_name(video, video.file)}"
    image = f"{base_url}/image/{served_name(video, video.thumbnail)}"
    about: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "VideoObject",
        "name": video.title,
        "description": video.description,
        "author": {"@type": "Person", "name": video.uploader or title},
        "uploadDate": video.uploaded_at,
        # A comma inside a tag would make two of it.
        "keywords": ",".join(tag.replace(",", " ") for tag in video.tags),
        "contentUrl": source,
        "encodingFormat": media_type(Path(video.file)),
        "interactionStatistic": [
            _counter("WatchAction", video.view_count),
            _counter("LikeAction", video.like_count),
        ],
    }
    if media is not None:
        about["duration"] = f"PT{media.duration:.3f}S"
        about["width"], about["height"] = media.width, media.height
    if video.thumbnail:
        about["thumbnailUrl"] = image
    picture = f'<img width="640" alt="" src="{image}"><br>' if video.thumbnail else ""
    # A link and no <video>: yt-dlp prefers that element to the description and stops there.
    return (
        f"<!DOCTYPE html>\n<html><head><meta charset='utf-8'><title>{_html(video.title)}</title>"
        f'<script type="application/ld+json">{_json_in_html(about)}</script></head>'
        f"<body><h1>{_html(video.title)}</h1>"
        f'<p><a href="{source}">{picture}Play</a></p>'
        f'<p>{_html(video.description)}</p><p><a href="/">{_html(title)}</a></p></body></html>\n'
    )


def _counter(action: str, count: int) -> dict[str, Any]:
    kind = {"@type": f"https://schema.org/{action}"}
    return {
        "@type": "InteractionCounter",
        "interactionType": kind,
        "userInteractionCount": count,
    }


def index_page(base_url: str, title: str, videos: list[ChannelVideo]) -> str:
    """The channel's front page."""
    rows = "".join(
        f'<li>{video.uploaded_at[:10]} <a href="{watch_url(base_url, video.slug)}">'
        f"{_html(video.title)}</a></li>"
        for video in videos
    )
    return (
        f"<!DOCTYPE html>\n<html><head><meta charset='utf-8'><title>{_html(title)}</title>"
        f'<link rel="alternate" type="application/rss+xml" href="/feed.xml"></head>'
        f"<body><h1>{_html(title)}</h1><ul>{rows}</ul></body></html>\n"
    )


def _html(text: str) -> str:
    return html.escape(text, quote=True)


def _json_in_html(value: Any) -> str:
    # Inside a script element only "</" and "<!--" end or change it; escaping "<" rules out both.
    plain = json.dumps(value)
    return plain.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def served_name(video: ChannelVideo, file: str) -> str:
    """The name a file is served under; its own name stays inside."""
    return f"{video.slug}{Path(file).suffix.lower()}" if file else ""


def media_type(path: Path) -> str:
    """The ``Content-Type`` for a file."""
    return _TYPES.get(path.suffix.lower(), "application/octet-stream")
