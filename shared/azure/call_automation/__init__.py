"""Actions out through the official SDK, azure-communication-callautomation 1.6.0."""

from shared.azure.call_automation.gateway import AcsGateway

__all__ = ["AcsGateway"]
