"""The methods of a call, in groups."""
