"""Why a document failed: the reason codes of Outcomes, and the error that workers raise.

The spec's codes come first (module interfaces, 5.1 to 5.5); the others are ours, in lower case.
"""

from __future__ import annotations

from enum import StrEnum


class ReasonCode(StrEnum):
    """Why a document is not DONE."""

    # 5.1 scraper
    NETWORK_TIMEOUT = "network_timeout"
    RATE_LIMITED = "rate_limited"
    AUTH_FAILED = "auth_failed"
    # 5.2 analyzer
    TRANSCRIPT_MISSING = "transcript_missing"
    MODEL_OFFLINE = "model_offline"
    # 5.3 editor
    BAD_COMMAND = "bad_command"
    GPU_STARVATION = "gpu_starvation"
    # 5.4 uploader
    QUOTA_EXCEEDED = "quota_exceeded"
    CONTENT_VIOLATION = "content_violation"
    # 5.5 scheduler
    SCHEDULER_FAULT = "scheduler_fault"
    # ours: fetching
    UNREACHABLE = "unreachable"
    NOT_FOUND = "not_found"
    NO_VIDEO = "no_video"
    SCHEME_REFUSED = "scheme_refused"
    ADDRESS_REFUSED = "address_refused"
    TOO_LARGE = "too_large"
    TOO_LONG = "too_long"
    DUPLICATE = "duplicate"
    DATE_UNKNOWN = "date_unknown"
    # ours: media
    CORRUPT_MEDIA = "corrupt_media"
    NO_AUDIO = "no_audio"
    NO_CANDIDATES = "no_candidates"
    RENDER_TIMEOUT = "render_timeout"
    DISK_FULL = "disk_full"
    # ours: decisions and state
    NOT_RELEASED = "not_released"
    NOT_RENDERED = "not_rendered"
    COLLISION = "collision"
    INTERNAL = "internal"


class WorkerError(Exception):
    """A document could not be worked on; the partition goes on without it.

    ``message`` says what happened and what a person can do about it. ``transient`` means the same
    call may succeed later.
    """

    def __init__(self, code: ReasonCode, message: str, *, transient: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.transient = transient
