"""A task that is suspended between turns, on fakes: every way out of it, and what may come in between."""

import json

import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.session import get_session
from botocore.stub import Stubber

from chalicelib.agents.tasks import RUN_LEASE, Status
from chalicelib.lifecycle import suspending, watching
from chalicelib.lifecycle.dispatch import status_frame
from chalicelib.lifecycle.first_words import wanted
from chalicelib.lifecycle.wake import Wake
from chalicelib.lifecycle.watching import FOLLOWED
from chalicelib.platform import aws
from chalicelib.platform.clock import MINUTE
from chalicelib.telegram.texts import STATUS
from tests.support.world import World, answered

HOUR = 60 * MINUTE


def asleep() -> World:
    """Ann's agent has answered, has written its row, and is frozen."""
    world = answered()
    world.tasks.suspended("ann", 1, world.clock() + 7 * HOUR)
    assert suspending.suspend(world.dispatch, "ann", 1) == "suspended"
    world.tasks.agent_gone("ann", 1, "agent-1")
    return world


def test_a_message_resumes_it_and_starts_nothing() -> None:
    world = asleep()
    world.clock.step(3 * HOUR)
    outcome = world.send("message-2")
    assert (outcome.task.status, outcome.task.generation, outcome.started) == (Status.RUNNING, 1, False)
    assert outcome.task.lease_until == world.clock() + RUN_LEASE
    assert len(world.containers.runs) == 1
    assert world.containers.resumes == ["arn:task/ann-1"]
    assert world.containers.follows == [("ann", 1)]  # it may end before it has a socket again


def test_the_row_holds_its_lease_and_the_watchdog_leaves_it_alone() -> None:
    world = asleep()
    for _ in range(3):
        world.clock.step(2 * HOUR)
        world.watchdog.tick()
    assert world.tasks.get("ann").status is Status.SUSPENDED
    assert world.containers.stops == []
    world.clock.step(HOUR + 1)  # its life is over
    world.watchdog.tick()
    assert world.tasks.get("ann").status is Status.IDLE
    assert world.containers.stops == [("arn:task/ann-1", "lease expired")]


def test_one_that_is_gone_is_replaced() -> None:
    world = asleep()
    world.containers.ended("arn:task/ann-1")
    outcome = world.send("message-2")
    assert (outcome.task.status, outcome.task.generation, outcome.started) == (Status.STARTING, 2, True)


def test_the_watchdog_frees_one_that_is_gone() -> None:
    world = asleep()
    world.containers.ended("arn:task/ann-1")
    world.watchdog.tick()
    assert world.tasks.get("ann").status is Status.IDLE


def test_a_resume_that_fails_costs_a_lease_and_no_message() -> None:
    world = asleep()

    def fails(task_arn: str) -> None:
        raise ReadTimeoutError(endpoint_url="https://lambda")

    world.containers.resume, kept = fails, world.containers.resume  # type: ignore[method-assign]
    assert world.send("message-2").error is None
    world.containers.resume = kept  # type: ignore[method-assign]
    world.clock.step(RUN_LEASE + 1)
    world.watchdog.tick()
    assert world.tasks.get("ann").generation == 2
    assert [message.id for message in world.inbox.waiting("ann")] == ["message-2"]


def test_a_message_for_which_nobody_woke_it_is_found_by_the_watchdog() -> None:
    world = asleep()
    world.inbox.put(world.message("message-2"))
    world.watchdog.tick()
    assert world.containers.resumes == ["arn:task/ann-1"]


def test_two_messages_at_once_resume_it_once() -> None:
    world = asleep()
    seen = world.tasks.get("ann")
    world.send("message-2")
    again = suspending.wake_up(world.tasks, world.containers, seen)
    assert again.status is Status.RUNNING
    world.send("message-3")
    assert world.tasks.get("ann").generation == 1
    assert len(world.containers.runs) == 1


def test_only_what_its_row_calls_suspended_is_suspended() -> None:
    world = answered()
    assert suspending.suspend(world.dispatch, "ann", 1) == "refused"  # it may run a turn
    world.tasks.suspended("ann", 1, world.clock() + HOUR)
    assert suspending.suspend(world.dispatch, "ann", 7) == "refused"
    assert world.containers.suspended == set()


@pytest.mark.parametrize("how", ["a message", "a message that only reached the inbox", "itself"])
def test_what_was_needed_while_it_froze_is_resumed_at_once(how: str) -> None:
    world = answered()
    world.tasks.suspended("ann", 1, world.clock() + HOUR)
    freeze = world.containers.suspend

    def meanwhile(task_arn: str) -> None:
        if how == "a message":
            world.send("message-2")
        elif how == "itself":
            world.tasks.resumed("ann", 1)
        else:
            world.inbox.put(world.message("message-2"))
        freeze(task_arn)

    world.containers.suspend = meanwhile  # type: ignore[method-assign]
    assert suspending.suspend(world.dispatch, "ann", 1) == "resumed"
    assert world.containers.suspended == set()
    assert world.tasks.get("ann").status is Status.RUNNING


def test_a_machine_that_ends_while_it_is_suspended_frees_its_row() -> None:
    world = answered()
    world.tasks.suspended("ann", 1, world.clock() + HOUR)
    world.containers.ended("arn:task/ann-1")
    assert suspending.suspend(world.dispatch, "ann", 1) == "gone"
    assert world.tasks.get("ann").status is Status.IDLE


def test_the_end_of_an_agent_is_noticed_by_its_socket() -> None:
    """It handed over, it died, it is only suspended, or it has opened another socket."""
    handed_over = answered()
    handed_over.tasks.released("ann", 1)
    assert suspending.gone(handed_over.dispatch, "ann", 1, 0)
    died = answered()
    died.tasks.agent_gone("ann", 1, "agent-1")
    died.kill()
    assert suspending.gone(died.dispatch, "ann", 1, 0)
    assert died.tasks.get("ann").status is Status.IDLE
    assert not suspending.gone(asleep().dispatch, "ann", 1, 0)
    assert not suspending.gone(answered().dispatch, "ann", 1, 0)
    lives = answered()
    lives.tasks.agent_gone("ann", 1, "agent-1")
    assert not suspending.gone(lives.dispatch, "ann", 1, 0)


def test_a_start_is_followed_until_its_agent_has_a_socket() -> None:
    """Nobody tells of a machine that ends before."""
    died = World()
    died.send()
    died.kill()
    assert suspending.gone(died.dispatch, "ann", 1, 0, looks=FOLLOWED)
    assert died.tasks.get("ann").status is Status.IDLE
    superseded = World()
    superseded.send()
    assert not suspending.gone(superseded.dispatch, "ann", 0, 0, looks=FOLLOWED)
    slow = World()
    slow.send()
    assert not suspending.gone(slow.dispatch, "ann", 1, 0, looks=FOLLOWED)
    assert slow.tasks.get("ann").status is Status.STARTING


@pytest.mark.parametrize("failing", [False, True])
def test_the_function_that_follows_is_asked_once(failing: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """If it cannot be asked, the start goes on."""
    client = get_session().create_client(
        "lambda", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    monkeypatch.setattr(aws, "client", {"lambda": client}.__getitem__)
    monkeypatch.setenv("STAGE", "dev")
    event = {"userId": "ann", "generation": 3}
    asked = {"FunctionName": "serverless-openclaw-dev-wake", "InvocationType": "Event"}
    with Stubber(client) as stubber:
        if failing:
            stubber.add_client_error("invoke", "TooManyRequestsException", http_status_code=429)
        else:
            stubber.add_response("invoke", {"StatusCode": 202}, asked | {"Payload": json.dumps(event).encode()})
        watching.ask("ann", 3)
        stubber.assert_no_pending_responses()


def test_what_is_not_in_its_inbox_waits_for_its_socket() -> None:
    """The Control UI: a frame that comes before the agent has a socket again would be lost."""
    world = asleep()

    def connects(task_arn: str) -> None:
        world.tasks.agent_connected("ann", 1, "agent-2", "https://api")

    world.containers.resume = connects  # type: ignore[method-assign]
    awake = suspending.reached(world.dispatch, world.tasks.get("ann"), 0)
    assert (awake.status, awake.agent_connection_id) == (Status.RUNNING, "agent-2")
    assert suspending.reached(world.dispatch, awake, 0) is awake
    silent = asleep()
    assert suspending.reached(silent.dispatch, silent.tasks.get("ann"), 0).agent_connection_id is None


def test_for_a_person_it_is_awake() -> None:
    world = asleep()
    task = world.tasks.get("ann")
    assert status_frame(task) == {"type": "status", "status": "Running", "phase": "ready"}
    assert not wanted(world.message("m", text="what is the capital of Italy?"), task, world.clock())
    assert not task.wakeable(world.clock())
    assert STATUS[str(Status.SUSPENDED)] == STATUS[str(Status.RUNNING)]  # Telegram's /status


def test_an_automation_resumes_it() -> None:
    """Its own clock stands still meanwhile."""
    from dataclasses import replace
    from typing import Any

    world = asleep()
    world.tasks.rows["ann"] = replace(world.tasks.get("ann"), wake_at=world.clock())
    nothing: Any = type("Nothing", (), {"margin": 0, "today": lambda *_: 0, "count": lambda *_: None})()
    wake = Wake(world.dispatch, nothing, nothing, lambda _: False, lambda *_: None, clock=world.clock)
    assert wake.fire("ann") == "started"
    assert world.containers.resumes == ["arn:task/ann-1"]
