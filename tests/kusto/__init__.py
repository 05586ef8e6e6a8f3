"""KQL as a workspace would run it, on this machine: parsed by Microsoft's language service, run by DuckDB."""
