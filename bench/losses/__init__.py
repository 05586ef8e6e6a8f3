"""Calls over lines that lose responses: what their phones hear, for how long they hear nothing, how they end."""
