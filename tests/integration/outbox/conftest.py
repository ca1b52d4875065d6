"""One stack for this folder: a woken container rests for a shorter time, so that its end can be waited for."""

from collections.abc import Iterator

import pytest

from local.stack import Stack
from tests.support.stacks import running

REST_SECONDS = 6


@pytest.fixture(scope="session")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    yield from running(tmp_path_factory.mktemp("outbox"), WAKE_REST_SECONDS=str(REST_SECONDS), BACKUP_SECONDS="1")
