from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from omniva_dagster.contracts.video import Platform, VideoAsset
from omniva_dagster.workers.scraper import VideoMetadata, describe, normalize
from omniva_dagster.workers.scraper.metadata import listing_of, platform_id_of
from omniva_dagster.workers.scraper.text import clean_uri

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=10**30, max_value=10**40),
    st.floats(),
    st.text(st.characters(), max_size=40),
    st.binary(max_size=10),
    st.sampled_from(
        [
            "https://example.com/a?b=c#d",
            "https://exämple.com/ä ö%zz|",
            "http://[::1",
            "http://[::1]:99999/",
            "https://user:pw@example.com/",
            "20260304",
            "20260230",
            "99999999",
            "\ud800",
            "\u202e" * 10,
            "x" * 30000,
            "\n" * 3000,
        ]
    ),
)
JUNK = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=6,
)
FIELDS = """
    id title description uploader channel uploader_id tags timestamp upload_date release_date
    release_timestamp view_count like_count duration webpage_url original_url url extractor
"""
INFOS = st.dictionaries(st.sampled_from(FIELDS.split()), JUNK)


def as_asset(metadata: VideoMetadata) -> VideoAsset:
    """The asset that holds this metadata and is otherwise in order."""
    uuid = "123e4567-e89b-42d3-a456-426614174000"
    optional = {
        name: value
        for name in ("uploaded_at", "view_count", "like_count")
        if (value := getattr(metadata, name)) is not None
    }
    return VideoAsset(
        video_id=uuid,
        job_id=uuid,
        creator_id=uuid,
        platform=metadata.platform,
        platform_id=metadata.platform_id,
        source_url=metadata.source_url,
        title=metadata.title,
        description=metadata.description,
        uploader=metadata.uploader,
        tags=list(metadata.tags),
        duration_seconds=1.0,
        width=1,
        height=1,
        frame_rate=25.0,
        has_audio=True,
        media_uri="file:///a",
        metadata_uri="file:///b",
        sha256="0" * 64,
        size_bytes=1,
        ingested_at="2026-03-04T05:06:07Z",
        **optional,
    )


@pytest.mark.part("SCR-3")
@example({"timestamp": -62135596801})
@settings(max_examples=400, deadline=None)
@given(INFOS)
def test_whatever_an_extractor_says_fits_the_contract(info: dict[str, Any]) -> None:
    asset = as_asset(normalize(info))
    json.dumps(asset.model_dump(mode="json")).encode()
    asset.title.encode("utf-8")
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in asset.title + asset.uploader)
    assert not any(ord(c) < 32 and c not in "\n\t" for c in asset.description)


@settings(max_examples=200, deadline=None)
@given(INFOS)
def test_whatever_is_kept_of_it_is_json_and_says_the_same(info: dict[str, Any]) -> None:
    kept = json.loads(json.dumps(describe(info), allow_nan=False))
    assert describe(kept) == kept
    again = normalize(kept)
    assert again.uploaded_at == normalize(info).uploaded_at
    assert again.view_count in (normalize(info).view_count, None)


@settings(max_examples=200, deadline=None)
@given(SCALARS)
def test_a_cleaned_uri_is_stable(value: Any) -> None:
    uri = clean_uri(value)
    assert uri is None or clean_uri(uri) == uri


@pytest.mark.parametrize(
    ("url", "identity"),
    [
        ("https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=5", "dQw4w9WgXcQ"),
        ("https://youtu.be/dQw4w9WgXcQ?si=x", "dQw4w9WgXcQ"),
        ("https://m.youtube.com/shorts/dQw4w9WgXcQ", "dQw4w9WgXcQ"),
        ("https://www.tiktok.com/@someone/video/7301234567890123456", "the id"),
        ("https://notyoutube.com/watch?v=dQw4w9WgXcQ", None),
        ("https://example.com/dQw4w9WgXcQ", None),
    ],
)
def test_a_video_is_known_by_its_platforms_id_or_else_by_its_page(
    url: str, identity: str | None
) -> None:
    extractor_id = "the id" if identity != "the id" else "the_id"
    expected = identity.replace(" ", "_") if identity else url
    assert platform_id_of(url, extractor_id) == expected


def test_an_entry_of_a_list_and_its_page_are_the_same_video() -> None:
    url = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"
    whole = normalize({"id": "dQw4w9WgXcQ", "webpage_url": url, "extractor_key": "Youtube"})
    flat = listing_of({"_type": "url", "url": url, "id": "dQw4w9WgXcQ"}, url)
    assert (whole.platform, whole.platform_id) == (Platform.YOUTUBE, flat.platform_id)


def test_two_long_pages_are_two_videos() -> None:
    start = "https://example.com/" + "a" * 600
    one, two = platform_id_of(start + "1", None), platform_id_of(start + "2", None)
    assert one != two
    assert max(len(one), len(two)) <= 512


def test_dates_are_as_exact_as_they_are_known() -> None:
    assert normalize({"timestamp": 1772600767}).uploaded_at == "2026-03-04T05:06:07Z"
    assert normalize({"timestamp": 1772600767.9}).uploaded_at == "2026-03-04T05:06:07Z"
    assert normalize({"upload_date": "20260304"}).uploaded_at == "2026-03-04T00:00:00Z"
    assert normalize({"upload_date": "20260230"}).uploaded_at is None
    assert normalize({"timestamp": True}).uploaded_at is None


def test_emoji_stay_whole_and_directions_do_not_stay() -> None:
    title = normalize({"title": "  👩‍👩‍👧\u202e evil\u0000\r\n two\u2028three "}).title
    assert title == "👩‍👩‍👧 evil two three"
