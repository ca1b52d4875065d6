"""One stack for this folder: a woken container rests for a shorter time, so that its end can be waited for.

`TEST_REST_SECONDS=60` measures with the time that a deployment has.
"""

import os
from collections.abc import Iterator

import pytest

from local.stack import Stack
from tests.support.stacks import running

REST_SECONDS = int(os.environ.get("TEST_REST_SECONDS", "6"))
# A heartbeat later at most, the container hands over.
GONE_WITHIN = REST_SECONDS + 30


@pytest.fixture(scope="session")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    yield from running(tmp_path_factory.mktemp("outbox"), WAKE_REST_SECONDS=str(REST_SECONDS), BACKUP_SECONDS="1")
