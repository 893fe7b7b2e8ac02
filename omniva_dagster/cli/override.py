"""``omniva override``: an operator's word, which Zenith enforces."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from uuid import uuid4

import click

from omniva_dagster.cli import _control
from omniva_dagster.cli._home import operator, prepare, store
from omniva_dagster.contracts.base import given
from omniva_dagster.contracts.decisions import DirectiveKind
from omniva_dagster.contracts.types import parse_timestamp

if TYPE_CHECKING:
    import sqlalchemy as sa

    from omniva_dagster.contracts.cognition.zenith import OverrideRequest
    from omniva_dagster.contracts.operations.dashboard import OperatorAction

_KINDS = ("hold", "release", "cancel", "retry", "reschedule", "promote")
_SHOWN = 20
_ABOUT_CLIPS = (DirectiveKind.RESCHEDULE, DirectiveKind.PROMOTE)


@click.command()
@click.argument("kind", type=click.Choice(_KINDS))
@click.argument("subject")
@click.option("--reason", required=True, help="Why; it goes into the ledger.")
@click.option("--at", "at", help="Of a reschedule the slot, of a retry when: 2026-03-04T18:00:00Z.")
@click.option(
    "--priority",
    type=click.FloatRange(0, 1),
    help="How urgent it is from now on; of a creator 0.5 gives the word back to Lattice.",
)
@click.option("--now", "at_once", is_flag=True, help="Run here what follows, without the daemon.")
def override(
    kind: str, subject: str, reason: str, at: str | None, priority: float | None, at_once: bool
) -> None:
    """Have Zenith decide otherwise on SUBJECT.

    SUBJECT is the id of a clip, a video or another document, a creator's slug, worker:NAME, or all.
    Zenith refuses what a creator's consent or the panic button stops.
    """
    prepare()
    wanted, moment = DirectiveKind(kind), _control.now()
    with store().begin() as connection:
        found = _control.subject_of(connection, subject)
        _must_make_sense(connection, found, wanted, at, priority)
        act: tuple[OverrideRequest | OperatorAction, str]
        if found.place.scope == "creator" and wanted is DirectiveKind.RESCHEDULE:
            assert priority is not None
            guidance = _guidance(connection, found, reason, priority, moment)
            act = guidance, guidance.action_id
        else:
            request = _request(connection, found, wanted, reason, at, priority, moment)
            act = request, request.request_id
        records = _control.decide(connection, [(*act, found)], moment)
        refused = _control.refusals(connection, [act[1]], found.subject_id)
        around = _held_around(connection, found, moment)
    mine = [record for record in records if record.subject_id == found.subject_id]
    _control.show(mine)
    for why in refused:
        click.secho(f"not followed: {why}", fg="red", err=True)
    if refused:
        sys.exit(1)
    if around and wanted in (DirectiveKind.RELEASE, DirectiveKind.PROMOTE):
        click.echo(around)
    elif not mine:
        click.echo(f"nothing changed: {found.words} stands as you want it already")
    if wanted is DirectiveKind.CANCEL and mine:
        _withdraw(found)
    if wanted in (DirectiveKind.HOLD, DirectiveKind.CANCEL):
        _control.cancel_now()
        return
    sys.exit(1 if _control.launch_now(at_once=at_once) else 0)


def _withdraw(found: _control.Subject) -> None:
    """Take down at once what is posted of a cancelled clip; say what stays out of anything wider.

    Posts are taken down by name, or with the creator's consent, never by a word on a whole video's
    or creator's work: what is withdrawn is not posted again.
    """
    from omniva_dagster.cli._takedown import tell, withdraw_now
    from omniva_dagster.state import publishing

    place = found.place
    if place.scope == "clip":
        tell(withdraw_now(clip_id=found.subject_id))
        return
    slug = place.partition.creator
    with store().read() as connection:
        out = publishing.posted_of(connection, slug) if slug else []
    out = [one for one in out if place.scope != "video" or one.video_id == found.subject_id]
    if not out:
        return
    click.echo(f"this stops the work; what is posted stays out, {len(out)} clips. To take it down:")
    for clip in out[:_SHOWN]:
        click.echo(f"  omniva override cancel {clip.clip_id} --reason ...")
    if len(out) > _SHOWN:
        click.echo(f"  ... and {len(out) - _SHOWN} more")
    if place.scope == "creator":
        click.echo(
            f"  or all of them, with the consent: omniva creators revoke {slug} --reason ..."
        )


def _held_around(connection: sa.Connection, found: _control.Subject, moment: str) -> str:
    """What holds the video, the creator or the whole that a document belongs to."""
    from omniva_dagster.contracts.ids import EVERYTHING, creator_id_of
    from omniva_dagster.state import decisions

    place = found.place
    wider = {EVERYTHING, creator_id_of(place.partition.creator), place.video_id}
    held = decisions.restrained(connection, wider - {found.subject_id, ""}, moment)
    if held is None or place.scope in ("all", "worker"):
        return ""
    what = "all work" if held.scope == "all" else f"the {held.scope} {held.name or held.subject_id}"
    return (
        f"{found.words} does not go on yet: {what} is held ({held.reason}); to lift that: "
        f"{held.lifted_by}"
    )


def _request(
    connection: sa.Connection,
    found: _control.Subject,
    wanted: DirectiveKind,
    reason: str,
    at: str | None,
    priority: float | None,
    moment: str,
) -> OverrideRequest:
    from omniva_dagster.contracts.cognition.zenith import OverrideRequest
    from omniva_dagster.state import decisions, publishing

    standing = decisions.in_force(connection, found.subject_id)
    held = decisions.restraints_on(connection, [found.subject_id])
    seen = [standing[1]] if standing else []
    seen += [item.packet_id for item in held]
    slot = at
    if wanted is DirectiveKind.RESCHEDULE and at is None:
        # Only its priority changes.
        slot = publishing.slot_of(connection, found.subject_id)
    return OverrideRequest.parse(
        {
            "request_id": str(uuid4()),
            "operator": operator(),
            "subject_id": found.subject_id,
            "kind": wanted.value,
            "reason": reason[:1900],
            "evidence": list(dict.fromkeys(seen)),
            "requested_at": moment,
            **given(scheduled_time=slot, priority=priority),
        }
    )


def _guidance(
    connection: sa.Connection,
    found: _control.Subject,
    reason: str,
    priority: float,
    moment: str,
) -> OperatorAction:
    """How urgent a creator's work is: guidance, which Lattice gives way to."""
    from omniva_dagster.contracts.operations.dashboard import ActionKind, OperatorAction
    from omniva_dagster.state import decisions, outbox

    consent = outbox.latest(connection, "ConsentRecord", found.subject_id)
    standing = decisions.in_force(connection, found.subject_id, (DirectiveKind.RESCHEDULE,))
    seen = [consent.packet_id] if consent else []
    seen += [standing[1]] if standing else []
    if not seen:
        raise click.ClickException(
            f"nothing is on record about {found.words}; omniva creators add it again"
        )
    return OperatorAction.parse(
        {
            "action_id": str(uuid4()),
            "kind": ActionKind.GUIDANCE.value,
            "operator": operator(),
            "subject_id": found.subject_id,
            "priority": priority,
            "reason": reason[:1900],
            "seen": seen,
            "acted_at": moment,
        }
    )


def _must_make_sense(
    connection: sa.Connection,
    found: _control.Subject,
    wanted: DirectiveKind,
    at: str | None,
    priority: float | None,
) -> None:
    """Refuse what no directive could mean, and say why."""
    place = found.place
    if wanted is DirectiveKind.RESCHEDULE and place.scope == "creator":
        if at is not None or priority is None:
            raise click.UsageError("a creator has no slot: say how urgent it is with --priority")
        return
    if wanted in _ABOUT_CLIPS and not place.pinnable:
        raise click.ClickException(
            f"{found.words} is no clip and no judged candidate: there is nothing to {wanted.value}"
        )
    if wanted is DirectiveKind.RETRY and place.scope in ("all", "worker", "creator"):
        raise click.ClickException("name the clip, video or document that failed, by its id")
    if wanted not in (DirectiveKind.HOLD, DirectiveKind.CANCEL):
        _must_be_there(connection, found)
    if at is not None:
        if wanted not in (DirectiveKind.RESCHEDULE, DirectiveKind.RETRY):
            raise click.UsageError(f"--at is of reschedule and retry, not of {wanted.value}")
        _must_be_ahead(at)
    if wanted is DirectiveKind.RESCHEDULE:
        _must_be_movable(connection, found, at, priority)


def _must_be_there(connection: sa.Connection, found: _control.Subject) -> None:
    from omniva_dagster.state import publishing

    if publishing.is_withdrawn(connection, found.subject_id):
        raise click.ClickException(
            f"{found.words} was taken down; what is withdrawn is not posted again "
            "(its receipt and the reason are in outbox.withdrawn)"
        )


def _must_be_ahead(at: str) -> None:
    try:
        moment = parse_timestamp(at)
    except ValueError as error:
        raise click.UsageError(f"--at {at!r} {error}") from None
    if moment <= parse_timestamp(_control.now()):
        raise click.UsageError(f"--at {at} is over already")


def _must_be_movable(
    connection: sa.Connection, found: _control.Subject, at: str | None, priority: float | None
) -> None:
    from omniva_dagster.state import publishing

    clip_id = found.subject_id
    slot = publishing.slot_of(connection, clip_id)
    if at is None and (priority is None or slot is None):
        raise click.UsageError("say when with --at, or how urgent with --priority")
    clips = publishing.clips_of(connection, found.place.partition.creator)
    if any(clip.clip_id == clip_id and clip.status for clip in clips):
        raise click.ClickException(
            "it is posted already; take it down with `omniva override cancel` if it must go"
        )
    if at is not None:
        holder = publishing.holder_of_slot(connection, found.place.partition.creator, at)
        if holder not in (None, clip_id):
            raise click.ClickException(f"the slot {at} is taken by clip {holder}; choose another")
