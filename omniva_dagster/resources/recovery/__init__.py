"""Eclipse's hands and ears: what failed is recorded and planned for, and what it proposes written.

Nothing here acts: plans, fallbacks, quarantines and signals are packets that Zenith hears.
"""

from omniva_dagster.resources.recovery.failing import (
    failed,
    not_due,
    plan_failures,
    plan_stage,
    set_aside,
    succeeded,
)
from omniva_dagster.resources.recovery.logs import LogWatch
from omniva_dagster.resources.recovery.pulse import Pulse
from omniva_dagster.resources.recovery.report import recovery_report
from omniva_dagster.resources.recovery.rounds import eclipse_round
from omniva_dagster.resources.recovery.routes import reroutes_in_force
from omniva_dagster.resources.recovery.runs import RunFailure, run_ended, run_subject
from omniva_dagster.resources.recovery.workers import WORKER_OF, this_instance

__all__ = [
    "WORKER_OF",
    "LogWatch",
    "Pulse",
    "RunFailure",
    "eclipse_round",
    "failed",
    "not_due",
    "plan_failures",
    "plan_stage",
    "recovery_report",
    "reroutes_in_force",
    "run_ended",
    "run_subject",
    "set_aside",
    "succeeded",
    "this_instance",
]
