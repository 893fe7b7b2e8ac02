"""What Eclipse has open, for people: `eclipse_recovery` in the Dagster UI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dagster as dg

from omniva_dagster import state as db
from omniva_dagster.resources.recovery.workers import name_of

if TYPE_CHECKING:
    import sqlalchemy as sa

    from omniva_dagster.state.health import Beat, Instance
    from omniva_dagster.state.recoveries import Recovery


def recovery_report(connection: sa.Connection) -> dict[str, Any]:
    """Metadata of `eclipse_recovery`: open plans, isolated subjects, work going on."""
    counts = db.recoveries.counts(connection)
    troubled = db.health.troubled(connection)
    working = db.health.working(connection)
    isolated = [item for item in troubled if item.state == "quarantined"]
    plans = db.recoveries.open_ones(connection)
    report: dict[str, Any] = {
        "waiting": sum(number for state, number in counts.items() if state != db.recoveries.SPENT),
        "spent": counts.get(db.recoveries.SPENT, 0),
        "quarantined": len(isolated),
        "not_ready": len(troubled),
        "at_work": len(working),
    }
    if plans:
        report["plans"] = dg.MetadataValue.md(plans_table(plans))
    if troubled:
        report["workers"] = dg.MetadataValue.md(_workers_table(troubled))
    if working:
        report["work"] = dg.MetadataValue.md(_work_table(working))
    return report


def plans_table(plans: list[Recovery]) -> str:
    """Open recoveries with when they are tried next, and what a person can do."""
    lines = [
        "| what | at | why | attempts | next attempt | what to do |",
        "|---|---|---|---|---|---|",
    ]
    for item in plans:
        label = plain(item.label or item.subject_id)
        lines.append(
            f"| {label} | {item.stage} | {item.reason_code} "
            f"| {item.attempts_made} of {item.attempts} "
            f"| {item.next_attempt_at or 'none: spent'} | {advice_of(item)} |"
        )
    return "\n".join(lines)


def advice_of(item: Recovery) -> str:
    """What a person can do about a recovery, with the very command."""
    now = f"`omniva run --creator {item.creator} --day {item.day}`"
    if item.state == db.recoveries.SPENT:
        return (
            "mend what the outcome says, then "
            f"`omniva override retry {item.subject_id}`, or try at once: {now}"
        )
    return f"nothing: it is tried again by itself; at once: {now}"


def plain(text: str, limit: int = 120) -> str:
    """Somebody's words as one cell of a Markdown table."""
    line = " ".join(text.split())
    escaped = "".join("\\" + char if char in "|`*_[]<>#!\\" else char for char in line[:limit])
    return escaped + ("…" if len(line) > limit else "")


def _workers_table(troubled: list[Instance]) -> str:
    lines = [
        "| who | stands | failures in a row | last reason | until |",
        "|---|---|---|---|---|",
        *(
            f"| {plain(name_of(item.worker, item.instance))} | {item.state} "
            f"| {item.consecutive_failures} | {item.reason_code} "
            f"| {item.quarantined_until if item.state == 'quarantined' else ''} |"
            for item in troubled
        ),
    ]
    return "\n".join(lines)


def _work_table(working: list[Beat]) -> str:
    lines = [
        "| who | stage | creator | day | documents | last beat |",
        "|---|---|---|---|---|---|",
        *(
            f"| {plain(name_of(item.worker, item.instance))} | {item.stage} "
            f"| {item.partition.creator} | {item.partition.day} | {len(item.running)} "
            f"| {item.beat_at} |"
            for item in working[:100]
        ),
    ]
    return "\n".join(lines)
