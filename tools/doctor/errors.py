"""What keeps doctor from looking."""

from __future__ import annotations


class CouldNotLook(Exception):
    """Doctor cannot do its work; the message says what to do. Exit code 2."""
