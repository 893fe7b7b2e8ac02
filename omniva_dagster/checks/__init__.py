"""The nine engines as asset checks, one module an engine."""
