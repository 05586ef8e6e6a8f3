"""HTTP in: routes, signatures, schemas, answers."""
