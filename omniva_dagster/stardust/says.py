"""What a packet says, in one line for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Payload = Mapping[str, Any]
_MOST = 160
_SHOWN = 4
_NOT_TELLING = {"schema_version", "_meta_parents", "trace_id"}


def says(message_type: str, payload: Payload) -> str:
    """The gist of a message: for the pipeline's own types written out, else its first values.

    Whatever it holds, the result is one printable line.
    """
    try:
        line = _GISTS.get(message_type, _first_values)(payload)
    except (KeyError, TypeError, ValueError, AttributeError):
        line = _first_values(payload)
    return shown(line)


def shown(text: object, most: int = _MOST) -> str:
    """Text from a message as a terminal may have it: one line, printable, and not too long."""
    line = "".join(
        char if char.isprintable() else " " if char.isspace() else "\N{REPLACEMENT CHARACTER}"
        for char in str(text)
    )
    line = " ".join(line.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _first_values(payload: Payload) -> str:
    found = [
        f"{name} {value}"
        for name, value in payload.items()
        if isinstance(value, str | int | float)
        and name not in _NOT_TELLING
        and not name.endswith("_id")
        and value != ""
    ]
    return ", ".join(found[:_SHOWN])


def _scraper_job(said: Payload) -> str:
    return f"{said['status']}: {said['target_url']}"


def _raw_capture(said: Payload) -> str:
    return f"{said['source_url']}, {_size(said['size_bytes'])}, SHA-256 {said['sha256'][:12]}…"


def _video(said: Payload) -> str:
    return f"“{said['title']}”, {_clock(said['duration_seconds'])} by {said.get('uploader', '?')}"


def _analysis(said: Payload) -> str:
    found = len(said["clip_candidates"])
    return f"{found} candidates, virality {said['virality_score']:.2f}: “{said['transcript']}”"


def _candidate(said: Payload) -> str:
    span = f"{_clock(said['start_time'])}–{_clock(said['end_time'])}"
    tags = ", ".join(said.get("semantic_tags", [])[:3])
    judged = f"priority {said['lattice_priority']:.2f}" if said["pantheon_votes"] else "not judged"
    return f"{span}, {judged}, {tags}"


def _directive(said: Payload) -> str:
    against = f" (against {'; '.join(said['overrode'])})" if said["overrode"] else ""
    return f"{said['kind']} for {said['owner']}: {said['reason']}{against}"


def _edit_job(said: Payload) -> str:
    return f"{'; '.join(said['operations'])}; {len(said['ffmpeg_commands'])} commands"


def _rendered(said: Payload) -> str:
    return (
        f"{said['duration_seconds']:.1f} s, {said['integrated_lufs']:.1f} LUFS, "
        f"{said['edit_summary']['cpu_seconds']:.0f} CPU s"
    )


def _schedule(said: Payload) -> str:
    return f"for {said['recommended_time']}: {said.get('notes', '')}"


def _upload(said: Payload) -> str:
    where = ", ".join(said["distribution_targets"])
    return f"“{said['title']}”, {said['privacy_status']}, to {where} at {said['scheduled_time']}"


def _receipt(said: Payload) -> str:
    return f"{said['status']} at {said['target']}: {said.get('location', '')}"


def _outcome(said: Payload) -> str:
    why = ": ".join(str(said[name]) for name in ("reason_code", "message") if said.get(name))
    return f"{said['stage']} {said['status']}" + (f", {why}" if why else "")


def _dagster_event(said: Payload) -> str:
    about = [said[name] for name in ("asset_key", "check_name", "partition") if name in said]
    passed = {True: "passed", False: f"did not pass ({said.get('severity')})"}.get(
        said.get("passed", "")
    )
    parts = [said["kind"], *about, passed, said.get("error_message"), said.get("job_name")]
    return " ".join(str(part) for part in parts if part)


def _telemetry(said: Payload) -> str:
    return f"{said['source']}: {said['metric']} = {said['value']:g}"


_GISTS: dict[str, Callable[[Payload], str]] = {
    "ScraperJob": _scraper_job,
    "RawCapture": _raw_capture,
    "VideoAsset": _video,
    "AnalysisResult": _analysis,
    "ClipCandidate": _candidate,
    "Directive": _directive,
    "EditJob": _edit_job,
    "RenderedClip": _rendered,
    "ScheduleTask": _schedule,
    "UploadJob": _upload,
    "PublicationReceipt": _receipt,
    "Outcome": _outcome,
    "DagsterEvent": _dagster_event,
    "TelemetrySample": _telemetry,
}


def _clock(seconds: float) -> str:
    minutes, rest = divmod(float(seconds), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{count / 1e3:.1f} kB"
