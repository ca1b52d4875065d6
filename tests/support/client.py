"""A small client for one person: signs in, opens the socket, sends, and collects frames."""

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import botocore.session
import requests
import websocket

from local.resources import REGION
from local.stack import Stack

Frame = dict[str, Any]


def cognito(stack: Stack) -> Any:
    session = botocore.session.get_session()
    session.set_credentials("local", "local")
    return session.create_client("cognito-idp", region_name=REGION, endpoint_url=stack.cloud_url)


def sign_up(stack: Stack, email: str | None = None) -> str:
    """A new confirmed user's ID token."""
    assert stack.resources is not None
    client, pool = cognito(stack), stack.resources.pool_id
    name, password = email or f"{uuid.uuid4().hex[:10]}@example.com", f"Test-{uuid.uuid4().hex}-1"
    client.admin_create_user(UserPoolId=pool, Username=name, MessageAction="SUPPRESS")
    client.admin_set_user_password(UserPoolId=pool, Username=name, Password=password, Permanent=True)
    return sign_in(stack, name, password)


def sign_in(stack: Stack, email: str, password: str) -> str:
    assert stack.resources is not None
    answer = cognito(stack).admin_initiate_auth(
        UserPoolId=stack.resources.pool_id,
        ClientId=stack.resources.client_id,
        AuthFlow="ADMIN_NO_SRP_AUTH",
        AuthParameters={"USERNAME": email, "PASSWORD": password},
    )
    return str(answer["AuthenticationResult"]["IdToken"])


class Client:
    """One user with one open tab; `frames` holds everything that came."""

    def __init__(self, stack: Stack, token: str | None = None) -> None:
        self.stack = stack
        self.token = token or sign_up(stack)
        self.headers = {"Authorization": f"Bearer {self.token}"}
        self.frames: list[Frame] = []
        self.socket = self.open()

    @property
    def user_id(self) -> str:
        import jwt

        return str(jwt.decode(self.token, options={"verify_signature": False})["sub"])

    def rest(self, method: str, path: str, body: Any = None) -> requests.Response:
        url = f"{self.stack.url}/api{path}"
        return requests.request(method, url, headers=self.headers, json=body, timeout=30)

    def open(self) -> websocket.WebSocket:
        ticket = self.rest("POST", "/ws-ticket").json()["ticket"]
        return websocket.create_connection(f"{self.stack.url.replace('http', 'ws')}/ws?ticket={ticket}", timeout=60)

    def reopen(self) -> None:
        self.close()
        self.socket = self.open()

    def close(self) -> None:
        self.socket.close()

    def send(self, text: str, message_id: str | None = None, **fields: Any) -> str:
        message_id = message_id or uuid.uuid4().hex
        self.say({"action": "sendMessage", "id": message_id, "text": text, **fields})
        return message_id

    def say(self, frame: Any) -> None:
        self.socket.send(frame if isinstance(frame, str) else json.dumps(frame))

    def until(self, wanted: Callable[[Frame], bool], seconds: float = 60) -> Frame:
        """The next wanted frame. Earlier frames are kept in `frames`."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                raw = self.socket.recv()
            except websocket.WebSocketTimeoutException:
                break
            if not raw:
                raise AssertionError(f"the socket was closed; so far: {self.kinds()}")
            frame: Frame = json.loads(raw)
            self.frames.append(frame)
            if wanted(frame):
                return frame
        raise AssertionError(f"not seen within {seconds} s; so far: {self.kinds()}")

    def kinds(self) -> list[str]:
        return [f"{f['type']}:{f.get('phase') or f.get('reason') or f.get('code') or ''}" for f in self.frames]

    def answer(self, message_id: str, seconds: float = 90) -> str:
        """Wait for a message's answer and put its chunks together; fails on a gap."""
        end = self.until(lambda f: f["type"] == "stream_end" and f["replyTo"] == message_id, seconds)
        assert end["reason"] == "final", end
        return text_of(self.frames, end["runId"])

    def ask(self, text: str, seconds: float = 90) -> str:
        return self.answer(self.send(text), seconds)

    def history(self, conversation: str = "main") -> list[Frame]:
        messages: list[Frame] = self.rest("GET", f"/conversations/{conversation}").json()["messages"]
        return messages


def stop_agent(client: Client) -> None:
    """At the person's own request; its process is gone then."""
    client.rest("POST", "/stop-agent")
    eventually(lambda: not client.stack.pids(), 40)


def text_of(frames: list[Frame], run_id: str) -> str:
    text, last = "", 0
    for frame in frames:
        if frame["type"] == "stream_chunk" and frame["runId"] == run_id and frame["seq"] > last:
            assert frame["fromSeq"] == last + 1, f"a gap after {last}: {frame}"
            text, last = text + frame["content"], frame["seq"]
    return text


def eventually(check: Callable[[], Any], seconds: float = 30, every: float = 0.1) -> Any:
    """The first true result of check within that time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        result = check()
        if result:
            return result
        time.sleep(every)
    raise AssertionError(f"not true within {seconds} s")
