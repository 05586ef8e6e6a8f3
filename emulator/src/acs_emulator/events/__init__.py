"""Events out: envelopes, callbacks, Event Grid, faults, and the log of every delivery."""
