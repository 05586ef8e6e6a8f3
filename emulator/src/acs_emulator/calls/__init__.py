"""Calls, who is in them, and how they begin, change and end."""
