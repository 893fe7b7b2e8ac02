"""A video's small rendition on its way into Atlas."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from omniva_dagster.assets.scraping import scraper_jobs, videos
from omniva_dagster.definitions import definitions
from omniva_dagster.partitions import partition_key
from omniva_dagster.settings import settings
from omniva_dagster.workers.media.proxy import proxy_of
from tests.support.home import DAY, Home
from tests.workers.scraper.hostile import feed, hostile_site, item
from tests.workers.scraper.test_small import rendition, serve

pytestmark = pytest.mark.media


def _scrape() -> None:
    with dg.DagsterInstance.get() as instance:
        definitions(settings()).resolve_job_def("clip_pipeline").execute_in_process(
            instance=instance,
            partition_key=partition_key("ada", DAY),
            asset_selection=[scraper_jobs.key, videos.key],
        )


def test_the_proxy_lies_beside_the_media_and_the_first_one_stands(
    home: Home, tmp_path: Path
) -> None:
    large, small = rendition(tmp_path, "a", "960x540"), rendition(tmp_path, "b", "640x360")
    with hostile_site() as site:
        wanted = serve(site, large=("960x540", large), small=("640x360", small))
        site.routes["/feed"] = feed(item(wanted.url, published="Wed, 04 Mar 2026 10:00:00 GMT"))
        home.add("ada", site.url("/feed"))
        _scrape()
        (source,) = home.path.glob("atlas/objects/videos/*/*/source.mp4")
        proxy = proxy_of(source)
        assert proxy is not None
        assert proxy.parent == source.parent
        before = home.files()
        # As after a crash between Atlas and state: everything is fetched and put again.
        with home.store.begin() as connection:
            connection.exec_driver_sql("DELETE FROM videos")
        other = rendition(tmp_path, "c", "624x352")
        serve(site, large=("960x540", large), small=("640x360", other))
        asked = site.paths().count("/small.ts")
        _scrape()
        assert site.paths().count("/small.ts") == asked + 1
    assert home.files() == before
