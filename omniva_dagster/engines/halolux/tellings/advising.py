"""What the advisors said: Lattice, Horizon and Pantheon."""

from __future__ import annotations

from collections.abc import Iterator

from omniva_dagster.engines.halolux.evidence import Evidence, Packet
from omniva_dagster.engines.halolux.telling import Said, Told, tells
from omniva_dagster.engines.halolux.words import listed, moment, number, quoted

_TEXT = 400
_ASIDE = 5


@tells("VoteReport")
def _vote(packet: Packet, _among: Evidence) -> Iterator[Said | str]:
    said = packet.payload
    yield Said(
        f"Pantheon put it at place {said['rank']} of {said['batch_size']} with a consensus of "
        f"{number(said['consensus'])}: {quoted(said['justification'], _TEXT)}.",
        because=quoted(said["justification"], _TEXT),
    )
    strongest = sorted(said["ballots"], key=lambda one: (-one["vote"], one["agent"]))[:2]
    against = [one for one in said["ballots"] if one["agent"] in said["dissent"]]
    for ballot in strongest:
        if ballot not in against:
            yield (
                f"For it spoke {ballot['agent']}, with {number(ballot['vote'])}: "
                f"{quoted(ballot['commentary'])}."
            )
    for ballot in against:
        yield (
            f"Against it spoke {ballot['agent']}, with {number(ballot['vote'])}: "
            f"{quoted(ballot['commentary'])}."
        )


@tells("Shortlist")
def _shortlist(packet: Packet, _among: Evidence) -> Iterator[Said | str]:
    said = packet.payload
    yield Said(
        f"Pantheon's shortlist holds {len(said['candidates'])} candidates.",
        because=quoted(said["ordered_by"]),
    )
    if "limited_by" in said:
        yield f"It was kept short: {quoted(said['limited_by'])}."
    for one in said.get("set_aside", [])[:_ASIDE]:
        yield Said(
            f"Pantheon kept {one['candidate_id']} off its shortlist: {quoted(one['reason'])}.",
            because=f"its likeness to {one['like']} is {number(one['likeness'])}",
        )


@tells("ManualReviewRequest")
def _review(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    return (
        f"{quoted(said['requested_by'])} asked the judges to look again ({said['occasion']}): "
        f"{quoted(said['question'])}."
    )


@tells("ClusteringHint")
def _cluster(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    return (
        f"Lattice saw {len(said['candidate_ids'])} candidates about the same: "
        f"{quoted(said['cluster'])}."
    )


@tells("RoutingIntent")
def _route(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    return Said(
        f"Lattice would have it wait in {quoted(said['queue'])} for {quoted(said['pool'])} at "
        f"priority {number(said['priority'])}: {quoted(said['reason'])}.",
        because=quoted(said["reason"]),
    )


@tells("PriorityDelta")
def _priority(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    return Said(
        f"Lattice moved its priority by {number(said['delta'])}: {quoted(said['reason'])}.",
        because=quoted(said["reason"]),
    )


@tells("BacklogCrossing")
def _backlog(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    return (
        f"The queue {quoted(said['queue'])} went {said['direction']} {said['threshold']} waiting "
        f"jobs: {said['depth']}."
    )


@tells("WorkloadSnapshot")
def _load(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    return f"The load of {len(said['queues'])} queues was taken at {moment(said['observed_at'])}."


@tells("CampaignGoals")
def _goals(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    window = said["goal_window"]
    return (
        f"{quoted(said['set_by'])} set the goals {listed([one['name'] for one in said['goals']])} "
        f"for {moment(window['since'])} to {moment(window['until'])}."
    )


@tells("SchedulingWeights", "DesirabilityMetrics")
def _weights(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    window = said["goal_window"]
    what = "slots" if packet.message_type == "SchedulingWeights" else "subjects"
    return Said(
        f"Horizon weighed {len(said[what])} {what} for {moment(window['since'])} to "
        f"{moment(window['until'])}: {quoted(said['explanation'], _TEXT)}.",
        because=quoted(said["explanation"], _TEXT),
    )


@tells("DriftWarning")
def _drift(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    return (
        f"Horizon warned that {quoted(said['goal'])} is at {number(said['observed'])} where "
        f"{number(said['expected'])} is expected: {quoted(said['message'])}."
    )


@tells("GoalTrajectory")
def _trajectory(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    return f"Horizon advised on {quoted(said['goal'])}: {quoted(said['recommendation'])}."


@tells("EngagementRecord")
def _engagement(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    return (
        f"A clip published {moment(said['published_at'])} had {said['views']} views and "
        f"{said['likes']} likes by {moment(said['observed_at'])}."
    )


@tells("GoalGradients", "SeasonalityProfile", "EmbeddingReference", "StyleDelta")
def _part_of_others(_packet: Packet, _among: Evidence) -> Told:
    return None  # what uses them tells of them
