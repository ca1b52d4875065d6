"""One stack for this folder: a woken container rests for a shorter time, so that its end can be waited for.

`TEST_REST_SECONDS=60` measures with the time that a deployment has.
"""

import os
from collections.abc import Iterator

import pytest

from local.stack import Stack
from tests.support.clawhub import ClawHub
from tests.support.stacks import running

REST_SECONDS = int(os.environ.get("TEST_REST_SECONDS", "6"))
# A heartbeat later at most, the container hands over.
GONE_WITHIN = REST_SECONDS + 30


@pytest.fixture(scope="session")
def clawhub() -> Iterator[ClawHub]:
    """The registry of skills that the stack's agents know."""
    registry = ClawHub()
    yield registry
    registry.close()


@pytest.fixture(scope="session")
def own_stack(tmp_path_factory: pytest.TempPathFactory, clawhub: ClawHub) -> Iterator[Stack]:
    env = {"WAKE_REST_SECONDS": str(REST_SECONDS), "BACKUP_SECONDS": "1", "CLAWHUB_URL": clawhub.url}
    yield from running(tmp_path_factory.mktemp("outbox"), **env)
