"""The yardstick: the least that an app can do that answers calls with the official SDK."""
