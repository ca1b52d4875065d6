"""A running stack and a headless Chromium for the tests that act as a person does."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, ViewportSize, sync_playwright

from local.stack import Stack
from tests.e2e.app import App
from tests.e2e.people import User, agent_of, new_user
from tests.e2e.wire import Wire
from tests.support.clawhub import ClawHub
from tests.support.stacks import running

# Chromium's background services look for hosts that are not there.
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A microphone that beeps, and that nobody needs to allow.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}

Tab = Callable[[], App]


@pytest.fixture(scope="session")
def clawhub() -> Iterator[ClawHub]:
    """The registry of skills that the stack's agents know."""
    registry = ClawHub()
    yield registry
    registry.close()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, clawhub: ClawHub) -> Iterator[Stack]:
    yield from running(tmp_path_factory.mktemp("stack"), CLAWHUB_URL=clawhub.url)


def launch() -> Iterator[Browser]:
    """The machine's own Chromium."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert chromium, "Chromium is missing: `make test` installs it on Debian; elsewhere install it and try again"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    yield from launch()


@pytest.fixture
def context(browser: Browser, stack: Stack) -> Iterator[BrowserContext]:
    """One browser profile, so that its tabs share what tabs share."""
    context = browser.new_context(base_url=stack.url, viewport=DESKTOP)
    yield context
    context.close()


@pytest.fixture
def tab(context: BrowserContext) -> Iterator[Tab]:
    """Opens tabs of one profile; at the end none may have raised or met the security policy."""
    apps: list[App] = []

    def open_tab() -> App:
        apps.append(App(context.new_page()))
        return apps[-1]

    yield open_tab
    for app in apps:
        assert not app.problems, f"the page said: {app.problems}"


@pytest.fixture
def app(tab: Tab) -> App:
    return tab()


@pytest.fixture
def user(stack: Stack) -> User:
    """A new account that has never talked to its agent."""
    return new_user(stack)


@pytest.fixture(scope="session")
def warm(stack: Stack) -> Iterator[User]:
    """One account with an awake agent. Each test has its own conversation in it."""
    user = new_user(stack)
    with agent_of(stack, user):
        yield user


@pytest.fixture(scope="session")
def warm_session(browser: Browser, stack: Stack, warm: User) -> str:
    """What a tab keeps of its sign-in: the check of a password takes seconds that only its own tests need."""
    context = browser.new_context(base_url=stack.url)
    app = App(context.new_page())
    app.sign_in(warm)
    kept: str = app.page.evaluate("JSON.stringify(sessionStorage)")
    context.close()
    return kept


def enter(app: App, session: str) -> None:
    """Signed in by what another tab keeps."""
    app.page.add_init_script(f"if (self === top && !sessionStorage.length) Object.assign(sessionStorage, {session})")
    app.open()
    app.ready()


@pytest.fixture
def chat(app: App, warm_session: str) -> App:
    """Signed in, in a new conversation, with the agent awake."""
    enter(app, warm_session)
    app.new_conversation()
    return app


@pytest.fixture
def spoken(app: App, warm_session: str) -> tuple[App, Wire]:
    """A conversation in which this test says what the agent writes."""
    wire = Wire(app.page)
    wire.take = lambda frame: frame.get("action") == "sendMessage"
    enter(app, warm_session)
    app.new_conversation()
    return app, wire
