"""``omniva status``: what a partition came to."""

from __future__ import annotations

import sys

import click

from omniva_dagster.cli._report import exit_code, report_of, show


@click.command()
@click.option("--creator", required=True)
@click.option("--day", required=True, help="YYYY-MM-DD")
@click.option("--json", "as_json", is_flag=True, help="A JSON object instead of tables.")
def status(creator: str, day: str, as_json: bool) -> None:
    """Clips of a creator's day, and what failed, without running anything."""
    from omniva_dagster.cli._pipeline import check_partition

    check_partition(creator, day)
    report = report_of(creator, day)
    show([report], as_json)
    sys.exit(exit_code([report]))
