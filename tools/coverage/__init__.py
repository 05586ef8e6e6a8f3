"""What covers each operation and each event of the service, read from the code. `python -m tools.coverage`."""
