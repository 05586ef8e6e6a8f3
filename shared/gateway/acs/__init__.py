"""Actions out through the official SDK, azure-communication-callautomation 1.6.0."""

from shared.gateway.acs.gateway import AcsGateway

__all__ = ["AcsGateway"]
