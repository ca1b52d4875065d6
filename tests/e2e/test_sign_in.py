"""Getting in, staying in, and getting out."""

import re
from typing import Any

import pytest
from playwright.sync_api import Response, Route, expect

from local.stack import Stack
from tests.e2e.app import App
from tests.e2e.conftest import Tab
from tests.e2e.people import User, address, mailed_code, not_the_code, password


def keys_of(app: App, storage: str) -> list[str]:
    keys: list[str] = app.page.evaluate(f"Object.keys({storage})")
    return [key for key in keys if "Cognito" in key]


def cognito_says(app: App, operation: str, status: int, body: dict[str, Any]) -> None:
    """Answer the calls of one Cognito operation in its place."""

    def handle(route: Route) -> None:
        if route.request.headers.get("x-amz-target", "").endswith(f".{operation}"):
            route.fulfill(status=status, json=body)
        else:
            route.fallback()

    app.page.route("**/cognito/**", handle)


def refuse(app: App, operation: str, error: str) -> None:
    cognito_says(app, operation, 400, {"__type": error, "message": error})


def sign_up(app: App, user: User) -> None:
    app.open()
    app.by("to-sign-up").click()
    app.by("sign-up-email").fill(user.email)
    app.by("sign-up-password").fill(user.password)
    app.by("sign-up-submit").click()
    expect(app.page.get_by_text(f"We sent a code to {user.email}.")).to_be_visible()


def confirm(app: App, code: str) -> None:
    app.by("confirm-code").fill(code)
    app.by("confirm-submit").click()


def test_every_address_of_the_site_is_the_page(app: App) -> None:
    app.page.goto("/some/where/else")
    expect(app.by("sign-in-submit")).to_be_visible()


def test_sign_up_with_a_code_by_e_mail(app: App, stack: Stack) -> None:
    """From nothing to the chat; a wrong code is told and can be put right."""
    user = User(address(), password())
    sign_up(app, user)
    code = mailed_code(stack, user.email)
    confirm(app, not_the_code(code))
    expect(app.page.get_by_role("alert")).to_have_text("That code is wrong.")
    confirm(app, code)
    app.ready()


def test_the_code_can_be_sent_again(app: App, stack: Stack) -> None:
    """The new one counts, the old one not any more; too many requests are told."""
    user = User(address(), password())
    sign_up(app, user)
    first = mailed_code(stack, user.email)
    again = app.page.get_by_role("button", name="Send the code again")
    refuse(app, "ResendConfirmationCode", "LimitExceededException")
    again.click()
    expect(app.page.get_by_text("Too many tries. Wait a few minutes, then try again.")).to_be_visible()
    app.page.unroute_all()
    again.click()
    expect(app.page.get_by_text("A new code is on its way.")).to_be_visible()
    second = mailed_code(stack, user.email, after=first)
    confirm(app, first)
    expect(app.page.get_by_role("alert")).to_have_text("That code is wrong.")
    confirm(app, second)
    app.ready()


def test_somebody_who_left_before_confirming_is_asked_for_the_code(app: App, stack: Stack) -> None:
    user = User(address(), password())
    sign_up(app, user)
    app.page.reload()
    app.fill_sign_in(user)
    confirm(app, mailed_code(stack, user.email))
    app.ready()


def test_a_wrong_password_is_refused(app: App, user: User) -> None:
    """The local sign-in checks the password by SRP, as Cognito does."""
    app.open()
    app.fill_sign_in(User(user.email, "Wrong-password-1"))
    expect(app.page.get_by_role("alert")).to_have_text("The e-mail or the password is wrong.")
    expect(app.by("composer")).to_have_count(0)
    app.fill_sign_in(user)
    app.ready()


def test_a_forgotten_password_is_replaced(app: App, user: User, stack: Stack) -> None:
    """Only the e-mailed code does it; the old password ends with it, the new one works."""
    new = User(user.email, password())
    app.open()
    app.by("to-reset").click()
    app.by("reset-email").fill(user.email)
    app.by("reset-send").click()
    code = mailed_code(stack, user.email)
    app.by("reset-code").fill(not_the_code(code))
    app.by("reset-password").fill(new.password)
    app.by("reset-submit").click()
    expect(app.page.get_by_role("alert")).to_have_text("That code is wrong.")
    app.by("reset-code").fill(code)
    app.by("reset-submit").click()
    expect(app.page.get_by_text("Your password is changed. Sign in with it.")).to_be_visible()
    app.fill_sign_in(user)
    expect(app.page.get_by_role("alert")).to_have_text("The e-mail or the password is wrong.")
    app.fill_sign_in(new)
    app.ready()


def test_signing_out_of_one_tab_signs_out_of_all(tab: Tab, user: User) -> None:
    """A second tab needs no second sign-in; no token is kept where a closed browser would leave it."""
    first = tab()
    first.sign_in(user)
    second = tab()
    second.open()
    second.ready()
    assert keys_of(first, "sessionStorage")
    assert keys_of(first, "localStorage") == []
    first.page.bring_to_front()
    first.by("sign-out").click()
    for app in (first, second):
        expect(app.by("sign-in-submit")).to_be_visible()
        assert keys_of(app, "sessionStorage") == []
    first.page.reload()
    expect(first.by("sign-in-submit")).to_be_visible()


@pytest.mark.parametrize("ended", [False, True], ids=["renewed", "ended"])
def test_tokens_are_renewed_in_silence_as_long_as_the_session_lives(app: App, user: User, ended: bool) -> None:
    """An ID token lives for an hour; after that one call renews it, or tells that it cannot be."""
    app.page.clock.install()
    answers: list[int] = []
    app.page.on("response", lambda answer: answers.append(answer.status) if _renewal(answer) else None)
    app.sign_in(user)
    if ended:
        refuse(app, "GetTokensFromRefreshToken", "NotAuthorizedException")
    app.page.clock.fast_forward("02:00:00")
    if ended:
        expect(app.page.get_by_text("You were signed out. Please sign in again.")).to_be_visible()
    else:
        app.panel("status")
        expect(app.by("panel-status")).to_contain_text("estimated so far")
        expect(app.by("connection")).to_have_attribute("data-state", "open", timeout=10_000)
    assert answers
    assert set(answers) == ({400} if ended else {200})


def _renewal(answer: Response) -> bool:
    return answer.request.headers.get("x-amz-target", "").endswith(".GetTokensFromRefreshToken")


def test_no_token_is_ever_in_a_url(app: App, user: User) -> None:
    """Neither in a request nor in the socket's address, which carries a ticket that is used up."""
    seen: list[str] = []
    app.page.on("request", lambda request: seen.append(request.url))
    app.page.on("websocket", lambda socket: seen.append(socket.url))
    app.sign_in(user)
    sockets = [url for url in seen if url.startswith("ws")]
    assert len(sockets) == 1
    assert re.search(r"/ws\?ticket=[\w-]+$", sockets[0]), sockets
    assert not [url for url in seen if "eyJ" in url]
