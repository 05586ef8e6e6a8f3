"""What holds for every app, whatever its flows say: they load, and routing and scorecards fit them."""

from __future__ import annotations

import pytest

from shared.calls import FLOWS, Flow
from shared.composition.brakes import compose_brakes, forbidden_targets
from shared.composition.flows import load_flows
from shared.quality.scorecards import load_scorecards
from shared.routing import RoutingTable
from shared.routing.reading import load_routes
from shared.settings import Settings, load_settings
from shared.text_rows import MemoryTextRows
from tests.setting_samples import REQUIRED
from tests.unit.brakes.instances import Still


@pytest.fixture
def flows() -> dict[str, Flow]:
    """Every flow, with its texts."""
    load_flows()
    return FLOWS


@pytest.fixture
def settings() -> Settings:
    return load_settings(REQUIRED)


@pytest.fixture
def routes(flows: dict[str, Flow], settings: Settings) -> RoutingTable:
    return load_routes(settings.routing_file, flows)


def test_every_rule_of_the_routing_can_be_followed(
    routes: RoutingTable, flows: dict[str, Flow], settings: Settings
) -> None:
    assert routes.rules
    brakes = compose_brakes(settings, routes, flows, MemoryTextRows(), Still)
    assert list(forbidden_targets(settings, routes, flows, brakes.dialing)) == []


def test_every_scorecard_is_right_and_names_flows_that_there_are(flows: dict[str, Flow], settings: Settings) -> None:
    load_scorecards(settings.scorecards_folder, flows)
