"""Every document that the nine engines emit and accept (module interfaces, section 4).

``MESSAGES`` is what `contracts.registry` takes in: a new message joins here.
"""

from __future__ import annotations

from omniva_dagster.contracts.base import Document

MESSAGES: tuple[type[Document], ...] = ()
