"""What should stand behind each message, as data; what of it is missing, and how complete it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from omniva_dagster.contracts.cognition.halolux import MissingEvidence
from omniva_dagster.engines.halolux.evidence import Evidence, Packet

_MOST = 100


@dataclass(frozen=True)
class Expectation:
    """A message of a type came of at least one of ``types``, directly.

    ``only`` says which messages of the type it is expected of.
    """

    message_type: str
    types: tuple[str, ...]
    expected_from: str
    consequence: str
    only: Callable[[Packet], bool] = lambda packet: True

    @property
    def what(self) -> str:
        """For people."""
        return f"{' or '.join(self.types[:4])} behind a {self.message_type}"


def _of_kind(*kinds: str) -> Callable[[Packet], bool]:
    return lambda packet: packet.payload.get("kind") in kinds


def _by(producer: str) -> Callable[[Packet], bool]:
    return lambda packet: packet.producer == producer


_WORDS = ("OverrideRequest", "OperatorAction")
_GROUNDS = (
    *("ConflictResolution", "PanicSignal", "ConsentRecord", "QuarantineInstruction"),
    *("ComplianceConflict", "UploadFailed", "LedgerInconsistency", "CrisisEscalation"),
    *_WORDS,
)
EXPECTED: tuple[Expectation, ...] = (
    Expectation("RawCapture", ("ScraperJob",), "scraper_jobs", "who asked for the video"),
    Expectation("VideoAsset", ("RawCapture",), "videos", "which file the video is"),
    Expectation("AnalysisResult", ("VideoAsset",), "videos", "what was analyzed"),
    Expectation(
        "ClipCandidate",
        ("AnalysisResult",),
        "analysis_results",
        "what the candidate was found in",
        _by("clip_candidates"),
    ),
    Expectation(
        "ClipCandidate",
        ("CandidateEvidence",),
        "analysis_results",
        "what is said in it, and what its score is made of",
        _by("clip_candidates"),
    ),
    Expectation(
        "CandidateEvidence", ("AnalysisPublished",), "analysis_results", "which models found it"
    ),
    Expectation("AnalysisPublished", ("RawCapture",), "videos", "which file was analyzed"),
    Expectation(
        "Directive",
        ("ClipCandidate", *_WORDS),
        "clip_candidates",
        "what was promoted, and why it",
        _of_kind("promote"),
    ),
    Expectation(
        "Directive",
        ("UploadJob", "ReadinessSignal", *_GROUNDS),
        "upload_jobs",
        "what was released, or who lifted what held it",
        _of_kind("release"),
    ),
    Expectation(
        "Directive", _GROUNDS, "stardust", "what it was stopped for", _of_kind("hold", "cancel")
    ),
    Expectation(
        "Directive",
        ("RetryPlan", "UploadFailed", *_WORDS),
        "eclipse",
        "what is to be tried again, and when",
        _of_kind("retry"),
    ),
    Expectation(
        "Directive",
        ("FallbackStrategy", *_WORDS),
        "eclipse",
        "what the work was rerouted for",
        _of_kind("reroute"),
    ),
    Expectation("EditJob", ("Directive",), "zenith", "who let it be edited"),
    Expectation("EditJob", ("ClipCandidate",), "zenith_directives", "which span was edited"),
    Expectation("RenderedClip", ("EditJob",), "edit_jobs", "how the clip was to be made"),
    Expectation("ScheduleTask", ("RenderedClip",), "rendered_clips", "what was scheduled"),
    Expectation("UploadJob", ("ScheduleTask",), "schedule_tasks", "when it was to go out"),
    Expectation("UploadJob", ("StyledMetadata",), "chorus", "what was changed in its wording"),
    Expectation("PublicationReceipt", ("Directive",), "zenith", "who let it go out"),
    Expectation("PublicationReceipt", ("UploadJob",), "upload_jobs", "in which words it went out"),
    Expectation("PublicationReceipt", ("RenderedClip",), "rendered_clips", "which file went out"),
    Expectation("PublicationWithdrawn", ("Directive",), "zenith", "who had it taken down"),
    Expectation("RetryPlan", ("WorkerErrorEvent", "Outcome"), "eclipse", "what had failed"),
)


@dataclass(frozen=True)
class Completeness:
    """What is missing, and the share of the expected that was found."""

    missing: tuple[MissingEvidence, ...]
    score: float


def completeness(
    told: Sequence[Packet], evidence: Evidence, *, cut: bool, undecided: bool
) -> Completeness:
    """What should stand behind the packets that are told of, and does not.

    The score is found over expected, where each thing the table names and each parent that a packet
    itself names is expected; 1 exactly where nothing is missing. ``cut`` is for lineage that was
    not read to its end, ``undecided`` for a decision that nothing tells the reason of.
    """
    expected, missing = 0, []
    for packet in told:
        for found in _looked_for(packet, evidence):
            expected += 1
            missing += [found] if found else []
    if cut:
        expected += 1
        missing.append(
            _missing("lineage further back", "stardust", "it is longer than one explanation reads")
        )
    if undecided:
        expected += 1
        missing.append(
            _missing("the limits that clips were promoted within", "zenith", "why it is no clip")
        )
    if not missing:
        return Completeness((), 1.0)
    share = (expected - len(missing)) / expected
    return Completeness(tuple(missing[:_MOST]), min(0.9999, round(share, 4)))


def _looked_for(packet: Packet, evidence: Evidence) -> Iterator[MissingEvidence | None]:
    behind = {
        evidence.by_id[parent].message_type for parent in packet.parents if parent in evidence.by_id
    }
    for one in EXPECTED:
        if one.message_type == packet.message_type and one.only(packet):
            found = behind & set(one.types)
            named = f"{one.what}, {packet.packet_id}"
            yield None if found else _missing(named, one.expected_from, one.consequence)
    for parent in packet.parents:
        if parent in evidence.by_id:
            yield None
        else:
            yield _missing(
                f"packet {parent}, which {packet.message_type} {packet.packet_id} names",
                "stardust",
                "what it said, and whether the conclusion follows from it",
            )


def _missing(what: str, expected_from: str, consequence: str) -> MissingEvidence:
    return MissingEvidence(
        what=what[:200],
        expected_from=expected_from,
        consequence=f"it can not be said {consequence}"
        if consequence.startswith(("who", "what", "which", "how", "when", "why", "in "))
        else consequence,
    )
