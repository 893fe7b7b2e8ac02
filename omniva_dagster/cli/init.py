"""``omniva init``: a home, and the ``.env`` by which omniva and dagster find it."""

from __future__ import annotations

import os
from pathlib import Path

import click

from omniva_dagster.cli._home import prepare
from omniva_dagster.settings import settings

_TEMPLATE = """\
# Read by omniva and by dagster, so that both show the same instance. Exported variables win.
OMNIVA_HOME="${{OMNIVA_HOME:-{home}}}"
DAGSTER_HOME="${{OMNIVA_HOME}}/dagster"
"""


@click.command()
@click.option(
    "--home",
    type=click.Path(path_type=Path),
    default=Path("~/.omniva"),
    show_default=True,
    help="Where everything is kept.",
)
def init(home: Path) -> None:
    """Create OMNIVA_HOME, and a .env here that points to it.

    An .env that is there already is left as it is.
    """
    env_file = Path(".env")
    if not env_file.exists():
        env_file.write_text(_TEMPLATE.format(home=home.expanduser().resolve()))
        click.echo(f"wrote {env_file}")
    os.environ.pop("DAGSTER_HOME", None)
    settings.cache_clear()
    click.echo(f"home: {prepare().home}")
