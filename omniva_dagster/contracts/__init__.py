"""The language: every message, its fields and rules; nothing else of ours is imported here."""
