"""A part of `make load ARGS="--memory"`: kills under the real gateway, and a model that asks back."""

from collections.abc import Iterator

import pytest

from bench.load.memory import Trial, stack_with
from bench.load.recall import Recall
from local.stack import Stack

KILLS, SEEDS = 6, (466,)  # a seed with kills of each kind
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def model() -> Recall:
    return Recall()


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory, model: Recall) -> Iterator[Stack]:
    with stack_with(tmp_path_factory.mktemp("stack"), model, BACKUP_SECONDS="4") as stack:
        yield stack


@pytest.mark.parametrize("seed", SEEDS)
def test_a_kill_at_any_moment_forgets_nothing_and_doubles_nothing(own_stack: Stack, model: Recall, seed: int) -> None:
    """Each answer comes once and is not empty, and the agent knows all that the person was shown."""
    result = Trial(own_stack, model, seed).run(KILLS)
    print("\n".join(result.lines()))
    assert result.ok, result.lines()
