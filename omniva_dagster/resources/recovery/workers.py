"""Who does the work of each asset, and what its jobs are called."""

from __future__ import annotations

import platform

from omniva_dagster.contracts.cognition.common import JobType
from omniva_dagster.engines.eclipse import CREATOR_POOL

# Which worker pool does the work of an asset (module interfaces, section 5).
WORKER_OF = {
    "scraper_jobs": "scraper",
    "videos": "scraper",
    "analysis_results": "analyzer",
    "edit_jobs": "editor",
    "rendered_clips": "editor",
    "schedule_tasks": "scheduler",
    "upload_jobs": "uploader",
    "publications": "uploader",
}
_JOB_TYPES = {
    "scraper": JobType.SCRAPER_JOB,
    "analyzer": JobType.ANALYSIS_RESULT,
    "editor": JobType.EDIT_JOB,
    "scheduler": JobType.SCHEDULE_TASK,
    "uploader": JobType.UPLOAD_JOB,
}
_LONGEST_HOST = 40


def worker_of(stage: str) -> str:
    """The pool that does the work of a stage; a stage of an engine is its own."""
    return WORKER_OF.get(stage, stage)


def job_type_of(stage: str) -> JobType:
    """The contract of a stage's jobs; what engines judge are analyses."""
    return _JOB_TYPES.get(worker_of(stage), JobType.ANALYSIS_RESULT)


def this_instance() -> str:
    """This host: an instance of every pool whose work it does."""
    return platform.node()[:_LONGEST_HOST] or "unknown"


def name_of(worker: str, instance: str) -> str:
    """What holds and quarantines are about: ``editor/host``, or a creator's slug."""
    return instance if worker == CREATOR_POOL else f"{worker}/{instance}"
