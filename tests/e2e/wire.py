"""The page's WebSocket with a hand on it: frames that the server sends rarely are said at will."""

import json
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, WebSocketRoute

from tests.e2e.app import App

Frame = dict[str, Any]


class Wire:
    """Passes everything on to the real server; counts for sockets opened after it."""

    def __init__(self, page: Page) -> None:
        self.take: Callable[[Frame], bool] = lambda frame: False
        self._socket: WebSocketRoute | None = None
        page.route_web_socket("**/ws?*", self._opened)

    def _opened(self, socket: WebSocketRoute) -> None:
        self._socket = socket
        server = socket.connect_to_server()

        def from_page(message: str | bytes) -> None:
            if not self.take(json.loads(message)):
                server.send(message)

        socket.on_message(from_page)

    def say(self, frame: Frame) -> None:
        """A frame to the page, as if the server had sent it."""
        assert self._socket is not None, "the page has opened no socket"
        self._socket.send(json.dumps(frame))


def say(
    app: App, wire: Wire, question: str, answer: str, seq: int = 1, end: bool = True, before: int = 0, **more: Any
) -> None:
    """A question, and the answer to it or a piece of that; `before`: characters of the pieces before."""
    if seq == 1:
        app.send(question)
    message = app.questions.last.get_attribute("data-message-id")
    head = {"runId": f"run-{message}", "conversationId": app.conversation_id, "replyTo": message}
    if seq == 1:
        wire.say({"type": "ack", "id": message, "conversationId": app.conversation_id})
    wire.say({"type": "stream_chunk", **head, "fromSeq": seq, "seq": seq, "content": answer})
    if end:
        name, length = f"{message}.answer", before + len(answer)
        wire.say(
            {"type": "stream_end", **head, "seq": seq + 1, "messageId": name, "reason": "final", "length": length}
            | more
        )
