"""Events, errors and commands of the five workers and the dashboard (module interfaces, section 5).

``MESSAGES`` is what `contracts.registry` takes in: a new message joins here.
"""

from __future__ import annotations

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.operations.analyzer import (
    AnalysisFailed,
    AnalysisPublished,
    AnalyzeCommand,
    CandidateEvidence,
)
from omniva_dagster.contracts.operations.dashboard import (
    MetricsSnapshot,
    OperatorAction,
    OperatorAlert,
)
from omniva_dagster.contracts.operations.editor import (
    ClipRendered,
    EditCommand,
    EditFailed,
    OperationGraph,
)
from omniva_dagster.contracts.operations.scheduler import (
    QueueMutation,
    ScheduleCommand,
    SchedulerFault,
)
from omniva_dagster.contracts.operations.scraper import (
    ScrapeCommand,
    ScrapeFailed,
    VideoAssetCreated,
)
from omniva_dagster.contracts.operations.uploader import (
    PublicationConfirmed,
    PublicationWithdrawn,
    UploadCommand,
    UploadFailed,
)

MESSAGES: tuple[type[Document], ...] = (
    ScrapeCommand,
    VideoAssetCreated,
    ScrapeFailed,
    AnalyzeCommand,
    AnalysisPublished,
    CandidateEvidence,
    AnalysisFailed,
    EditCommand,
    ClipRendered,
    OperationGraph,
    EditFailed,
    UploadCommand,
    PublicationConfirmed,
    PublicationWithdrawn,
    UploadFailed,
    ScheduleCommand,
    QueueMutation,
    SchedulerFault,
    OperatorAction,
    OperatorAlert,
    MetricsSnapshot,
)
