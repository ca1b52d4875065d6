"""Mermaid blocks: drawn when they are whole, in a page that can do no harm."""

import re

from playwright.sync_api import Route, expect

from tests.e2e.app import App
from tests.e2e.test_access import AXE, violations
from tests.e2e.wire import Wire, say

# Each line is one that some version of the library or a laxer setting would have run or fetched.
HOSTILE = """%%{init: {"securityLevel": "loose", "secure": [], "themeCSS": "svg {background: url(https://evil.invalid/css)}"}}%%
flowchart LR
  A["<img src=x onerror='parent.harmed=1'><script>parent.harmed=2</script>Begin"] --> B[End]
  A --> C["<iframe srcdoc='<script>top.harmed=3</script>'></iframe><img src='https://evil.invalid/a.png'>Third"]
  click A "javascript:parent.harmed=4" "Press"
  click B call harm()
  click C href "https://evil.invalid/c" _top"""
DIAGRAM = "Here:\n\n```mermaid\n{}\n```\n"


def test_a_diagram_is_drawn_when_it_is_whole_and_can_do_no_harm(spoken: tuple[App, Wire]) -> None:
    """In a page without an origin. The library is loaded by the first diagram; each is drawn once."""
    app, wire = spoken
    asked: list[str] = []
    sent: list[str] = []  # what no policy stopped before it reached the network

    def refuse(route: Route) -> None:
        sent.append(route.request.url)
        route.abort()

    app.page.on("request", lambda request: asked.append(request.url))
    app.page.route(re.compile("evil"), refuse)
    begun = DIAGRAM.format("flowchart LR\n  A[Begin] --> B[End]")[:-5]
    say(app, wire, "Draw it", begun, end=False)
    expect(app.answers.last.locator("pre")).to_contain_text("Begin")
    assert not any("/sandbox/" in url for url in asked)
    say(app, wire, "", "\n```\n", seq=2, before=len(begun))
    a_diagram_and_its_text(app)
    say(app, wire, "Now harm", DIAGRAM.format(HOSTILE))
    a_hostile_diagram(app)
    assert sent == []
    say(app, wire, "And wrong", DIAGRAM.format("flowchart LR\n  A[Begin --> B"))
    expect(app.by("diagram-problem")).to_contain_text("could not be drawn: Parse error on line 3", timeout=10_000)
    expect(app.by("diagram").last.locator("pre")).to_be_visible()
    say(app, wire, "And large", DIAGRAM.format("flowchart LR\n" + "  A --> B\n" * 2_500))
    expect(app.by("diagram-problem").last).to_contain_text("too large")
    assert len([url for url in asked if url.endswith("/sandbox/diagram/index.html")]) == 3
    # The library puts a label into the document before it cleans it: the policy stops its handlers and pictures.
    assert [one for one in app.problems if "Content Security Policy" not in one] == []
    app.problems.clear()


def a_diagram_and_its_text(app: App) -> None:
    diagram = app.by("diagram")
    expect(diagram).to_have_attribute("data-state", "drawn", timeout=20_000)
    frame = app.page.frame_locator("[data-testid=diagram-frame]")
    expect(frame.get_by_role("img", name="Diagram")).to_be_visible()
    expect(frame.locator("svg .node")).to_have_text(["Begin", "End"])
    expect(diagram.locator("pre")).to_contain_text("A[Begin]")  # for a screen reader
    app.page.emulate_media(reduced_motion="reduce")
    app.page.evaluate(AXE.read_text())
    assert violations(app) == []  # ends in dark
    expect(frame.locator("html")).to_have_css("color-scheme", "dark")
    diagram.get_by_role("button", name="Show as text").click()
    expect(diagram.locator("pre")).to_be_in_viewport()
    expect(diagram.locator("iframe")).to_have_css("height", "0px")


def a_hostile_diagram(app: App) -> None:
    expect(app.by("diagram")).to_have_count(2)
    expect(app.by("diagram").last).to_have_attribute("data-state", "drawn", timeout=20_000)
    frame = app.page.frame_locator("[data-testid=diagram-frame] >> nth=1")
    expect(frame.locator("svg .node")).to_have_count(3)
    expect(frame.locator("svg :is(script, iframe, [onerror], a[href])")).to_have_count(0)
    for place in range(3):
        frame.locator("svg .node").nth(place).click()
    assert app.page.evaluate("window.harmed") is None
    assert frame.locator("body").evaluate("() => origin + window.harmed") == "nullundefined"
