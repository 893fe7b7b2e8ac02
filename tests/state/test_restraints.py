"""What is held: several grounds on one subject, each lifted by itself."""

from __future__ import annotations

import pytest

from omniva_dagster.contracts.decisions import Directive, DirectiveKind, OutcomeStatus
from omniva_dagster.contracts.ids import EVERYTHING, creator_id_of, derive_id
from omniva_dagster.state import decisions, outbox
from omniva_dagster.state.partition import Partition
from omniva_dagster.state.store import Store
from tests.state.support import CLIP, HERE, LATER, NOW, emission

HOLD, CANCEL = DirectiveKind.HOLD, DirectiveKind.CANCEL


def _append(
    store: Store,
    kind: DirectiveKind,
    name: str,
    *grounds: decisions.Ground,
    subject_id: str = CLIP,
    scope: str = "clip",
    until: str = "",
) -> decisions.Moved | None:
    with store.begin() as connection:
        packet_id = outbox.emit(connection, emission()).packet_id
        directive = Directive(
            directive_id=derive_id("directive", name),
            kind=kind,
            subject_id=subject_id,
            owner="uploader",
            reason=name,
            evidence=[packet_id],
            rollback="none",
            issued_at=NOW,
            **({"until": until} if until else {}),
        )
        return decisions.append(
            connection, HERE, directive, packet_id, scope=scope, grounds=grounds
        )


def _ground(name: str, kind: DirectiveKind = HOLD, until: str = "") -> decisions.Ground:
    ids = derive_id("cause", name), derive_id("packet", name)
    return decisions.Ground(*ids, "panic", kind, name, until)


def _held(store: Store, now: str = NOW) -> str:
    with store.read() as connection:
        found = decisions.restrained(connection, [CLIP], now)
    return found.reason if found else ""


def test_a_subject_is_free_when_the_last_ground_is_lifted(store: Store) -> None:
    _append(store, HOLD, "first", _ground("one"))
    _append(store, HOLD, "second", _ground("two"))
    with store.begin() as connection:
        decisions.lift(connection, CLIP, [derive_id("cause", "one")])
    assert _held(store) == "two"
    with store.begin() as connection:
        decisions.lift(connection, CLIP, [derive_id("cause", "two")])
    assert _held(store) == ""


def test_a_release_ends_every_ground_and_a_cancel_outweighs_a_hold(store: Store) -> None:
    _append(store, HOLD, "first", _ground("one"))
    _append(store, CANCEL, "second", _ground("two", CANCEL))
    assert _held(store) == "two"
    _append(store, DirectiveKind.RELEASE, "third")
    assert _held(store) == ""


def test_a_directive_that_is_known_already_brings_nothing_back(store: Store) -> None:
    _append(store, HOLD, "first", _ground("one"))
    _append(store, DirectiveKind.RELEASE, "second")
    assert _append(store, HOLD, "first", _ground("one")) is None
    assert _held(store) == ""


def test_a_hold_with_an_end_holds_until_then_and_is_found_when_it_is_over(store: Store) -> None:
    _append(store, HOLD, "first", _ground("one", until=LATER), until=LATER)
    assert _held(store) == "one"
    assert _held(store, LATER) == ""
    with store.read() as connection:
        assert decisions.expired(connection, NOW) == []
        assert [item.reason for item in decisions.expired(connection, LATER)] == ["one"]


def test_the_widest_restraint_is_the_one_that_is_told(store: Store) -> None:
    _append(store, HOLD, "clip", _ground("narrow"))
    _append(store, HOLD, "all", _ground("wide"), subject_id=EVERYTHING, scope="all")
    with store.read() as connection:
        found = decisions.restrained(connection, [CLIP, EVERYTHING, creator_id_of("ada")], NOW)
    assert found is not None
    assert (found.scope, found.reason) == ("all", "wide")


@pytest.mark.part("ZEN-8")
def test_a_subjects_transitions_are_counted_one_by_one(store: Store) -> None:
    """ZEN-8: publishes consistent state transitions."""
    kinds = [DirectiveKind.PROMOTE, DirectiveKind.RELEASE, HOLD, HOLD, DirectiveKind.PROMOTE]
    kinds += [DirectiveKind.RESCHEDULE, DirectiveKind.RETRY, CANCEL]
    moved = [_append(store, kind, str(number)) for number, kind in enumerate(kinds)]
    steps = [(one.before.value, one.after.value, one.version) for one in moved if one]
    assert steps == [
        ("PENDING", "RUNNING", 1),
        ("RUNNING", "SKIPPED", 2),
        ("SKIPPED", "RUNNING", 3),
        ("ERROR", "PENDING", 4),
        ("PENDING", "CANCELLED", 5),
    ]
    with store.read() as connection:
        assert decisions.status_of(connection, CLIP) == (OutcomeStatus.CANCELLED, 5)


def test_what_a_hold_stopped_is_launched_again_once(store: Store) -> None:
    other = Partition("ada", "2026-03-05")
    with store.begin() as connection:
        for partition in (other, HERE, HERE):
            decisions.stopped(connection, CLIP, partition)
        assert decisions.resumed(connection, CLIP) == [HERE, other]
        assert decisions.resumed(connection, CLIP) == []
