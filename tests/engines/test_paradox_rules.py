"""Paradox's rules one by one: where each begins, and what is no conflict."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from omniva_dagster.contracts.cognition.paradox import (
    AtlasCollision,
    ConflictTrigger,
    RecommendedAction,
)
from omniva_dagster.contracts.cognition.stardust import LedgerInconsistency
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.operations.scheduler import SchedulerFault
from omniva_dagster.engines import paradox
from omniva_dagster.engines.paradox.spans import shared
from tests.engines.paradox_corpus import NOW, at, digest, packet

JOB, OTHER = derive_id("job", "one"), derive_id("job", "two")


def find(**fields: Any) -> list[paradox.ConflictResolution]:
    return paradox.find(paradox.Facts(NOW, ConflictTrigger.INGESTION, **fields))


def window(job: str, since: float, until: float, **changes: Any) -> paradox.Window:
    made = paradox.Window(job, "a.example/feed", "ada", at(since), at(until), at(0), packet(job))
    return replace(made, **changes)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://www.youtube.com/@Ada", "http://youtube.com/@ada/videos/"),
        ("https://youtu.be/dQw4w9WgXcQ?si=abc", "https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=3"),
        ("https://youtube.com/shorts/dQw4w9WgXcQ", "https://m.youtube.com/watch?v=dQw4w9WgXcQ"),
        ("https://youtube.com/playlist?list=PL1&si=x", "youtube.com/playlist?list=PL1"),
        ("https://tiktok.com/@Ada", "https://www.tiktok.com/@ada/"),
        ("https://a.example:443/feed.xml#top", "http://A.example//feed.xml"),
        ("https://a.example/f?b=2&a=1&utm_source=x", "https://a.example/f?a=1&b=2"),
        ("https://a.example/caf%C3%A9", "https://a.example/café"),
    ],
)
def test_a_source_is_the_same_however_it_is_written(one: str, other: str) -> None:
    other = other if "://" in other else f"https://{other}"
    assert paradox.source_of(one) == paradox.source_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://youtube.com/@ada", "https://youtube.com/@adam"),
        ("https://youtube.com/watch?v=dQw4w9WgXcQ", "https://youtube.com/watch?v=dQw4w9WgXcR"),
        ("https://youtube.com/@ada/shorts", "https://youtube.com/@ada/streams"),
        ("https://a.example:8080/feed", "https://a.example/feed"),
        ("https://a.example/feed?page=1", "https://a.example/feed?page=2"),
        ("https://a.example/Feed", "https://a.example/feed"),
    ],
)
def test_other_sources_are_not_taken_for_one(one: str, other: str) -> None:
    assert paradox.source_of(one) != paradox.source_of(other)


@pytest.mark.parametrize("url", ["", "not a url", "https://[::1", "https://a:b:c/", "//"])
def test_what_is_no_address_is_left_as_it_is(url: str) -> None:
    assert paradox.source_of(url) == url


def test_ranges_are_half_open() -> None:
    assert find(windows=(window(JOB, 0, 24), window(OTHER, 24, 48))) == []
    (overlap,) = find(windows=(window(JOB, 0, 24), window(OTHER, 23.5, 48, asked_at=at(1))))
    assert overlap.affected_ids == [JOB, OTHER]


def test_a_job_asked_again_is_no_conflict() -> None:
    again = window(JOB, 0, 24, asked_at=at(3), packet_id=packet("again"))
    assert find(windows=(window(JOB, 0, 24), again)) == []


def test_who_followed_a_source_first_stands_whoever_asks_first() -> None:
    early = window(JOB, 0, 24, creator="bob", rank="2026-03-02/bob")
    late = window(OTHER, 0, 24, creator="ada", rank="2026-03-01/ada", asked_at=at(9), packet_id="")
    (overlap,) = find(windows=(early, late))
    assert overlap.affected_ids == [OTHER, JOB]
    assert overlap.evidence == [packet(JOB)]


def clip(name: str, start: float, end: float, **changes: Any) -> paradox.ClipFact:
    made = paradox.ClipFact(derive_id("clip", name), "v", start, end, at(0), packet(name))
    return replace(made, **changes)


@pytest.mark.parametrize(
    ("span", "found"),
    [((0, 30), 1), ((6, 36), 1), ((6.1, 36.1), 0), ((0, 24), 1), ((0, 23), 0), ((-7, 30), 1)],
)
def test_a_clip_is_another_ones_twin_from_four_fifths_on(
    span: tuple[float, float], found: int
) -> None:
    one, other = clip("a", 0, 30), clip("b", *span, promoted_at=at(1))
    assert len(find(clips=(one, other))) == found
    assert (shared(one, other) >= 0.8) == bool(found)


def test_clips_of_other_videos_are_no_twins_unless_the_videos_are_copies() -> None:
    video = paradox.VideoFact("v", "v", "ada", "2026-03-04", at(1), packet("v"), title="x" * 20)
    assert find(clips=(clip("a", 0, 30), clip("b", 0, 30, video_id="w"))) == []
    one, other = derive_id("video", "v"), derive_id("video", "w")
    clips = (clip("a", 0, 30, video_id=one), clip("b", 0, 30, video_id=other))
    fields = {"title": "The very same title", "duration": 61.2}
    copies = (
        replace(video, subject_id=one, video_id=one, **fields),
        replace(video, subject_id=other, video_id=other, **fields, ingested_at=at(2)),
    )
    (twins,) = find(clips=clips, videos=copies)
    assert twins.found_by == "paradox/near_identical_clips@1"
    elsewhere = (copies[0], replace(copies[1], creator="bob"))
    assert find(clips=clips, videos=elsewhere) == []


def video(**changes: Any) -> paradox.VideoFact:
    name = derive_id("video", "other", "v")
    made = paradox.VideoFact(name, name, "ada", "2026-03-04", at(30), packet("v"))
    return replace(made, **changes)


@pytest.mark.parametrize(
    ("uploaded_at", "found"),
    [
        ("2026-03-04T00:00:00Z", 0),
        ("2026-03-04T23:59:59Z", 0),
        ("2026-03-05T00:00:00Z", 0),  # only a date, and wherever that is, it may be the 4th
        ("2026-03-05T00:10:00Z", 1),
        ("2026-03-03T23:00:00Z", 1),
        ("2026-03-05T05:30:00Z", 1),
        ("2026-03-05T06:04:59Z", 1),
    ],
)
def test_a_video_is_under_the_day_of_its_upload(uploaded_at: str, found: int) -> None:
    assert len(find(videos=(video(uploaded_at=uploaded_at),))) == found
    asked = video(uploaded_at=uploaded_at, requested=True)
    assert find(videos=(asked,)) == []


def test_a_video_from_the_future_is_told_even_if_it_was_asked_for() -> None:
    (conflict,) = find(videos=(video(uploaded_at=at(31), requested=True),))
    assert conflict.recommended_action is RecommendedAction.QUARANTINE
    assert find(videos=(video(uploaded_at=at(30.05), requested=True),)) == []


def test_the_same_video_found_again_for_its_own_creator_is_only_noted() -> None:
    asked = video(subject_id=derive_id("ingestion", 1), day="2026-03-09", ingested_at=at(40))
    (noted,) = find(videos=(video(), asked))
    assert noted.recommended_action is RecommendedAction.IGNORE
    assert paradox.to_hold(noted) == []


def test_a_file_of_another_creator_is_for_a_person_to_judge() -> None:
    name = derive_id("video", "other", "w")
    other = video(subject_id=name, video_id=name, creator="bob", ingested_at=at(40))
    same = {"sha256": "a" * 64}
    (conflict,) = find(videos=(video(**same), replace(other, **same)))
    assert conflict.recommended_action is RecommendedAction.QUARANTINE
    assert paradox.to_hold(conflict) == [name]


@pytest.mark.spec("PAR-1")
def test_workers_jobs_and_earlier_reports_are_compared() -> None:
    """PAR-1: takes video and clip metadata, worker state digests, prior conflict reports by
    `_meta_parents`."""
    kinds = ("scraper_job", "analysis_result", "edit_job")
    jobs = tuple(
        digest(10 * number + copy, job_type=kind, natural_id=f"about {kind}")
        for number, kind in enumerate(kinds)
        for copy in (0, 1)
    )
    conflicts = find(jobs=jobs, videos=(video(),), clips=(clip("a", 0, 30),))
    assert len(conflicts) == 3
    earlier = paradox.Prior(derive_id("conflict", "old"), (jobs[0].job_id,), packet("old"))
    again = find(jobs=jobs, prior=(earlier,))
    pointing = [item for item in again if item.prior_conflicts]
    assert [item.prior_conflicts for item in pointing] == [[earlier.conflict_id]]
    assert jobs[0].job_id in pointing[0].affected_ids
    # A job that was given up stands in nobody's way.
    cancelled = tuple(job.model_copy(update={"status": "CANCELLED"}) for job in jobs)
    assert find(jobs=(*jobs[::2], *cancelled[1::2])) == []


def test_jobs_that_exclude_each_other_may_be_done_one_after_the_other() -> None:
    first = digest(1, status="DONE")
    second = digest(2, excludes=[first.job_id])
    assert find(jobs=(first, second)) == []
    running = digest(1, status="RUNNING")
    (conflict,) = find(jobs=(running, second))
    assert conflict.affected_ids == [first.job_id, second.job_id]


def test_a_clip_with_two_slots_waits_until_somebody_says_which() -> None:
    name = derive_id("clip", "a")
    slots = tuple(
        paradox.SlotFact(name, "ada", at(slot), at(1), packet("slot", slot)) for slot in (40, 44)
    )
    (conflict,) = find(slots=slots)
    assert paradox.to_hold(conflict) == [name]
    assert set(conflict.evidence) == {packet("slot", 40), packet("slot", 44)}


def hear(document: Any, **subjects: str) -> list[paradox.ConflictResolution]:
    known = {packet(name): subject for name, subject in subjects.items()}
    message = paradox.Message(document, packet("told"), known)
    return paradox.hear([message], ConflictTrigger.AUDIT, NOW)


def test_a_collision_blocks_what_brought_the_other_file() -> None:
    subject = derive_id("clip", "a")
    collision = AtlasCollision(
        uri="atlas:/clips/a.mp4", held_sha256="a" * 64, offered_sha256="b" * 64,
        offered_by="editor", subject_id=subject, occurred_at=NOW,
    )  # fmt: skip
    (conflict,) = hear(collision)
    assert conflict.recommended_action is RecommendedAction.BLOCK
    assert paradox.to_hold(conflict) == [subject]


@pytest.mark.parametrize(
    ("kind", "severity", "action", "held"),
    [
        ("hash_mismatch", "critical", "quarantine", True),
        ("source_collision", "critical", "quarantine", True),
        ("missing_packet", "critical", "quarantine", True),
        ("cycle", "critical", "block", True),
        ("broken_sequence", "critical", "quarantine", True),
        ("missing_parent", "critical", "quarantine", True),
        ("missing_parent", "warning", "ignore", False),
    ],
)
def test_an_inconsistency_holds_what_it_is_about(
    kind: str, severity: str, action: str, held: bool
) -> None:
    subject = derive_id("clip", "a")
    said = LedgerInconsistency.parse(
        {
            "inconsistency_id": derive_id("inconsistency", kind),
            "kind": kind,
            "severity": severity,
            "packets": [packet("p")],
            "message": "it does not add up",
            "detected_at": NOW,
        }
    )
    (conflict,) = hear(said, p=subject)
    assert conflict.recommended_action == action
    assert (subject in paradox.to_hold(conflict)) == held
    # Also where nothing is known of the packet.
    assert len(hear(said)) == 1


@pytest.mark.part("SCH-3")
def test_a_double_booking_that_the_scheduler_reports_is_validated() -> None:
    clips = sorted(derive_id("clip", name) for name in "abc")
    fields = {
        "subject_id": clips[0],
        "message": "two clips want one slot",
        "constraint": "double_booking",
        "clip_ids": clips,
        "slot": at(40),
        "paradox_invited": True,
    }
    example = SchedulerFault.model_json_schema()["properties"]
    import json
    from pathlib import Path

    path = Path(__file__).parents[2] / "schemas/examples/SchedulerFault.json"
    base = json.loads(path.read_text())
    said = SchedulerFault.parse({**base, **{k: v for k, v in fields.items() if k in example}})
    conflicts = hear(said)
    assert sorted(one for item in conflicts for one in paradox.to_hold(item)) == clips[1:]
    full = {**base, "constraint": "no_free_slot", "clip_ids": clips[:1]}
    assert hear(SchedulerFault.parse(full)) == []


def test_patience_ends_after_three_audits() -> None:
    (conflict,) = find(videos=(video(uploaded_at=at(60)),))
    calls = [paradox.escalation(conflict, times, packet("p"), NOW) for times in range(1, 6)]
    assert [call is not None for call in calls] == [False, False, False, True, True]
    assert calls[3] is not None
    assert calls[3].evidence == [packet("p")]
