"""Ids: random where nothing names the object, derived where something does (DESIGN: Ids)."""

from __future__ import annotations

import hashlib
import json
import uuid


def derive_id(namespace: str, *parts: str | int) -> str:
    """A canonical UUIDv4-shaped id that the same parts always give.

    SHA-256 over the namespace and the parts (as a JSON array, so that no two lists of parts share
    an encoding), cut to 128 bits, with version 4's version and variant bits (RFC 9562, 5.4).
    """
    text = json.dumps([namespace, *parts], ensure_ascii=True, separators=(",", ":"))
    digest = hashlib.sha256(text.encode("ascii")).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


def milliseconds(seconds: float) -> int:
    """Whole milliseconds: the resolution in which spans take part in ids."""
    return round(seconds * 1000)


def creator_id_of(slug: str) -> str:
    """The id of a registered creator."""
    return derive_id("creator", slug)


def video_id_of(platform: str, platform_id: str) -> str:
    """The id of a video, the same however and whenever it was found."""
    return derive_id("video", platform, platform_id)


def candidate_id_of(video_id: str, start_time: float, end_time: float) -> str:
    """The id of a span of a video; a promoted candidate's ``clip_id`` is this."""
    return derive_id("clip", video_id, milliseconds(start_time), milliseconds(end_time))
