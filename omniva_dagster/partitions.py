"""Creator x day: how the clip pipeline is partitioned.

A day is the UTC upload date of a video. ``end_offset=1`` makes today a partition.
"""

import dagster as dg

from omniva_dagster.settings import settings

CREATORS = "creators"

creator_partitions = dg.DynamicPartitionsDefinition(name=CREATORS)
day_partitions = dg.DailyPartitionsDefinition(
    start_date=settings().start_day.isoformat(), timezone="UTC", end_offset=1
)
creator_day = dg.MultiPartitionsDefinition({"creator": creator_partitions, "day": day_partitions})


def partition_key(creator: str, day: str) -> dg.MultiPartitionKey:
    """The key of a creator's day."""
    return dg.MultiPartitionKey({"creator": creator, "day": day})
