"""What could have been decided instead, and why it was not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from omniva_dagster.contracts.cognition.common import Engine
from omniva_dagster.contracts.cognition.halolux import DiscardedAlternative
from omniva_dagster.engines.halolux.evidence import Evidence, Packet, is_span
from omniva_dagster.engines.halolux.words import (
    clock,
    fitting,
    moment,
    number,
    plain,
    quoted,
)

_MOST = 100
_MOST_SPANS = 30
_NAME = 64
# Who gave the advice that a directive names as overridden, where it says so.
_ADVISOR = re.compile(rf"({'|'.join(Engine)})\b")
# How Zenith words the limits it promoted within, `engines.zenith.clips`.
LIMITS = re.compile(r"at most ([0-9]+) that do not overlap, each from ([0-9.]+) up")


def discarded(
    told: Sequence[Packet], spans: Iterable[Packet], evidence: Evidence
) -> list[DiscardedAlternative]:
    """Alternatives named in the packets told of, and spans (`ClipCandidate`s) not made clips."""
    found = [one for packet in told for one in _named_in(packet, evidence)]
    for span in list(spans)[:_MOST_SPANS]:
        with suppress(LookupError, TypeError, ValueError):
            found += list(_span(span, evidence))
    each = {one.model_dump_json(): one for one in found}
    return list(each.values())[:_MOST]


def _named_in(packet: Packet, evidence: Evidence) -> Iterator[DiscardedAlternative]:
    reader = {
        "Directive": _overrode,
        "ArbitrationVerdict": _overridden,
        "VoteReport": _dissent,
        "Shortlist": _said_already,
        "StyledMetadata": _wording,
        "QueueMutation": _slot,
    }.get(packet.message_type)
    try:
        yield from reader(packet, evidence) if reader else ()
    except (LookupError, TypeError, ValueError):
        return  # not as its type should be: the narrative names it plainly


def _overrode(packet: Packet, evidence: Evidence) -> Iterator[DiscardedAlternative]:
    said = packet.payload
    told = _told_by_verdicts(said["directive_id"], evidence)
    for advice in said["overrode"]:
        if advice in told:
            continue  # the verdict names who gave it, and by which rule it was overridden
        by = _ADVISOR.match(advice)
        yield _alternative(
            f"to follow {quoted(advice)}",
            by[0] if by else "zenith",
            f"Zenith ordered {said['kind']}: {quoted(said['reason'])}",
            packet.packet_id,
        )


def _told_by_verdicts(directive_id: str, evidence: Evidence) -> set[str]:
    return {
        str(advice["recommends"])
        for verdict in evidence.of_type("ArbitrationVerdict")
        if verdict.payload.get("directive_id") == directive_id
        for advice in verdict.payload["advice"]
        if advice["engine"] in verdict.payload["overridden"]
    }


def _overridden(packet: Packet, evidence: Evidence) -> Iterator[DiscardedAlternative]:
    said = packet.payload
    for advice in said["advice"]:
        if advice["engine"] in said["overridden"]:
            known = [advice["packet_id"]] if advice["packet_id"] in evidence.by_id else []
            yield _alternative(
                quoted(advice["recommends"]),
                advice["engine"],
                f"overridden by {said['chosen']}, by the rule {quoted(said['precedence_rule'])}",
                packet.packet_id,
                *known,
            )


def _dissent(packet: Packet, _evidence: Evidence) -> Iterator[DiscardedAlternative]:
    said = packet.payload
    for ballot in said["ballots"]:
        if ballot["agent"] in said["dissent"]:
            yield _alternative(
                f"not to make the clip: {quoted(ballot['commentary'])}",
                f"pantheon/{ballot['agent']}",
                f"its vote of {number(ballot['vote'])} lies below the consensus of "
                f"{number(said['consensus'])}",
                packet.packet_id,
            )


def _said_already(packet: Packet, _evidence: Evidence) -> Iterator[DiscardedAlternative]:
    for one in packet.payload.get("set_aside", []):
        yield _alternative(
            f"to shortlist {one['candidate_id']}",
            "pantheon",
            f"too like {one['like']}: {quoted(one['reason'])}",
            packet.packet_id,
        )


def _wording(packet: Packet, _evidence: Evidence) -> Iterator[DiscardedAlternative]:
    for delta in packet.payload["deltas"]:
        yield _alternative(
            f"the {delta['field']} {quoted(delta['before'])}",
            "chorus",
            f"{quoted(delta['reason'])} (the rule {quoted(delta['rule'])})",
            packet.packet_id,
        )


def _slot(packet: Packet, _evidence: Evidence) -> Iterator[DiscardedAlternative]:
    said = packet.payload
    if said["mutation"] == "rescheduled":
        yield _alternative(
            f"the slot {moment(said['previous_time'])}",
            "scheduler",
            quoted(said["reason"]),
            packet.packet_id,
        )


def _span(span: Packet, evidence: Evidence) -> Iterator[DiscardedAlternative]:
    said = span.payload
    reason, packets = why_not(span, evidence)
    yield _alternative(
        f"a clip of {clock(said['start_time'])} to {clock(said['end_time'])}, with the priority "
        f"{number(said['lattice_priority'])}",
        "pantheon",
        reason,
        *packets,
    )


def spans_left(evidence: Evidence) -> list[Packet]:
    """Judged spans of which no clip was made, the most urgent first; each once, as judged last."""
    judged = {
        one.subject_id: one
        for one in evidence.of_type("ClipCandidate")
        if _is_judged(one) and is_span(one)
    }
    made = {one.subject_id for one in evidence.of_type("ClipCandidate") if not _is_judged(one)}
    left = [span for subject_id, span in judged.items() if subject_id not in made]
    return sorted(
        left, key=lambda one: (-one.payload["lattice_priority"], one.payload["start_time"])
    )


def why_not(span: Packet, evidence: Evidence) -> tuple[str, tuple[str, ...]]:
    """Why no clip was made of a judged span, in words, and the packets that show it."""
    said = span.payload
    held = _held(span, evidence)
    if held is not None:
        return f"Zenith held it: {quoted(held.payload['reason'])}", _ids(span, held)
    clips = _clips_beside(span, evidence)
    for clip in clips:
        if _shared(said, clip.payload) > 0:
            return (
                f"it overlaps the clip {clock(clip.payload['start_time'])} to "
                f"{clock(clip.payload['end_time'])}, which has the priority "
                f"{number(clip.payload['lattice_priority'])}",
                _ids(span, clip),
            )
    limits = _limits(clips, evidence)
    if limits is None:
        return "the ledger does not say by which rule", _ids(span)
    directive, most, least = limits
    if said["lattice_priority"] < float(least):
        reason = f"it is below the priority of {least} that a clip needs"
        return reason, _ids(span, directive)
    if len(clips) >= int(most):
        return f"there was room for {most} clips, and others come first", _ids(span, directive)
    return (
        "it came after the promotions were made, which stand unless a replan is asked for",
        _ids(span, directive),
    )


def _held(span: Packet, evidence: Evidence) -> Packet | None:
    """What holds a span: the newest order on it, if that stops it; without any, the verdict."""
    orders = [
        one
        for one in evidence.about(span.subject_id, "Directive")
        if one.payload.get("kind") in ("promote", "release", "hold", "cancel")
    ]
    for newest in [*evidence.about(span.subject_id, "ArbitrationVerdict"), *orders][-1:]:
        if newest.payload.get("kind") not in ("promote", "release") and "reason" in newest.payload:
            return newest
    return None


def undecided(subject_id: str, evidence: Evidence) -> bool:
    """Whether no clip was made of a judged span, and the packets do not say why."""
    left = [one for one in spans_left(evidence) if one.subject_id == subject_id]
    ordered = evidence.about(subject_id, "Directive")
    return bool(left) and not ordered and len(why_not(left[0], evidence)[1]) < 2


def _clips_beside(span: Packet, evidence: Evidence) -> list[Packet]:
    """The clips of the same video, the most urgent first."""
    clips = [
        one
        for one in evidence.of_type("ClipCandidate")
        if not _is_judged(one) and is_span(one) and one.trace_id == span.trace_id
    ]
    return sorted(clips, key=lambda one: (-one.payload["lattice_priority"], one.packet_id))


def _limits(clips: Sequence[Packet], evidence: Evidence) -> tuple[Packet, str, str] | None:
    for clip in clips:
        for directive in evidence.about(clip.subject_id, "Directive"):
            found = LIMITS.search(_reason(directive))
            if found:
                return directive, found[1], found[2]
    return None


def _reason(directive: Packet) -> str:
    said = directive.payload.get("reason")
    return plain(said) if isinstance(said, str) else ""


def _is_judged(candidate: Packet) -> bool:
    return "clip_id" not in candidate.payload


def _shared(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    return min(one["end_time"], other["end_time"]) - max(one["start_time"], other["start_time"])


def _ids(*packets: Packet) -> tuple[str, ...]:
    return tuple(dict.fromkeys(packet.packet_id for packet in packets))


def _alternative(what: str, advised_by: str, reason: str, *packets: str) -> DiscardedAlternative:
    return DiscardedAlternative(
        alternative=fitting(what),
        advised_by=advised_by[:_NAME],
        reason=fitting(reason),
        packets=list(dict.fromkeys(packets)),
    )
