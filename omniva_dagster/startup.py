"""Imported first by the code location.

Dagster's hundred thousand objects are no garbage. Looking through them again and again while the
graph is built costs as much as building it: they are taken out of the collector's sight.
"""

import gc

import dagster  # noqa: F401 - its objects are what this is about

gc.freeze()
