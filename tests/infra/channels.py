"""What leads to the AWS calls of the Telegram webhook, of pairing and of prewarming."""

from typing import TYPE_CHECKING, Any

from tests.infra.scenarios import new_id

if TYPE_CHECKING:
    from tests.infra.drive import Drive

HEADER = {"x-telegram-bot-api-secret-token": "secret"}


class Chat:
    """One Telegram person's private chat with the bot."""

    number = 0

    def __init__(self, drive: "Drive", person: int) -> None:
        self._drive = drive
        self._person = person

    def say(self, text: str, again: bool = False, **more: Any) -> Any:
        Chat.number += 0 if again else 1
        message = {
            "message_id": Chat.number,
            "date": 1,
            "chat": {"id": self._person, "type": "private"},
            "from": {"id": self._person, "is_bot": False, "first_name": "A"},
            "text": text,
        }
        update = {"update_id": Chat.number, "message": message | more}
        return self._drive.rest("", "POST", "/telegram", update, headers=HEADER)


def telegram(drive: "Drive") -> None:
    """Strangers, pairing by code and by link, commands, messages to every state of the agent, unlinking."""
    from chalicelib.people.linking import Linking
    from tests.infra.drive import Fakes

    user, chat = drive.user(), Chat(drive, 1001)
    for tab in (f"tab-{user}", f"gone-{user}"):
        drive.connect({"token": user}, tab)
    chat.say("who are you")
    chat.say("who are you", again=True)
    drive.rest(user, "POST", "/link/generate-otp")
    drive.rest(user, "POST", "/link/generate-otp")
    chat.say("/link 000000")
    code = Linking("secret").issue(user)
    chat.say(f"/link {code.code}")
    chat.say(f"/link {code.code}")
    drive.rest(user, "GET", "/link/status")
    for command in ("/start", "/help", "/new", "/status", "/stop"):
        chat.say(command)
    chat.say("cold")
    chat.say("cold", again=True)
    drive.agent(user)
    chat.say("warm")
    chat.say("", photo=[{"file_id": "f", "file_size": 10, "width": 1, "height": 1}])
    drive.rest(user, "POST", "/link/unlink")
    other = drive.user()
    drive.connect({"token": other}, f"gone-{other}")
    second = Chat(drive, 1002)
    second.say(f"/start {Linking('secret').issue(other).token}")
    second.say("/link 111111")
    Fakes.telegram_fails = True
    second.say("Telegram does not take the status message")
    Fakes.telegram_fails = False
    for number in range(7):
        second.say(f"/link 22222{number}")
    for _ in range(3):
        Chat(drive, 1003).say("a stranger who goes on")


def prewarm(drive: "Drive") -> None:
    """A start ahead, one that is not needed, one that fails; and its claim by each way a user comes."""
    from chalicelib.agents.containers import Containers
    from chalicelib.agents.runtime import StartFailed
    from chalicelib.agents.tasks import PREWARM, Tasks
    from chalicelib.platform.models import TaskRow
    from tests.infra.scenarios import event, stopped, wait_in_inbox

    def next_minute() -> None:
        """A minute's row is used once."""
        for row in TaskRow.scan(TaskRow.user_id.startswith(PREWARM)):
            row.delete()

    def refuse(self: Any, user_id: str, generation: int, spot_only: bool = False) -> str:
        raise StartFailed("CAPACITY", "none")

    kept, Containers.start = Containers.start, refuse  # type: ignore[method-assign]
    drive.call("prewarm", event({}))
    Containers.start = kept  # type: ignore[method-assign]
    next_minute()
    for way in ("websocket_message", "api_handler", "task_stopped", "watchdog"):
        for gone in ("", "gone-"):
            drive.call("prewarm", event({}))
            drive.call("prewarm", event({}))
            for waiting in Tasks().prewarmed():
                drive.agent(waiting.user_id, f"{gone}agent-{way}-{waiting.user_id}")
            user = drive.user()
            drive.connect({"token": user}, f"tab-{user}")
            if way == "websocket_message":
                drive.send(f"tab-{user}", "sendMessage", id=new_id(), text="cold")
            elif way == "api_handler":
                drive.rest(user, "POST", "/messages", {"id": new_id(), "text": "cold"})
            else:
                wait_in_inbox(user)
                drive.call(way, stopped(user, 0) if way == "task_stopped" else event({}))
            for waiting in Tasks().prewarmed():
                drive.call("task_stopped", stopped(waiting.user_id, waiting.generation))
            next_minute()


ALL = (telegram, prewarm)
