"""Demos of the use cases: `python -m devstack demo --use NAME`, one module each, with scripted phones.

A module has one function, `run(given) -> int`: 0 only if all went as scripted.
"""
