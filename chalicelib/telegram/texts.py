"""The bot's own texts. Everything else in a chat comes from the agent."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.people.linking import Why

PAIR = (
    "This bot answers only people who have paired it with their web account.\n\n"
    "1. Open the web page and sign in.\n"
    "2. Choose “Telegram” in the menu; it shows a code for five minutes.\n"
    "3. Send it here: /link 123456\n\n"
    "Or press “Open Telegram” there: that pairs in one tap."
)
PAIR_GROUP = "I do not know you yet. Write to me in a private chat to pair with your web account."
PRIVATE_BOT = "This bot is private. Your Telegram id is {id}; give it to the owner to get access."
WELCOME = "You are paired. Write me anything. Your agent answers here and on your web page."
HELP = (
    "Write me anything: text, photos, voice messages and files go to your agent.\n\n"
    "/new – start a new conversation\n"
    "/stop – stop the answer that is being written\n"
    "/now – hand a waiting message to the answer that is being written\n"
    "/status – what your agent is doing\n"
    "/automations – reminders and automations: list, pause, run, delete; stop background work\n"
    "/timezone CITY – set your time zone\n"
    "/link CODE – pair with your web account\n"
    "/help – this text\n\n"
    "For this conversation: /model, /models, /think, /fast, /compact, /reset, /context, /tools, /skill, /learn, "
    "/goal, /tasks, /subagents. Other commands of OpenClaw say what to do instead.\n\n"
    "Reply to a message to quote it. An edited message is answered again only if it now begins with /again. "
    "In groups I answer to my name and to replies. To unlink, use the web page."
)
LINKED = (
    "Paired. This chat and your web page now share one agent, one memory and one history. "
    "Your agent also knows what you wrote on the web."
)
ASK_TIME_ZONE = (
    "Your time zone is not known, so your agent uses UTC. "
    "Tell me yours with a city, for example: /timezone Europe/Berlin"
)
TIME_ZONE = "Your time zone is {zone}. To change it, send another one: /timezone Europe/Berlin"
TIME_ZONE_UNKNOWN = "I do not know that time zone. Write continent and city, for example: /timezone Asia/Seoul"
LINK_HOW = "Send the six digits that the web page shows: /link 123456"
LINK_IN_PRIVATE = "Pair in a private chat with me: everybody in this chat can read a code."
UNLINK = (
    "You can unlink only on the web page (menu, “Telegram”, “Unlink”). "
    "So nobody who finds your phone unlocked can unlink you or pair you with another account."
)
UNLINKED = "This chat was unlinked on the web page. I will not answer here any more."
NEW = "A new conversation starts here. The earlier one stays on your web page."
NOT_READABLE = "I can read text, photos, voice messages, files, places and contacts, but not this."
NOTHING_TO_STOP = "Nothing is being written."
RUNS_ELSEWHERE = (
    "Nothing is being written in this conversation. An answer is being written in another conversation: stop it there."
)
STOPPED = "Stopped."
WAITS = "I am still working on your last message, so this one waits. /now gives it to me at once, /stop ends my work."
STEERED = "I have your message and include it in my current answer."
NOTHING_TO_STEER = "Nothing is being written here, so no message has to wait. Just write."
TOO_MANY = "You sent too many messages in a short time. Please wait a minute."
TOO_LARGE = "That file is larger than the 20 MB that Telegram gives to bots."
AGAIN_HOW = "Edit one of your messages so that it begins with /again. Then I answer it again."

REFUSED = {
    Why.UNKNOWN: "That code is not right. Check it, or take a new one from the web page.",
    Why.EXPIRED: "That code has expired: it is valid for five minutes. Take a new one from the web page.",
    Why.USED: "That code was used already. Take a new one from the web page.",
    Why.LOCKED: "Too many wrong codes. Try again in {minutes} min, or use “Open Telegram” on the web page.",
    Why.ALREADY: "You are paired already. Write me anything.",
    Why.TELEGRAM_TAKEN: (
        "This Telegram account is paired with another web account. Unlink it there first. "
        "Its conversations stay with that account."
    ),
    Why.ACCOUNT_TAKEN: (
        "That web account is paired with another Telegram account. Unlink that one on the web page first."
    ),
}

STARTING = "⏳ Your agent is starting. This takes about {seconds} s …"
PHASES = {
    "booting": "⏳ The container runs, OpenClaw is booting …",
    "restoring": "⏳ Restoring your agent's memory …",
    "ready": "✅ Your agent is ready and reads your message …",
}
# Below the first words, until the agent goes on with them.
WAKING = "💤 First answer. Your agent is waking up and goes on from here."
STATUS = {
    "Idle": "Your agent sleeps. It starts when you write.",
    "Starting": "Your agent is starting.",
    "Running": "Your agent is awake.",
    "Suspended": "Your agent is awake.",  # it answers within a second
    "Stopping": "Your agent is going to sleep.",
}
BUSY = "It is writing an answer."
SPENT = "This month's model calls: {least}${usd:.2f} of ${limitUsd:.2f}."
AT_LEAST = "at least "
UNPRICED = "This month's model calls: cost unknown, because the price of the model is not known."
COMMANDS = {
    "start": "Begin",
    "help": "What I can do",
    "new": "Start a new conversation",
    "stop": "Stop the answer",
    "now": "Hand over a waiting message at once",
    "status": "What your agent is doing",
    "automations": "Reminders and automations",
    "timezone": "Set your time zone: /timezone Europe/Berlin",
    "link": "Pair with your web account: /link CODE",
}
AUTOMATIONS_NONE = "There are none. Ask your agent: “Remind me every day at 8 to water the plants.”"
AUTOMATIONS_HOW = "To change one, send its number: /automations pause 1 (or resume, run, delete; stop for work)"
AUTOMATION_ASKED = {
    "pause": "“{name}” is paused.",
    "resume": "“{name}” goes on.",
    "run": "“{name}” runs now; its result comes here or on the web page.",
    "delete": "“{name}” is deleted.",
    "stop": "“{name}” is stopped.",
}
WORK = {"subagent": "A helper works", "exec": "A background command runs"}


def automations(jobs: list[dict[str, Any]], work: list[dict[str, Any]], zone: str) -> str:
    """A numbered list of what the agent does by itself and in the background, with times in the user's zone."""
    if not jobs and not work:
        return AUTOMATIONS_NONE
    lines = [_automation(at, job, zone) for at, job in enumerate(jobs, 1)]
    lines += [_work(at, one, zone) for at, one in enumerate(work, len(jobs) + 1)]
    return "\n".join([*lines, "", AUTOMATIONS_HOW])


def _work(at: int, one: dict[str, Any], zone: str) -> str:
    since = f", since {_moment(one['at'], zone)}" if one["at"] else ""
    asked = ", stop: when your agent is awake" if one.get("asked") else ""
    return f"{at}. {WORK[one['kind']]}: {one['text']}{since}{asked}"


def _automation(at: int, job: dict[str, Any], zone: str) -> str:
    parts = [job["name"], job.get("schedule", "")]
    if not job["enabled"]:
        parts.append("paused")
    elif job.get("nextRunAt"):
        parts.append(f"next {_moment(job['nextRunAt'], zone)}")
    if job.get("lastRunAt"):
        parts.append(f"last {_moment(job['lastRunAt'], zone)} ({job.get('lastStatus', '?')})")
    if job.get("asked"):
        parts.append(f"{job['asked']}: when your agent is awake")
    return f"{at}. " + ", ".join(part for part in parts if part)


def _moment(at: int, zone: str) -> str:
    return f"{datetime.fromtimestamp(at / 1000, ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def spent(cost: dict[str, Any]) -> str:
    """The line on this month's cost. If no price is known, it does not say “at least $0.00”."""
    if not cost["complete"] and cost["usd"] < 0.005:
        return UNPRICED
    return SPENT.format(least="" if cost["complete"] else AT_LEAST, **cost)


EDIT_TOO_LATE = (
    "Your agent has read that message already, so the edit changes nothing. "
    "Edit it to begin with /again to ask anew, or write a new message."
)
NOT_YOUR_QUESTION = "Only the person whom this agent belongs to can answer, in the chat where it asked."
