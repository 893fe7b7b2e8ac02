"""The engines as asset checks, one module an engine. A check shows; the lock is the directive."""

from omniva_dagster.checks.stardust import STARDUST_CHECKS
from omniva_dagster.checks.zenith import ZENITH_CHECKS

CHECKS = [*STARDUST_CHECKS, *ZENITH_CHECKS]
