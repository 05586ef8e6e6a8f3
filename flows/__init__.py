"""The call flows: the only code that a team must write. Every module here is loaded at start."""
