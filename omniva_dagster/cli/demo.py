"""``omniva demo``: a sample channel on loopback, and everything the pipeline makes of it."""

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path

import click

from omniva_dagster.cli._home import instance, prepare
from omniva_dagster.cli._pipeline import run_partition, shown_progress
from omniva_dagster.cli._report import exit_code, report_of, show
from omniva_dagster.settings import settings

SLUG = "omniva-sampler"
# The channel keeps its address while it can, so that a second run meets the same pages.
PORT_FILE = "port"


@click.command()
@click.option("--json", "as_json", is_flag=True, help="A JSON object instead of tables.")
def demo(as_json: bool) -> None:
    """From a sample channel to published clips, on this machine.

    Builds the channel's videos from installed packages, serves them on loopback as a feed with
    pages, registers the creator and materializes every asset through Dagster. A second run does
    nothing twice.
    """
    # The sample channel is on loopback, which the scraper refuses otherwise.
    os.environ["OMNIVA_ALLOW_PRIVATE_HOSTS"] = "true"
    settings.cache_clear()
    home = prepare().home
    started = time.monotonic()

    from omniva_dagster.cli.creators import register
    from omniva_dagster.contracts.video import Platform
    from omniva_dagster.demo.channel import serve_channel
    from omniva_dagster.demo.sample import build_channel

    with shown_progress("the sample channel", not as_json):
        folder, day = build_channel(home / "demo-channel")
    with serve_channel(folder, port=_port(folder)) as channel:
        register(SLUG, channel.feed_url, Platform.OTHER)
        with instance() as opened, shown_progress(f"{SLUG}, {day}", not as_json):
            result = run_partition(opened, SLUG, day)
    report = report_of(SLUG, day)
    show([report], as_json)
    if not result.success:
        click.secho(f"the run failed: {result.failure}", fg="red", err=True)
        sys.exit(1)
    if not as_json:
        _farewell(len(report.clips), time.monotonic() - started)
    sys.exit(exit_code([report]))


def _port(folder: Path) -> int:
    """The port of the last time, if it is free; else any free one."""
    remembered = folder / PORT_FILE
    wanted = int(remembered.read_text()) if remembered.is_file() else 0
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    remembered.write_text(str(port))
    return port


def _farewell(clips: int, seconds: float) -> None:
    home = prepare().home
    click.echo(f"\n{clips} clips in {seconds:.0f} s.")
    click.echo(f"  clips       {home / 'outbox' / SLUG}")
    click.echo(f"  warehouse   {home / 'warehouse'} (Parquet: pandas, DuckDB, Polars)")
    click.echo("  see it all  make dev, then open the assets of the group 'edit' in the UI")
    click.echo("  your own    omniva creators add <slug> --url <your channel>")
