"""What Pantheon said of a clip when it was promoted, for whoever works on it (section 6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from omniva_dagster import state as db
from omniva_dagster.contracts.cognition.pantheon import Shortlist, VoteReport

if TYPE_CHECKING:
    import sqlalchemy as sa

    from omniva_dagster.state.decisions import Promotion

_CANDIDATE, _REPORT, _SHORTLIST = "ClipCandidate", "VoteReport", "Shortlist"


@dataclass(frozen=True)
class Highlight:
    """The judges' report that a clip was promoted on, and the shortlist that names it, if one
    does; ``packets`` are theirs."""

    report: VoteReport
    place: int | None
    packets: tuple[str, ...]

    @property
    def words(self) -> str:
        """Why it is worth cutting, in the judges' words."""
        listed = f"number {self.place} on the shortlist; " if self.place else ""
        return f"{listed}{self.report.justification}"


def of_clip(connection: sa.Connection, pinned: Promotion) -> Highlight | None:
    """What the judges said of a clip, found through its packets; None where none was asked."""
    promoted = db.outbox.by_id(connection, pinned.packet_id)
    judged = _parent(connection, promoted, _CANDIDATE)
    said = _parent(connection, judged, _REPORT)
    if said is None:
        return None
    report = VoteReport.parse(said.payload)
    for packet in db.outbox.history(connection, _SHORTLIST, pinned.video_id):
        listed = Shortlist.parse(packet.payload)
        ids = [one.candidate_id for one in listed.candidates]
        if said.packet_id in listed.evidence and pinned.clip_id in ids:
            place = ids.index(pinned.clip_id) + 1
            return Highlight(report, place, (said.packet_id, packet.packet_id))
    return Highlight(report, None, (said.packet_id,))


def _parent(
    connection: sa.Connection, packet: db.outbox.Packet | None, message_type: str
) -> db.outbox.Packet | None:
    parents = packet.parents if packet else ()
    found = (db.outbox.by_id(connection, parent) for parent in parents)
    return next((one for one in found if one and one.message_type == message_type), None)
