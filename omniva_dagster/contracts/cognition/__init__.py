"""Every document that the nine engines emit and accept (module interfaces, section 4).

``MESSAGES`` is what `contracts.registry` takes in: a new message joins here. Some have their place
elsewhere: the six objects, VideoAsset, and Zenith's Directive (`contracts.decisions`).
"""

from __future__ import annotations

from omniva_dagster.contracts.base import Document
from omniva_dagster.contracts.cognition import (
    chorus,
    eclipse,
    failures,
    halolux,
    horizon,
    lattice,
    pantheon,
    paradox,
    stardust,
    zenith,
)

MESSAGES: tuple[type[Document], ...] = (
    # 4.1
    paradox.WorkerStateDigest,
    paradox.AtlasCollision,
    paradox.ConflictResolution,
    paradox.ConflictEscalation,
    paradox.ComplianceAlert,
    # 4.2
    failures.WorkerErrorEvent,
    failures.Heartbeat,
    failures.TimeoutAlert,
    failures.AbnormalLog,
    failures.HealthDeviation,
    failures.PanicSignal,
    eclipse.RetryPlan,
    eclipse.FallbackStrategy,
    eclipse.QuarantineInstruction,
    eclipse.HealingProposal,
    eclipse.ReadinessSignal,
    eclipse.CrisisEscalation,
    # 4.3
    stardust.TelemetrySample,
    stardust.DagsterEvent,
    stardust.LedgerPacket,
    stardust.Checkpoint,
    stardust.InclusionProof,
    stardust.KeyRotation,
    stardust.LineageLinks,
    stardust.LedgerInconsistency,
    # 4.4
    lattice.WorkloadSnapshot,
    lattice.BacklogCrossing,
    lattice.PriorityDelta,
    lattice.RoutingIntent,
    lattice.ClusteringHint,
    # 4.5
    horizon.CampaignGoals,
    horizon.EngagementRecord,
    horizon.SeasonalityProfile,
    horizon.SchedulingWeights,
    horizon.GoalTrajectory,
    horizon.DriftWarning,
    horizon.GoalGradients,
    horizon.DesirabilityMetrics,
    # 4.6
    pantheon.EmbeddingReference,
    pantheon.ManualReviewRequest,
    pantheon.VoteReport,
    pantheon.Shortlist,
    # 4.7
    chorus.StylePreferences,
    chorus.DraftMetadata,
    chorus.StyledMetadata,
    chorus.StyleDelta,
    chorus.ComplianceConflict,
    # 4.8
    halolux.ExplanationRequest,
    halolux.InterpretabilityBundle,
    # 4.9
    zenith.OverrideRequest,
    zenith.OperationalStatus,
    zenith.StateTransition,
    zenith.CommitmentLog,
    zenith.ArbitrationVerdict,
    zenith.CycleReflection,
)
