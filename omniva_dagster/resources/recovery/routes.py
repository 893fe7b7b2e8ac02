"""The backup ways that are taken by Zenith's order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from omniva_dagster import state as db
from omniva_dagster.contracts.decisions import DirectiveKind
from omniva_dagster.contracts.ids import worker_id_of
from omniva_dagster.engines import eclipse

if TYPE_CHECKING:
    import sqlalchemy as sa


def reroutes_in_force(connection: sa.Connection, now: str) -> dict[str, str]:
    """What is rerouted, and where to (``{"editor:encoder": "editor:libx264"}``).

    A reroute ends at its ``until``, or an hour after it was issued, so that the usual way is tried
    again; one that points back, or a release, ends it at once.
    """
    found = {}
    for usual in sorted({route.from_target for route in eclipse.ROUTES}):
        standing = db.decisions.in_force(
            connection, worker_id_of(usual), (DirectiveKind.REROUTE, DirectiveKind.RELEASE)
        )
        if standing is None or standing[0].kind is not DirectiveKind.REROUTE:
            continue
        order = standing[0]
        ends = order.until or eclipse.later(order.issued_at, eclipse.ROUTE_SECONDS)
        if order.target and order.target != usual and now < ends:
            found[usual] = order.target
    return found
