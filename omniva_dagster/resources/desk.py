"""Zenith's desk: the engine's one deciding function, with the log that it reads and appends to.

Every directive is recorded with its packet in one transaction with what it pins.
"""

from typing import TYPE_CHECKING, Any

import dagster as dg

from omniva_dagster import state as db
from omniva_dagster.contracts.analysis import ClipCandidate
from omniva_dagster.contracts.decisions import Directive, DirectiveKind
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.record import Record
from omniva_dagster.engines import zenith

if TYPE_CHECKING:
    import sqlalchemy as sa

    from omniva_dagster.resources.workbench import Recorder

PRODUCER = "zenith"


class ZenithDesk(dg.ConfigurableResource[Any]):
    """Decides by `engines.zenith.decide`, within the rules configured here."""

    max_clips_per_video: int = 9
    min_clip_score: float = 0.35

    def promote(
        self,
        recorder: "Recorder",
        video_id: str,
        candidates: list[Record[ClipCandidate]],
        *,
        replan: bool = False,
    ) -> list[Record[Directive]]:
        """Decide on a video's judged candidates; the new promotions."""
        judged = tuple(
            zenith.Judged(record.subject_id, record.document, record.packet_id)
            for record in candidates
        )
        pinned = db.decisions.promotions_of(recorder.connection, video_id)
        dossier = zenith.Dossier(
            video_id=video_id,
            now=recorder.now,
            judged=judged,
            promoted=tuple(promotion.candidate for promotion in pinned),
            rules=zenith.Rules(self.max_clips_per_video, self.min_clip_score),
            replan=replan,
        )
        by_id = {item.candidate_id: item for item in judged}
        records = []
        for directive in zenith.decide(dossier):
            record = self._issue(recorder, directive)
            item = by_id[directive.subject_id]
            clip = item.candidate.model_copy(update={"clip_id": item.candidate_id})
            promoted = recorder.record(
                clip,
                subject_id=item.candidate_id,
                trace_id=record.trace_id,
                parents=[item.packet_id, record.packet_id],
                video_id=video_id,
                producer=PRODUCER,
            )
            db.decisions.promote(
                recorder.connection, recorder.partition, video_id, clip, promoted.packet_id
            )
            records.append(record)
        return records

    def release(
        self, recorder: "Recorder", clip_id: str, video_id: str, evidence: tuple[str, ...]
    ) -> Record[Directive] | None:
        """The release in force of a prepared clip, decided now if need be; None if withheld."""
        standing = db.decisions.in_force(recorder.connection, clip_id)
        dossier = zenith.Dossier(
            video_id=video_id,
            now=recorder.now,
            prepared=(zenith.Prepared(clip_id, evidence),),
            in_force={clip_id: standing[0].kind} if standing else {},
        )
        for directive in zenith.decide(dossier):
            self._issue(recorder, directive)
        return self.released(recorder.connection, clip_id)

    def released(self, connection: "sa.Connection", clip_id: str) -> Record[Directive] | None:
        """The release of a clip if that is what is in force."""
        standing = db.decisions.in_force(connection, clip_id)
        if standing is None or standing[0].kind is not DirectiveKind.RELEASE:
            return None
        return self.record_of(*standing)

    @staticmethod
    def record_of(directive: Directive, packet_id: str) -> Record[Directive]:
        """A directive of the log as a record."""
        video_id = directive.video_id or ""
        trace_id = derive_id("trace", video_id or directive.subject_id)
        return Record(directive, directive.subject_id, trace_id, packet_id, video_id)

    def _issue(self, recorder: "Recorder", directive: Directive) -> Record[Directive]:
        record = recorder.record(
            directive,
            subject_id=directive.subject_id,
            trace_id=derive_id("trace", directive.video_id or directive.subject_id),
            parents=directive.evidence,
            video_id=directive.video_id or "",
            producer=PRODUCER,
            occurrence=directive.directive_id,
        )
        db.decisions.append(
            recorder.connection, recorder.partition, record.document, record.packet_id
        )
        return record
