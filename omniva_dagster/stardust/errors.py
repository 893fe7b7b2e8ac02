"""What the ledger says when it cannot do what it was asked."""

from __future__ import annotations


class LedgerError(RuntimeError):
    """The ledger cannot do this; the message says what happened and what to do about it."""
