"""The app as it runs in Azure: only what is deployed, in an environment of its lock alone, without a key.

Our host needs a few packages more; the app does not import them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import acs_emulator
import devstack
from devstack.stack import Stack
from tests.environments import Unavailable, environment, packages, pins, python_of

RUNTIME = "3.12"
"""The version of Python that the template deploys (docs/deploy.md)."""
OF_THE_HOST = ("uvicorn", "httptools", "click", "h11")


@dataclass(frozen=True)
class DeployedForm:
    """How the host of such an app is started.

    Attributes:
        python: of the environment.
        command, environment: for `Stack`.
    """

    python: Path
    command: tuple[str, ...]
    environment: Mapping[str, str]


def deployed_form(folder: Path) -> DeployedForm:
    """Make it, or skip the test, saying why; `folder` is empty and takes what the host imports."""
    base = python_of(RUNTIME) or Path(sys.executable)
    try:
        python = environment(pins("requirements.txt"), base)
        of_the_host = packages(pins("requirements-dev.txt", *OF_THE_HOST), base)
    except Unavailable as error:
        pytest.skip(str(error))
    for package in (devstack, acs_emulator):
        (folder / package.__name__).symlink_to(Path(str(package.__file__)).parent)
    # `-m` puts the working folder before everything else: there is nothing of ours in it but the host.
    command = ("env", "-C", str(folder), str(python), "-m", "devstack.host")
    return DeployedForm(python, command, {"PYTHONPATH": str(of_the_host)})


@pytest.fixture(scope="module", params=["here", "deployed"])
def form(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """For `Stack`: as it is developed, and as it is deployed, with an identity and over https."""
    if request.param == "here":
        return {}
    made = deployed_form(tmp_path_factory.mktemp("host"))
    return {"own_host": made.command, "environment": made.environment, "identity": True}


@contextmanager
def trusting(stack: Stack) -> Iterator[Stack]:
    """Let the clients of the test trust the storage and the emulator of a stack with an identity."""
    assert stack.identity is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REQUESTS_CA_BUNDLE", str(stack.identity.files.bundle))
        yield stack


def keys_in(stack: Stack) -> list[str]:
    """The processes of the app and of the streams service that have a key of a service in their environment."""
    from devstack.azurite import ACCOUNT_KEY

    children = [*stack.hosts, *([stack.streams] if stack.streams else [])]
    found = []
    for child in children:
        told = Path(f"/proc/{child.pid}/environ").read_bytes() + Path(f"/proc/{child.pid}/cmdline").read_bytes()
        secrets = (ACCOUNT_KEY, stack.access_key, "AccountKey=", "SharedAccessSignature=")
        found += [f"{child.name}: {secret[:16]}" for secret in secrets if secret.encode() in told]
    return found
