"""Lattice: what is urgent, where it should be done, what belongs together (4.4). Intents only.

Pure: jobs, loads and goals in; orders, routes and clusters out. Nothing here moves a job; Zenith
turns what is proposed into commands.
"""

from omniva_dagster.engines.lattice.clusters import Cluster, Member, cluster
from omniva_dagster.engines.lattice.load import Watch, crossings
from omniva_dagster.engines.lattice.ordering import Job, Ranked, rank, semantic_load
from omniva_dagster.engines.lattice.priority import priority
from omniva_dagster.engines.lattice.routing import Former, Pool, Routed, route

VERSION = "2"

__all__ = [
    "VERSION",
    "Cluster",
    "Former",
    "Job",
    "Member",
    "Pool",
    "Ranked",
    "Routed",
    "Watch",
    "cluster",
    "crossings",
    "priority",
    "rank",
    "route",
    "semantic_load",
]
