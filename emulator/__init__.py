"""A local Azure Communication Services Call Automation and Event Grid service.

Run it with ``python -m emulator``; use it inside a test through ``emulator.testing``. See docs/emulator.md.
"""
