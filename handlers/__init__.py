"""The doors: one module for each family of triggers. Each door parses, calls one service, and answers."""
