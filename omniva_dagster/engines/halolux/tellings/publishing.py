"""From the slot to the receipt: when, in which words, and where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from omniva_dagster.engines.halolux.evidence import Evidence, Packet
from omniva_dagster.engines.halolux.telling import Said, Told, tells
from omniva_dagster.engines.halolux.words import digest, joined, listed, moment, number, quoted

_DRAFT = 120


@tells("ScheduleTask")
def _schedule(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    nudge = said["horizon_adjustment"]
    adjusted = f", with Horizon's adjustment of {number(nudge)}" if nudge else ""
    why = said.get("notes", "")
    return Said(
        f"Its slot is {moment(said['recommended_time'])}, at priority {number(said['priority'])}, "
        f"decided by {said['final_decision_source']}{adjusted}"
        f"{': ' + quoted(why) if why else ''}.",
        because=quoted(why) if why else "",
    )


@tells("QueueMutation")
def _mutation(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    if said["mutation"] == "scheduled":
        return None  # the task tells of it
    moved = (
        f"was moved from {moment(said['previous_time'])} to {moment(said['commitment_time'])}"
        if said["mutation"] == "rescheduled"
        else "was taken out of the queue"
    )
    return Said(f"It {moved}: {quoted(said['reason'])}.", because=quoted(said["reason"]))


@tells("ScheduleCommand", "UploadCommand", "PublicationConfirmed")
def _handed_on(_packet: Packet, _among: Evidence) -> Told:
    return None  # they hold what other packets tell


@tells("SchedulerFault")
def _fault(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    slot = f" for the slot {moment(said['slot'])}" if "slot" in said else ""
    return f"The scheduler could not keep {said['constraint']}{slot}: {quoted(said['message'])}."


@tells("DraftMetadata")
def _draft(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    words = f" from {quoted(said['description'])}" if said["description"] else ""
    return f"{said['drafted_by']} drafted the title {quoted(said['title'])}{words}."


@tells("StyledMetadata")
def _styled(packet: Packet, _among: Evidence) -> Iterator[Said | str]:
    said = packet.payload
    if not said["deltas"]:
        yield f"Chorus kept the wording as drafted, in a {said['tone']} tone."
    for delta in said["deltas"]:
        yield Said(
            f"Chorus changed the {delta['field']} from {quoted(delta['before'], _DRAFT)} to "
            f"{quoted(delta['after'], _DRAFT)}: {quoted(delta['reason'])}.",
            because=f"the rule {quoted(delta['rule'])}",
        )
    for conflict in said["conflicts"]:
        yield _broken(conflict)


@tells("ComplianceConflict")
def _conflict(packet: Packet, _among: Evidence) -> Told:
    return _broken(packet.payload)


@tells("StylePreferences")
def _preferences(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    avoid = f", avoiding {listed(said['avoid'])}" if said["avoid"] else ""
    if "because" in said:
        count = number(said["hashtags"])
        return f"Pantheon would have it worded in a {said['tone']} tone, with up to {count} " + (
            f"hashtags: {quoted(said['because'])}."
        )
    return f"The guidelines ask for a {said['tone']} tone{avoid}."


@tells("UploadJob")
def _upload(packet: Packet, _among: Evidence) -> Iterator[Said | str]:
    said = packet.payload
    where = listed(said.get("distribution_targets", []))
    yield Said(
        f"It is to be called {quoted(said['title'])}, {said['privacy_status']}, "
        f"{f'at {where}, ' if where else ''}on {moment(said['scheduled_time'])}.",
        because="the wording is made from the clip's own words, within the platform's limits",
    )
    parts = [
        f"tags {listed(said['keywords'])}" if said["keywords"] else "",
        f"under it stands {quoted(said['description'])}" if said["description"] else "",
    ]
    if any(parts):
        yield f"It has {joined(parts)}."


@tells("PublicationReceipt")
def _receipt(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    youtube = f", YouTube's id {said['yt_video_id']}" if "yt_video_id" in said else ""
    return Said(
        f"{quoted(said['target'])} took it at {moment(said['published_at'])} as {said['status']} "
        f"for {moment(said['scheduled_time'])}, at {quoted(said['location'], 400)}{youtube}; the "
        f"file's checksum begins {digest(said['media_sha256'])}, the receipt is "
        f"{said['receipt_id']}.",
        because=f"the release {said['directive_id']} was in force",
    )


@tells("PublicationWithdrawn")
def _withdrawn(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    return Said(
        f"It was taken down from {quoted(said['target'])} at {moment(said['withdrawn_at'])}: "
        f"{quoted(said['reason'])}.",
        because=f"the directive {said['directive_id']}",
    )


@tells("UploadFailed")
def _failed(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    asks = "; Zenith is asked what to do" if said["direction_requested"] else ""
    again = f"; not before {moment(said['retry_after'])}" if "retry_after" in said else ""
    return Said(
        f"{quoted(said['target'])} did not take it ({said['reason_code']}, attempt "
        f"{said['attempt']}){asks}{again}: {quoted(said['message'])}.",
        because=said["reason_code"],
    )


def _broken(said: Mapping[str, str]) -> Said:
    state = (
        f"resolved: {quoted(said['resolution'])}"
        if said["state"] == "resolved"
        else "unresolved, so the clip is not to go out"
    )
    return Said(
        f"The {said['field']} may break {quoted(said['policy'])} with "
        f"{quoted(said['passage'], _DRAFT)} ({said['severity']}); it is {state}.",
        because=quoted(said["policy"]),
    )
