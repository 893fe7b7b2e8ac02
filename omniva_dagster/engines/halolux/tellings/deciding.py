"""Who decided what, over whom, and on whose word."""

from __future__ import annotations

from collections.abc import Iterator

from omniva_dagster.engines.halolux.evidence import Evidence, Packet
from omniva_dagster.engines.halolux.telling import Said, Told, tells
from omniva_dagster.engines.halolux.words import joined, listed, moment, number, quoted

_ACTS = {
    "promote": "promoted it to a clip",
    "release": "released it",
    "hold": "held it back",
    "cancel": "cancelled it",
    "retry": "had it tried again",
    "reroute": "rerouted the work",
    "reschedule": "gave it another slot or priority",
}
_SHOWN = 400


@tells("Directive")
def _directive(packet: Packet, _among: Evidence) -> Iterator[Said | str]:
    said = packet.payload
    more = [
        f"not before {moment(said['not_before'])}" if "not_before" in said else "",
        f"until {moment(said['until'])}" if "until" in said else "",
        f"to {quoted(said['target'])}" if "target" in said else "",
        f"for {moment(said['scheduled_time'])}" if "scheduled_time" in said else "",
        f"at priority {number(said['priority'])}" if "priority" in said else "",
    ]
    details = joined(more)
    yield Said(
        f"Zenith {_ACTS[said['kind']]} at {moment(said['issued_at'])}"
        f"{', ' + details if details else ''}: {quoted(said['reason'], _SHOWN)}.",
        because=quoted(said["reason"], _SHOWN),
    )
    if said["overrode"]:
        yield f"In that it decided against {listed(said['overrode'], 8, 200)}."


@tells("ArbitrationVerdict")
def _verdict(packet: Packet, among: Evidence) -> Told:
    said = packet.payload
    voices = joined([f"{one['engine']} for {quoted(one['recommends'])}" for one in said["advice"]])
    here = tuple(one["packet_id"] for one in said["advice"] if one["packet_id"] in among.by_id)
    return Said(
        f"The engines were not of one mind: {voices}. Zenith followed {said['chosen']} over "
        f"{', '.join(said['overridden'])}.",
        because=f"the rule of precedence {quoted(said['precedence_rule'])}",
        packets=here,
    )


@tells("OverrideRequest")
def _override(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    return Said(
        f"{quoted(said['operator'])} asked Zenith at {moment(said['requested_at'])} for "
        f"{said['kind']}: {quoted(said['reason'])}.",
        because=quoted(said["reason"]),
    )


@tells("OperatorAction")
def _action(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    wanted = f", wanting {said['wanted']}" if "wanted" in said else ""
    return Said(
        f"{quoted(said['operator'])} acted at {moment(said['acted_at'])} ({said['kind']}{wanted}): "
        f"{quoted(said['reason'])}.",
        because=quoted(said["reason"]),
    )


@tells("PanicSignal")
def _panic(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    what = listed(said["subjects"]) if said["subjects"] else "all work"
    return Said(
        f"{quoted(said['operator'])} pressed the panic button for {what} at "
        f"{moment(said['pressed_at'])}: {quoted(said['reason'])}.",
        because=quoted(said["reason"]),
    )


@tells("ConsentRecord")
def _consent(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    return Said(
        f"The consent of {said['slug']} was recorded as {said['status']} by "
        f"{quoted(said['stated_by'])} at {moment(said['recorded_at'])}: {quoted(said['reason'])}.",
        because=quoted(said["terms"]),
    )


@tells("OperatorAlert")
def _alert(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    return (
        f"{said['source']} called for a person ({said['severity']}): {quoted(said['title'])}: "
        f"{quoted(said['message'], _SHOWN)}."
    )


@tells("CommitmentLog")
def _commitment(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    return (
        f"Control cycle {said['cycle']} closed at {moment(said['committed_at'])}: "
        f"{len(said['directives'])} directives, {len(said['verdicts'])} verdicts, "
        f"{len(said['considered'])} packets considered."
    )


@tells("CycleReflection")
def _reflection(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    parts = [
        f"well: {listed(said['went_well'])}" if said["went_well"] else "",
        f"badly: {listed(said['went_badly'])}" if said["went_badly"] else "",
    ]
    return f"Zenith looked back on {said['cycles']} cycles; {joined(parts) or 'nothing stood out'}."
