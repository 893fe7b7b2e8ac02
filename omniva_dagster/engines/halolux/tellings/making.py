"""From the promotion to the finished clip: planning and rendering."""

from __future__ import annotations

from collections.abc import Iterator

from omniva_dagster.engines.halolux.evidence import Evidence, Packet
from omniva_dagster.engines.halolux.telling import Said, Told, tells
from omniva_dagster.engines.halolux.words import digest, listed, moment, number, plain, quoted

_STEPS = 12


@tells("EditJob")
def _edit_job(packet: Packet, _among: Evidence) -> Told:
    said = packet.payload
    where = "on a GPU" if said["gpu_required"] else "on any host"
    return Said(
        f"The editor planned {listed(said['operations'], _STEPS, 120)}: "
        f"{len(said['ffmpeg_commands'])} commands of ffmpeg, {where}.",
        because="the plan follows from the span, the shots, the faces and the words in it",
    )


@tells("RenderedClip")
def _rendered(packet: Packet, _among: Evidence) -> Iterator[Said | str]:
    said = packet.payload
    made = said["edit_summary"]
    captions = (
        f"{made['caption_words']} words burned in with the font {quoted(made['font'])}"
        if made["caption_words"]
        else "no captions"
    )
    yield Said(
        f"It was cut with {quoted(made['framing'])} framing and {captions}: "
        f"{number(said['duration_seconds'], 1)} s, {said['width']} by {said['height']} pixels, "
        f"{number(said['integrated_lufs'], 1)} LUFS, true peak "
        f"{number(said['true_peak_dbtp'], 1)} dBTP.",
        because="measured on the finished file",
    )
    program = (
        plain(made["commands"][0]).split(" ")[0].rsplit("/", 1)[-1] if made["commands"] else ""
    )
    by = f" with {quoted(program)}" if program else ""
    yield (
        f"The encoder was {quoted(made['encoder'])}{by} on {quoted(made['hardware'])}, in "
        f"{number(made['cpu_seconds'], 1)} CPU seconds; the file is {said['size_bytes']} bytes, "
        f"its checksum begins {digest(said['sha256'])}, finished {moment(said['rendered_at'])}."
    )


@tells("ClipRendered", "OperationGraph", "EditCommand")
def _handed_on(_packet: Packet, _among: Evidence) -> Told:
    return None  # they hold what other packets tell
