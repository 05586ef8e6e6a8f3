"""A workspace with the tables of tables.json, and rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb_kql

HERE = Path(__file__).parent
QUERIES = Path(__file__).parents[2] / "infra" / "queries"
TABLES: Mapping[str, Mapping[str, str]] = json.loads((HERE / "tables.json").read_text("utf-8"))["tables"]
_TYPES = {"datetime": "TIMESTAMP", "string": "VARCHAR", "int": "INTEGER", "long": "BIGINT", "real": "DOUBLE",
          "bool": "BOOLEAN", "dynamic": "JSON"}  # fmt: skip


class Workspace:
    """Tables in memory."""

    def __init__(self) -> None:
        self._connection: Any = duckdb_kql.connect()
        for name, columns in TABLES.items():
            typed = ", ".join(f'"{column}" {_TYPES[kind]}' for column, kind in columns.items())
            self._connection.sql(f"CREATE TABLE {name} ({typed})")

    def add(self, table: str, **row: object) -> None:
        """A row; columns that are not given are null."""
        names = ", ".join(f'"{name}"' for name in row)
        marks = ", ".join("?" * len(row))
        self._connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values()))

    def trace(self, messages: Iterable[str], at: datetime, count: int = 1) -> None:
        """Lines of the log, as the host hands them to Application Insights.

        Args:
            count: how many lines each stands for, where they were sampled.
        """
        for message in messages:
            self.add("AppTraces", TimeGenerated=at, Message=message, SeverityLevel=1, ItemCount=count)

    def run(self, name: str) -> list[dict[str, Any]]:
        """The rows that a shipped query gives."""
        relation = duckdb_kql.query(self._connection, (QUERIES / f"{name}.kql").read_text("utf-8"))
        return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
