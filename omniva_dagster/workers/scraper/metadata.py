"""yt-dlp's info dictionaries in the form of our contracts. Pure functions that never raise,
whatever a page made its extractor say."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from omniva_dagster.contracts.types import MAX_NUMBER, format_timestamp
from omniva_dagster.contracts.video import Platform
from omniva_dagster.workers.scraper.model import Listing, VideoMetadata
from omniva_dagster.workers.scraper.text import (
    bounded_id,
    clean_json,
    clean_line,
    clean_text,
    clean_uri,
)

Info = dict[str, Any]

_HOSTS = {
    "youtube.com": Platform.YOUTUBE,
    "youtu.be": Platform.YOUTUBE,
    "youtube-nocookie.com": Platform.YOUTUBE,
    "tiktok.com": Platform.TIKTOK,
    "instagram.com": Platform.INSTAGRAM,
}
_YOUTUBE_PATH = re.compile(
    r"(?:/(?:shorts|live|embed|v)/|[?&]v=|youtu\.be/)([A-Za-z0-9_-]{11})(?![A-Za-z0-9_-])"
)
_PLATFORM_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
# What describes the video; not how to reach it: format lists hold signed, expiring URLs.
_DESCRIBING = """
    id title fulltitle alt_title display_id description uploader uploader_id uploader_url channel
    channel_id channel_url channel_follower_count creators artists album track tags categories cast
    chapters heatmap timestamp upload_date release_timestamp release_date release_year
    modified_timestamp modified_date duration view_count like_count dislike_count repost_count
    comment_count average_rating age_limit language license location availability live_status
    was_live media_type webpage_url original_url webpage_url_domain extractor extractor_key
    thumbnail series season season_number episode episode_number width height fps vcodec acodec
    dynamic_range aspect_ratio ext format_id protocol
"""
_KEPT = frozenset(_DESCRIBING.split())
_UNKNOWN_SOURCE = "about:blank"
_MOST_TAGS, _LONGEST_TAG = 100, 200


def normalize(info: Info) -> VideoMetadata:
    """The info of one video as `VideoMetadata`; what is missing or makes no sense is left empty."""
    url = clean_uri(info.get("webpage_url")) or clean_uri(info.get("original_url"))
    source = url or clean_uri(info.get("url")) or _UNKNOWN_SOURCE
    moment = moment_of(info)
    return VideoMetadata(
        platform=platform_of(source),
        platform_id=platform_id_of(source, info.get("id")),
        source_url=source,
        title=clean_line(info.get("title"), 500),
        description=clean_text(info.get("description"), 20000),
        uploader=_first_line(info, "uploader", "channel", "creator", "uploader_id"),
        tags=_tags(info.get("tags")),
        uploaded_at=format_timestamp(moment) if moment else None,
        view_count=_count(info.get("view_count")),
        like_count=_count(info.get("like_count")),
    )


def listing_of(info: Info, url: str) -> Listing:
    """What an info, flat or whole, says of the video at ``url`` (one that `clean_uri` gave)."""
    moment = moment_of(info)
    return Listing(
        url=url,
        platform_id=platform_id_of(url, info.get("id")),
        title=clean_line(info.get("title"), 500),
        uploaded_at=format_timestamp(moment) if moment else None,
        duration=duration_of(info),
        uploader=_first_line(info, "uploader", "channel", "creator", "uploader_id"),
    )


def describe(info: Info) -> Info:
    """What of an info is kept beside the file: the description, no headers, no signed URLs."""
    kept = {key: clean_json(value) for key, value in info.items() if key in _KEPT}
    return {key: value for key, value in kept.items() if value is not None}


def platform_of(url: str) -> Platform:
    """The platform a page's URL belongs to."""
    host = urlsplit(url).hostname or ""
    return next(
        (name for site, name in _HOSTS.items() if host == site or host.endswith(f".{site}")),
        Platform.OTHER,
    )


def platform_id_of(url: str, extractor_id: Any) -> str:
    """The platform's id of a video where it has one, else the page's URL: other sites' ids are
    not unique among each other. The same URL gives the same id, read or unread."""
    platform = platform_of(url)
    if platform is Platform.YOUTUBE and (found := _YOUTUBE_PATH.search(url)):
        return found.group(1)
    if (
        platform is not Platform.OTHER
        and isinstance(extractor_id, str)
        and _PLATFORM_ID.fullmatch(extractor_id)
    ):
        return extractor_id
    return bounded_id(url)


def moment_of(info: Info) -> datetime | None:
    """When the video was published: to the second where known, else the start of that day UTC."""
    for key in ("timestamp", "upload_date", "release_timestamp", "release_date"):
        value = info.get(key)
        moment = _day(value) if isinstance(value, str) else _instant(value)
        if moment is not None:
            return moment
    return None


def duration_of(info: Info) -> float | None:
    """Seconds as declared, if they make sense."""
    value = _number(info.get("duration"))
    return value if value is not None and 0 < value < 1e7 else None


def _instant(value: Any) -> datetime | None:
    seconds = _number(value)
    if seconds is None or abs(seconds) > 1e11:
        return None
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=math.floor(seconds))
    except OverflowError:  # before the year 1, or after 9999
        return None
    return moment if 1000 <= moment.year < 3000 else None


def _day(value: str) -> datetime | None:
    if not re.fullmatch(r"[12][0-9]{7}", value):
        return None
    try:
        return datetime.strptime(value, "%Y%m%d").replace(tzinfo=UTC)
    except ValueError:
        return None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    # An integer too large for a float raises where a float would be infinite.
    if isinstance(value, int) and abs(value) > MAX_NUMBER:
        return None
    return float(value) if math.isfinite(value) else None


def _count(value: Any) -> int | None:
    number = _number(value)
    return int(value) if number is not None and 0 <= number <= MAX_NUMBER else None


def _first_line(info: Info, *keys: str) -> str:
    return next((line for key in keys if (line := clean_line(info.get(key), 500))), "")


def _tags(value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)):
        return ()
    cleaned = (clean_line(tag, _LONGEST_TAG) for tag in value[: _MOST_TAGS * 4])
    return tuple(dict.fromkeys(tag for tag in cleaned if tag))[:_MOST_TAGS]
