"""The machinery: Dagster's runs, and what measures and keeps."""

from __future__ import annotations

from omniva_dagster.engines.halolux.evidence import Evidence, Packet
from omniva_dagster.engines.halolux.telling import Told, tells
from omniva_dagster.engines.halolux.words import moment, number, quoted

_RUN = {
    "RUN_ENQUEUED": "was queued",
    "RUN_START": "began",
    "RUN_SUCCESS": "ended well",
    "RUN_FAILURE": "failed",
    "RUN_CANCELED": "was cancelled",
}


@tells("DagsterEvent")
def _event(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    at = moment(said["occurred_at"])
    why = f": {quoted(said['error_message'])}" if said.get("error_message") else ""
    partition = f" for {quoted(said['partition'])}" if "partition" in said else ""
    if said["kind"] in _RUN:
        what = f"of {quoted(said['job_name'])}" if "job_name" in said else ""
        return f"The run {said['run_id']} {what}{partition} {_RUN[said['kind']]} at {at}{why}."
    if said["kind"] == "ASSET_MATERIALIZATION":
        return f"{quoted(said['asset_key'])}{partition} was materialized at {at}."
    if said["kind"] == "ASSET_CHECK_EVALUATION" and said.get("passed") is False:
        return (
            f"The check {quoted(said['check_name'])} on {quoted(said['asset_key'])} did not pass "
            f"({said.get('severity', 'no severity')}) at {at}."
        )
    if "FAIL" in said["kind"] or said["kind"] == "STEP_UP_FOR_RETRY":
        step = quoted(said.get("step_key") or said.get("asset_key") or said["kind"])
        return f"{step} failed at {at}{why}."
    return None


@tells("TelemetrySample")
def _sample(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    return f"{quoted(said['source'])} measured {quoted(said['metric'])}: {number(said['value'])}."


@tells("KeyRotation", "Checkpoint", "MetricsSnapshot")
def _keeping(_packet: Packet, _among: Evidence) -> Told:
    return None


@tells("InterpretabilityBundle", "ExplanationRequest")
def _own_words(_packet: Packet, _among: Evidence) -> Told:
    return None  # HaloLux is no evidence for itself
