"""What acts asks Zenith right before it acts: on a clip to be made, and on its way out."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from omniva_dagster import state as db
from omniva_dagster.assets.publishing import _Door
from omniva_dagster.contracts.analysis import ClipCandidate
from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.editing import RenderedClip
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.publishing import PublicationReceipt, UploadJob
from omniva_dagster.contracts.record import Record
from omniva_dagster.resources.atlas import Atlas
from omniva_dagster.resources.desk import ZenithDesk
from omniva_dagster.resources.workbench import Skip, Workbench
from omniva_dagster.state.store import Store
from omniva_dagster.workers.uploader import Submission
from tests.contracts.support import without
from tests.engines.zenith_words import CLIP, LATER, NOW, conflict, panic
from tests.pipeline.zenith.support import HERE, payloads, promoted, say


@pytest.mark.spec("ZEN-4")
def test_a_candidate_that_is_held_is_passed_over_and_the_verdict_is_told_once(store: Store) -> None:
    """ZEN-4: arbitration verdicts when modules disagree."""
    bench = Workbench(store, HERE, "zenith_directives", logging.getLogger("test"))
    fields = {"start_time": 0.0, "end_time": 20.0, "lattice_priority": 0.9}
    candidate = ClipCandidate.parse(without("ClipCandidate", "clip_id", **fields))
    ids = {"subject_id": CLIP, "trace_id": derive_id("trace", "one")}
    with store.begin() as connection:
        judged = bench.recorder(connection).record(candidate, **ids, producer="clip_candidates")
    say(store, conflict())
    for now in (NOW, LATER):
        with store.begin() as connection:
            ZenithDesk().attend(connection, now)
            recorder = replace(bench.recorder(connection), now=now)
            assert ZenithDesk().promote(recorder, derive_id("video", "one"), [judged]) == []
    (verdict,) = payloads(store, "ArbitrationVerdict")
    assert (verdict["chosen"], verdict["overridden"]) == ("paradox", ["pantheon"])
    with store.read() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM collisions")) == 0
        assert db.decisions.promotions_of(connection, derive_id("video", "one")) == []


class _Spy:
    """A publisher that counts."""

    target = "outbox"

    def __init__(self) -> None:
        self.published = 0

    @property
    def publisher(self) -> _Spy:
        return self

    def publish(self, submission: Submission, now: str) -> PublicationReceipt:
        self.published += 1
        raise AssertionError(submission, now)


def _door(store: Store, tmp_path: Path, spy: Any) -> tuple[_Door, Record[UploadJob]]:
    """The way out for a clip that is promoted, rendered and prepared."""
    promoted(store)
    bench = Workbench(store, HERE, "publications", logging.getLogger("test"))
    uris = {name: Atlas.uri(f"clips/{name}") for name in ("media_uri", "thumbnail_uri")}
    made = RenderedClip.parse(without("RenderedClip", clip_id=CLIP, **uris))
    with store.begin() as connection:
        recorder = replace(bench.recorder(connection), stage="upload_jobs")
        ids = {"subject_id": CLIP, "trace_id": derive_id("trace", "one")}
        ids["video_id"] = derive_id("video", "one")
        job = recorder.record(UploadJob.parse(without("UploadJob", clip_id=CLIP)), **ids)
        clip = recorder.record(made, **ids)

    class _Atlas:
        store = Atlas(tmp_path / "atlas")

    return _Door(bench, _Atlas, spy, ZenithDesk(), {CLIP: clip}), job  # type: ignore[arg-type]


@pytest.mark.spec("CON-12")
@pytest.mark.parametrize(
    "stop", [conflict(), panic(), panic("creator", ["ada"]), panic("worker", ["uploader"])]
)
def test_a_hold_that_comes_between_the_claim_and_the_act_posts_nothing(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: Document
) -> None:
    """CON-12: only Zenith commits or cancels operational work."""
    spy = _Spy()
    door, job = _door(store, tmp_path, spy)
    looked = Workbench.must_permit

    def held_first(bench: Workbench, subject: Any, act: str) -> None:
        with store.read() as connection:
            claimed = db.publishing.publication(connection, CLIP, "outbox")
        assert claimed is not None
        say(store, stop)
        with store.begin() as connection:
            ZenithDesk().attend(connection, LATER)
        looked(bench, subject, act)

    monkeypatch.setattr(Workbench, "must_permit", held_first)
    with pytest.raises(Skip, match="to lift it: omniva"):
        door.work(job)
    assert spy.published == 0


def test_a_clip_that_nothing_holds_is_let_out(store: Store, tmp_path: Path) -> None:
    door, job = _door(store, tmp_path, _Spy())
    with pytest.raises(AssertionError):
        door.work(job)
