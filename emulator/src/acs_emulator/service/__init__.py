"""The emulated resource as a whole, and a call connection with everything that runs on it."""
