"""Messages on the queue `<prefix>-notifications`."""

from __future__ import annotations

from shared.errors import StoreUnavailable
from shared.notifications.message import Message
from shared.store.messages import Messages


class StorageNotificationQueue:
    """Sends messages to the queue-triggered function."""

    def __init__(self, connection_string: str, prefix: str) -> None:
        self._messages = Messages(connection_string, f"{prefix}-notifications")

    def send(self, message: Message, *, delay: float = 0.0) -> None:
        from azure.core.exceptions import AzureError

        try:
            self._messages.send(message.as_json(), delay)
        except AzureError as error:
            raise StoreUnavailable(f"the queue did not take the message ({type(error).__name__})") from error
