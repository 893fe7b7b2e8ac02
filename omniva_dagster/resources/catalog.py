"""What pages said about videos, remembered in state: a backfill reads each page once."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from omniva_dagster import state as db
from omniva_dagster.contracts.types import format_timestamp

if TYPE_CHECKING:
    from omniva_dagster.state.store import Store
    from omniva_dagster.workers.scraper import Listing


class StateCatalog:
    """A scraper's catalog behind the state store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, url: str) -> Listing | None:
        """What the page at ``url`` said when it was last read."""
        from omniva_dagster.workers.scraper import Listing

        with self._store.read() as connection:
            body = db.library.listing(connection, url)
        return Listing(**json.loads(body)) if body else None

    def put(self, listing: Listing) -> None:
        """Remember what a page said."""
        body = json.dumps(dataclasses.asdict(listing))
        with self._store.begin() as connection:
            db.library.put_listing(
                connection, listing.url, body, format_timestamp(datetime.now(UTC))
            )
