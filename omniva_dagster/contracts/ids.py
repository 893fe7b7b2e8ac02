"""Ids: random where nothing names the object, derived where something does (DESIGN: Ids)."""

from __future__ import annotations

import hashlib
import json
from json.encoder import encode_basestring_ascii


def derive_id(namespace: str, *parts: str | int) -> str:
    """A canonical UUIDv4-shaped id that the same parts always give.

    SHA-256 over the namespace and the parts (as a JSON array, so that no two lists of parts share
    an encoding), cut to 128 bits, with version 4's version and variant bits (RFC 9562, 5.4).
    """
    # Written out: the ledger derives an id for every packet, and json and uuid take thrice as long.
    text = ",".join([_encoded(part) for part in (namespace, *parts)])
    digits = hashlib.sha256(f"[{text}]".encode("ascii")).hexdigest()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


def _encoded(part: str | int) -> str:
    return encode_basestring_ascii(part) if isinstance(part, str) else json.dumps(part)


def milliseconds(seconds: float) -> int:
    """Whole milliseconds: the resolution in which spans take part in ids."""
    return round(seconds * 1000)


def creator_id_of(slug: str) -> str:
    """The id of a registered creator."""
    return derive_id("creator", slug)


def worker_id_of(name: str) -> str:
    """The id of a worker pool (``scraper``) or of one of its instances (``editor/host``)."""
    return derive_id("worker", name)


def video_id_of(platform: str, platform_id: str) -> str:
    """The id of a video, the same however and whenever it was found."""
    return derive_id("video", platform, platform_id)


def candidate_id_of(video_id: str, start_time: float, end_time: float) -> str:
    """The id of a span of a video; a promoted candidate's ``clip_id`` is this."""
    return derive_id("clip", video_id, milliseconds(start_time), milliseconds(end_time))


# What a directive about all work there is, is about.
EVERYTHING = derive_id("scope", "all")
