"""A local Azure Communication Services Call Automation and Event Grid service.

Run it with ``acs-emulator`` or ``python -m acs_emulator``; use it inside a test through ``acs_emulator.testing``.
"""

__version__ = "0.2.0"
