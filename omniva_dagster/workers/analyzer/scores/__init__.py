"""What speaks for a span, feature by feature, and what it rests on."""
