"""Words, sentences, and what they are about."""
