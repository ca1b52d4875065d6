"""The main job: a person signs in, writes, and the real OpenClaw answers. And a cold start, told honestly."""

import re

from playwright.sync_api import expect

from local.stack import Stack
from tests.e2e.app import App
from tests.e2e.people import User

COLD_MS = 60_000
# Each phase that the page shows, as it shows it; drawn once a frame, so none is missed.
WATCH_PHASES = """() => {
  window.phases = [];
  new MutationObserver(() => {
    const phase = document.querySelector('[data-testid="start-card"]')?.dataset.phase;
    if (phase && phase !== window.phases.at(-1)) window.phases.push(phase);
  }).observe(document.body, { subtree: true, childList: true, attributes: true });
}"""
READY = re.compile(r"Ready after [\d.]+ s: memory [\d.]+ s, OpenClaw [\d.]+ s")
ORDER = ["queued", "starting", "restoring", "booting", "ready"]


def test_cold_then_warm_then_asleep(app: App, user: User, stack: Stack) -> None:
    """The first message starts a container and tells its phases; the second is answered warm."""
    app.sign_in(user)
    others = set(stack.pids())
    _cold(app)
    started = set(stack.pids()) - others
    assert len(started) == 1

    app.ask("What is 1234+4321?", "= 5555")
    assert set(stack.pids()) - others == started
    app.reload()
    app.answered("21*2 = 42", 0)
    expect(app.answers).to_have_count(2)

    app.panel("status")
    expect(app.by("agent-state")).to_contain_text("Awake")
    _stop(app)
    expect(app.by("stop-agent")).to_have_count(0)
    app.by("panel-close").click()

    app.send("What is 6*7?")
    expect(app.by("start-eta")).to_have_text(re.compile(r"^about \d+ s to go, from past starts$"), timeout=10_000)
    expect(app.answers.nth(2)).to_contain_text("6*7 = 42", timeout=COLD_MS)
    app.panel("status")
    starts = app.by("starts").locator("li")
    expect(starts).to_have_count(2)
    expect(starts.first).to_have_attribute("data-state", "awake")
    expect(starts.first).to_contain_text(READY)
    expect(starts.last).to_contain_text(re.compile(f"started for you.*{READY.pattern}.*Fell asleep: "))
    _stop(app)


def _cold(app: App) -> None:
    """The first message: each phase of the start is shown, then the answer."""
    status = app.by("status")
    expect(status).to_have_text("Asleep")
    app.page.evaluate(WATCH_PHASES)
    app.send("What is 21*2?")
    expect(app.by("start-card")).to_be_visible(timeout=10_000)
    expect(app.by("start-eta")).to_have_text(re.compile(r"^\d+ s so far$"))  # no past start, so no estimate
    expect(status).to_contain_text("Waking up")

    expect(app.answers.first).to_have_attribute("data-state", "done", timeout=COLD_MS)
    answer = app.answered("21*2 = 42")
    expect(answer.locator("strong")).to_have_text("21*2 = 42")  # Markdown was rendered
    expect(answer).to_contain_text("demo model")
    expect(status).to_have_text("Awake")
    expect(app.by("start-card")).to_have_count(0)
    phases = app.page.evaluate("window.phases")
    assert phases == sorted(phases, key=ORDER.index), phases
    assert {"starting", "booting"} <= set(phases), phases


def _stop(app: App) -> None:
    """Stop the agent in the open status panel, and see that it is asleep."""
    app.by("stop-agent").click()
    app.by("confirm-action").click()
    expect(app.by("agent-state")).to_have_text("Asleep", timeout=40_000)
