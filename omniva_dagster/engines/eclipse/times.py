"""Arithmetic on the timestamps of contracts; the time itself is always an argument."""

from __future__ import annotations

from omniva_dagster.contracts.types import format_timestamp, parse_timestamp


def later(at: str, seconds: float) -> str:
    """The moment ``seconds`` after ``at`` (before it, if negative), to the second."""
    moment = parse_timestamp(at)
    return format_timestamp(moment.fromtimestamp(moment.timestamp() + seconds, moment.tzinfo))


def seconds_between(start: str, end: str) -> float:
    """Seconds from ``start`` to ``end``."""
    return (parse_timestamp(end) - parse_timestamp(start)).total_seconds()
