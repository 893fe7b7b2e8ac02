"""The scraper: what a source has, and bringing it here (module interfaces, 5.1)."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from omniva_dagster.contracts.reasons import ReasonCode, WorkerError
from omniva_dagster.workers.scraper.fetch import bring, folder_of, kept, locked
from omniva_dagster.workers.scraper.listing import list_source, resolve_source
from omniva_dagster.workers.scraper.model import (
    Catalog,
    Failure,
    Fetched,
    Listing,
    MemoryCatalog,
    ScrapeLimits,
)
from omniva_dagster.workers.scraper.policy import UrlPolicy
from omniva_dagster.workers.scraper.session import session


class Scraper:
    """Lists and fetches videos with yt-dlp, within limits and a policy.

    ``workdir`` holds downloads between calls, so that a killed one goes on. ``cookies_file`` is a
    Netscape cookies file, read when it is used and never written.
    """

    def __init__(
        self,
        limits: ScrapeLimits,
        policy: UrlPolicy,
        workdir: Path,
        catalog: Catalog | None = None,
        cookies_file: Path | None = None,
    ) -> None:
        self._limits = limits
        self._policy = policy
        self._workdir = workdir.absolute()
        self._catalog: Catalog = MemoryCatalog() if catalog is None else catalog
        self._cookies_file = cookies_file

    def list_videos(self, url: str, since: datetime, until: datetime) -> list[Listing | Failure]:
        """What a channel, playlist, feed or single video published in ``[since, until)`` (aware
        datetimes), in the source's order.

        An entry that can't be listed is a `Failure` and the others go on; its day is not known,
        so every range shows it. Raises `WorkerError` when the source itself can't be read.
        """
        self._policy.check(url)
        with session(self._policy, self._limits, cookies=self._cookies()) as reading:
            return list_source(
                reading,
                self._policy,
                self._catalog,
                url,
                since,
                until,
                self._limits.max_entries,
            )

    def resolve(self, url: str) -> Listing:
        """The single video at ``url``, whatever its day; ``uploaded_at`` may be None."""
        self._policy.check(url)
        with session(self._policy, self._limits, cookies=self._cookies(), single=True) as reading:
            return resolve_source(reading, url)

    def fetch(
        self, listing: Listing, on_progress: Callable[[float], None] | None = None
    ) -> Fetched:
        """Bring the video here, or give what an earlier call brought. ``on_progress`` gets
        fractions from 0 to 1.

        Raises `WorkerError`. After a transient one, what came is kept and the next call goes on
        from there; after any other, nothing is kept.
        """
        folder = folder_of(self._workdir, listing)
        with locked(folder):
            done = kept(folder, listing)
            if done is None:
                self._policy.check(listing.url)
                with session(
                    self._policy, self._limits, cookies=self._cookies(), single=True
                ) as reading:
                    bring(reading, self._limits, folder, listing, on_progress)
                done = kept(folder, listing)
        if done is None:
            raise WorkerError(
                ReasonCode.INTERNAL,
                f"{folder} lost its files while it was locked; run again",
                transient=True,
            )
        return done

    def discard(self, listing: Listing) -> None:
        """Remove what `fetch` left for this video, once it is stored elsewhere."""
        folder = folder_of(self._workdir, listing)
        with locked(folder):
            shutil.rmtree(folder, ignore_errors=True)

    def _cookies(self) -> str:
        if self._cookies_file is None:
            return ""
        try:
            return self._cookies_file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise WorkerError(
                ReasonCode.AUTH_FAILED,
                f"the cookies file can't be read ({type(error).__name__}); "
                "check the secret reference and the file's permissions",
            ) from None
