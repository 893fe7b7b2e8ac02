"""Operators' words on the command line: decided at once, by Zenith."""

from __future__ import annotations

import json

import pytest

from omniva_dagster import state as db
from omniva_dagster.contracts.ids import creator_id_of, worker_id_of
from omniva_dagster.state import intents
from tests.engines.zenith_words import CLIP, LATER, OTHER, retry
from tests.pipeline.zenith.support import HERE, clip, payloads, say, seen
from tests.support.home import Home
from tests.support.posted import planned, posted, status_of


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("retry", "ada"), "by its id"),
        (("promote", CLIP), "nothing is recorded about"),
        (("hold", "nobody"), "is not registered"),
        (("hold", "worker:cook"), "there is no worker"),
        (("hold", "ada", "--at", LATER), "--at is of"),
    ],
)
def test_what_no_directive_could_mean_is_refused(
    home: Home, arguments: tuple[str, ...], said: str
) -> None:
    home.add("ada", "http://127.0.0.1:9/feed.xml")
    result = home.omniva("override", *arguments, "--reason", "x")
    assert result.exit_code != 0
    assert said in f"{result.output}{result.exception}"
    assert home.count("restraints") == 0


@pytest.mark.spec("ZEN-7")
@pytest.mark.part("DAS-2")
def test_the_panic_button_and_overrides_are_decided_at_once_and_resume_lifts_what_it_names(
    home: Home,
) -> None:
    """ZEN-7: on crisis escalations. DAS-2: overrides through Zenith."""
    home.add("ada", "http://127.0.0.1:9/feed.xml")
    assert home.omniva("panic", "--creator", "ada", "--reason", "smoke").exit_code == 0
    assert home.omniva("panic", "--worker", "editor", "--reason", "fan").exit_code == 0
    refused = home.omniva("override", "release", "ada", "--reason", "I want to")
    assert refused.exit_code == 1
    assert "omniva resume" in refused.output
    assert home.omniva("resume", "--reason", "which?").exit_code == 2
    held = home.omniva("control", "status", "--json").stdout
    assert creator_id_of("ada") in held
    assert worker_id_of("editor") in held
    assert home.omniva("resume", "--all", "--reason", "all is well").exit_code == 0
    assert home.count("restraints") == 0
    assert "nothing" in home.omniva("control", "status").stdout
    signals = {item["operator"] for item in payloads(home.store, "PanicSignal")}
    assert len(signals) == 1
    acts = payloads(home.store, "OverrideRequest")
    assert [item["kind"] for item in acts] == ["release"] * 3
    assert all(item["evidence"] for item in acts)


@pytest.mark.spec("ZEN-6")
@pytest.mark.spec("DAS-2")
def test_an_operators_priority_is_decided_at_once_and_its_run_is_wanted(home: Home) -> None:
    """ZEN-6: on high-priority jobs. DAS-2: approvals, overrides, guidance through Zenith."""
    home.add("ada", "http://127.0.0.1:9/feed.xml")
    say(home.store, seen())
    clip(home.store)
    slot = "2999-03-04T18:00:00Z"
    urgent = ("--at", slot, "--priority", "0.9", "--reason", "breaking news")
    result = home.omniva("override", "reschedule", CLIP, *urgent)
    assert result.exit_code == 0, result.output
    (act,) = payloads(home.store, "OverrideRequest")
    (directive,) = payloads(home.store, "Directive")
    assert (directive["scheduled_time"], directive["priority"]) == (slot, 0.9)
    with home.store.read() as connection:
        assert not db.inboxes.urgent(connection, db.inboxes.ZENITH)
        assert [one.partition for one in intents.open_ones(connection)] == [HERE]
        shown = db.decisions.in_force(connection, CLIP)
    # The packets that the operator was shown are on record: the path replays.
    assert shown is not None
    assert act["evidence"] == [shown[1]]


def test_a_cancel_on_a_creator_says_what_stays_out_and_how_to_take_it_down(home: Home) -> None:
    home.add("ada", "http://127.0.0.1:9/feed.xml")
    out = posted(home.store, home.path, "ada", "one")
    done = home.omniva("override", "cancel", "ada", "--reason", "a break")
    assert done.exit_code == 0, done.output
    assert f"omniva override cancel {out}" in done.output
    assert "omniva creators revoke ada" in done.output
    assert status_of(home.store, out) == "PUBLISHED"


def test_a_release_of_what_something_wider_holds_says_what_that_is(home: Home) -> None:
    home.add("ada", "http://127.0.0.1:9/feed.xml")
    mine = planned(home.store, "ada", "one")
    assert home.omniva("override", "hold", "ada", "--reason", "a look first").exit_code == 0
    for _ in range(2):
        done = home.omniva("override", "release", mine, "--reason", "this one is fine")
        assert done.exit_code == 0, done.output
        assert "stands as you want it" not in done.output
        assert "the creator ada is held" in done.output
        assert "omniva override release ada" in done.output


@pytest.mark.parametrize(
    "words",
    ["x" * 1_000_000, "\N{SNOWMAN} \U0001f600 \u202eevil\u202c", "a\nb\tc", "'; DROP TABLE x --"],
    ids=["a-megabyte", "unicode", "lines", "sql"],
)
@pytest.mark.parametrize("command", [("override", "hold", "ada"), ("panic",), ("panic", "--all")])
def test_whatever_an_operator_writes_the_hold_is_in_force(
    home: Home, command: tuple[str, ...], words: str
) -> None:
    home.add("ada", "http://127.0.0.1:9/feed.xml")
    command = ("resume", "--all") if command[-1] == "--all" else command
    if command[0] == "resume":
        assert home.omniva("panic", "--reason", "first").exit_code == 0
    done = home.omniva(*command, "--reason", words)
    assert done.exit_code == 0, done.output[-2000:]
    assert len(done.output) < 20_000
    assert home.count("restraints") == (command[0] != "resume")


@pytest.mark.parametrize("words", ["", "bad \udcff bytes"])
@pytest.mark.parametrize("command", [("override", "hold", "ada"), ("panic",)])
def test_a_reason_that_cannot_be_recorded_is_refused_and_nothing_is_held(
    home: Home, command: tuple[str, ...], words: str
) -> None:
    home.add("ada", "http://127.0.0.1:9/feed.xml")
    done = home.omniva(*command, "--reason", words)
    assert done.exit_code != 0
    assert not isinstance(done.exception, UnicodeError)
    assert home.count("restraints") == 0


def test_resuming_what_was_never_stopped_and_pressing_twice_come_to_what_they_say(
    home: Home,
) -> None:
    home.add("ada", "http://127.0.0.1:9/feed.xml")
    never = home.omniva("resume", "--reason", "?")
    assert never.exit_code == 1
    assert "is not pressed" in never.output
    for _ in range(2):
        assert home.omniva("panic", "--reason", "smoke").exit_code == 0
    assert home.omniva("panic", "--creator", "ada", "--reason", "her too").exit_code == 0
    first, *_ = payloads(home.store, "PanicSignal")
    one = ("--signal", first["signal_id"], "--reason", "that was nothing")
    assert home.omniva("resume", *one).exit_code == 0
    again = home.omniva("resume", *one)
    assert again.exit_code == 2
    assert "not in force" in again.output
    assert home.count("restraints") == 2
    free = home.omniva("override", "release", "all", "--reason", "no right to")
    assert free.exit_code == 1
    assert home.count("restraints") == 2
    assert home.omniva("resume", "--all", "--reason", "well").exit_code == 0
    assert home.count("restraints") == 0
    released = home.omniva("override", "release", "ada", "--reason", "never held")
    assert released.exit_code == 0
    assert "stands as you want it already" in released.output


def test_what_a_person_must_look_at_is_listed_newest_first_with_what_to_do(home: Home) -> None:
    home.add("ada", "http://127.0.0.1:9/feed.xml")
    assert "nothing to look at" in home.omniva("control", "alerts").stdout
    say(home.store, seen(), retry(due=None))
    cycle = home.omniva("control", "cycle")
    assert "look at: the edit job failed for good" in cycle.stdout
    say(home.store, retry(due=None, job_id=OTHER))
    home.omniva("control", "cycle")
    lines = home.omniva("control", "alerts", "--json").stdout.splitlines()
    assert [json.loads(line)["subject_ids"] for line in lines] == [[OTHER], [CLIP]]
    shown = home.omniva("control", "alerts", "--last", "1").stdout
    assert f"omniva override retry {OTHER}" in shown
    assert CLIP not in shown
