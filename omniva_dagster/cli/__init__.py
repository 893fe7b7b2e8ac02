"""The ``omniva`` command."""
