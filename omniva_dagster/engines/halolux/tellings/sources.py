"""From the page to the candidate: scraping and analysis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

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
_WORDS = 400
_STRONGEST = 3


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
    count, best = len(said["clip_candidates"]), number(said["virality_score"])
    found = f"{count} {'span' if count == 1 else 'spans'} worth judging; the best scored {best}"
    yield Said(
        f"The analyzer {begins} and found {found if count else 'no span worth judging'}.",
        because="every span of whole sentences is scored feature by feature",
    )
    if said["keywords_detected"]:
        yield f"What is said is about {listed(said['keywords_detected'])}."


@tells("AnalysisPublished")
def _published(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    models = joined([_model(one) for one in said["models"]])
    count = len(said["embeddings"])
    vectors = f"; {count} {'candidate has a vector' if count == 1 else 'candidates have vectors'}"
    vectors = vectors if count else ""
    return Said(
        f"It was analyzed by {models}{vectors}.",
        because="the same file under the same models is analyzed the same",
    )


def _model(model: Mapping[str, str]) -> str:
    does = f" ({quoted(model['role'])})" if "role" in model else ""
    return f"{quoted(model['name'])} in version {quoted(model['version'])}{does}"


@tells("CandidateEvidence")
def _evidence(packet: Packet, _among: Evidence) -> Iterator[Said | str]:
    said = packet.payload
    if said["words"]:
        yield f"In it is said {quoted(said['words'], _WORDS)}."
    strongest = said["features"][:_STRONGEST]
    if strongest:
        parts = [
            f"{quoted(one['name'])} adds {number(one['points'])}, a share of "
            f"{number(one['share'])} ({quoted(one['evidence'])})"
            for one in strongest
        ]
        yield Said(
            f"Of the {len(said['features'])} features that its score is made of, {joined(parts)}.",
            because="points are a feature's value times its weight, and the score is their sum",
        )
    charged = joined(
        [
            f"{quoted(one['name'])} with {number(one['share'])} ({quoted(one['evidence'])})"
            for one in said["charges"]
        ]
    )
    yield Said(
        f"In the choice of spans its cuts were charged for {charged}."
        if charged
        else "In the choice of spans its cuts were charged with nothing.",
        because="each charge takes its share of what a span is worth, and none of its score",
    )


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
