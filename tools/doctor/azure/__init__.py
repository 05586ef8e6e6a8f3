"""The level `azure`: what is set up there. It reads, and changes nothing."""

from tools.doctor.azure.looking import look

__all__ = ["look"]
