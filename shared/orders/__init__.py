"""Orders that callers place: what was ordered, once each, and whether somebody has seen to it."""
