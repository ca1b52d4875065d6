"""Replaces OpenClaw where many processes are needed: `python gateway.py gateway run --port N …`.

It speaks the part of the gateway's protocol that the Bridge uses (tests/bench compares its frames with
recorded ones of the real gateway). It starts in a tenth of a second and needs 20 MB. It says what the
message asks for (bench/stamps.py). Its transcript is a file in the state directory, so snapshots save
it. After a restart it resumes an unanswered turn, as the real gateway does.
"""

import json
import os
import signal
import socket
import sys
import threading
import time
import uuid
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # OpenClaw's environment has no PYTHONPATH

from bench.stamps import asked_in, words
from bench.websockets import Closed, Peer

Json = dict[str, Any]
VERSION = "2026.9.1-scripted"


class Transcript:
    """What was said, by session, kept in the state directory."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self.sessions: dict[str, list[Json]] = json.loads(file.read_text()) if file.exists() else {}

    def add(self, session: str, entry: Json) -> None:
        with self._lock:
            self.sessions.setdefault(session, []).append(entry)
            fresh = self._file.with_suffix(".new")
            fresh.write_text(json.dumps(self.sessions))
            fresh.replace(self._file)

    def unanswered(self) -> list[tuple[str, str]]:
        """Sessions that end with a person's message, with that message."""
        last = [(session, entries[-1]) for session, entries in self.sessions.items() if entries]
        return [(session, str(entry["content"])) for session, entry in last if entry["role"] == "user"]


class Gateway:
    """All connections of one process; there is one client at a time."""

    def __init__(self, token: str, transcript: Transcript) -> None:
        self._token = token
        self._transcript = transcript
        self._status: dict[str, str] = {}  # run: in_flight or ok
        self._stops: dict[str, threading.Event] = {}

    def serve(self, peer: Peer) -> None:
        """One connection, until it closes."""
        challenge = {"nonce": uuid.uuid4().hex, "ts": int(time.time() * 1000)}
        try:
            peer.send(json.dumps({"type": "event", "event": "connect.challenge", "payload": challenge}))
            while True:
                request = json.loads(peer.receive())
                known = METHODS.get(request["method"])
                if known is None:
                    refuse(peer, request, "INVALID_REQUEST", f"unknown method: {request['method']}")
                elif not known(self, peer, request, request["params"]):
                    return
        except Closed:
            return
        finally:
            peer.close()

    def connect(self, peer: Peer, request: Json, params: Json) -> bool:
        if params["auth"].get("token") != self._token:
            refuse(peer, request, "AUTH_TOKEN_MISMATCH", "unauthorized")
            return False
        hello = {"type": "hello-ok", "protocol": 4, "server": {"version": VERSION}, "policy": {"tickIntervalMs": 30000}}
        reply(peer, request, hello)
        for session, text in self._transcript.unanswered():
            self._start(peer, session, text, uuid.uuid4().hex)
        return True

    def send(self, peer: Peer, request: Json, params: Json) -> bool:
        key, session = params["idempotencyKey"], params["sessionKey"]
        status = self._status.get(key, "started")
        if status == "started":  # saved before it is confirmed: the process may be killed at any moment
            said = {"role": "user", "content": params["message"], "idempotencyKey": f"{key}:user"}
            self._transcript.add(session, said)
        reply(peer, request, {"runId": key, "status": status})
        if status == "started":
            self._start(peer, session, params["message"], key)
        return True

    def _start(self, peer: Peer, session: str, text: str, run: str) -> None:
        self._status[run], self._stops[run] = "in_flight", threading.Event()
        threading.Thread(target=self._run, args=(peer, session, text, run), daemon=True).start()

    def _run(self, peer: Peer, session: str, asked: str, run: str) -> None:
        events, item = Events(peer, session, run), uuid.uuid4().hex
        wanted, text, stop = asked_in(asked), "", self._stops[run]
        try:
            events.status("starting_model")
            events.agent("lifecycle", {"phase": "start", "startedAt": int(time.time() * 1000)})
            for word in words(wanted):
                text += word
                events.delta(text, word, item)
                if stop.wait(wanted.pause) if wanted.pause else stop.is_set():
                    break
            events.agent("usage", {"outputTokens": wanted.count})
            events.agent("lifecycle", {"phase": "end", "stopReason": "rpc" if stop.is_set() else "stop"})
            entry: Json = {"role": "assistant", "content": [{"type": "text", "text": text}]}
            ending = {"stopReason": "aborted" if stop.is_set() else "stop"}
            self._transcript.add(session, entry | ending)
            self._status[run] = "ok"
            events.chat("aborted" if stop.is_set() else "final", entry | {"timestamp": int(time.time() * 1000)})
        except Closed:
            return

    def abort(self, peer: Peer, request: Json, params: Json) -> bool:
        runs = [run for run in self._stops if params.get("runId") in (None, run) and self._status[run] == "in_flight"]
        for run in runs:
            self._stops[run].set()
        reply(peer, request, {"ok": True, "aborted": bool(runs), "runIds": runs})
        return True

    def history(self, peer: Peer, request: Json, params: Json) -> bool:
        entries = self._transcript.sessions.get(params["sessionKey"], [])
        reply(peer, request, {"messages": entries[-params.get("limit", 200) :]})
        return True

    def prepare(self, peer: Peer, request: Json, params: Json) -> bool:
        """It works only in turns."""
        reply(peer, request, {"status": "ready", "suspensionId": "s"})
        return True

    def nothing(self, peer: Peer, request: Json, params: Json) -> bool:
        reply(peer, request, {})
        return True


METHODS = {
    "connect": Gateway.connect,
    "chat.send": Gateway.send,
    "chat.abort": Gateway.abort,
    "chat.history": Gateway.history,
    "sessions.patch": Gateway.nothing,
    "sessions.subscribe": Gateway.nothing,
    "sessions.list": Gateway.nothing,
    "cron.list": Gateway.nothing,
    "gateway.suspend.prepare": Gateway.prepare,
    "gateway.suspend.resume": Gateway.nothing,
    "health": Gateway.nothing,
}


class Events:
    """The event frames of one run."""

    def __init__(self, peer: Peer, session: str, run: str) -> None:
        self._peer = peer
        self._head: Json = {"runId": run, "sessionKey": f"agent:main:{session}", "agentId": "main"}
        self._seq = 0

    def _send(self, event: str, body: Json) -> None:
        self._seq += 1
        frame = {"type": "event", "event": event, "payload": self._head | {"seq": self._seq} | body}
        self._peer.send(json.dumps(frame))

    def status(self, phase: str) -> None:
        self._send("chat", {"state": "status", "phase": phase})
        self.agent("run_status", {"phase": phase})

    def agent(self, stream: str, data: Json) -> None:
        more = {"ts": int(time.time() * 1000), "isHeartbeat": False}
        self._send("agent", {"stream": stream, "data": data} | more)

    def delta(self, text: str, word: str, item: str) -> None:
        self.agent("assistant", {"text": text, "delta": word, "itemId": item})
        content = [{"type": "text", "text": text}]
        message = {"role": "assistant", "content": content, "timestamp": int(time.time() * 1000)}
        self._send("chat", {"state": "delta", "deltaText": word, "message": message})

    def chat(self, state: str, message: Json) -> None:
        self._send("chat", {"state": state, "stopReason": "stop" if state == "final" else "rpc", "message": message})


def reply(peer: Peer, request: Json, payload: Json) -> None:
    peer.send(json.dumps({"type": "res", "id": request["id"], "ok": True, "payload": payload}))


def refuse(peer: Peer, request: Json, code: str, message: str) -> None:
    error = {"code": "INVALID_REQUEST", "message": message, "details": {"code": code}}
    peer.send(json.dumps({"type": "res", "id": request["id"], "ok": False, "error": error}))


def main(arguments: list[str]) -> int:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # at once, whichever thread it reaches
    port = int(arguments[arguments.index("--port") + 1])
    state = Path(os.environ["OPENCLAW_STATE_DIR"])
    state.mkdir(parents=True, exist_ok=True)
    gateway = Gateway(os.environ["OPENCLAW_GATEWAY_TOKEN"], Transcript(state / "transcript.json"))
    with socket.create_server(("127.0.0.1", port)) as listener:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=lambda c=connection: gateway.serve(Peer(c)), daemon=True).start()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
