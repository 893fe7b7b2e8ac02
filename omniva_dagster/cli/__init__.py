"""The ``omniva`` command. Each subcommand is a module that is imported when it is called."""

from __future__ import annotations

import importlib
import signal
import sys
from typing import Any

import click

from omniva_dagster import __version__

# command -> (module, what it is for)
_COMMANDS = {
    "demo": ("demo", "From a sample channel to published clips, on this machine."),
    "init": ("init", "Create OMNIVA_HOME and the .env that points to it."),
    "dev": ("dev", "The Dagster UI and daemon on loopback."),
    "doctor": ("doctor", "What is configured, found and missing."),
    "creators": ("creators", "Register, list and archive creators."),
    "run": ("run", "One creator's day, or one video, to published clips."),
    "backfill": ("backfill", "A creator's range of days."),
    "status": ("status", "What a partition came to: clips, scores, what failed."),
    "preview": ("preview", "A few seconds in a creator's brand."),
    "validate": ("validate", "Check messages against their contracts."),
    "schemas": ("schemas", "Generate and check the JSON Schema files."),
    "horizon": ("horizon", "Campaign goals, engagement history, and what follows from them."),
    "override": ("override", "Have Zenith decide otherwise on a clip, video, creator or worker."),
    "review": ("review", "Ask the judges again; answer what Chorus could not settle."),
    "panic": ("panic", "Stop all work, or that of creators or workers, at once."),
    "resume": ("panic", "Take up work again that the panic button stopped."),
    "control": ("control", "What is held and why, what is wanted, what was decided."),
    "explain": ("explain", "Why something came to be, from the ledger's packets alone."),
    "ledger": ("ledger", "Query, trace, verify and prove what happened."),
}


class _Lazy(click.Group):
    """A group that imports a command's module when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"omniva_dagster.cli.{_COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="omniva")
def cli() -> None:
    """Long videos in, published short clips out, and a proof of how each came to be.

    Exit codes: 0 all done, 1 failed, 2 wrong usage, 3 done, but some documents failed, 4 the ledger
    or a proof is not what it should be.
    """


def main() -> Any:
    """Entry point: errors that name their cause are shown without a traceback."""
    from omniva_dagster.contracts.errors import ContractError
    from omniva_dagster.contracts.reasons import WorkerError
    from omniva_dagster.stardust.errors import LedgerError

    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # So it is for a script's background jobs. Dagster makes SIGTERM do what SIGINT does: nobody
        # could end us then, nor what we start.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return cli()
    except (ContractError, WorkerError, LedgerError, LookupError) as error:
        if type(error) in (KeyError, IndexError):
            raise
        click.secho(f"error: {error}", fg="red", err=True)
        sys.exit(1)
