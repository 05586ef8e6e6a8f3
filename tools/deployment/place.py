"""Where a deployment is: the outputs of infra/main.bicep, from azd or from the deployment itself."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from tools.deployment.commands import DeploymentError, az, azd_values


@dataclass(frozen=True, slots=True)
class Place:
    """Names of resources, the numbers whose calls the app takes (empty: all), and the command that looks again."""

    group: str
    app: str
    topic: str
    storage: str
    dead_letters: str
    address: str
    communication: str
    vault: str
    again: str
    numbers: tuple[str, ...] = ()


OUTPUTS = {
    "group": "AZURE_RESOURCE_GROUP",
    "app": "AZURE_FUNCTION_APP_NAME",
    "topic": "EVENTGRID_TOPIC_NAME",
    "storage": "AZURE_STORAGE_ACCOUNT_NAME",
    "dead_letters": "EVENT_DEAD_LETTER_CONTAINER",
    "address": "SERVICE_APP_BASE_URL",
    "communication": "ACS_NAME",
    "vault": "AZURE_KEY_VAULT_NAME",
}
"""Which output of infra/main.bicep holds what."""

NUMBERS = "SWITCHBOARD_NUMBERS"
"""The value of the azd environment, or the variable, with the numbers, comma-separated."""


def from_azd(numbers: str = "") -> Place:
    """By the selected azd environment."""
    values = azd_values()
    given = numbers or values.get(NUMBERS) or os.environ.get(NUMBERS, "")
    return _place(values, given, "azd hooks run postdeploy", "run `azd provision` first")


def from_deployment(name: str, numbers: str = "") -> Place:
    """By a deployment of infra/main.bicep to the subscription that az has selected."""
    outputs = az("deployment", "sub", "show", "--name", name, "--query", "properties.outputs") or {}
    # Azure Resource Manager writes names of outputs as it likes: azure_RESOURCE_GROUP
    values = {key.upper(): str(output.get("value", "")) for key, output in outputs.items()}
    again = f"python -m tools.deployment events --deployment {name}" + (f" --numbers {numbers}" if numbers else "")
    return _place(
        values, numbers, again, f"deployment {name!r} has no such output: deploy infra/main.bicep under this name"
    )


def _place(values: Mapping[str, str], numbers: str, again: str, remedy: str) -> Place:
    missing = [output for output in OUTPUTS.values() if not values.get(output)]
    if missing:
        raise DeploymentError(f"{', '.join(missing)} unknown; {remedy}")
    given = tuple(number.strip() for number in numbers.split(",") if number.strip())
    for number in given:
        if not (number.startswith("+") and number[1:].isascii() and number[1:].isdigit()):
            raise DeploymentError(f"{number!r} is not a number such as +18005550199; correct {NUMBERS}")
    return Place(**{field: values[output] for field, output in OUTPUTS.items()}, again=again, numbers=given)
