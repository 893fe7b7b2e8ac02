"""Tasks of agents, their responses, results and errors (agent contracts).

``MESSAGES`` is what `contracts.registry` takes in: a new message joins here. The contracts are the
other document's own: they have no ``schema_version``, their envelope has.
"""

from __future__ import annotations

from omniva_dagster.contracts.agents.messages import AgentResponse, AgentTask, ErrorObject
from omniva_dagster.contracts.agents.payloads import SafetyReport
from omniva_dagster.contracts.agents.task_types import TASK_TYPES
from omniva_dagster.contracts.base import Document

MESSAGES: tuple[type[Document], ...] = (
    AgentTask,
    AgentResponse,
    ErrorObject,
    SafetyReport,
    *(model for kind in TASK_TYPES.values() for model in kind),
)
