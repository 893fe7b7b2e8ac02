"""Events, errors and commands of the five workers and the dashboard (module interfaces, section 5).

``MESSAGES`` is what `contracts.registry` takes in: a new message joins here.
"""

from __future__ import annotations

from omniva_dagster.contracts.base import Document

MESSAGES: tuple[type[Document], ...] = ()
