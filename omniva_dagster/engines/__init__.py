"""Cognition: pure functions, documents in and documents out; no I/O, no clock, no Dagster."""
