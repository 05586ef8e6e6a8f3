"""The tests in this folder look at the flows, routes and scorecards in the root, not at those of the fixture."""

from __future__ import annotations

import sys

sys.modules.pop("flows", None)
