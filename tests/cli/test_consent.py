"""A creator's consent: part of the registration, and what happens when it is withdrawn."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from omniva_dagster import state as db
from omniva_dagster.cli._home import instance
from omniva_dagster.contracts.decisions import Directive, DirectiveKind
from omniva_dagster.contracts.ids import EVERYTHING, creator_id_of
from omniva_dagster.definitions import definitions
from omniva_dagster.resources.desk import ZenithDesk
from omniva_dagster.sensors.daily import clip_pipeline_daily
from omniva_dagster.settings import settings
from tests.support.home import DAY, Home, make_home
from tests.support.posted import claimed, planned, posted, status_of

pytestmark = pytest.mark.takes(20)

FEED = "http://127.0.0.1:9/feed.xml"
REVOKE = ("creators", "revoke", "ada", "--reason", "she asked for it")
GRANT = ("creators", "grant", "ada", "--consent", "by mail of 2026-03-09")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A home with the creator ``ada``."""
    made = make_home(tmp_path / "home", monkeypatch, prepared=True)
    made.add("ada", FEED)
    yield made
    settings.cache_clear()


def _said(home: Home, message_type: str, subject_id: str = "") -> list[dict[str, Any]]:
    query = "SELECT body FROM packets WHERE message_type = ? ORDER BY sequence"
    with home.store.read() as connection:
        bodies = connection.exec_driver_sql(query, (message_type,)).scalars().all()
    payloads = [json.loads(body)["payload"] for body in bodies]
    return [one for one in payloads if not subject_id or one.get("subject_id") == subject_id]


def _media(home: Home) -> list[Path]:
    return [path for path in home.path.glob("outbox*/**/*") if path.suffix in (".mp4", ".jpg")]


def test_registering_states_consent_once_and_what_is_stated_otherwise_again(home: Home) -> None:
    home.add("ada", FEED)
    (first,) = _said(home, "ConsentRecord")
    assert (first["status"], first["slug"]) == ("granted", "ada")
    assert first["licence"] == "as agreed with the creator"
    assert first["terms"].endswith("at registration")
    stated = ("--consent", "contract of 2026-01-02, page 3", "--licence", "clips up to 60 s")
    for _ in range(2):
        done = home.omniva("creators", "add", "ada", "--url", FEED, *stated)
        assert done.exit_code == 0, done.output
    home.add("ada", FEED)
    _, second = _said(home, "ConsentRecord")
    assert second["terms"] == "contract of 2026-01-02, page 3"
    listed = json.loads(home.omniva("creators", "list", "--json").stdout)
    assert (listed["consent"], listed["licence"]) == ("granted", "clips up to 60 s")
    assert "clips up to 60 s" in home.omniva("creators", "list").stdout
    shown = json.loads(home.omniva("creators", "consent", "ada", "--json").stdout)
    assert shown["terms"] == "contract of 2026-01-02, page 3"


def test_each_record_of_consent_names_the_one_before(home: Home) -> None:
    assert home.omniva(*REVOKE).exit_code == 0
    assert home.omniva(*GRANT).exit_code == 0
    with home.store.read() as connection:
        found = db.creators.consent_of(connection, "ada")
        statuses = []
        while found is not None:
            packet = db.outbox.by_id(connection, found[1])
            assert packet is not None
            statuses.append(packet.payload["status"])
            before = db.outbox.by_id(connection, packet.parents[0]) if packet.parents else None
            found = (found[0], before.packet_id) if before else None
    assert statuses == ["granted", "revoked", "granted"]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("--consent", "x" * 201), "terms"),
        (("--licence", "x" * 2001), "licence"),
    ],
)
def test_words_that_are_too_long_are_refused_and_nothing_is_registered(
    home: Home, arguments: tuple[str, str], field: str
) -> None:
    done = home.omniva("creators", "add", "bob", "--url", FEED, *arguments)
    assert done.exit_code == 1
    assert f"/{field}" in str(done.exception)
    assert [json.loads(line)["slug"] for line in _listed(home)] == ["ada"]


def _listed(home: Home) -> list[str]:
    return home.omniva("creators", "list", "--json").stdout.splitlines()


@pytest.mark.parametrize(
    "command",
    [
        ("run", "--creator", "ada", "--day", DAY),
        ("backfill", "--creator", "ada", "--from", DAY, "--to", DAY),
        ("creators", "add", "ada", "--url", FEED),
        # The same channel under another name is the same creator.
        ("creators", "add", "other", "--url", FEED),
        ("preview", "--creator", "ada"),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_a_revoked_creator_is_refused_with_the_command_that_grants_again(
    home: Home, command: tuple[str, ...]
) -> None:
    assert home.omniva(*REVOKE).exit_code == 0
    done = home.omniva(*command)
    assert done.exit_code == 1
    assert "omniva creators grant ada --consent" in str(done.exception)
    assert home.count("requests") == 0
    assert len(_said(home, "ConsentRecord")) == 2


def test_a_revoked_creator_is_not_scheduled(home: Home) -> None:
    home.add("bob", "http://127.0.0.1:9/bob.xml")
    home.omniva(*REVOKE)
    with instance() as opened:
        context = dg.build_schedule_context(
            instance=opened,
            scheduled_execution_time=datetime(2026, 3, 4, 2, 15, tzinfo=UTC),
            resources=definitions(settings()).resources,
        )
        requests = clip_pipeline_daily(context)
        assert isinstance(requests, Iterator)
        keys = [str(one.partition_key) for one in requests if isinstance(one, dg.RunRequest)]
    assert keys
    assert all(key.startswith("bob|") for key in keys)


@pytest.mark.part("ZEN-10")
def test_revoking_holds_what_is_planned_and_takes_down_what_is_posted(home: Home) -> None:
    """ZEN-10: and carries rollback guidance."""
    home.add("bob", "http://127.0.0.1:9/bob.xml")
    waits = planned(home.store, "ada", "planned")
    out = [posted(home.store, home.path, "ada", name) for name in ("one", "two")]
    begun = claimed(home.store, "ada", "begun")
    other = posted(home.store, home.path, "bob", "one")

    done = home.omniva(*REVOKE, "--json")
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert (report["held"], report["failed"]) == (1, [])
    assert {one["clip_id"] for one in report["withdrawn"]} == {*out, begun}
    assert {status_of(home.store, clip_id) for clip_id in (*out, begun)} == {"WITHDRAWN"}
    assert status_of(home.store, other) == "PUBLISHED"
    assert {path.parts[-4] for path in _media(home)} == {"bob"}

    with home.store.read() as connection:
        for clip_id in (waits, *out, begun, creator_id_of("ada")):
            found = db.decisions.in_force(connection, clip_id)
            assert found is not None
            directive, _ = found
            assert directive.kind is DirectiveKind.CANCEL
            assert "she asked for it" in directive.reason
            assert directive.rollback
        for clip_id in out:
            packet = db.outbox.latest(connection, "PublicationWithdrawn", clip_id)
            receipt = db.outbox.latest(connection, "PublicationReceipt", clip_id)
            cancel = db.decisions.in_force(connection, clip_id)
            assert packet is not None
            assert receipt is not None
            assert cancel is not None
            assert set(packet.parents) == {receipt.packet_id, cancel[1]}
            assert packet.payload["directive_id"] == cancel[0].directive_id
            assert packet.payload["receipt_id"] == receipt.payload["receipt_id"]


@pytest.mark.spec("CON-11")
def test_revoking_again_does_nothing_twice(home: Home) -> None:
    """CON-11: modules are idempotent: the same message twice has one effect."""
    posted(home.store, home.path, "ada", "one")
    assert home.omniva(*REVOKE).exit_code == 0
    before = home.recorded()
    again = home.omniva("creators", "revoke", "ada", "--reason", "said once more")
    assert again.exit_code == 0
    assert home.recorded() == before


def test_what_cannot_be_taken_down_is_named_and_the_same_command_goes_on(home: Home) -> None:
    blocked = posted(home.store, home.path, "ada", "one")
    free = posted(home.store, home.path, "ada", "two")
    folder = next((home.path / "outbox").rglob(f"*-{blocked}"))
    moved = folder.rename(home.path / "elsewhere")
    folder.symlink_to(moved, target_is_directory=True)

    done = home.omniva(*REVOKE)
    assert done.exit_code == 3
    assert "1 posted ones were taken down, 1 could not be" in done.stdout
    assert f"{folder} is no folder but a link" in done.stderr
    assert status_of(home.store, free) == "WITHDRAWN"
    assert (moved / "clip.mp4").exists()
    (outcome,) = [one for one in _said(home, "Outcome", blocked) if one["stage"] == "withdrawals"]
    assert (outcome["status"], outcome["reason_code"]) == ("ERROR", "collision")

    folder.unlink()
    assert home.omniva(*REVOKE).exit_code == 0
    assert status_of(home.store, blocked) == "WITHDRAWN"


def test_granting_again_lifts_the_cancel_and_brings_nothing_back(home: Home) -> None:
    waits = planned(home.store, "ada", "planned")
    out = posted(home.store, home.path, "ada", "one")
    home.omniva(*REVOKE)
    granted = home.omniva(*GRANT)
    assert granted.exit_code == 0, granted.output
    assert "agrees again" in granted.stdout
    with home.store.read() as connection:
        assert db.creators.willing(connection, "ada").consent == "granted"
        held = db.decisions.restrained(connection, [creator_id_of("ada"), waits], DAY)
        stays = db.decisions.in_force(connection, out)
    assert held is None
    assert stays is not None
    assert stays[0].kind is DirectiveKind.CANCEL
    assert status_of(home.store, out) == "WITHDRAWN"
    assert _media(home) == []


def test_a_panic_does_not_keep_what_is_taken_back_from_going_down(home: Home) -> None:
    out = posted(home.store, home.path, "ada", "one")
    assert home.omniva("panic", "--reason", "a test").exit_code == 0
    with home.store.read() as connection:
        assert db.decisions.restrained(connection, [EVERYTHING], DAY) is not None
    assert home.omniva(*REVOKE).exit_code == 0
    assert status_of(home.store, out) == "WITHDRAWN"


def test_a_single_clip_is_taken_down_by_an_override(home: Home) -> None:
    out, stays = (posted(home.store, home.path, "ada", name) for name in ("one", "two"))
    done = home.omniva("override", "cancel", out, "--reason", "a wrong name in it")
    assert done.exit_code == 0, done.output
    assert status_of(home.store, out) == "WITHDRAWN"
    assert status_of(home.store, stays) == "PUBLISHED"
    (withdrawn,) = _said(home, "PublicationWithdrawn")
    assert "a wrong name in it" in withdrawn["reason"]
    again = home.omniva("override", "release", out, "--reason", "after all")
    assert again.exit_code == 1
    assert "what is withdrawn is not posted again" in again.output
    report = json.loads(home.omniva("status", "--creator", "ada", "--day", DAY, "--json").stdout)
    shown = {clip["clip_id"]: (clip["status"], bool(clip["path"])) for clip in report["clips"]}
    assert shown == {out: ("WITHDRAWN", False), stays: ("SCHEDULED", True)}


def test_a_revocation_is_decided_whole_or_not_at_all(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = posted(home.store, home.path, "ada", "one")

    def dies(*_arguments: object) -> list[Directive]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ZenithDesk, "attend", dies)
        home.omniva(*REVOKE)
    assert len(_said(home, "ConsentRecord")) == 1
    assert status_of(home.store, out) == "PUBLISHED"
    with home.store.read() as connection:
        assert db.creators.willing(connection, "ada")
