"""The main job: a person signs in, writes, and the real OpenClaw answers."""

import re

from playwright.sync_api import Page, expect

from local.stack import Stack


def sign_in(page: Page, stack: Stack) -> None:
    assert stack.resources is not None
    page.goto("/")
    page.get_by_test_id("sign-in-email").fill(stack.resources.email)
    page.get_by_test_id("sign-in-password").fill(stack.resources.password)
    page.get_by_test_id("sign-in-submit").click()
    expect(page.get_by_test_id("composer")).to_be_visible(timeout=20_000)


def test_cold_then_warm(page: Page, stack: Stack) -> None:
    """The first message starts a container and tells its phases; the second is answered warm."""
    sign_in(page, stack)
    assert stack.pids() == {}
    page.get_by_test_id("composer").fill("What is 21*2?")
    page.get_by_test_id("send").click()
    status = page.get_by_test_id("status")
    expect(status).to_have_text(re.compile("start|boot|agent", re.IGNORECASE), timeout=10_000)
    done = page.locator('[data-testid="message"][data-role="assistant"][data-state="done"]')
    expect(done.nth(0)).to_contain_text("21*2 = 42", timeout=60_000)
    expect(done.nth(0).locator("strong")).to_contain_text("42")  # Markdown was rendered
    expect(done.nth(0)).to_contain_text("demo model")
    assert len(stack.pids()) == 1

    page.get_by_test_id("composer").fill("What is 1234+4321?")
    page.get_by_test_id("send").click()
    expect(done.nth(1)).to_contain_text("= 5555", timeout=15_000)
    assert len(stack.pids()) == 1

    page.reload()
    expect(done.nth(0)).to_contain_text("21*2 = 42", timeout=20_000)
    expect(done).to_have_count(2)


def test_a_wrong_password_is_refused(page: Page, stack: Stack) -> None:
    """The local sign-in checks the password by SRP, as Cognito does."""
    assert stack.resources is not None
    page.goto("/")
    page.get_by_test_id("sign-in-email").fill(stack.resources.email)
    page.get_by_test_id("sign-in-password").fill("Wrong-password-1")
    page.get_by_test_id("sign-in-submit").click()
    expect(page.get_by_role("alert")).to_be_visible(timeout=20_000)
    expect(page.get_by_test_id("composer")).to_have_count(0)
