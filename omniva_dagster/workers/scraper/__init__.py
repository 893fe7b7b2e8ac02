"""Getting videos in: listing what a source published, and fetching it safely.

`Scraper` is the door. What it may reach is a `UrlPolicy`, how much it may take `ScrapeLimits`.
"""

from omniva_dagster.workers.scraper.metadata import describe, normalize
from omniva_dagster.workers.scraper.model import (
    Catalog,
    Failure,
    Fetched,
    Listing,
    MemoryCatalog,
    ScrapeLimits,
    VideoMetadata,
)
from omniva_dagster.workers.scraper.policy import UrlPolicy
from omniva_dagster.workers.scraper.scraper import Scraper

__all__ = [
    "Catalog",
    "Failure",
    "Fetched",
    "Listing",
    "MemoryCatalog",
    "ScrapeLimits",
    "Scraper",
    "UrlPolicy",
    "VideoMetadata",
    "describe",
    "normalize",
]
