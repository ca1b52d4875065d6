"""Two-step sign-in with an authenticator app; the local stand-in checks its codes."""

import time
from typing import Any

import pyotp
from playwright.sync_api import expect

from local.stack import Stack
from tests.e2e.app import App
from tests.e2e.people import User
from tests.support.client import cognito, eventually

STEP = 30


def code_of(secret: str) -> str:
    """The current code, with at least five seconds of its life left."""
    totp = pyotp.TOTP(secret)

    def fresh() -> Any:
        return totp.now() if STEP - time.time() % STEP > 5 else None

    return str(eventually(fresh, 10))


def wrong(secret: str) -> str:
    return f"{(int(code_of(secret)) + 1) % 1_000_000:06d}"


def turn_on(app: App) -> str:
    """Turns it on in the settings panel; the secret."""
    app.panel("settings")
    expect(app.by("totp-state")).to_have_attribute("data-enabled", "false")
    app.by("totp-enable").click()
    expect(app.page.get_by_role("img", name="QR code")).to_be_in_viewport(ratio=1)
    secret = app.by("totp-secret").inner_text()
    app.by("totp-enable-code").fill(wrong(secret))
    app.by("totp-enable-submit").click()
    expect(app.by("panel-settings").get_by_role("alert")).to_have_text("That code is wrong.")
    app.by("totp-enable-code").fill(code_of(secret))
    app.by("totp-enable-submit").click()
    expect(app.by("totp-state")).to_have_attribute("data-enabled", "true")
    app.by("panel-close").click()
    return secret


def test_turned_on_in_the_settings_it_is_asked_for_until_turned_off(app: App, user: User) -> None:
    app.sign_in(user)
    secret = turn_on(app)
    app.by("sign-out").click()
    app.fill_sign_in(user)
    app.by("totp-code").fill(wrong(secret))
    app.by("totp-submit").click()
    expect(app.page.get_by_role("alert")).to_have_text("That code is wrong.")
    expect(app.by("composer")).to_have_count(0)
    app.by("totp-code").fill(code_of(secret))
    app.by("totp-submit").click()
    app.ready()

    app.panel("settings")
    expect(app.by("totp-state")).to_have_attribute("data-enabled", "true")
    app.by("totp-disable").click()
    expect(app.by("totp-state")).to_have_attribute("data-enabled", "false")
    app.by("panel-close").click()
    app.by("sign-out").click()
    app.fill_sign_in(user)
    app.ready()


def test_set_up_at_sign_in_where_the_deployment_demands_it(app: App, user: User, stack: Stack) -> None:
    """A pool with mandatory MFA shows the key to scan before the first sign-in ends."""
    assert stack.resources is not None
    client, pool = cognito(stack), stack.resources.pool_id
    app.open()
    demanded = {"SoftwareTokenMfaConfiguration": {"Enabled": True}, "MfaConfiguration": "ON"}
    client.set_user_pool_mfa_config(UserPoolId=pool, **demanded)
    try:
        app.fill_sign_in(user)
        expect(app.page.get_by_role("img", name="QR code")).to_be_visible()
        app.by("totp-code").fill(code_of(app.by("totp-secret").inner_text()))
        app.by("totp-submit").click()
        app.ready()
    finally:
        off = {"SoftwareTokenMfaConfiguration": {"Enabled": False}, "MfaConfiguration": "OFF"}
        client.set_user_pool_mfa_config(UserPoolId=pool, **off)
