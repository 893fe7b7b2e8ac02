"""``omniva review``: the judges asked again, and answers to what Chorus could not settle."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click

from omniva_dagster.cli import _control
from omniva_dagster.cli._home import operator, prepare, store
from omniva_dagster.contracts.cognition.chorus import (
    ComplianceConflict,
    ConflictState,
    DraftMetadata,
    StyledField,
)
from omniva_dagster.contracts.cognition.pantheon import ReviewOccasion
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.types import UUID4_PATTERN

if TYPE_CHECKING:
    import sqlalchemy as sa

    from omniva_dagster.resources.judging import Review
    from omniva_dagster.state.restraints import Restraint

_RULE = "compliance"


class _Reviews(click.Group):
    """A group in which an id alone is a question to the judges."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and re.fullmatch(UUID4_PATTERN[1:-1], args[0]):
            args = ["ask", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Reviews)
def review() -> None:
    """Ask Pantheon's judges again about a clip, answer what Chorus could not settle, or draft a
    clip's wording yourself.

    omniva review CLIP --question ... is short for omniva review ask CLIP --question ...
    """


@review.command()
@click.argument("clip")
@click.option("--question", required=True, help="What you want to know; it goes into the ledger.")
@click.option(
    "--occasion",
    type=click.Choice([one.value for one in ReviewOccasion]),
    default=ReviewOccasion.SPOT_CHECK.value,
    show_default=True,
    help="Why you ask.",
)
@click.option("--json", "as_json", is_flag=True, help="The vote report as JSON.")
def ask(clip: str, question: str, occasion: str, as_json: bool) -> None:
    """Have the judges vote again on CLIP (or a candidate), on what they voted on before.

    Nothing changes by it: to decide otherwise, omniva override.
    """
    from omniva_dagster.resources import judging
    from omniva_dagster.resources.build import build_resources
    from omniva_dagster.resources.media import AtlasResource, JuryResource

    made = build_resources(prepare())
    atlas, jury = made["atlas"], made["jury"]
    assert isinstance(atlas, AtlasResource)
    assert isinstance(jury, JuryResource)
    found = judging.review(
        store(),
        atlas.store,
        jury.panel(),
        clip,
        question=question[:2000],
        occasion=ReviewOccasion(occasion),
        operator=operator(),
        now=_control.now(),
    )
    if as_json:
        click.echo(json.dumps(found.report.dump()))
        return
    _tell(found)


@review.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for programs.")
def list_(as_json: bool) -> None:
    """What waits for an answer."""
    from omniva_dagster.state import decisions

    with store().read() as connection:
        held = [
            item for item in decisions.restraints_of(connection, scope="clip") if item.rule == _RULE
        ]
    for item in held:
        if as_json:
            said = {"conflict": item.ground, "clip": item.subject_id, "reason": item.reason}
            click.echo(json.dumps({**said, "since": item.since}))
        else:
            click.echo(f"{item.ground}  clip {item.subject_id}, since {item.since}")
            click.echo(f"  {item.reason}\n  {item.lifted_by}")
    if not held and not as_json:
        click.echo("nothing waits for an answer")


@review.command()
@click.argument("conflict")
@click.option("--accept", is_flag=True, help="The words may stand.")
@click.option("--use", "use", help="These words instead, in that field; tags with commas.")
@click.option("--reason", required=True, help="Why; it goes into the ledger.")
@click.option("--now", "at_once", is_flag=True, help="Run here what follows, without the daemon.")
def resolve(conflict: str, accept: bool, use: str | None, reason: str, at_once: bool) -> None:
    """Answer CONFLICT (see `omniva review list`), and let the clip go on.

    New words are read by Chorus like any others when the upload is prepared.
    """
    if accept == (use is not None):
        raise click.UsageError("say either --accept or --use TEXT")
    prepare()
    moment = _control.now()
    with store().begin() as connection:
        held, open_one = _open(connection, conflict)
        evidence = [held.ground_packet_id]
        if use is not None:
            worded = _worded(open_one.field, use)
            evidence.append(_write(connection, open_one.clip_id, worded, moment))
        how = f"worded as “{use}”" if use is not None else "accepted"
        answer = open_one.model_copy(
            update={
                "state": ConflictState.RESOLVED,
                "resolution": f"{operator()}: {how}; {reason}"[:2000],
                "evidence": evidence,
            }
        )
        subject = _control.subject_of(connection, open_one.clip_id)
        records = _control.decide(connection, [(answer, str(uuid4()), subject)], moment)
    mine = [record for record in records if record.subject_id == open_one.clip_id]
    _control.show(mine)
    if not mine:
        click.echo("answered; the clip is held for other reasons too: omniva review list")
    sys.exit(1 if _control.launch_now(at_once=at_once) else 0)


@review.command()
@click.argument("clip")
@click.option("--title", help="What it is to be called.")
@click.option("--description", help="All of the description; the source is not added to it.")
@click.option("--tags", help="Tags with commas, the best first.")
def word(clip: str, title: str | None, description: str | None, tags: str | None) -> None:
    """Draft CLIP's wording yourself; what you leave out stays the clip's own words.

    Chorus reads a draft like any other: in the brand's voice, within policy.
    """
    parts = {
        StyledField.TITLE: title,
        StyledField.DESCRIPTION: description,
        StyledField.KEYWORDS: tags,
    }
    worded: dict[str, Any] = {}
    for field, use in parts.items():
        worded |= _worded(field, use) if use is not None else {}
    if not worded:
        raise click.UsageError("say --title, --description or --tags")
    prepare()
    with store().begin() as connection:
        subject = _control.subject_of(connection, clip)
        _must_be_in(connection, subject)
        _write(connection, subject.subject_id, worded, _control.now())
        home = subject.place.partition
    click.echo(
        f"drafted; Chorus words it by that with the next run: "
        f"omniva run --creator {home.creator} --day {home.day}"
    )


def _must_be_in(connection: sa.Connection, subject: _control.Subject) -> None:
    from omniva_dagster.state import publishing

    clips = publishing.clips_of(connection, subject.place.partition.creator)
    if any(clip.clip_id == subject.subject_id and clip.status for clip in clips):
        raise click.ClickException("it is posted already: what is out is not worded anew")


def _open(connection: sa.Connection, conflict_id: str) -> tuple[Restraint, ComplianceConflict]:
    from omniva_dagster.state import decisions, outbox

    for held in decisions.restraints_on(connection, grounds=[conflict_id]):
        packet = outbox.by_id(connection, held.ground_packet_id)
        if packet is not None and packet.message_type == ComplianceConflict.__name__:
            return held, ComplianceConflict.parse(packet.payload)
    raise click.ClickException(
        f"no clip is held for {conflict_id}: it is answered, or was never asked; what waits: "
        "omniva review list"
    )


def _write(connection: sa.Connection, clip_id: str, worded: dict[str, Any], moment: str) -> str:
    """Record an operator's words for fields of a clip's wording; the packet they stand in."""
    from omniva_dagster.resources.dossiers import place_of
    from omniva_dagster.resources.wording import OPERATOR
    from omniva_dagster.resources.workbench import Recorder
    from omniva_dagster.state import outbox

    base = outbox.latest(connection, DraftMetadata.__name__, clip_id, OPERATOR)
    base = base or outbox.latest(connection, DraftMetadata.__name__, clip_id)
    if base is None:
        raise click.ClickException("the clip has no draft; materialize upload_jobs first")
    place = place_of(connection, clip_id)
    draft = DraftMetadata.parse(
        {
            **base.payload,
            **worded,
            "drafted_by": operator(),
            "evidence": [base.packet_id],
        }
    )
    record = Recorder(connection, OPERATOR, place.partition, moment).record(
        draft,
        subject_id=clip_id,
        trace_id=derive_id("trace", place.video_id or clip_id),
        parents=draft.evidence,
        video_id=place.video_id,
    )
    return record.packet_id


def _worded(field: StyledField, use: str) -> dict[str, Any]:
    from omniva_dagster.engines import chorus

    text = chorus.plain(use)
    if field is StyledField.TITLE:
        if not 0 < chorus.units(text) <= chorus.TITLE_LIMIT:
            raise click.UsageError(
                f"a title has 1 to {chorus.TITLE_LIMIT} characters (most emoji count as two)"
            )
        return {"title": text}
    if field is StyledField.KEYWORDS:
        words = [chorus.plain(word) for word in use.split(",")]
        return {"keywords": chorus.fitting_keywords(words)}
    lines = [chorus.plain(line) for line in use.split("\n")]
    said = "\n".join(lines).strip()
    if len(said.encode()) > chorus.DESCRIPTION_LIMIT:
        raise click.UsageError(f"a description has at most {chorus.DESCRIPTION_LIMIT} bytes")
    return {"description": said}


def _tell(found: Review) -> None:
    report = found.report
    width = max(len(one.agent) for one in report.ballots)
    for one in report.ballots:
        click.echo(
            f"{one.agent:<{width}}  {one.vote:.2f}  sure {one.confidence:.2f}  {one.commentary}"
        )
    click.echo(report.justification)
    if found.before is None:
        click.echo("they had not voted on it in words before")
    else:
        said = "as they did before" if found.upheld else "otherwise than before"
        click.echo(f"the judges vote {said} (judges {report.judges_version})")
    click.echo(
        f"recorded as packet {found.packet_id}; omniva override promote|hold decides otherwise"
    )
