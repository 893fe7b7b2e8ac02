"""``omniva explain``: why something is as it is, from the ledger's packets alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from omniva_dagster.resources.explaining import Explained, Library


@click.command()
@click.argument("id_", metavar="ID")
@click.option("--json", "form", flag_value="json", help="The bundle as one JSON object.")
@click.option("--markdown", "form", flag_value="markdown", help="A page of Markdown.")
@click.option("--ask", "asked", default="", help="The question in your words, for the record.")
@click.option("--audit", is_flag=True, help="Record it as asked for by an audit.")
@click.option("--no-record", is_flag=True, help="Write nothing: for a copy that is only read.")
def explain(id_: str, form: str | None, asked: str, audit: bool, no_record: bool) -> None:
    """Why it came to be: what happened in order, what was decided against, what is missing.

    ID is that of a clip, candidate, video, directive, packet, job, trace or run, of a receipt or
    upload, `<creator>/<day>` for a partition, a creator's slug, `worker:<name>` or `all`; the first
    eight characters of an id are enough where no other begins so. Every sentence names the packets
    that say so; nothing else is said.
    """
    from omniva_dagster.resources import explaining
    from omniva_dagster.resources.asking import question_of

    library = _library()
    question = question_of(library.layout, library.store, id_.strip())
    explained = explaining.explain(library, question)
    if not no_record:
        _keep(library, explained, asked, audit=audit)
    _show(explained, form)


def _library() -> Library:
    from omniva_dagster.cli._ledger_home import store_of
    from omniva_dagster.resources.explaining import Library
    from omniva_dagster.settings import settings
    from omniva_dagster.stardust.layout import Layout

    store = store_of(None)
    home = Path(settings().home)
    if store is None:
        raise click.ClickException(
            f"there is no state store in {home}: point OMNIVA_HOME to where Omniva has worked, or "
            "begin with `omniva demo`"
        )
    return Library(Layout(home / "ledger"), store)


def _keep(library: Library, explained: Explained, asked: str, *, audit: bool) -> None:
    """The request and the answer, as packets; that this can't be written is no reason not to
    answer."""
    from datetime import UTC, datetime

    from sqlalchemy.exc import DBAPIError

    from omniva_dagster.cli._home import operator
    from omniva_dagster.contracts.cognition.halolux import ExplanationOccasion
    from omniva_dagster.contracts.types import format_timestamp
    from omniva_dagster.resources import explaining

    now = format_timestamp(datetime.now(UTC))
    occasion = ExplanationOccasion.AUDIT if audit else ExplanationOccasion.OPERATOR_REQUEST
    try:
        explaining.request(library.store, explained.question, occasion, operator(), now, asked)
        explaining.record(library.store, explained, now)
    except DBAPIError as error:
        click.secho(f"the explanation was not recorded: {error.orig}", fg="yellow", err=True)


def _show(explained: Explained, form: str | None) -> None:
    from omniva_dagster.resources import narrating

    bundle = explained.bundle
    if form == "json":
        click.echo(json.dumps(bundle.dump(), ensure_ascii=False))
        return
    if form == "markdown":
        click.echo(narrating.as_markdown(bundle), nl=False)
        return
    for line in narrating.as_text(bundle):
        click.echo(line)
    from_before = ", kept from before" if explained.kept else ""
    click.echo(
        f"\ncompleteness {bundle.completeness:g}; {len(explained.packets)} packets read in "
        f"{explained.seconds * 1000:.0f} ms{from_before}; explanation {bundle.bundle_id}",
        err=True,
    )
