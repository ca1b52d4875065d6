"""50 KB of Markdown streamed in while somebody types: the page must not stall."""

from playwright.sync_api import expect

from local.long_sample import long_sample
from tests.e2e.app import App

# Four samples at this pace are 50 KB in a few seconds.
QUESTION = "show the long sample 4 times, 90 words at a time"
LIMIT_MS = 100
RUNS = 3
# Chromium calls 50 ms and more a long task. Those after the end of the answer do not count.
WATCH = """() => {
  window.tasks = [];
  window.growth = [];
  const answer = () => document.querySelector('[data-role="assistant"]');
  new PerformanceObserver((list) => {
    window.tasks.push(...list.getEntries().map((entry) => Math.round(entry.duration)));
  }).observe({ type: 'longtask' });
  new MutationObserver(() => {
    const length = answer()?.querySelector('.markdown')?.textContent.length ?? 0;
    if (length !== window.growth.at(-1)) window.growth.push(length);
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""
STALL = """ms => new Promise((done) => setTimeout(() => {
  const end = performance.now() + ms;
  while (performance.now() < end);
  setTimeout(done, 200);
}))"""
ENDED = "() => document.querySelector('[data-role=\"assistant\"]').dataset.state !== 'streaming'"


def stream_once(chat: App) -> list[int]:
    """Long tasks in ms while one answer came in and the composer was typed into."""
    composer, typed = chat.by("composer"), ""
    chat.send(QUESTION)
    expect(chat.answers).to_have_attribute("data-state", "streaming", timeout=60_000)
    chat.page.evaluate("window.tasks.length = window.growth.length = 0")
    while not chat.page.evaluate(ENDED):
        chat.page.keyboard.type("typing on ", delay=30)
        typed += "typing on "
    tasks: list[int] = chat.page.evaluate("window.tasks")
    expect(composer).to_have_value(typed)
    # Whoever was at the end is still there: the newest text was followed.
    expect(chat.answers.get_by_text("The end of the long sample.").last).to_be_in_viewport()
    assert len(chat.page.evaluate("window.growth")) >= 10, "the answer did not come as a stream"
    composer.fill("")
    return tasks


def test_a_long_answer_keeps_typing_smooth(chat: App) -> None:
    """No task over 100 ms while streaming.

    Other processes share the machine's cores, so a stall may be theirs: of three answers' longest tasks
    the middle one counts. A page that is slow by itself is slow in all three.
    """
    assert len(long_sample() * 4) > 50_000
    chat.page.evaluate(WATCH)
    worst: list[int] = []
    while len(worst) < RUNS and not decided(worst):
        chat.new_conversation()
        tasks = stream_once(chat)
        worst.append(max(tasks, default=0))
        print(f"long tasks: {sorted(tasks)} ms in {len(chat.page.evaluate('window.growth'))} steps")
    print(f"longest tasks {worst} ms")
    assert sum(one <= LIMIT_MS for one in worst) > RUNS // 2, worst


def decided(worst: list[int]) -> bool:
    """Whether another answer could still change on which side of the limit the middle one is."""
    fine = sum(one <= LIMIT_MS for one in worst)
    return max(fine, len(worst) - fine) > RUNS // 2


def test_the_measurement_sees_a_stall(chat: App) -> None:
    """A stall of 150 ms is told as one long task: the limit above can be missed."""
    chat.page.evaluate(WATCH)
    chat.page.evaluate(STALL, 150)
    assert max(chat.page.evaluate("window.tasks")) >= 150
