"""Which slot: the earliest free one, or the one that Horizon's weights favour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.contracts.types import format_timestamp

HORIZON_DAYS = 366
# A slot is looked for among those of so many days, from the first free one on.
REACH_DAYS = 7
# What each clip of a day beyond those that the cadence asks for takes from a slot's weight.
CROWDING = 0.1
_DIGITS = 3
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True)
class Nudges:
    """Horizon's weights as the scheduler uses them, for slots in [since, until).

    ``weights`` by weekday (0 is Monday) and hour in UTC; ``why`` says what each comes of;
    ``delay_cost`` is what a day's wait takes; ``daily_target`` the clips a day that the cadence
    asks for, None without one.
    """

    since: str
    until: str
    weights: Mapping[tuple[int, int], float] = field(default_factory=dict)
    why: Mapping[tuple[int, int], str] = field(default_factory=dict)
    delay_cost: float = 0.0
    daily_target: float | None = None


@dataclass(frozen=True)
class Choice:
    """The slot chosen, how far Horizon's weights moved it, and why it is this one."""

    slot: str
    adjustment: float
    why: str


def next_slot(now: datetime, hours: Sequence[int], daily_quota: int, taken: Collection[str]) -> str:
    """The earliest free slot after ``now`` (a UTC timestamp), within the daily quota.

    ``taken`` are the creator's booked slots. Raises `WorkerError` ``scheduler_fault`` when a year
    ahead is full.
    """
    return format_timestamp(next(_free(now, hours, daily_quota, taken)))


def best_slot(
    now: datetime,
    hours: Sequence[int],
    daily_quota: int,
    taken: Collection[str],
    nudges: Nudges,
) -> Choice:
    """The free slot that Horizon's weights favour, among those of a week from the earliest on.

    A slot's value is its weight, less what waiting for it costs, less what a fuller day costs; of
    equal ones the earliest is taken. A slot outside of the goal window has no weight. Raises
    `WorkerError` as `next_slot` does.
    """
    by_day = Counter(slot[:10] for slot in set(taken))
    found: list[tuple[float, datetime]] = []
    first: datetime | None = None
    for moment in _free(now, hours, daily_quota, taken):
        first = first or moment
        days = (moment.date() - first.date()).days
        if days >= REACH_DAYS:
            break
        value = _weight(moment, nudges) - nudges.delay_cost * days
        if nudges.daily_target is not None:
            value -= CROWDING * max(0.0, by_day[_day(moment)] + 1 - nudges.daily_target)
        found.append((round(value, _DIGITS), moment))
    assert first is not None
    best, moment = max(found, key=lambda item: (item[0], first - item[1]))
    return Choice(
        format_timestamp(moment),
        round(_weight(moment, nudges), _DIGITS),
        _why(moment, best, first, found[0][0], nudges),
    )


def _weight(moment: datetime, nudges: Nudges) -> float:
    if not nudges.since <= format_timestamp(moment) < nudges.until:
        return 0.0
    return nudges.weights.get((moment.weekday(), moment.hour), 0.0)


def _why(moment: datetime, value: float, first: datetime, of_first: float, nudges: Nudges) -> str:
    name = f"{WEEKDAYS[moment.weekday()]} {moment.hour:02d}:00"
    known = nudges.why.get((moment.weekday(), moment.hour))
    weight = f"{name} {known}" if known and _weight(moment, nudges) else f"{name} has no weight"
    if moment == first:
        return f"the earliest free slot, and none of the week is better; {weight}"
    waited = (moment.date() - first.date()).days
    wait = f", {waited} days later" if waited > 1 else ", a day later" if waited else ""
    return (
        f"better than the earliest free slot, {format_timestamp(first)}{wait}: "
        f"{value:+.2f} against {of_first:+.2f}; {weight}"
    )


def _free(
    now: datetime, hours: Sequence[int], daily_quota: int, taken: Collection[str]
) -> Iterator[datetime]:
    booked = set(taken)
    by_day = Counter(slot[:10] for slot in booked)
    none = True
    for moment in _slots(now, hours):
        slot = format_timestamp(moment)
        if slot not in booked and by_day[slot[:10]] < daily_quota:
            none = False
            yield moment
    if none:
        raise WorkerError(
            ReasonCode.SCHEDULER_FAULT,
            f"no free slot within {HORIZON_DAYS} days; raise OMNIVA_DAILY_QUOTA "
            "or add hours to OMNIVA_SLOT_HOURS",
        )


def _slots(now: datetime, hours: Sequence[int]) -> Iterator[datetime]:
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for day in range(HORIZON_DAYS):
        for hour in sorted(set(hours)):
            moment = midnight + timedelta(days=day, hours=hour)
            if moment > now:
                yield moment


def _day(moment: datetime) -> str:
    return format_timestamp(moment)[:10]
