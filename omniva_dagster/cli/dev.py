"""``omniva dev``: the Dagster UI and daemon on loopback."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import click

from omniva_dagster.cli._home import instance, prepare, store
from omniva_dagster.resources.processes import fail_runs_of_dead_processes

LOOPBACK = "127.0.0.1"


@click.command()
@click.option("--port", default=3000, show_default=True, help="The next free one is taken.")
def dev(port: int) -> None:
    """The Dagster UI and daemon on loopback, for the instance in OMNIVA_HOME."""
    prepare()
    with instance() as opened:
        fail_runs_of_dead_processes(opened, store())
    free = free_port(port)
    click.echo(f"the UI will be at http://{LOOPBACK}:{free} in a few seconds; Ctrl-C ends it")
    sys.stdout.flush()
    dagster = Path(sys.executable).with_name("dagster")
    arguments = [str(dagster), "dev", "-h", LOOPBACK, "-p", str(free)]
    arguments += ["-m", "omniva_dagster.definitions", "--log-level", "warning"]
    # Replaces this process: signals reach Dagster itself.
    os.execv(dagster, arguments)  # noqa: S606


def free_port(first: int) -> int:
    """The first free port of loopback from ``first`` on."""
    for port in range(first, 65536):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return port
    raise click.ClickException(f"no free port from {first} on")
