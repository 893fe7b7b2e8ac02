"""``omniva explain`` on what a real run recorded: true, complete, kept once, and harmless."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from omniva_dagster import state as db
from omniva_dagster.contracts.cognition.common import Severity
from omniva_dagster.contracts.cognition.eclipse import CrisisEscalation
from omniva_dagster.contracts.cognition.halolux import ExplanationOccasion, InterpretabilityBundle
from omniva_dagster.contracts.ids import EVERYTHING, derive_id
from omniva_dagster.contracts.publishing import PublicationReceipt
from omniva_dagster.demo.channel import ChannelVideo, serve_channel, write_channel
from omniva_dagster.engines import halolux
from omniva_dagster.resources import asking, explaining
from omniva_dagster.resources.explaining import Explained, Library
from omniva_dagster.resources.impact import explain_high_impact
from omniva_dagster.settings import settings
from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.layout import Layout
from omniva_dagster.state.partition import Partition
from omniva_dagster.state.store import Store
from tests.support.home import DAY, Home, make_home

pytestmark = [pytest.mark.media, pytest.mark.takes(40)]

TITLE = "<b>Talk</b> `id` [a](http://x.example) | **b** “c”"
HERE = Partition("ada", DAY)
NOW = "2026-11-22T12:00:00Z"


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, footage: Path) -> Iterator[Home]:
    """A home after one run of a day with one video, whose title is hostile."""
    with pytest.MonkeyPatch.context() as patch:
        home = make_home(tmp_path_factory.mktemp("explained") / "home", patch)
        channel = home.path / "channel"
        channel.mkdir()
        (channel / "talk.mp4").write_bytes(footage.read_bytes())
        video = ChannelVideo("talk", "talk.mp4", TITLE, f"{DAY}T10:00:00Z")
        write_channel(channel, "Ada", [video])
        with serve_channel(channel) as served:
            home.add("ada", served.feed_url)
            home.run()
        yield home
    settings.cache_clear()


def library(home: Home, *, ledger: bool = True) -> Library:
    return Library(Layout(home.path / ("ledger" if ledger else "nowhere")), home.store)


def said(home: Home, message_type: str) -> list[dict[str, Any]]:
    query = sa.text("SELECT body FROM packets WHERE message_type = :name ORDER BY sequence")
    with home.store.read() as connection:
        rows = connection.execute(query, {"name": message_type}).scalars()
        return [json.loads(body) for body in rows]


def clip_of(home: Home) -> str:
    return str(said(home, "PublicationReceipt")[0]["payload"]["clip_id"])


def explained(home: Home, sought: str, *, ledger: bool = True) -> Explained:
    shelf = library(home, ledger=ledger)
    return explaining.explain(shelf, asking.question_of(shelf.layout, shelf.store, sought))


def test_a_clip_is_told_from_its_second_to_its_receipt(ran: Home) -> None:
    bundle = explained(ran, clip_of(ran)).bundle
    text = " ".join(sentence.text for sentence in bundle.narrative)
    receipt = said(ran, "PublicationReceipt")[0]["payload"]
    made = said(ran, "RenderedClip")[0]["payload"]["edit_summary"]
    for fact in (made["framing"], made["encoder"], receipt["receipt_id"], receipt["location"]):
        assert fact in text
    assert '<b>Talk</b> `id` [a](http://x.example) | **b** "c"' in text
    assert "Pantheon voted" in text
    assert bundle.completeness == 1
    assert [one.module for one in bundle.reasoning_chain].count("zenith") >= 2


@pytest.mark.spec("HAL-11")
@pytest.mark.spec("HAL-8")
@pytest.mark.spec("HAL-9")
def test_each_sentence_of_whatever_is_asked_is_in_the_packets_it_cites(ran: Home) -> None:
    """HAL-11: every statement cites a packet. HAL-8: missing evidence. HAL-9: completeness
    score."""
    for sought in _ids(ran):
        found = explained(ran, sought)
        assert found.bundle.narrative, sought
        assert halolux.unfounded_in(found.bundle, found.packets) == []
        assert found.bundle.missing_evidence == []
        assert found.bundle.completeness == 1


@pytest.mark.spec("HAL-2")
@pytest.mark.spec("HAL-3")
def test_every_kind_of_id_is_explained_on_an_operators_request(ran: Home) -> None:
    """HAL-2: bundle: narrative and JSON reasoning chain: why, evidence, discarded alternatives.
    HAL-3: on operator request."""
    for sought in _ids(ran):
        result = ran.omniva("explain", sought, "--json", "--no-record")
        assert result.exit_code == 0, (sought, result.output)
        bundle = InterpretabilityBundle.parse(result.stdout)
        assert bundle.narrative
    asked = ran.omniva("explain", clip_of(ran), "--ask", "why this one?")
    assert asked.exit_code == 0
    assert said(ran, "ExplanationRequest")[-1]["payload"]["question"] == "why this one?"


@pytest.mark.spec("HAL-4")
def test_an_audit_leaves_its_question_and_its_answer_in_the_ledger(ran: Home) -> None:
    """HAL-4: audit."""
    assert ran.omniva("explain", clip_of(ran), "--audit").exit_code == 0
    request = said(ran, "ExplanationRequest")[-1]
    assert request["payload"]["occasion"] == "audit"
    answers = said(ran, "InterpretabilityBundle")
    assert request["trace_id"] in {one["trace_id"] for one in answers}


@pytest.mark.spec("HAL-10")
def test_the_same_packets_give_the_same_bytes_and_are_explained_once(ran: Home) -> None:
    """HAL-10: deterministic, cached by `trace_id`."""
    clip = clip_of(ran)
    fresh = explained(ran, clip)
    explaining.record(ran.store, fresh, NOW)
    before = len(said(ran, "InterpretabilityBundle"))
    again = explained(ran, clip)
    assert again.kept
    assert again.bundle.model_dump_json() == fresh.bundle.model_dump_json()
    explaining.record(ran.store, again, "2026-11-23T12:00:00Z")
    assert len(said(ran, "InterpretabilityBundle")) == before


def test_it_is_the_same_from_the_outbox_and_from_the_ledger(ran: Home) -> None:
    clip = clip_of(ran)
    assert explained(ran, clip, ledger=False).bundle == explained(ran, clip).bundle


def test_a_packet_more_makes_it_another_explanation(ran: Home) -> None:
    clip = clip_of(ran)
    before = explained(ran, clip)
    assert ran.omniva("override", "hold", clip, "--reason", "a look at it").exit_code == 0
    after = explained(ran, clip)
    assert not after.kept
    assert after.bundle.bundle_id != before.bundle.bundle_id
    assert "is held back" in after.bundle.narrative[0].text
    assert "“omniva override release" in after.bundle.narrative[0].text
    assert ran.omniva("override", "release", clip, "--reason", "it is well").exit_code == 0
    freed = explained(ran, clip).bundle
    told = [sentence.text for sentence in freed.narrative]
    assert any("a look at it" in text for text in told)
    assert any("it is well" in text for text in told)
    assert freed.completeness == 1


@pytest.mark.spec("HAL-6")
def test_what_zenith_decides_with_great_effect_is_explained_unasked(ran: Home) -> None:
    """HAL-6: high-impact Zenith decisions."""
    released = {
        one["payload"]["directive_id"]
        for one in said(ran, "Directive")
        if one["payload"]["kind"] == "release"
    }
    explain_high_impact(library(ran), NOW, HERE)
    assert released <= _explained_directives(ran)
    assert ran.omniva("panic", "--reason", "a drill").exit_code == 0
    assert ran.omniva("control", "cycle", "--json").exit_code == 0
    with ran.store.read() as connection:
        stopped = [one.directive_id for one, _ in _log(connection)]
    assert stopped[0] in _explained_directives(ran)
    everything = ran.omniva("explain", "all", "--no-record").stdout
    assert "pressed the panic button for all work" in everything
    assert "a drill" in everything
    assert ran.omniva("resume", "--reason", "it was a drill").exit_code == 0
    assert explain_high_impact(library(ran), NOW)
    assert explain_high_impact(library(ran), NOW) == []


@pytest.mark.spec("HAL-5")
def test_a_crisis_is_explained_unasked(ran: Home) -> None:
    """HAL-5: anomaly escalation."""
    with ran.store.begin() as connection:
        shown = db.outbox.by_id(connection, str(said(ran, "PublicationReceipt")[0]["message_id"]))
        assert shown is not None
        crisis = CrisisEscalation(
            escalation_id=derive_id("crisis", "test"),
            severity=Severity.CRITICAL,
            affected=["editor"],
            message="every render fails",
            proposals=[],
            evidence=[shown.packet_id],
            issued_at=NOW,
        )
        emission = db.outbox.Emission(
            crisis,
            "eclipse",
            EVERYTHING,
            derive_id("trace", EVERYTHING),
            (shown.packet_id,),
            HERE,
            NOW,
            crisis.escalation_id,
        )
        packet = db.outbox.emit(connection, emission)
    found = explain_high_impact(library(ran), NOW)
    told = [one.bundle for one in found if one.question.packet_ids == (packet.packet_id,)]
    assert "every render fails" in told[0].model_dump_json()
    recorded = [one["payload"]["bundle_id"] for one in said(ran, "InterpretabilityBundle")]
    assert told[0].bundle_id in recorded


@pytest.mark.spec("HAL-7")
def test_it_takes_less_than_two_seconds(ran: Home) -> None:
    """HAL-7: under 2 s."""
    assert all(explained(ran, sought).seconds < 2 for sought in _ids(ran))


def test_markup_and_escapes_in_titles_do_nothing(ran: Home) -> None:
    page = ran.omniva("explain", clip_of(ran), "--markdown", "--no-record").stdout
    assert "<b>" not in page.replace("\\<", "")
    assert "\\<b\\>Talk\\</b\\> \\`id\\` \\[a\\](http" in page
    assert "\x1b" not in page


def test_nothing_is_written_where_that_is_not_wanted(ran: Home) -> None:
    before = ran.count("packets")
    assert ran.omniva("explain", clip_of(ran), "--no-record").exit_code == 0
    assert ran.count("packets") == before


def test_who_asks_again_is_told_the_same(ran: Home) -> None:
    """Questions and answers are packets about what was asked: they must not become what it is."""
    for sought in _ids(ran):
        first, second = (ran.omniva("explain", sought, "--json") for _ in range(2))
        assert first.exit_code == second.exit_code == 0, (sought, second.output)
        told = InterpretabilityBundle.parse(first.stdout)
        assert told.narrative, sought
        assert InterpretabilityBundle.parse(second.stdout).narrative == told.narrative


def test_many_questions_do_not_hide_what_they_are_about(
    ran: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explaining, "_LATEST", 3)
    before = explained(ran, "ada")
    for _ in range(4):
        explaining.request(
            ran.store, before.question, ExplanationOccasion.OPERATOR_REQUEST, "ops", NOW
        )
    assert explained(ran, "ada").bundle.narrative == before.bundle.narrative != []


def test_the_first_eight_characters_of_an_id_are_enough(ran: Home) -> None:
    clip = clip_of(ran)
    receipt = said(ran, "PublicationReceipt")[0]["message_id"]
    for sought in (clip, receipt):
        whole, beginning = explained(ran, sought), explained(ran, sought[:8])
        assert beginning.question == whole.question
    assert explained(ran, clip.upper()).question == explained(ran, clip).question


def test_a_beginning_of_more_than_one_id_is_not_guessed_at(ran: Home) -> None:
    ids = [f"0badcafe-0000-4000-8000-00000000000{number}" for number in range(2)]
    receipt = PublicationReceipt.parse(said(ran, "PublicationReceipt")[0]["payload"])
    with ran.store.begin() as connection:
        for clip_id in ids:
            trace = derive_id("trace", clip_id)
            emission = db.outbox.Emission(receipt, "tests", clip_id, trace, (), HERE, NOW)
            db.outbox.emit(connection, emission)
    shelf = library(ran)
    with pytest.raises(asking.UnknownIdError, match="more than one id") as refused:
        asking.question_of(shelf.layout, shelf.store, "0badcafe")
    assert all(clip_id in str(refused.value) for clip_id in ids)


def test_an_explanation_is_explained_by_what_it_explains(ran: Home) -> None:
    clip = clip_of(ran)
    kept = explaining.record(ran.store, explained(ran, clip), NOW)
    assert explained(ran, kept).question.subject_id == clip


def test_of_a_partition_with_more_than_is_read_the_latest_is_told(
    ran: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not explained(ran, f"ada/{DAY}").question.cut
    monkeypatch.setattr(asking, "_TOLD", 2)
    found = explained(ran, f"ada/{DAY}")
    clip = clip_of(ran)
    *_, latest = [one for one in said(ran, "Directive") if one["payload"]["subject_id"] == clip]
    assert found.question.cut
    assert len(found.question.packet_ids) == 2
    assert latest["message_id"] in {one.packet_id for one in found.packets}
    assert found.bundle.completeness < 1


def test_of_a_run_it_is_told_what_happened_in_it(ran: Home) -> None:
    events = [one for one in said(ran, "DagsterEvent") if one["payload"].get("run_id")]
    run_id = str(events[0]["payload"]["run_id"])
    told = " ".join(one.text for one in explained(ran, run_id).bundle.narrative)
    assert f"The run {run_id} of “clip_pipeline” began at" in told
    assert "“rendered_clips” for “ada|" in told
    assert "of DagsterEvent were recorded" not in told


@pytest.mark.parametrize("sought", ["7d44dcd2-0f3c-4f5e-9a0e-5a4f3b0ef111", "nobody", "", "../x"])
def test_an_id_that_nothing_has_is_said_to_be_unknown(ran: Home, sought: str) -> None:
    shelf = library(ran)
    with pytest.raises(asking.UnknownIdError, match="nothing is recorded as"):
        asking.question_of(shelf.layout, shelf.store, sought)


def test_a_kept_explanation_that_was_changed_is_made_anew(ran: Home, tmp_path: Path) -> None:
    clip = clip_of(ran)
    explaining.record(ran.store, explained(ran, clip), NOW)
    assert ran.omniva("ledger", "sync").exit_code == 0
    assert explained(ran, clip).kept
    forged = _copy(ran, tmp_path)
    _change(forged, "InterpretabilityBundle", "became a clip", "became a hit")
    shelf = Library(Layout(ran.path / "ledger"), forged)
    found = explaining.explain(shelf, asking.question_of(shelf.layout, forged, clip))
    assert not found.kept
    assert "became a hit" not in found.bundle.model_dump_json()


def test_nothing_is_explained_from_a_packet_that_was_changed(ran: Home, tmp_path: Path) -> None:
    forged = _copy(ran, tmp_path)
    _change(forged, "VideoAsset", "Talk", "Walk")
    shelf = Library(Layout(tmp_path / "nowhere"), forged)
    with pytest.raises(LedgerError, match="not what was recorded"):
        explaining.explain(shelf, asking.question_of(shelf.layout, forged, clip_of(ran)))


def _ids(home: Home) -> list[str]:
    """One of each kind of thing that can be asked about."""
    receipt, video = said(home, "PublicationReceipt")[0], said(home, "VideoAsset")[0]
    directive = said(home, "Directive")[0]
    runs = [one for one in said(home, "DagsterEvent") if one["payload"].get("run_id")]
    return [
        receipt["payload"]["clip_id"],
        receipt["payload"]["receipt_id"],
        receipt["message_id"],
        video["payload"]["video_id"],
        video["trace_id"],
        said(home, "ScraperJob")[0]["payload"]["job_id"],
        directive["payload"]["directive_id"],
        directive["message_id"],
        runs[0]["payload"]["run_id"],
        f"ada/{DAY}",
        "ada",
    ]


def _explained_directives(home: Home) -> set[str]:
    answers = [one["payload"] for one in said(home, "InterpretabilityBundle")]
    return {one["directive_id"] for one in answers if "directive_id" in one}


def _log(connection: sa.Connection) -> list[tuple[Any, str]]:
    return db.decisions.log_of(connection, EVERYTHING)


def _copy(home: Home, folder: Path) -> Store:
    """The state store as somebody has it who may write to its file."""
    with (
        closing(sqlite3.connect(home.path / "state.db")) as mine,
        closing(sqlite3.connect(folder / "state.db")) as theirs,
    ):
        mine.backup(theirs)
    store = Store(f"sqlite:///{folder / 'state.db'}")
    with store.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER packets_no_update")
    return store


def _change(store: Store, message_type: str, old: str, new: str) -> None:
    with store.begin() as connection:
        connection.execute(
            sa.text("UPDATE packets SET body = replace(body, :old, :new) WHERE message_type = :of"),
            {"old": old, "new": new, "of": message_type},
        )
