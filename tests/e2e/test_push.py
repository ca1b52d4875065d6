"""Notifications in a real browser: the service worker under the page's real policy, the setting, and a click.

Only the handshake with the browser maker's push service is a stand-in: there is none to reach.
"""

import json
from typing import Any

import requests
from playwright.sync_api import BrowserContext, expect

from local.stack import Stack
from tests.e2e.app import App
from tests.e2e.people import User
from tests.support.client import eventually

# What the browser would get from its maker, and keep.
HANDSHAKE = """
  let kept = null;
  PushManager.prototype.getSubscription = async () => kept;
  PushManager.prototype.subscribe = async ({ applicationServerKey }) => {
    const { endpoint, keys } = await window.subscribeAtTheService();
    kept = {
      endpoint, options: { applicationServerKey: applicationServerKey.buffer }, toJSON: () => ({ endpoint, keys }),
      unsubscribe: async () => { kept = null; return true; },
    };
    return kept;
  };
"""
SHOWN = """navigator.serviceWorker.ready.then((one) => one.getNotifications())
  .then((shown) => shown.map(({ title, body }) => [title, body]))"""


def test_a_device_is_turned_on_shows_a_push_and_is_turned_off(
    app: App, user: User, context: BrowserContext, stack: Stack
) -> None:
    context.grant_permissions(["notifications"])

    def subscribe() -> Any:
        return requests.post(f"{stack.push_url}/_local/subscribe", json={"key": stack.push_key}, timeout=5).json()

    app.page.expose_function("subscribeAtTheService", subscribe)
    app.page.add_init_script(HANDSHAKE)
    app.sign_in(user)
    app.panel("settings")
    push = app.by("push")
    expect(push).to_have_attribute("data-state", "off")
    app.by("push-toggle").click()
    expect(push).to_have_attribute("data-state", "on")
    expect(app.by("push-device")).to_have_count(1)
    expect(app.by("push-device")).to_contain_text("this device")

    said = {"title": "Reminder: water the plants", "body": "Now.", "tag": "t-1", "conversationId": "c-plants"}
    for _ in range(2):
        deliver(context, app, stack.url, said)
    shown = eventually(lambda: app.page.evaluate(SHOWN), 10)
    assert shown == [[said["title"], said["body"]]], "the same tag: shown once"

    app.by("push-toggle").click()
    expect(push).to_have_attribute("data-state", "off")
    expect(app.by("push-device")).to_have_count(0)


def deliver(context: BrowserContext, app: App, origin: str, said: dict[str, str]) -> None:
    """A push as it comes from the browser, decrypted."""
    session, found = context.new_cdp_session(app.page), list[str]()

    def registered(event: dict[str, Any]) -> None:
        found.extend(one["registrationId"] for one in event["registrations"])

    session.on("ServiceWorker.workerRegistrationUpdated", registered)
    session.send("ServiceWorker.enable")
    app.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    assert found
    message = {"origin": f"{origin}/", "registrationId": found[0], "data": json.dumps(said)}
    session.send("ServiceWorker.deliverPushMessage", message)
    session.detach()
