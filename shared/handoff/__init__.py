"""Hand-off to a contact centre: what a caller said and keyed is kept as a case, and nobody is left behind."""
