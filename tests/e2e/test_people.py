"""The owner's room, and the health of one's own agent: a person starts anew, and is removed with all that is theirs."""

from collections.abc import Callable, Iterator

import pytest
import requests
from playwright.sync_api import Browser, Locator, expect

from local.stack import Stack
from tests.e2e.app import App
from tests.e2e.conftest import DESKTOP, PHONE
from tests.e2e.people import User, address, client_of
from tests.e2e.test_access import AXE, violations
from tests.e2e.test_panels import open_from_status
from tests.support.tables import task_row

START_MS = 40_000


@pytest.fixture
def started(stack: Stack, user: User) -> User:
    """Their agent begins anew from asleep, while others sign in."""
    client = client_of(stack, user)
    assert client.rest("POST", "/restart-agent").json()["status"] == "Starting"
    client.close()
    return user


@pytest.fixture
def owner(browser: Browser, stack: Stack) -> Iterator[App]:
    """The local user in a profile of their own, with axe in it, signed in."""
    assert stack.resources is not None
    context = browser.new_context(base_url=stack.url, viewport=DESKTOP, reduced_motion="reduce")
    context.add_init_script(path=AXE)
    app = App(context.new_page())
    app.sign_in(User(stack.resources.email, stack.resources.password))
    yield app
    context.close()
    assert not app.problems, app.problems


def start_anew(app: App, stack: Stack, task: Callable[[], str]) -> None:
    """Another container, which says what it does in numbers and codes."""
    panel, state = app.panel("status"), app.by("agent-state")
    expect(panel.get_by_test_id("open-people")).to_have_count(0)
    expect(state).to_have_attribute("data-status", "Running", timeout=START_MS)
    before = task()
    app.by("restart-agent").click()
    app.by("confirm-action").click()
    expect(state).not_to_have_attribute("data-status", "Running")
    expect(state).to_have_attribute("data-status", "Running", timeout=START_MS)
    assert before not in stack.pids()
    for _ in range(20):  # it is loaded when it is opened, and a line is there half a second later
        app.by("own-log").locator("summary").click()
        expect(app.by("log-lines").or_(app.by("log-none"))).to_be_visible()
        if app.by("log-lines").get_by_text("automations").count():
            return
        app.by("own-log").locator("summary").click()
        app.page.wait_for_timeout(500)
    raise AssertionError("the container has logged nothing")


def invited(panel: Locator, stack: Stack) -> None:
    """By keyboard alone; the mailed password is where `make run` prints it."""
    email = address()
    panel.get_by_test_id("invite-email").fill(email)
    panel.get_by_test_id("invite-email").press("Enter")
    expect(panel.get_by_test_id("invited")).to_contain_text(email)
    expect(panel.locator(f'[data-email="{email}"]')).to_have_attribute("data-state", "invited")
    assert [letter["purpose"] for letter in stack.mail() if letter["to"] == email] == ["invitation"]


def test_an_owner_invites_limits_and_removes(started: User, app: App, owner: App, stack: Stack) -> None:
    user = started
    app.sign_in(user)
    target = {"X-Amz-Target": "AWSCognitoIdentityProviderService.AdminAddUserToGroup"}
    assert requests.post(f"{stack.url}/cognito/", headers=target, json={}, timeout=5).status_code == 403
    client = client_of(stack, user)
    client.close()

    def task() -> str:
        """Others have containers here, too."""
        return str(task_row(stack, client.user_id)["taskArn"])

    start_anew(app, stack, task)
    panel = open_from_status(owner, "people")
    row = panel.locator(f'[data-email="{user.email}"]')
    expect(row).to_have_attribute("data-agent", "Running")
    invited(panel, stack)
    row.get_by_test_id("person-limit").click()
    row.get_by_test_id("person-cap").fill("2.5")
    row.get_by_test_id("person-cap").press("Enter")
    expect(row.get_by_test_id("person-cap-saved")).to_be_visible()
    expect(row).to_contain_text("of $2.50 this month")
    row.get_by_test_id("person-remove").click()
    dialog = owner.by("remove-person")
    dialog.get_by_test_id("remove-email").fill("somebody@example.com")
    expect(dialog.get_by_test_id("remove-action")).to_be_disabled()
    owner.page.set_viewport_size(PHONE)
    assert violations(owner) == []
    assert not owner.page.evaluate("document.documentElement.scrollWidth > innerWidth")
    running = task()
    dialog.get_by_test_id("remove-email").fill(user.email)
    dialog.get_by_test_id("remove-email").press("Enter")
    expect(row).to_have_count(0, timeout=START_MS)
    assert running not in stack.pids(), "the container had ended before"
    app.by("restart-agent").click()
    app.by("confirm-action").click()
    expect(app.by("sign-in-email")).to_be_visible(timeout=20_000)
