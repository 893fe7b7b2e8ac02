"""What jobs, runs and datasets are called in OpenLineage, so that all exports agree.

A step is a job ``<code location>.<asset>``, an asset's check ``<code location>.<asset>.<check>``,
Dagster's job ``<code location>.job.<name>``, a step of it that makes no asset has its key behind
that. A dataset is an asset's partition, called as its
folder in the warehouse is, or an asset as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import quote

from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.contracts.types import SLUG_PATTERN

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_CREATOR = re.compile(SLUG_PATTERN[1:-1], re.ASCII)


@dataclass(frozen=True)
class AssetNote:
    """What the code says of an asset: in words, and its columns (name, type, description)."""

    description: str = ""
    columns: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class Naming:
    """How an export calls things.

    ``namespace`` is that of jobs and datasets alike; ``by_partition`` makes a dataset of each
    partition, otherwise an asset is one.
    """

    namespace: str = "omniva"
    location: str = "omniva"
    by_partition: bool = True
    assets: Mapping[str, AssetNote] = field(default_factory=dict)

    def note(self, asset: str) -> AssetNote:
        """What is known of an asset; nothing of one that the code no longer has."""
        return self.assets.get(asset, AssetNote())

    def job(self, name: str) -> str:
        """Dagster's job."""
        return f"{self.location}.job.{name or 'unnamed'}"

    def step(self, asset: str, check: str = "") -> str:
        """The step that makes an asset, or runs a check of it."""
        name = f"{self.location}.{asset.replace('/', '.')}"
        return f"{name}.{check}" if check else name

    def dataset(self, asset: str, partition: str = "") -> str:
        """An asset's partition."""
        if not partition or not self.by_partition:
            return asset
        creator, day = creator_and_day(partition)
        if creator:
            return f"{asset}/creator={creator}/day={day}"
        return f"{asset}/day={day}" if day else f"{asset}/partition={quote(partition, safe='')}"


def run_id(dagster_run: str) -> str:
    """A run's id: Dagster's, which is a UUID unless somebody chose another."""
    return dagster_run if _UUID.fullmatch(dagster_run) else derive_id("openlineage", dagster_run)


def step_run_id(dagster_run: str, asset: str, check: str, partition: str) -> str:
    """The id of a step's part in a run: the same in every export."""
    return derive_id("openlineage", dagster_run, asset, check, partition)


def creator_and_day(partition: str) -> tuple[str, str]:
    """Of a partition's key ``creator|day`` or ``day``; empty where it is neither."""
    creator, bar, day = partition.rpartition("|")
    if bool(bar) != bool(_CREATOR.fullmatch(creator)) or not _is_day(day):
        return "", ""
    return creator, day


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
