"""Dagster's event log as packets: the one part of the ledger that knows Dagster.

`tailing.mirror` follows the log, `reconciling.reconcile` finds what following it has missed.
"""
