"""The sample channel of ``omniva demo``."""
