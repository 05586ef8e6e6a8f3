"""Measurements: counts and ratios, taken in one run. `python -m bench`; docs/benchmarks.md says how to read them."""
