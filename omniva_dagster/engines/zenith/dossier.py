"""What Zenith decides on: advice as it was heard, and how each subject stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from omniva_dagster.contracts.analysis import ClipCandidate
from omniva_dagster.contracts.cognition.common import Severity
from omniva_dagster.contracts.cognition.zenith import ArbitrationVerdict
from omniva_dagster.contracts.decisions import Directive, DirectiveKind


@dataclass(frozen=True)
class Judged:
    """A judged candidate with its id and packet."""

    candidate_id: str
    candidate: ClipCandidate
    packet_id: str


@dataclass(frozen=True)
class Prepared:
    """A clip ready to go out: its upload job, and every packet the release would rest on."""

    clip_id: str
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class Rules:
    """How much may be promoted."""

    max_clips: int = 9
    min_score: float = 0.35


@dataclass(frozen=True)
class Word:
    """A packet that Zenith hears; ``sequence`` tells which of an operator's words is the newest."""

    packet_id: str
    message_type: str
    sequence: int
    payload: Mapping[str, Any]
    # Whatever is held on what a signal of readiness, or a consent given again, lifts.
    about: tuple[str, ...] = ()


@dataclass(frozen=True)
class Posted:
    """A clip of a creator, with the packet of its receipt if it is out."""

    clip_id: str
    packet_id: str = ""
    # Out there, or perhaps so.
    out: bool = True


@dataclass(frozen=True)
class Ground:
    """What a hold or cancel in force rests on."""

    ground: str
    packet_id: str
    rule: str
    kind: DirectiveKind
    reason: str
    directive_id: str = ""
    until: str = ""


@dataclass(frozen=True)
class Standing:
    """How a subject stands.

    ``permit`` is the latest promotion or release on it, ``enclosing`` what holds the creator, the
    worker, the video or everything it belongs to, ``overruled`` what operators have decided
    against on it, ``reroute`` the reroute in force on it.
    """

    subject_id: str
    scope: str = "clip"
    name: str = ""
    video_id: str = ""
    owner: str = "uploader"
    latest: Directive | None = None
    permit: Directive | None = None
    reroute: Directive | None = None
    grounds: tuple[Ground, ...] = ()
    enclosing: tuple[Ground, ...] = ()
    overruled: frozenset[str] = frozenset()
    # Whether it is a clip, or a candidate that could be one.
    pinnable: bool = True


@dataclass(frozen=True)
class Dossier:
    """All that bears on one video, or on whatever the words are about."""

    video_id: str = ""
    now: str = ""
    judged: tuple[Judged, ...] = ()
    # clips of the video that are pinned already
    promoted: tuple[ClipCandidate, ...] = ()
    prepared: tuple[Prepared, ...] = ()
    # the directive in force, by clip
    in_force: Mapping[str, DirectiveKind] = field(default_factory=dict)
    rules: Rules = Rules()
    replan: bool = False
    words: tuple[Word, ...] = ()
    # how each subject stands that a word or a hold is about; what is not named is as new
    standings: Mapping[str, Standing] = field(default_factory=dict)
    # the clips of creators whose consent is withdrawn, by creator's id
    posted: Mapping[str, tuple[Posted, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Order:
    """A directive, with what it does to the grounds on its subject."""

    directive: Directive
    scope: str = "clip"
    name: str = ""
    joins: tuple[Ground, ...] = ()
    # The words it came of.
    packet_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lift:
    """Grounds that end while others go on: no directive says so, the subject stays held."""

    subject_id: str
    grounds: tuple[str, ...]


@dataclass(frozen=True)
class Notice:
    """Something that a person must look at."""

    occurrence: str
    title: str
    message: str
    severity: Severity
    subject_id: str
    packet_id: str
    reason_code: str = ""


@dataclass(frozen=True)
class Decision:
    """What follows from a dossier."""

    orders: tuple[Order, ...] = ()
    lifts: tuple[Lift, ...] = ()
    verdicts: tuple[ArbitrationVerdict, ...] = ()
    notices: tuple[Notice, ...] = ()

    @property
    def directives(self) -> list[Directive]:
        """The directives, in order."""
        return [order.directive for order in self.orders]
