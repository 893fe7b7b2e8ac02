"""What an engine can make nothing of: set aside, and said to a person, so that nothing waits on it.

A queue is heard in order. A message that broke its hearing would break it in every cycle, and all
that waits behind it with it; taken out, it stays in the ledger, and an alert names it.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

from omniva_dagster import state as db
from omniva_dagster.contracts.ids import EVERYTHING, derive_id
from omniva_dagster.contracts.operations.dashboard import OperatorAlert
from omniva_dagster.contracts.types import UUID4_PATTERN
from omniva_dagster.state.partition import Partition

if TYPE_CHECKING:
    import sqlalchemy as sa

    from omniva_dagster.state.inboxes import Heard

_NOWHERE = Partition("", "")
_LOG = logging.getLogger("omniva.control")


def is_the_stores(error: Exception) -> bool:
    """Whether the store is in trouble, rather than what was to be written into it."""
    import sqlalchemy as sa

    blame = (sa.exc.IntegrityError, sa.exc.DataError)
    return isinstance(error, sa.exc.SQLAlchemyError) and not isinstance(error, blame)


def set_aside(
    connection: sa.Connection, consumer: str, item: Heard, error: Exception, now: str
) -> OperatorAlert:
    """Raise the alert about a message that ``consumer`` can not hear.

    The caller takes the message out of the queue, on the same transaction.
    """
    _LOG.error("%s can not hear packet %s", consumer, item.packet_id, exc_info=error)
    known = re.fullmatch(UUID4_PATTERN[1:-1], item.subject_id)
    subject_id = item.subject_id if known else EVERYTHING
    said = " ".join(f"{type(error).__name__}: {error}".split())
    alert = OperatorAlert.parse(
        {
            "alert_id": derive_id("alert", "aside", consumer, item.packet_id),
            "severity": "critical",
            "source": consumer,
            "title": f"{consumer} could not hear a {item.message_type}"[:200],
            "message": f"it was set aside, and nothing follows from it: {said[:1500]}. See what it "
            f"asks for: omniva explain {item.packet_id}; hold what must not go on: "
            "omniva override hold ... --reason ...",
            "review_required": True,
            "subject_ids": [subject_id],
            "evidence": [item.packet_id],
            "raised_at": now,
        }
    )
    emission = db.outbox.Emission(
        alert,
        consumer,
        alert.alert_id,
        derive_id("trace", subject_id),
        (item.packet_id,),
        _NOWHERE,
        now,
        alert.alert_id,
    )
    db.outbox.emit(connection, emission)
    return alert
