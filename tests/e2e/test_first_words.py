"""A cold message as its person sees it: first words, then the agent's own in the same bubble, over a reload."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from local.stack import Stack
from tests.e2e.app import App
from tests.e2e.conftest import DESKTOP
from tests.e2e.people import new_user
from tests.e2e.test_access import AXE, violations
from tests.support.stacks import running


@pytest.fixture(scope="module")
def slow_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Containers take a few seconds, as Fargate does."""
    yield from running(tmp_path_factory.mktemp("stack"), FIRST_WORDS="true", TASK_START_SECONDS="4")


def test_first_words_are_shown_kept_and_continued(browser: Browser, slow_stack: Stack) -> None:
    context = browser.new_context(base_url=slow_stack.url, viewport=DESKTOP, reduced_motion="reduce")
    context.add_init_script(path=AXE)
    app = App(context.new_page())
    app.sign_in(new_user(slow_stack))
    app.send("first: Rome is in Italy. say: And it is old.")
    expect(app.answers.first).to_contain_text("Rome is in Italy.", timeout=3_000)
    expect(app.by("first-answer")).to_contain_text("Your agent is waking up")
    expect(app.by("start-card")).to_be_visible()
    assert violations(app) == []
    app.reload()
    expect(app.answers.first).to_contain_text("Rome is in Italy.", timeout=10_000)
    expect(app.answers.first).to_contain_text("And it is old.", timeout=30_000)
    app.answered("Rome is in Italy.")
    expect(app.by("first-answer")).to_have_count(0)
    expect(app.answers).to_have_count(1)

    app.panel("status")
    app.by("stop-agent").click()
    app.by("confirm-action").click()
    expect(app.by("agent-state")).to_have_text("Asleep", timeout=40_000)
    app.by("panel-close").click()
    app.send("first: " + "word " * 300)
    app.streaming("word word")
    app.by("stop").click()
    expect(app.answers.nth(1)).to_have_attribute("data-state", "aborted")
    expect(app.by("first-answer")).to_have_count(0)

    panel = app.panel("settings")
    expect(app.by("setting-small-talk")).to_be_visible()
    app.by("setting-first-words").select_option("off")
    expect(app.by("settings-saved")).to_have_text("Saved")
    expect(app.by("setting-small-talk")).to_have_count(0)
    assert violations(app) == []
    expect(panel).to_be_visible()
    assert app.problems == []
    context.close()
