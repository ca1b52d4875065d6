"""50 KB of Markdown streamed in while somebody types: the page must not stall."""

from statistics import median

from playwright.sync_api import expect

from tests.e2e.app import App

# Four samples at this pace are 52 KB in about 12 s.
QUESTION = "show the long sample 4 times, at 1 ms a word"
SIZE = 50_000
LIMIT_MS = 100
RUNS = 3
# Chromium calls 50 ms and more a long task. Types a letter each 50 ms by the page's own clock, and notes
# how late each frame after it was drawn.
WATCH = """() => {
  const seen = (window.seen = { tasks: [], letters: 0, typing: true, bottom: true });
  new PerformanceObserver((list) => seen.tasks.push(...list.getEntries().map((e) => Math.round(e.duration))))
    .observe({ type: 'longtask' });
}"""
BUSY = "ms => new Promise(done => setTimeout(() => {" \
       " const end = performance.now() + ms; while (performance.now() < end); setTimeout(done, 100) }))"


def stream_once(chat: App) -> list[int]:
    """Long tasks in ms while one answer came in and the composer was typed into."""
    chat.new_conversation()
    composer = chat.by("composer")
    chat.send(QUESTION)
    chat.streaming("Fifteen stations")
    chat.page.evaluate("window.seen.tasks.length = 0")
    composer.focus()
    typed = ""
    answer = chat.answers.first
    while answer.get_attribute("data-state") == "streaming":
        chat.page.keyboard.type("typing on ", delay=30)
        typed += "typing on "
    expect(composer).to_have_value(typed)
    expect(answer).to_contain_text("The end of the long sample.")
    # Whoever was at the end is still there: the newest text was followed.
    expect(answer.get_by_text("The end of the long sample.").last).to_be_in_viewport()
    tasks: list[int] = chat.page.evaluate("window.seen.tasks")
    composer.fill("")
    return tasks


def test_a_long_answer_keeps_typing_smooth(chat: App) -> None:
    """No task over 100 ms while streaming.

    Other processes share the machine's cores, so a stall may be theirs: of three answers' longest tasks
    the middle one counts. A page that is slow by itself is slow in all three.
    """
    chat.page.evaluate(WATCH)
    worst = []
    for _ in range(RUNS):
        tasks = stream_once(chat)
        worst.append(max(tasks, default=0))
        print(f"long tasks: {len(tasks)}, the longest {worst[-1]} ms")
    size = len(chat.answers.first.locator(".markdown").inner_text())
    print(f"{size} characters drawn; longest tasks {worst} ms")
    assert median(worst) <= LIMIT_MS, worst
    # The measurement itself works: a stall of this test's own making is seen.
    chat.page.evaluate(BUSY, 150)
    assert max(chat.page.evaluate("window.seen.tasks")) >= 150
