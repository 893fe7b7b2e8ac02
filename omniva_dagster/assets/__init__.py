"""The asset graph, thin: resolve inputs, call an engine or a worker, return records.

scraper_jobs -> videos -> analysis_results -> clip_candidates -> zenith_directives
-> edit_jobs -> rendered_clips -> schedule_tasks -> upload_jobs -> publications
"""

from omniva_dagster.assets.advising import horizon_guidance, lattice_routing
from omniva_dagster.assets.analysis import analysis_results, clip_candidates
from omniva_dagster.assets.auditing import paradox_audit
from omniva_dagster.assets.deciding import zenith_directives
from omniva_dagster.assets.editing import edit_jobs, rendered_clips
from omniva_dagster.assets.publishing import publications, schedule_tasks, upload_jobs
from omniva_dagster.assets.recovering import eclipse_recovery
from omniva_dagster.assets.scraping import scraper_jobs, videos
from omniva_dagster.assets.takedown import withdrawals

__all__ = [
    "ADVISORS",
    "CLIP_PIPELINE",
    "eclipse_recovery",
    "horizon_guidance",
    "paradox_audit",
    "withdrawals",
]

CLIP_PIPELINE = [
    scraper_jobs,
    videos,
    analysis_results,
    clip_candidates,
    zenith_directives,
    edit_jobs,
    rendered_clips,
    schedule_tasks,
    upload_jobs,
    publications,
]

ADVISORS = [horizon_guidance, lattice_routing]
