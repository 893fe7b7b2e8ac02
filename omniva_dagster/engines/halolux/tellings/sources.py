"""From the page to the candidate: scraping and analysis."""

from __future__ import annotations

from collections.abc import Iterator

from omniva_dagster.engines.halolux.evidence import Evidence, Packet
from omniva_dagster.engines.halolux.telling import Said, Told, tells
from omniva_dagster.engines.halolux.words import (
    clock,
    digest,
    joined,
    listed,
    moment,
    number,
    quoted,
    seconds,
)

FIRST_WORDS = 120


@tells("ScraperJob")
def _scraper_job(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    if said["status"] == "DONE":
        return None
    wanted = said["requested_range"]
    what = (
        f"what {quoted(said['target_url'])} published from {moment(wanted['since'])} until "
        f"{moment(wanted['until'])}"
    )
    if said["status"] in ("PENDING", "RUNNING"):
        return f"{packet.producer} asked for {what}."
    return f"The request for {what} ended as {said['status']}."


@tells("RawCapture")
def _raw_capture(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    return (
        f"The file came from {quoted(said['source_url'])}: {said['size_bytes']} bytes, its "
        f"checksum begins {digest(said['sha256'])}."
    )


@tells("VideoAsset")
def _video(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    by = f" by {quoted(said['uploader'])}" if said.get("uploader") else ""
    published = f", published {moment(said['uploaded_at'])}" if "uploaded_at" in said else ""
    sound = "with sound" if said["has_audio"] else "without sound"
    return (
        f"The video is {quoted(said['title'])}{by}, {clock(said['duration_seconds'])} long, "
        f"{said['width']} by {said['height']} pixels, {sound}{published}, from "
        f"{quoted(said['source_url'])}."
    )


@tells("AnalysisResult")
def _analysis(packet: Packet, _among: Evidence) -> Iterator[Said | str]:
    said = packet.payload
    heard = said["transcript"].strip()
    begins = f"heard it begin with {quoted(heard, FIRST_WORDS)}" if heard else "heard no words"
    yield Said(
        f"The analyzer {begins} and found {len(said['clip_candidates'])} spans worth judging; the "
        f"best scored {number(said['virality_score'])}.",
        because="every span of whole sentences is scored feature by feature",
    )
    if said["keywords_detected"]:
        yield f"What is said is about {listed(said['keywords_detected'])}."


@tells("AnalysisPublished")
def _published(packet: Packet, _among: Evidence) -> Told:
    models = [f"{model['name']} {model['version']}" for model in packet.payload["models"]]
    names = [quoted(name) for model in packet.payload["models"] for name in model.values()]
    return f"It was listened to and looked at by {joined(names)}." if models else None


@tells("ClipCandidate")
def _candidate(packet: Packet, _among: Evidence) -> Iterator[Said | str]:
    said = packet.payload
    if "clip_id" in said:  # the same again, pinned: the promotion tells of it
        return
    about = f", about {listed(said['semantic_tags'], 3)}" if said["semantic_tags"] else ""
    focus = f", showing {quoted(said['subject_focus'], 40)}" if said["subject_focus"] else ""
    yield Said(
        f"The span from {clock(said['start_time'])} to {clock(said['end_time'])} (seconds "
        f"{seconds(said['start_time'])} to {seconds(said['end_time'])}){focus}{about} scored "
        f"{number(said['confidence'])}.",
        because="the analyzer's score of the span, the sum of what its features add",
    )
    votes = said["pantheon_votes"]
    if votes:
        ballots = joined([f"{name} {number(vote)}" for name, vote in sorted(votes.items())])
        yield Said(
            f"Pantheon voted {ballots}; Lattice gave it the priority "
            f"{number(said['lattice_priority'])}.",
            because="each persona weighs the same features its own way",
        )


@tells("VideoAssetCreated", "ScrapeCommand", "AnalyzeCommand")
def _handed_on(_packet: Packet, _among: Evidence) -> Told:
    return None  # they hold what other packets tell


@tells("ScrapeFailed", "AnalysisFailed", "EditFailed")
def _failed(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    ends = " and will not be tried again by itself" if said["retries_exhausted"] else ""
    return (
        f"{packet.producer} failed with {said['reason_code']} at attempt {said['attempt']}{ends}: "
        f"{quoted(said['message'])}."
    )
