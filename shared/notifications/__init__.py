"""What other systems learn of the app: events to an Event Grid topic and a web hook, delivered at least once."""
