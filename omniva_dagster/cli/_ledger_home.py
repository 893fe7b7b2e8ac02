"""Which ledger a command is about: the home's, or a folder that was given."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.layout import Layout
from omniva_dagster.stardust.views import Sources

if TYPE_CHECKING:
    from omniva_dagster.settings import Settings
    from omniva_dagster.state.store import Store

NOT_AS_IT_SHOULD_BE = 4


class PlainGroup(click.Group):
    """Commands whose failures for want of a disk or a state store are told in one line."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            reason = _outside(error)
            if not reason:
                raise
            raise LedgerError(f"{reason}; what was recorded is kept, try again later") from error


folder_option: Callable[[Any], Any] = click.option(
    "--ledger",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A ledger's folder, such as a copy; the home's if left out.",
)
json_option: Callable[[Any], Any] = click.option(
    "--json", "as_json", is_flag=True, help="One JSON object, for programs."
)


def layout_of(folder: Path | None) -> Layout:
    """The ledger in ``folder``, or in the home; nothing is made. `LedgerError` if there is none."""
    root = folder or _settings().home / "ledger"
    if not root.is_dir():
        raise LedgerError(
            f"there is no ledger in {root}: run `omniva ledger sync`, which begins one, or point "
            "OMNIVA_HOME or --ledger to where it is"
        )
    return Layout(root.resolve())


def sources_of(folder: Path | None) -> Sources:
    """The same with the warehouse beside it."""
    return Sources.at(layout_of(folder).root)


def store_of(folder: Path | None) -> Store | None:
    """The home's state store as it is, if the ledger is the home's and the store is there."""
    from omniva_dagster.state.store import Store

    if folder is not None:
        return None
    found = _settings()
    if not found.database_url and not (found.home / "state.db").is_file():
        return None
    return Store(found.state_url)


@contextmanager
def at_work(what: str, *, visible: bool = True) -> Iterator[None]:
    """A sign of life on standard error, with the time it takes, where a person is looking."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not visible or not console.is_terminal:
        yield
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        progress.add_task(what, total=None)
        yield


def _outside(error: Exception) -> str:
    """What failed, if it is not the program; a reader that went away is no failure."""
    from sqlalchemy.exc import DatabaseError, OperationalError

    if isinstance(error, OSError):
        return "" if error.errno in (None, errno.EPIPE) else str(error)
    if type(error) in (DatabaseError, OperationalError):
        return f"the state store can't be used: {error.orig}"  # type: ignore[attr-defined]
    return ""


def _settings() -> Settings:
    from pydantic import ValidationError

    from omniva_dagster.settings import settings

    try:
        return settings()
    except ValidationError as error:
        raise click.ClickException(f"a setting is wrong: {error}") from error
