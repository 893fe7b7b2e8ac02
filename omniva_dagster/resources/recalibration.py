"""Horizon at work: a creator's guidance for today is made, and recorded in one transaction."""

from __future__ import annotations

import getpass
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from omniva_dagster import state as db
from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.campaign import Campaign, GoalsFile, Measure, campaign_of
from omniva_dagster.contracts.cognition.horizon import CampaignGoals
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.record import Record
from omniva_dagster.contracts.types import format_timestamp, parse_timestamp
from omniva_dagster.engines import horizon
from omniva_dagster.resources.goals import digest_of
from omniva_dagster.resources.reflecting import reflect
from omniva_dagster.resources.workbench import Recorder
from omniva_dagster.state.partition import Partition

if TYPE_CHECKING:
    import sqlalchemy as sa

    from omniva_dagster.contracts.video import Platform
    from omniva_dagster.state.creators import Creator
    from omniva_dagster.state.guidance import Observation
    from omniva_dagster.state.store import Store

PRODUCER = "horizon"
# What is looked back on.
HISTORY_DAYS = 180
# A clip is judged by what was counted up to so long after it went out.
_SETTLED = timedelta(days=7)
D = TypeVar("D", bound=Document)


@dataclass(frozen=True)
class Made:
    """What came of making a creator's guidance."""

    creator: str
    day: str
    campaign: str
    fresh: bool
    warnings: tuple[str, ...] = ()
    turned: bool = False


def recalibrate(
    store: Store,
    goals: GoalsFile | None,
    now: str,
    creators: Iterable[str] | None = None,
    *,
    anew: bool = False,
) -> list[Made]:
    """Make the guidance of today for these creators (all active ones, if none are named).

    What stands for today and follows from the same goals is kept, unless ``anew``. Each creator's
    documents are one transaction.
    """
    with store.read() as connection:
        known = db.creators.all_of(connection, db.creators.ACTIVE)
    wanted = set(creators) if creators is not None else {creator.slug for creator in known}
    return [
        _make(store, creator, goals, now, anew=anew) for creator in known if creator.slug in wanted
    ]


def _make(store: Store, creator: Creator, goals: GoalsFile | None, now: str, *, anew: bool) -> Made:
    day = now[:10]
    campaign = campaign_of(goals, creator.slug, day) if goals else None
    digest = digest_of(campaign)
    with store.begin() as connection:
        standing = db.guidance.latest(connection, creator.slug, day)
        same = standing is not None and standing.goals_digest == digest
        if campaign is None:
            if standing is not None and standing.goals_digest:
                # From here on neutral: the goals were taken away.
                body = horizon.neutral_guidance(day)
                _put(connection, creator.slug, now, "", "", standing.packet_id, body)
            return Made(creator.slug, day, "", fresh=False)
        if same and standing is not None and standing.day == day and not anew:
            return Made(creator.slug, day, campaign.name, fresh=False)
        recorder = Recorder(connection, PRODUCER, Partition(creator.slug, day), now)
        return _record(recorder, creator, campaign, digest)


def _record(recorder: Recorder, creator: Creator, campaign: Campaign, digest: str) -> Made:
    goals = _goals(recorder, creator.slug, campaign)
    before = _before(recorder, creator.slug, campaign)
    seen = reflect(recorder, creator.slug)
    measures = [campaign.success, *(goal.measure for goal in campaign.growth or [])]
    posts = posts_of(recorder.connection, creator.slug, creator.platform, measures, recorder.now)
    dossier = horizon.Dossier(
        now=recorder.now,
        campaign=campaign,
        goals=goals.document,
        goals_packet=goals.packet_id,
        platform=creator.platform,
        posts=posts.pop(campaign.success),
        creator_id=creator.creator_id,
        before=before,
        reflections=((seen.document, seen.packet_id),) if seen else (),
        measured=posts,
    )
    found = horizon.guide(dossier)
    subject = creator.creator_id
    weights = _emit(recorder, found.weights, subject, found.weights.evidence)
    gradients = _emit(recorder, found.gradients, subject, found.gradients.evidence)
    wanted = _emit(recorder, found.desirability, subject, found.desirability.evidence)
    if found.season is not None:
        _emit(recorder, found.season, subject, found.weights.evidence)
    for way in found.trajectories:
        _emit(recorder, way, _goal_id(goals, way.goal), way.evidence)
    for warning in found.warnings:
        _emit(recorder, warning, _goal_id(goals, warning.goal), warning.evidence)
    turned = found.inflection.posts[-1].published_at if found.inflection else ""
    packets = {
        "goals": goals.packet_id,
        "weights": weights.packet_id,
        "gradients": gradients.packet_id,
        "desirability": wanted.packet_id,
    }
    body = _body(found, campaign, recorder.now, packets)
    _put(
        recorder.connection,
        creator.slug,
        recorder.now,
        digest,
        turned,
        weights.packet_id,
        body,
    )
    return Made(
        creator.slug,
        recorder.now[:10],
        campaign.name,
        fresh=True,
        warnings=tuple(warning.message for warning in found.warnings),
        turned=bool(turned),
    )


def _body(
    found: horizon.Guidance, campaign: Campaign, now: str, packets: dict[str, str]
) -> dict[str, Any]:
    """What partitions pin: all that the guidance says, and where it stands."""
    weights = found.weights
    target = {"daily_target": weights.daily_target} if weights.daily_target else {}
    return {
        **horizon.neutral_guidance(now[:10]),
        "goal_window": weights.goal_window.dump(),
        "campaign": campaign.name,
        "made_for": now[:10],
        "made_at": now,
        "smoothing": weights.smoothing,
        "delay_cost": weights.delay_cost or 0.0,
        **target,
        "slots": [
            [horizon.WEEKDAYS.index(slot.weekday), slot.hour, slot.adjustment, slot.why or ""]
            for slot in weights.slots
        ],
        "subjects": {item.subject: item.desirability for item in found.desirability.subjects},
        "gradients": {item.goal: item.gradient for item in found.gradients.gradients},
        "warnings": [warning.message for warning in found.warnings],
        "packets": packets,
    }


def _goal_id(goals: Record[CampaignGoals], goal: str) -> str:
    return derive_id("goal", goals.subject_id, goal)


def posts_of(
    connection: sa.Connection,
    creator: str,
    platform: Platform,
    measures: Sequence[Measure],
    now: str,
) -> dict[Measure, tuple[horizon.Post, ...]]:
    """A creator's clips of the last months: when each went out, how it did by each measure, what it
    is about."""
    since = format_timestamp(parse_timestamp(now) - timedelta(days=HISTORY_DAYS))
    counted = _counted(db.guidance.history(connection, creator, since), platform)
    out = {item.clip_id: item for item in db.guidance.published(connection, creator, since, now)}
    tags = db.guidance.tags_of(connection, [*counted, *out])
    found: dict[Measure, tuple[horizon.Post, ...]] = {}
    for measure in dict.fromkeys(measures):
        posts = []
        for clip_id in sorted({*counted, *out}):
            seen, went = counted.get(clip_id), out.get(clip_id)
            at = went.slot if went else seen.record.published_at if seen else now
            value = float(getattr(seen.record, measure.value)) if seen else None
            packet = seen.packet_id if seen else went.packet_id if went else ""
            posts.append(horizon.Post(clip_id, at, value, tags.get(clip_id, ()), packet))
        found[measure] = tuple(posts)
    return found


def _counted(history: Sequence[Observation], platform: Platform) -> dict[str, Observation]:
    """The observation that each clip is judged by: of the creator's platform, where it was counted
    there; a clip that went elsewhere too has other numbers there."""
    by_clip: dict[str, dict[str, Observation]] = defaultdict(dict)
    for item in history:
        there = by_clip[item.record.clip_id]
        name = item.record.platform.value
        there[name] = _settled(there[name], item) if name in there else item
    return {
        clip_id: there.get(platform.value) or there[min(there)]
        for clip_id, there in by_clip.items()
    }


def _settled(held: Observation, item: Observation) -> Observation:
    """The later of two observations, as long as both are from the first days; the earlier, where
    neither is."""
    first, last = sorted((held, item), key=lambda one: parse_timestamp(one.record.observed_at))
    limit = parse_timestamp(last.record.published_at) + _SETTLED
    return last if parse_timestamp(last.record.observed_at) <= limit else first


def _goals(recorder: Recorder, creator: str, campaign: Campaign) -> Record[CampaignGoals]:
    document = horizon.campaign_goals(campaign, creator, _operator(), recorder.now)
    return _emit(recorder, document, document.campaign_id, ())


def _before(recorder: Recorder, creator: str, campaign: Campaign) -> dict[tuple[int, int], float]:
    """The adjustments of the day before today's, while the same campaign ran."""
    yesterday = parse_timestamp(recorder.now) - timedelta(days=1)
    found = db.guidance.latest(recorder.connection, creator, yesterday.date().isoformat())
    if found is None or found.body.get("campaign") != campaign.name:
        return {}
    return {(day, hour): value for day, hour, value, _ in found.body["slots"]}


def _emit(recorder: Recorder, document: D, subject_id: str, parents: Sequence[str]) -> Record[D]:
    return recorder.record(
        document,
        subject_id=subject_id,
        trace_id=derive_id("trace", PRODUCER, recorder.partition.creator),
        parents=parents,
    )


def _put(
    connection: sa.Connection,
    creator: str,
    now: str,
    digest: str,
    turned_at: str,
    packet_id: str,
    body: dict[str, Any],
) -> None:
    from omniva_dagster.state.guidance import Recorded

    db.guidance.put(
        connection, Recorded(creator, now[:10], now, digest, turned_at, packet_id, body)
    )


def _operator() -> str:
    try:
        return getpass.getuser()[:64]
    except (OSError, KeyError, ImportError):
        return "unknown"
