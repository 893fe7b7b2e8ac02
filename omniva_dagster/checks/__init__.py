"""The engines as asset checks, one module an engine. A check shows; the lock is the directive."""

from omniva_dagster.checks.chorus import CHORUS_CHECKS
from omniva_dagster.checks.eclipse import ECLIPSE_CHECKS
from omniva_dagster.checks.halolux import HALOLUX_CHECKS
from omniva_dagster.checks.horizon import HORIZON_CHECKS
from omniva_dagster.checks.lattice import LATTICE_CHECKS
from omniva_dagster.checks.pantheon import PANTHEON_CHECKS
from omniva_dagster.checks.paradox import PARADOX_CHECKS
from omniva_dagster.checks.stardust import STARDUST_CHECKS
from omniva_dagster.checks.zenith import ZENITH_CHECKS

CHECKS = [
    *CHORUS_CHECKS,
    *ECLIPSE_CHECKS,
    *HALOLUX_CHECKS,
    *HORIZON_CHECKS,
    *LATTICE_CHECKS,
    *PANTHEON_CHECKS,
    *PARADOX_CHECKS,
    *STARDUST_CHECKS,
    *ZENITH_CHECKS,
]
