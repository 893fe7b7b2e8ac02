"""Zenith's check of a partition: what it costs."""

from __future__ import annotations

from collections.abc import Iterator

from omniva_dagster.checks.zenith import problems_of
from omniva_dagster.contracts.decisions import Directive, DirectiveKind
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.publishing import UploadJob
from omniva_dagster.contracts.record import Record
from tests.contracts.support import without
from tests.engines.zenith_words import NOW


class _Log(list[Directive]):
    """Counts how often it is gone through."""

    readings = 0

    def __iter__(self) -> Iterator[Directive]:
        self.readings += 1
        return super().__iter__()


def _promotion(clip_id: str) -> Directive:
    return Directive(
        directive_id=derive_id("directive", clip_id),
        kind=DirectiveKind.PROMOTE,
        subject_id=clip_id,
        owner="editor",
        reason="the best",
        evidence=[derive_id("packet", clip_id)],
        rollback="cancel",
        issued_at=NOW,
    )


def test_the_log_of_a_partition_is_gone_through_once_however_many_clips_there_are() -> None:
    clips = [derive_id("clip", number) for number in range(50)]
    log = _Log(map(_promotion, clips[:-1]))
    records = [
        Record(UploadJob.parse(without("UploadJob", clip_id=clip)), clip, "", "", "")
        for clip in clips
    ]
    problems = problems_of(records, log, DirectiveKind.PROMOTE)
    assert [clip for clip, _ in problems] == clips[-1:]
    assert log.readings == 1
