"""Where an early start meets messages: it costs nobody who writes anything."""

from dataclasses import replace

from chalicelib.agents.runtime import StartFailed
from chalicelib.people.preferences import Choice
from tests.support.early import Place


def test_a_message_that_came_while_an_early_start_failed_gets_a_start_of_its_own() -> None:
    """It saw a start under way and relied on it: on Spot only, which had no room."""
    place = Place()
    run, containers = place.world.containers.start, place.world.containers

    def full(user_id: str, generation: int, spot_only: bool = False) -> str:
        if spot_only:
            assert not place.world.send().started, "an agent starts already"
            raise StartFailed("CAPACITY", "no Spot")
        return run(user_id, generation, spot_only)

    containers.start = full  # type: ignore[method-assign]
    assert place.early.intent("ann") == "failed"
    assert place.world.tasks.get("ann").status == "Starting", "on demand, if there is no Spot"
    assert place.world.tasks.get("ann").early is None


def test_who_lets_small_talk_stand_gets_no_start_by_opening_the_page() -> None:
    place = Place()
    place.world.choices.choices["ann"] = Choice(small_talk=True)
    assert place.early.intent("ann") == "small talk"
    assert place.world.containers.runs == []


def test_an_early_start_takes_no_container_that_waits_for_whoever_writes() -> None:
    place = Place()
    place.world.dispatch = replace(place.world.dispatch, claim_prewarmed=True)
    claims: list[str] = []
    place.world.tasks.prewarmed = lambda: claims.append("asked") or []  # type: ignore[method-assign,func-returns-value]
    assert place.early.intent("ann") == "started"
    assert claims == []
