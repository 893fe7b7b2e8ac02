"""The transactional store: what must be remembered, and the outbox in the same transaction."""
