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
    from collections.abc import Sequence

    import sqlalchemy as sa

    from omniva_dagster.resources.workbench import Recorder


class ZenithDesk(dg.ConfigurableResource[Any]):
    """Decides by `engines.zenith.decide`, within the rules configured here."""

    max_clips_per_video: int = 9
    min_clip_score: float = 0.35

    def attend(
        self, connection: "sa.Connection", now: str, packet_ids: "Sequence[str] | None" = None
    ) -> list[Record[Directive]]:
        """Decide at once on what waits in Zenith's inbox (on ``packet_ids`` alone if given).

        On the caller's transaction: what was decided is there when the caller commits, or not at
        all. Nobody else decides meanwhile. Returns the directives, in order.
        """
        from omniva_dagster.resources.sitting import Sitting

        sitting = Sitting(connection, now).open()
        if packet_ids is None:
            sitting.hear_out()
        else:
            sitting.hear(packet_ids)
        return sitting.close()

    def promote(
        self,
        recorder: "Recorder",
        video_id: str,
        candidates: list[Record[ClipCandidate]],
        *,
        replan: bool = False,
    ) -> list[Record[Directive]]:
        """Decide on a video's judged candidates; the new promotions.

        A candidate that is held is passed over, and the verdict says so. One whose packet the
        ledger lacks is held.
        """
        from omniva_dagster.resources import proof
        from omniva_dagster.resources.dossiers import Place, standing_of
        from omniva_dagster.resources.sitting import Sitting

        absent = set(db.outbox.absent(recorder.connection, [one.packet_id for one in candidates]))
        lacking = {one.subject_id: [one.packet_id] for one in candidates if one.packet_id in absent}
        proof.hold_unproven(recorder.connection, recorder.partition, lacking, recorder.now)
        sitting = Sitting(recorder.connection, recorder.now).open()
        judged = tuple(
            zenith.Judged(record.subject_id, record.document, record.packet_id)
            for record in candidates
            if record.packet_id not in absent
        )
        pinned = db.decisions.promotions_of(recorder.connection, video_id)
        place = Place("clip", "", recorder.partition, video_id, pinnable=True)
        held = db.decisions.restraints_on(
            recorder.connection, [item.candidate_id for item in judged]
        )
        dossier = zenith.Dossier(
            video_id=video_id,
            now=recorder.now,
            judged=judged,
            promoted=tuple(promotion.candidate for promotion in pinned),
            rules=zenith.Rules(self.max_clips_per_video, self.min_clip_score),
            replan=replan,
            standings={
                subject_id: standing_of(recorder.connection, subject_id, place)
                for subject_id in {item.subject_id for item in held}
            },
        )
        for subject_id in dossier.standings:
            db.decisions.stopped(recorder.connection, subject_id, recorder.partition)
        by_id = {item.candidate_id: item for item in judged}
        decision = zenith.decide(dossier)
        for order in decision.orders:
            record = sitting.issue(order, recorder.partition)
            sitting.considered += record.document.evidence
            item = by_id[record.subject_id]
            sitting.pin(record, item.candidate, item.packet_id, recorder.partition)
        sitting.considered += [
            advice.packet_id for verdict in decision.verdicts for advice in verdict.advice
        ]
        sitting.note(decision.verdicts, recorder.partition)
        return sitting.close()

    def release(
        self, recorder: "Recorder", clip_id: str, video_id: str, evidence: tuple[str, ...]
    ) -> Record[Directive] | None:
        """The release in force of a prepared clip, decided now if need be; None if withheld.

        A clip is held whose promotion, or any of ``evidence``, the ledger lacks.
        """
        from omniva_dagster.resources import proof
        from omniva_dagster.resources.dossiers import Place, standing_of
        from omniva_dagster.resources.sitting import Sitting

        standing = db.decisions.in_force(recorder.connection, clip_id)
        if standing is None or standing[0].kind is not DirectiveKind.PROMOTE:
            return self.released(recorder.connection, clip_id)
        lacking = proof.unproven(recorder.connection, *standing, *evidence)
        if lacking:
            partition, now = recorder.partition, recorder.now
            proof.hold_unproven(recorder.connection, partition, {clip_id: lacking}, now)
            return None
        sitting = Sitting(recorder.connection, recorder.now).open()
        place = Place("clip", "", recorder.partition, video_id, pinnable=True)
        dossier = zenith.Dossier(
            video_id=video_id,
            now=recorder.now,
            prepared=(zenith.Prepared(clip_id, evidence),),
            in_force={clip_id: standing[0].kind},
            standings={clip_id: standing_of(recorder.connection, clip_id, place)},
        )
        sitting.considered += evidence
        for order in zenith.decide(dossier).orders:
            sitting.issue(order, recorder.partition)
        sitting.close()
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
