"""The first minute of a cold message, without and with first words: `python -m tests.e2e.film`.

Writes docs/images/first-minute.png: one row of pictures each. The containers take 30 s to start, as on Fargate.
"""

import base64
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, ViewportSize

from local.stack import ROOT
from tests.e2e.app import App
from tests.e2e.conftest import launch
from tests.e2e.people import new_user
from tests.support.stacks import running

TARGET = ROOT / "docs" / "images" / "first-minute.png"
MOMENTS = (1, 3, 10, 30, 40, 60)  # seconds after the message
SIZE: ViewportSize = {"width": 480, "height": 640}
LARGEST = 150_000
STYLE = (
    "body{margin:8px;font:15px sans-serif;background:#fff}h2{font-size:16px;margin:8px 0}figure{margin:0}"
    ".row{display:flex;gap:8px}img{width:225px;border:1px solid #bbb;border-radius:6px}figcaption{text-align:center}"
)


def shots(browser: Browser, first_words: str) -> list[bytes]:
    """One cold message in a stack of its own."""
    with tempfile.TemporaryDirectory(prefix="film-") as folder:
        for stack in running(Path(folder) / "stack", FIRST_WORDS=first_words, TASK_START_SECONDS="30"):
            context = browser.new_context(base_url=stack.url, viewport=SIZE, reduced_motion="reduce")
            app = App(context.new_page())
            app.sign_in(new_user(stack))
            app.send("What is 21*2?")
            sent, taken = time.monotonic(), []
            for moment in MOMENTS:
                app.page.wait_for_timeout(max(sent + moment - time.monotonic(), 0) * 1000)
                taken.append(app.page.screenshot(animations="disabled"))
            context.close()
    return taken


def row(title: str, taken: list[bytes]) -> str:
    figures = [
        f'<figure><img src="data:image/png;base64,{base64.b64encode(one).decode()}">'
        f"<figcaption>{at} s</figcaption></figure>"
        for at, one in zip(MOMENTS, taken, strict=True)
    ]
    return f'<h2>{title}</h2><div class="row">{"".join(figures)}</div>'


def main() -> None:
    for browser in launch():
        rows = [row("Without first words", shots(browser, "false")), row("With first words", shots(browser, "true"))]
        page = browser.new_page(viewport={"width": 1430, "height": 400})
        page.set_content(f"<style>{STYLE}</style>{''.join(rows)}")
        page.screenshot(path=TARGET, full_page=True)
    size = TARGET.stat().st_size
    print(f"{TARGET.relative_to(ROOT)}: {size // 1000} KB")
    if size > LARGEST:
        sys.exit(f"larger than {LARGEST // 1000} KB")


if __name__ == "__main__":
    main()
