"""What leads to the AWS calls of automations: wakes by schedule, watchdog and a task's end; the panel."""

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from chalicelib.agents.runtime import StartFailed
from tests.infra.scenarios import _set, event, stopped

if TYPE_CHECKING:
    from tests.infra.drive import Drive

HOUR = 3_600_000


def with_automation(user: str, due_in: int) -> None:
    """What a container that has gone again left behind."""
    from chalicelib.agents.tasks import Tasks
    from chalicelib.agents.wakes import Wakes
    from chalicelib.platform.clock import now_ms

    tasks = Tasks()
    generation = tasks.begin_start(user).generation
    Wakes().project(user, generation, now_ms() + due_in, [{"id": "job", "name": "n"}])
    tasks.released(user, generation)


def wakes(drive: "Drive") -> None:
    """Due, not yet due (its schedule is made, then changed), over the day's limit, not starting: told."""
    from chalicelib.lifecycle import wake
    from chalicelib.lifecycle.dispatch import MAX_FAILED_STARTS
    from chalicelib.people.linking import Linking
    from chalicelib.telegram import links as telegram_links

    ahead, wake.AHEAD = wake.AHEAD, 3 * HOUR
    for number, function in enumerate(("wake", "watchdog", "task_stopped")):
        due, later, limited, broken = (drive.user() for _ in range(4))
        for user in (due, limited, broken):
            drive.connect({"token": user}, f"tab-{user}")
            drive.connect({"token": user}, f"gone-{user}")
            with_automation(user, 1000)
        with_automation(later, 2 * HOUR)
        from chalicelib.agents.wakes import Wakes

        for _ in range(wake.WAKES_PER_DAY):
            Wakes().count(limited)
        Linking("secret").redeem_code(2000 + number, "A", Linking("secret").issue(limited).code)
        _set(broken, "failedStarts", MAX_FAILED_STARTS)
        telegram_links._secrets.cache_clear()
        for user in (due, later, later, limited, broken):
            if function == "wake":
                drive.call("wake", {"userId": user})
            else:
                drive.call(function, stopped(user, 0) if function == "task_stopped" else event({}))
    wake.AHEAD = ahead
    telegram_links._secrets.cache_clear()


def panel(drive: "Drive") -> None:
    """The list, and changes of an agent that sleeps."""
    user = drive.user()
    with_automation(user, 2 * HOUR)
    drive.rest(user, "GET", "/automations")
    one = "/automations/{automation_id}"
    for action in ("pause", "run"):
        drive.rest(user, "POST", "/automations/job", {"action": action}, one)


def hooks(drive: "Drive") -> None:
    """A hook is made, listed, posted to asleep and awake, over its limit, refused, and revoked."""
    from chalicelib import wiring

    user, one = drive.user(), "/hooks/{hook}"
    drive.connect({"token": user}, f"tab-{user}")
    made = json.loads(drive.rest(user, "POST", "/hooks", {"name": "GitHub"})["body"])
    drive.rest(user, "GET", "/hooks")
    path = f"/hooks/{made['token']}"
    for text in ("asleep", "starting"):
        drive.rest(user, "POST", path, {"text": text}, one)
    drive.agent(user)
    for _ in range(11):
        drive.rest(user, "POST", path, {"text": "awake"}, one)
    spent = wiring.wake
    wiring.wake = lambda: replace(spent(), spent=lambda _: True)
    drive.rest(user, "POST", path, {"text": "refused"}, one)
    wiring.wake = spent
    drive.rest(user, "DELETE", f"/hooks/{made['hook']['id']}", None, one)
    drive.rest(user, "POST", path, {"text": "unknown"}, one)


def early(drive: "Drive") -> None:
    """Started by a habit, off, missed; on intent from the page and from Telegram; no room on Spot."""
    from chalicelib.agents.activity import Activity
    from chalicelib.agents.containers import Containers
    from chalicelib.agents.habits import Habits, Visit
    from chalicelib.people.linking import Linking
    from chalicelib.people.preferences import Preferences
    from chalicelib.platform.clock import DAY, now_ms
    from tests.infra.channels import Chat

    now, habits = now_ms(), Habits()
    come, off, missed = (drive.user() for _ in range(3))
    Preferences().change(off, {"prewarmBudget": 0})
    for user in (come, off, missed):
        drive.connect({"token": user}, f"tab-{user}")
        drive.connect({"token": user}, f"gone-{user}")
        for week in (3, 2, 1):
            Activity().came(user, "UTC", now - week * 7 * DAY)
        (hour,) = Activity().hours(user)
        habits.project(user, Visit(hour, now - 1000, now + HOUR))
    habits.project(missed, Visit(hour, now - 1000, now - 500))
    over = habits.get(missed)
    assert over is not None
    habits.begin(over)
    drive.call("watchdog", event({}))
    for user in (drive.user(), drive.user()):
        drive.connect({"token": user}, f"tab-{user}")
        for _ in range(2):
            drive.send(f"tab-{user}", "intent")
    _set(come, "earlyUntil", now_ms() + 1000)
    drive.send(f"tab-{come}", "intent")
    refused = drive.user()
    drive.connect({"token": refused}, f"tab-{refused}")
    run, failed = Containers.start, StartFailed("CAPACITY", "none")
    Containers.start = lambda *_, **__: (_ for _ in ()).throw(failed)  # type: ignore[method-assign]
    drive.send(f"tab-{refused}", "intent")
    Containers.start = run  # type: ignore[method-assign]
    paired, chat = drive.user(), Chat(drive, 5001)
    chat.say(f"/start {Linking('secret').issue(paired).token}")
    chat.say("/status")


ALL = (wakes, panel, hooks, early)
