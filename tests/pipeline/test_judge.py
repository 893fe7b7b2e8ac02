"""A judge that somebody registered, in a whole run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd
import pytest

from omniva_dagster.demo.channel import ChannelVideo, serve_channel, write_channel
from omniva_dagster.settings import settings
from tests.support.home import DAY, Home, make_home

pytestmark = [pytest.mark.media, pytest.mark.takes(25)]


class HouseRules:
    """Says a quarter of everything, and notes what it was asked."""

    name, version = "house_rules", "1"
    asked: list[tuple[str, dict[str, float]]] = []  # noqa: RUF012

    def judge(self, text: str, features: Mapping[str, float]) -> float:
        self.asked.append((text, dict(features)))
        return 0.25


class Broken(HouseRules):
    name = "broken"

    def judge(self, text: str, features: Mapping[str, float]) -> float:
        raise ConnectionError("the model is offline")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, footage: Path) -> Iterator[Home]:
    """A home that is about to run a day with one video."""
    with pytest.MonkeyPatch.context() as patch:
        home = make_home(tmp_path_factory.mktemp("judged") / "home", patch)
        channel = home.path / "channel"
        channel.mkdir()
        (channel / "talk.mp4").write_bytes(footage.read_bytes())
        video = ChannelVideo("talk", "talk.mp4", "A talk", f"{DAY}T10:00:00Z", uploader="Ada")
        write_channel(channel, "Ada", [video])
        with serve_channel(channel) as served:
            home.add("ada", served.feed_url)
            yield home
    settings.cache_clear()


def votes(home: Home) -> list[dict[str, float]]:
    frame = pd.read_parquet(home.path / "warehouse" / "clip_candidates")
    return [
        {name: vote for name, vote in dict(cast).items() if vote is not None}
        for cast in frame["pantheon_votes"]
    ]


def test_its_votes_stand_beside_the_personas_and_a_rerun_asks_nothing(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMNIVA_JUDGE", f"{__name__}:HouseRules")
    assert home.run()["clips"]
    cast = votes(home)
    assert [vote["judge_house_rules"] for vote in cast] == [0.25] * len(cast)
    assert all("craft" in vote for vote in cast)
    asked = list(HouseRules.asked)
    assert len(asked) == len(cast)
    text, features = asked[0]
    assert "times" in text
    assert "hook" in features
    assert "heatmap" not in features
    home.run()
    assert HouseRules.asked == asked
    assert votes(home) == cast

    monkeypatch.setenv("OMNIVA_JUDGE", f"{__name__}:Broken")
    assert home.run()["clips"]
    assert all("judge_broken" not in vote and "craft" in vote for vote in votes(home))
